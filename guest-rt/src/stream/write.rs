//! Writing from a buffer.

use super::channel::buf::RawBuf;
use super::raw_copy::{Progress, RawItems, RawWrite};
use super::{StreamResult, StreamWriter};
#[cfg(feature = "futures-sink")]
use crate::copy::CopyState;
use crate::owner::one_thread;
use crate::payload::Items;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

impl<T> StreamWriter<T> {
    /// Writes items, as many as the reader takes, and at least one unless there is none: then it waits until the reader
    /// is ready.
    pub fn write(&mut self, values: Vec<T>) -> StreamWrite<'_, T> {
        self.write_buf(AbiBuffer::new(values))
    }

    /// Writes what a write has left.
    pub fn write_buf(&mut self, values: AbiBuffer<T>) -> StreamWrite<'_, T> {
        StreamWrite { write: RawWrite::new(self.channel(), values.into_raw()), writer: PhantomData }
    }

    /// Writes all items. Returns those left over if the reader was dropped; otherwise the vector is empty.
    ///
    /// When this future is dropped, items that were not written are dropped with it; see [`Self::write_from`].
    pub async fn write_all(&mut self, values: Vec<T>) -> Vec<T> {
        let mut write = self.write(values);
        poll_fn(|cx| write.poll_all(cx)).await
    }

    /// Writes an item. Returns it if the reader was dropped.
    pub async fn write_one(&mut self, value: T) -> Option<T> {
        self.write_all(alloc::vec![value]).await.pop()
    }

    /// Writes items, as [`write`](Self::write) does, and removes those that were written from the front of `values`:
    /// also when the future is dropped before it is done. So nothing is lost in a `select!`.
    ///
    /// Where no task is current (in a destructor of a resource, say), the engine does not let a write be given up: items
    /// then stay with the writer, and [`take_unwritten`](Self::take_unwritten) gets them back in a task.
    pub fn write_from<'a>(&'a mut self, values: &'a mut Vec<T>) -> WriteFrom<'a, T> {
        WriteFrom { write: self.write(core::mem::take(values)), values }
    }

    /// As [`write_from`](Self::write_from), in a hand-written poll function: while it is pending, the items are with
    /// the writer, and [`take_unwritten`](Self::take_unwritten) gives them back.
    pub fn poll_write_from(&mut self, cx: &mut Context<'_>, values: &mut Vec<T>) -> Poll<StreamResult> {
        let mut write = if self.is_writing() { self.resume() } else { self.write(core::mem::take(values)) };
        let polled = write.step(cx);
        // When it is pending, the writer goes on with it.
        write.write.progress = Progress::Done;
        polled.map(|(result, rest)| {
            let mut rest = rest.into_vec();
            rest.append(values);
            *values = rest;
            result
        })
    }

    /// Gives up what [`poll_write_from`](Self::poll_write_from) is writing. Returns the items that were not written.
    pub fn take_unwritten(&mut self) -> Vec<T> {
        if !self.is_writing() {
            return Vec::new();
        }
        let (_, rest) = self.resume().end();
        rest.into_vec()
    }

    /// Writes all of `values`, after what is being written. Returns those left over if the reader was dropped. While this
    /// is pending, the items are with the writer.
    pub fn poll_write_all(&mut self, cx: &mut Context<'_>, mut values: Vec<T>) -> Poll<Vec<T>> {
        loop {
            if values.is_empty() && !self.is_writing() {
                return Poll::Ready(values);
            }
            if ready!(self.poll_write_from(cx, &mut values)) == StreamResult::Dropped {
                return Poll::Ready(values);
            }
        }
    }

    /// Closes the stream: the reader finds its end, and nothing can be written any more. Nothing is being written.
    #[cfg(any(feature = "futures-io", feature = "futures-sink"))]
    pub(super) fn close(&mut self) {
        let channel = self.channel();
        if channel.writer.open.get() && !channel.writer.is_copying() {
            channel.writer.finished.set(true);
            let (wake, displaced, _) = channel.close_writer();
            wake.wake();
            drop(displaced);
        }
    }

    /// Leaves items to the reader, after what is being written: the writer goes.
    #[cfg(feature = "futures-sink")]
    pub(super) fn leave(&mut self, mut items: Vec<T>) {
        if self.channel().writer.pending.state.get() == CopyState::Engine {
            self.channel().last.set(RawBuf::from_vec(items));
            return;
        }
        let mut all = self.take_unwritten();
        all.append(&mut items);
        // When it is pending, dropping the writer leaves them.
        _ = self.poll_write_all(&mut Context::from_waker(core::task::Waker::noop()), all);
    }

    /// The write that the writer goes on with.
    fn resume(&mut self) -> StreamWrite<'_, T> {
        StreamWrite { write: RawWrite::resume(self.channel()), writer: PhantomData }
    }
}

