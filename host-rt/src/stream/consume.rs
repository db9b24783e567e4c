//! What the engine calls with the items of a stream.

use super::made::batch_len;
use super::port::{Port, Sink};
use crate::attach::Attach;
use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasmtime::component::{Lift, Source, StreamConsumer, StreamReader, StreamResult};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// Reads items into the port's buffer or sink.
pub(crate) struct Consumer<T> {
    port: Arc<Port<T>>,
    sink: Option<Sink<T>>,
    /// What the sink has yet to take.
    items: Vec<T>,
}

// Nothing in it is pinned in place.
impl<T> Unpin for Consumer<T> {}

impl<T: Lift + Attach + Send + Sync + 'static> Consumer<T> {
    /// Has the engine read the stream from now on.
    pub(crate) fn start<D: Send>(
        port: Arc<Port<T>>,
        reader: StreamReader<T>,
        store: StoreContextMut<'_, D>,
    ) -> Result<()> {
        let consumer = Consumer { port, sink: None, items: Vec::new() };
        let mut pair = Some((consumer, reader));
        let any: &mut dyn Any = &mut pair;
        if let Some(bytes) = any.downcast_mut::<Option<(Consumer<u8>, StreamReader<u8>)>>() {
            let (consumer, reader) = bytes.take().expect("put there above");
            return reader.pipe(store, InPlace(consumer));
        }
        let (consumer, reader) = pair.expect("put there above");
        reader.pipe(store, consumer)
    }

    fn read<D: Send>(
        &self,
        mut store: StoreContextMut<'_, D>,
        source: &mut Source<'_, T>,
        into: &mut Vec<T>,
    ) -> Result<()> {
        let count = source.remaining(&mut store).min(batch_len::<T>());
        into.reserve_exact(count);
        source.read(&mut store, into)?;
        into.iter_mut().try_for_each(|item| item.attach(&mut store))
    }
}

impl<T> Consumer<T> {
    /// Whether the items go into a sink, or else may go into the buffer; or what to tell the engine.
    fn poll_target(&mut self, cx: &mut Context<'_>, finish: bool) -> Result<bool, Poll<StreamResult>> {
        let mut state = self.port.state();
        if state.dropped || state.ended {
            return Err(Poll::Ready(StreamResult::Dropped));
        }
        if let Some(sink) = state.sink.take() {
            self.sink = Some(sink);
            self.items.append(&mut state.ready);
        }
        if self.sink.is_some() {
            return Ok(true);
        }
        if state.ready.is_empty() {
            return Ok(false);
        }
        if finish {
            return Err(Poll::Ready(StreamResult::Cancelled));
        }
        state.written = Some(cx.waker().clone());
        Err(Poll::Pending)
    }

    /// Feeds the sink what it has yet to take; whether it is done with that.
    fn poll_feed(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        while let (Some(sink), false) = (&mut self.sink, self.items.is_empty()) {
            match sink(cx, &self.items) {
                Poll::Ready(Some(count)) => drop(self.items.drain(..count)),
                Poll::Ready(None) => {
                    self.stop();
                    return Poll::Ready(None);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Some(()))
    }

    /// The sink wants no more.
    fn stop(&mut self) {
        self.items.clear();
        // It holds what its owner waits for.
        drop(self.sink.take());
        self.port.state().end();
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        let mut state = self.port.state();
        // Whoever reads takes care of what was taken over already.
        if !self.items.is_empty() {
            state.ready = std::mem::take(&mut self.items);
        }
        if let Some(sink) = self.sink.take() {
            state.sink = Some(sink);
        }
        state.end();
    }
}

impl<D: Send + 'static, T: Lift + Attach + Send + Sync + 'static> StreamConsumer<D> for Consumer<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let left = self.items.len();
        match self.poll_target(cx, finish) {
            Err(told) => return told.map(Ok),
            Ok(false) => {
                let mut ready = std::mem::take(&mut self.port.state().ready);
                self.read(store, &mut source, &mut ready)?;
                let mut state = self.port.state();
                state.ready = ready;
                state.wake_reader();
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Ok(true) => {}
        }
        if left == 0 {
            let mut items = std::mem::take(&mut self.items);
            self.read(store, &mut source, &mut items)?;
            self.items = items;
        }
        match self.poll_feed(cx) {
            Poll::Ready(Some(())) => Poll::Ready(Ok(StreamResult::Completed)),
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            // They are taken over, and are fed at the next occasion.
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Completed)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Shows a sink of bytes the memory of the writer.
struct InPlace(Consumer<u8>);

impl<D: Send> StreamConsumer<D> for InPlace {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'_, D>,
        source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let this = &mut self.0;
        match this.poll_target(cx, finish) {
            Err(told) => return told.map(Ok),
            Ok(false) => return Pin::new(this).poll_consume(cx, store, source, finish),
            Ok(true) => {}
        }
        // From before there was a sink.
        match this.poll_feed(cx) {
            Poll::Ready(Some(())) => {}
            Poll::Ready(None) => return Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        }
        let mut direct = source.as_direct(store.as_context_mut());
        if direct.remaining().is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let Some(sink) = &mut this.sink else { return Poll::Ready(Ok(StreamResult::Dropped)) };
        match sink(cx, direct.remaining()) {
            Poll::Ready(Some(count)) => {
                direct.mark_read(count);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => {
                this.stop();
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
