//! Writers as `futures::Sink`.

use crate::stream::{StreamWriter, page_of};
use alloc::vec::Vec;
use core::fmt;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, ready};
use futures_sink::Sink;

/// The writer of a stream, as a `futures::Sink`: see [`StreamWriter::into_sink`].
///
/// Dropping it does not wait, and loses nothing: what was sent is left to the reader.
#[derive(Debug)]
pub struct StreamWriterSink<T> {
    writer: StreamWriter<T>,
    /// What the writer does not have yet.
    items: Vec<T>,
}

/// The reader of a stream was dropped: what was not read is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderDropped;

impl fmt::Display for ReaderDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of the stream was dropped")
    }
}

impl core::error::Error for ReaderDropped {}

impl<T> StreamWriter<T> {
    /// Returns a `futures::Sink` for the items.
    ///
    /// It collects about a page of items before it writes; flushing it writes what there is.
    pub fn into_sink(self) -> StreamWriterSink<T> {
        StreamWriterSink { writer: self, items: Vec::new() }
    }
}

impl<T> StreamWriterSink<T> {
    /// Returns the writer, and the items that were not written.
    pub fn into_inner(self) -> (StreamWriter<T>, Vec<T>) {
        let this = ManuallyDrop::new(self);
        // SAFETY: both are moved out of what is not dropped.
        let (mut writer, mut last) = unsafe { (ptr::read(&this.writer), ptr::read(&this.items)) };
        let mut items = writer.take_unwritten();
        items.append(&mut last);
        (writer, items)
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ReaderDropped>> {
        let items = core::mem::take(&mut self.items);
        // If there is none, the buffer is used again.
        self.items = ready!(self.writer.poll_write_all(cx, items));
        Poll::Ready(if self.items.is_empty() { Ok(()) } else { Err(ReaderDropped) })
    }
}

impl<T> Unpin for StreamWriterSink<T> {}

impl<T> Drop for StreamWriterSink<T> {
    fn drop(&mut self) {
        let items = core::mem::take(&mut self.items);
        if !items.is_empty() {
            self.writer.leave(items);
        }
    }
}

impl<T> Sink<T> for StreamWriterSink<T> {
    type Error = ReaderDropped;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ReaderDropped>> {
        if self.items.len() < page_of::<T>() {
            return Poll::Ready(Ok(()));
        }
        self.poll_drain(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), ReaderDropped> {
        self.items.push(item);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ReaderDropped>> {
        self.poll_drain(cx)
    }

    /// The reader finds the end of the stream when this is done.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ReaderDropped>> {
        let flushed = ready!(self.poll_drain(cx));
        self.writer.close();
        Poll::Ready(flushed)
    }
}
