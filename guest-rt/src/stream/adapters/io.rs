//! Streams of bytes as `futures::io` has them.

use crate::stream::{StreamReader, StreamWriter};
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};
use std::io::{Error, ErrorKind, Result};

/// At most this many bytes are copied for one write.
const MOST: usize = 64 * 1024;

impl AsyncRead for StreamReader<u8> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.read_ahead(buf.len().min(MOST));
        let ready = ready!(self.poll_fill(cx));
        let count = ready.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
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

/// Bytes are copied once, into a write that then goes on: at most 64 KiB of them. They have been read when the next write
/// or a flush is done; when the reader was dropped instead, that fails with [`ErrorKind::BrokenPipe`]. Dropping the writer
/// does not wait, and loses nothing: what was accepted is left to the reader.
impl AsyncWrite for StreamWriter<u8> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let bytes = buf.get(..MOST).unwrap_or(buf).to_vec();
        let count = bytes.len();
        Poll::Ready(match self.poll_write_all(cx, bytes) {
            Poll::Pending => Ok(count),
            Poll::Ready(rest) if rest.len() == count => Err(gone()),
            Poll::Ready(rest) => Ok(count - rest.len()),
        })
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let rest = ready!(self.poll_write_all(cx, Vec::new()));
        Poll::Ready(if rest.is_empty() { Ok(()) } else { Err(gone()) })
    }

    /// The reader finds the end of the stream when this is done.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let flushed = ready!(self.as_mut().poll_flush(cx));
        self.close();
        Poll::Ready(flushed)
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::BrokenPipe, "the reader of the stream was dropped")
}
