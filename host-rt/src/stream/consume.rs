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

    /// Adds so many items, which are there.
    fn read<D: Send>(
        mut store: StoreContextMut<'_, D>,
        source: &mut Source<'_, T>,
        into: &mut Vec<T>,
        count: usize,
    ) -> Result<()> {
        let old = into.len();
        // The engine reads what there is room for.
        into.reserve(count);
        source.read(&mut store, into)?;
        into[old..].iter_mut().try_for_each(|item| item.attach(&mut store))
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
            while let Some(mut batch) = state.ready.pop() {
                self.items.append(&mut batch);
            }
        }
        if self.sink.is_some() {
            return Ok(true);
        }
        if !state.ready.is_full() {
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
        state.ready.put_back(std::mem::take(&mut self.items));
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
        mut store: StoreContextMut<'_, D>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let left = self.items.len();
        match self.poll_target(cx, finish) {
            Err(told) => return told.map(Ok),
            Ok(false) => {
                let count = source.remaining(&mut store).min(batch_len::<T>());
                let mut batch = self.port.state().ready.vec_for(count);
                Self::read(store, &mut source, &mut batch, count)?;
                self.port.read(batch);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Ok(true) => {}
        }
        if left == 0 {
            let mut items = std::mem::take(&mut self.items);
            let count = source.remaining(&mut store).min(batch_len::<T>());
            Self::read(store, &mut source, &mut items, count)?;
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
            Ok(false) => {
                let mut direct = source.as_direct(store);
                let bytes = direct.remaining();
                let bytes = &bytes[..bytes.len().min(batch_len::<u8>())];
                let mut batch = this.port.state().ready.vec_for(bytes.len());
                batch.extend_from_slice(bytes);
                let count = bytes.len();
                direct.mark_read(count);
                this.port.read(batch);
                return Poll::Ready(Ok(StreamResult::Completed));
            }
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
