//! The writable end.

use super::channel::Channel;
use super::raw::RawWriter;
use super::{AbiBuffer, StreamResult, StreamWrite, WriteFrom};
use crate::copy::Flight;
use crate::owner::one_thread;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll, ready};

/// The writable end of a stream. Dropping it tells the reader that nothing more will come.
pub struct StreamWriter<T> {
    raw: RawWriter,
    items: PhantomData<T>,
}

one_thread!(StreamWriter<T>);

impl<T> Unpin for StreamWriter<T> {}

impl<T> StreamWriter<T> {
    /// A writer of items of this type.
    pub(super) fn new(raw: RawWriter) -> StreamWriter<T> {
        StreamWriter { raw, items: PhantomData }
    }

    pub(super) fn channel(&self) -> &Channel {
        self.raw.channel()
    }

    /// The handle of the stream in the component's table; 0 while the stream is one of this component only.
    pub fn handle(&self) -> u32 {
        self.channel().writer.pending.handle.get()
    }

    /// Writes items, as many as the reader takes, and at least one unless there is none: then it waits until the reader
    /// is ready.
    pub fn write(&mut self, values: Vec<T>) -> StreamWrite<'_, T> {
        self.write_buf(AbiBuffer::new(values))
    }

    /// Writes what a write has left.
    pub fn write_buf(&mut self, values: AbiBuffer<T>) -> StreamWrite<'_, T> {
        StreamWrite::new(self, values)
    }

    /// Writes all items. Those that are left because the reader was dropped.
    ///
    /// When this future is dropped, items that were not written are dropped with it; see [`Self::write_from`].
    pub async fn write_all(&mut self, values: Vec<T>) -> Vec<T> {
        let mut write = self.write(values);
        poll_fn(|cx| write.poll_all(cx)).await
    }

    /// Writes an item. It comes back when the reader was dropped.
    pub async fn write_one(&mut self, value: T) -> Option<T> {
        self.write_all(alloc::vec![value]).await.pop()
    }

    /// Writes items, as [`write`](Self::write) does, and removes those that were written from the front of `values`:
    /// also when the future is dropped before it is done. So nothing is lost in a `select!`.
    ///
    /// Where no task is current (in a destructor of a resource, say), the engine does not let a write be given up: items
    /// then stay with the writer, and [`take_unwritten`](Self::take_unwritten) gets them back in a task.
    pub fn write_from<'a>(&'a mut self, values: &'a mut Vec<T>) -> WriteFrom<'a, T> {
        WriteFrom::new(self, values)
    }

    /// As [`write_from`](Self::write_from), in a hand-written poll function: while it is pending, the items are with
    /// the writer, and [`take_unwritten`](Self::take_unwritten) gives them back.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, values: &mut Vec<T>) -> Poll<StreamResult> {
        let mut write = if self.is_writing() { StreamWrite::resume(self) } else { self.write(core::mem::take(values)) };
        let polled = write.poll_kept(cx);
        polled.map(|(result, rest)| {
            let mut rest = rest.into_vec();
            rest.append(values);
            *values = rest;
            result
        })
    }

    /// Gives up what [`poll_write`](Self::poll_write) is writing: the items that were not written.
    pub fn take_unwritten(&mut self) -> Vec<T> {
        if !self.is_writing() {
            return Vec::new();
        }
        let (_, rest) = StreamWrite::resume(self).end();
        rest.into_vec()
    }

    /// The reader finds the end of the stream. Nothing can be written any more.
    #[cfg(any(feature = "futures-io", feature = "futures-sink"))]
    pub(super) fn shut(&mut self) {
        drop(self.take_unwritten());
        let channel = self.channel();
        if channel.writer.open.get() {
            channel.writer.finished.set(true);
            channel.close_writer();
        }
    }

    /// Writes all of `values`, after what is being written: those that are left because the reader is gone. While this
    /// is pending, the items are with the writer.
    pub fn poll_write_all(&mut self, cx: &mut Context<'_>, mut values: Vec<T>) -> Poll<Vec<T>> {
        loop {
            if values.is_empty() && !self.is_writing() {
                return Poll::Ready(values);
            }
            if ready!(self.poll_write(cx, &mut values)) == StreamResult::Dropped {
                return Poll::Ready(values);
            }
        }
    }

    pub(super) fn is_writing(&self) -> bool {
        self.channel().writer.pending.flight.get() != Flight::Idle
    }
}

impl<T> fmt::Debug for StreamWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWriter").field("handle", &self.handle()).finish()
    }
}
