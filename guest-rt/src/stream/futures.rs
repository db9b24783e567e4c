//! Readers as `futures::Stream`.

use super::StreamReader;
use core::pin::Pin;
use core::task::{Context, Poll};
use futures_core::Stream;

/// The items of a [`StreamReader`], as a `futures::Stream`.
#[derive(Debug)]
pub struct StreamReaderStream<T> {
    reader: StreamReader<T>,
}

impl<T> StreamReaderStream<T> {
    /// The items of a reader.
    pub fn new(reader: StreamReader<T>) -> StreamReaderStream<T> {
        StreamReaderStream { reader }
    }

    /// The reader, which has lost nothing. Always `Some`.
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
