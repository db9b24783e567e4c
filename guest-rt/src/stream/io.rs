//! Streams of bytes as `futures::io` has them.

use super::{StreamReader, StreamWriter};
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};
use std::io::{Error, ErrorKind, Result};

/// So many bytes are copied for one write at most.
const MOST: usize = 64 * 1024;

impl AsyncRead for StreamReader<u8> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.read_ahead(buf.len().min(MOST));
        let ready = ready!(self.poll_fill(cx));
        let count = ready.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(ready) {
            *to = *from;
        }
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncBufRead for StreamReader<u8> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.get_mut().poll_fill(cx).map(Ok)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        StreamReader::consume(&mut self, amount);
    }
}

/// Bytes are copied once, into the write that is then in flight: at most 64 KiB of them. That one is done when the next
/// write or a flush is. When the reader was dropped, these fail with [`ErrorKind::BrokenPipe`].
impl AsyncWrite for StreamWriter<u8> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let count = buf.len().min(MOST);
        let mut bytes = Vec::with_capacity(count);
        bytes.extend(buf.iter().take(count));
        match self.poll_write_all(cx, bytes) {
            Poll::Ready(rest) if rest.len() == count => Poll::Ready(Err(gone())),
            _ => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let rest = ready!(self.poll_write_all(cx, Vec::new()));
        Poll::Ready(if rest.is_empty() { Ok(()) } else { Err(gone()) })
    }

    /// The reader finds the end of the stream when this is done.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = ready!(self.as_mut().poll_flush(cx));
        self.shut();
        Poll::Ready(flushed)
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::BrokenPipe, "the reader of the stream was dropped")
}