/// Items to write, of which some may have been written.
///
/// A write gives it back. It can be written again, by [`StreamWriter::write_buf`], without moving anything.
pub struct AbiBuffer<T> {
    raw: RawItems,
    items: PhantomData<T>,
}

one_thread!(holds AbiBuffer<T>, StreamWrite<'a, T>, WriteFrom<'a, T>);

impl<T> AbiBuffer<T> {
    fn new(items: Vec<T>) -> AbiBuffer<T> {
        AbiBuffer { raw: RawItems::new(RawBuf::from_vec(items)), items: PhantomData }
    }

    fn into_raw(self) -> RawItems {
        let mut this = ManuallyDrop::new(self);
        core::mem::replace(&mut this.raw, RawItems::NONE)
    }

    /// Returns the items that were not written, in the vector that they came in. When all were written that is an empty
    /// vector, which may be another one: a reader in the same component gives its own, of the same capacity, for one that
    /// it takes as a whole.
    pub fn into_vec(self) -> Vec<T> {
        // SAFETY: it was made of a vector of this type.
        unsafe { self.into_raw().buf.into_vec() }
    }

    /// Returns how many items were not written.
    pub fn remaining(&self) -> usize {
        self.raw.buf.rest()
    }
}

impl<T> Drop for AbiBuffer<T> {
    fn drop(&mut self) {
        // SAFETY: it was made of a vector of this type.
        unsafe { self.raw.buf.free(&const { Items::of::<T>() }) }
    }
}

impl<T> fmt::Debug for AbiBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbiBuffer").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

/// A write that is in progress: see [`StreamWriter::write`].
///
/// Dropping it gives the write up, and drops the items that were not written; [`StreamWrite::cancel`] gives them back.
/// Where the engine does not let it be given up, as where no task is current, the writer goes on with it. After the write
/// has ended it is pending for ever.
#[must_use = "futures do nothing unless polled"]
pub struct StreamWrite<'a, T> {
    write: RawWrite<'a>,
    writer: PhantomData<&'a mut StreamWriter<T>>,
}

impl<T> Unpin for StreamWrite<'_, T> {}

impl<T> StreamWrite<'_, T> {
    /// Gives the write up. Returns what it has come to by now, and the items that were not written.
    ///
    /// After the write has ended this is [`StreamResult::Cancelled`] and nothing; also where the engine does not let it be
    /// given up.
    pub fn cancel(mut self: Pin<&mut Self>) -> (StreamResult, AbiBuffer<T>) {
        self.end()
    }

    fn end(&mut self) -> (StreamResult, AbiBuffer<T>) {
        let code = self.write.cancel();
        (StreamResult::from_code(code), self.rest())
    }

    /// Takes what was not written.
    #[inline]
    fn rest(&mut self) -> AbiBuffer<T> {
        AbiBuffer { raw: core::mem::replace(&mut self.write.items, RawItems::NONE), items: PhantomData }
    }

    /// Polls until all is written. Returns what is left because the reader was dropped.
    #[inline]
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        ready!(self.write.poll_all(cx));
        Poll::Ready(self.rest().into_vec())
    }

    #[inline]
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<(StreamResult, AbiBuffer<T>)> {
        let code = ready!(self.write.poll(cx));
        Poll::Ready((StreamResult::from_code(code), self.rest()))
    }

    #[cfg(feature = "futures-stream")]
    pub(super) fn is_done(&self) -> bool {
        self.write.progress == Progress::Done
    }
}

impl<T> Future for StreamWrite<'_, T> {
    type Output = (StreamResult, AbiBuffer<T>);

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.step(cx)
    }
}

/// A write that takes items from a vector: see [`StreamWriter::write_from`].
///
/// After the write has ended it is pending for ever.
#[must_use = "futures do nothing unless polled"]
pub struct WriteFrom<'a, T> {
    write: StreamWrite<'a, T>,
    values: &'a mut Vec<T>,
}

impl<T> Unpin for WriteFrom<'_, T> {}

impl<T> Future for WriteFrom<'_, T> {
    type Output = StreamResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StreamResult> {
        self.write.step(cx).map(|(result, rest)| {
            *self.values = rest.into_vec();
            result
        })
    }
}

impl<T> WriteFrom<'_, T> {
    #[cfg(feature = "futures-stream")]
    pub(super) fn is_done(&self) -> bool {
        self.write.is_done()
    }
}

impl<T> Drop for WriteFrom<'_, T> {
    fn drop(&mut self) {
        let write = &self.write.write;
        if write.progress != Progress::Done && write.channel.owner.is_here() {
            let (_, rest) = self.write.end();
            *self.values = rest.into_vec();
        }
    }
}
