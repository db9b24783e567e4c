//! Readers as `futures::Stream`, and what has ended as `futures` asks for it.

use crate::stream::{ResultStream, StreamRead, StreamReader, StreamWrite, WriteFrom};
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::future::FusedFuture;
use futures_core::stream::{FusedStream, Stream};

/// The items of a [`StreamReader`], as a `futures::Stream`: see [`StreamReader::into_stream`].
#[derive(Debug)]
pub struct StreamReaderStream<T> {
    reader: StreamReader<T>,
}

impl<T> StreamReader<T> {
    /// Returns a `futures::Stream` of the items. The reader is one itself; this is for those who expect it here.
    pub fn into_stream(self) -> StreamReaderStream<T> {
        StreamReaderStream::new(self)
    }
}

impl<T> StreamReaderStream<T> {
    /// Makes a stream of the items of a reader.
    pub fn new(reader: StreamReader<T>) -> StreamReaderStream<T> {
        StreamReaderStream { reader }
    }

    /// Returns the reader, which has lost nothing. It is always `Some`.
    pub fn into_inner(self) -> Option<StreamReader<T>> {
        Some(self.reader)
    }
}

impl<T> Stream for StreamReaderStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.reader.poll_next(cx)
    }
}

impl<T> Stream for StreamReader<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        StreamReader::poll_next(&mut self, cx)
    }
}

impl<T> FusedStream for StreamReaderStream<T> {
    fn is_terminated(&self) -> bool {
        self.reader.is_at_end()
    }
}

impl<T> FusedStream for StreamReader<T> {
    fn is_terminated(&self) -> bool {
        self.is_at_end()
    }
}

impl<T, R, E> Stream for ResultStream<T, R, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T, E>>> {
        self.try_poll_next(cx).map(Result::transpose)
    }
}

impl<T, R, E> FusedStream for ResultStream<T, R, E> {
    fn is_terminated(&self) -> bool {
        self.is_ended()
    }
}

impl<T> FusedFuture for StreamRead<'_, T> {
    fn is_terminated(&self) -> bool {
        self.is_done()
    }
}

impl<T> FusedFuture for StreamWrite<'_, T> {
    fn is_terminated(&self) -> bool {
        self.is_done()
    }
}

impl<T> FusedFuture for WriteFrom<'_, T> {
    fn is_terminated(&self) -> bool {
        self.is_done()
    }
}
