//! What writes into the engine's streams.

use super::batch::Batch;
use super::made::{Filled, Made, batch_len};
use std::any::{Any, TypeId};
use std::pin::Pin;
use std::task::{Context, Poll};
use wasmtime::component::{Destination, Lift, Lower, StreamProducer, StreamReader, StreamResult};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// Makes the engine's end of a stream that the host made.
pub(crate) fn reader<T: Lift + Lower + Send + Sync + 'static>(
    store: impl AsContextMut,
    made: Made<T>,
) -> Result<StreamReader<T>> {
    let mut made = Some(made);
    let any: &mut dyn Any = &mut made;
    let Some(bytes) = any.downcast_mut::<Option<Made<u8>>>() else {
        return StreamReader::new(store, ItemProducer(made.expect("put there above")));
    };
    if bytes.as_mut().is_none_or(|bytes| bytes.bytes().is_none()) {
        return StreamReader::new(store, ItemProducer(made.expect("put there above")));
    }
    let mut reader = Some(StreamReader::new(store, ByteProducer(bytes.take().expect("looked at above")))?);
    let any: &mut dyn Any = &mut reader;
    let reader = any.downcast_mut::<Option<StreamReader<T>>>().expect("`T` is `u8` here");
    Ok(reader.take().expect("put there above"))
}

/// What the engine is told when there is nothing yet.
fn nothing_yet(finish: bool) -> Poll<Result<StreamResult>> {
    if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending }
}

/// A guest that reads nothing asks whether it should read.
fn probe<T: 'static>(made: &mut Made<T>, cx: &mut Context<'_>, finish: bool) -> Poll<Result<StreamResult>> {
    match made.poll_ready(cx) {
        Poll::Ready(true) => Poll::Ready(Ok(StreamResult::Completed)),
        Poll::Ready(false) => Poll::Ready(Ok(StreamResult::Dropped)),
        Poll::Pending => nothing_yet(finish),
    }
}

/// Gives the stream back where the host gets to read what the host made.
fn give_back<T: 'static>(made: Made<T>) -> Box<dyn Any> {
    Box::new(made)
}

struct ItemProducer<T>(Made<T>);

// Nothing in it is pinned in place.
impl<T> Unpin for ItemProducer<T> {}

impl<D, T: Send + Sync + 'static> StreamProducer<D> for ItemProducer<T> {
    type Item = T;
    type Buffer = Batch<T>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, T, Batch<T>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        // Never more than the guest asked for: what the engine keeps is lost when the stream comes back to the host.
        let room = destination.remaining(store).unwrap_or(batch_len::<T>()).min(batch_len::<T>());
        if room == 0 {
            return probe(&mut self.0, cx, finish);
        }
        let mut items = destination.take_buffer().into_vec();
        let filled = self.0.poll_fill(cx, &mut items, room);
        destination.set_buffer(items.into());
        match filled {
            Poll::Ready(Filled::More) => Poll::Ready(Ok(StreamResult::Completed)),
            Poll::Ready(Filled::End) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Pending => nothing_yet(finish),
        }
    }

    fn try_into(me: Pin<Box<Self>>, ty: TypeId) -> Result<Box<dyn Any>, Pin<Box<Self>>> {
        if ty == TypeId::of::<Made<T>>() { Ok(give_back(Pin::into_inner(me).0)) } else { Err(me) }
    }
}

/// Writes into the memory of the guest.
struct ByteProducer(Made<u8>);

impl<D> StreamProducer<D> for ByteProducer {
    type Item = u8;
    type Buffer = Batch<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        destination: Destination<'a, u8, Batch<u8>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        if destination.remaining(&mut store) == Some(0) {
            return probe(&mut self.0, cx, finish);
        }
        let Some(chunks) = self.0.bytes() else { return Poll::Ready(Ok(StreamResult::Dropped)) };
        let mut direct = destination.as_direct(store, batch_len::<u8>());
        match chunks.poll_read(cx, direct.remaining()) {
            Poll::Ready(0) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Ready(count) => {
                direct.mark_written(count);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Pending => nothing_yet(finish),
        }
    }

    fn try_into(me: Pin<Box<Self>>, ty: TypeId) -> Result<Box<dyn Any>, Pin<Box<Self>>> {
        if ty == TypeId::of::<Made<u8>>() { Ok(give_back(Pin::into_inner(me).0)) } else { Err(me) }
    }
}
