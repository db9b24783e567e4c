//! Where the bytes of a made stream come from.

use super::made::{Filled, batch_len};
use bytes::{Buf, Bytes};
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Puts bytes where it is told to; none is the end.
pub(crate) trait ReadBytes: Send {
    /// How many there are now, of what fits.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<usize>;
}

/// Bytes in pieces, whatever makes them.
pub(crate) struct Chunks {
    /// What was fetched, and did not fit.
    ahead: Bytes,
    source: Source,
}

enum Source {
    Chunks(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
    Reader(Box<dyn ReadBytes>),
    End,
}

impl Chunks {
    pub(crate) fn of_stream(stream: impl Stream<Item = Bytes> + Send + 'static) -> Chunks {
        Chunks { ahead: Bytes::new(), source: Source::Chunks(Box::pin(stream)) }
    }

    #[cfg_attr(
        not(any(feature = "tokio", feature = "futures-io")),
        expect(dead_code, reason = "only readers are read")
    )]
    pub(crate) fn of_reader(reader: impl ReadBytes + 'static) -> Chunks {
        Chunks { ahead: Bytes::new(), source: Source::Reader(Box::new(reader)) }
    }

    pub(crate) fn of_bytes(bytes: Bytes) -> Chunks {
        Chunks { ahead: bytes, source: Source::End }
    }

    /// Reads into a slice; 0 is the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<usize> {
        if self.ahead.is_empty() {
            match &mut self.source {
                Source::Reader(reader) => {
                    let count = ready!(reader.poll_read(cx, into));
                    if count == 0 {
                        self.source = Source::End;
                    }
                    return Poll::Ready(count);
                }
                _ => ready!(self.poll_fetch(cx)),
            }
        }
        let count = self.ahead.len().min(into.len());
        self.ahead.copy_to_slice(&mut into[..count]);
        Poll::Ready(count)
    }

    /// The next piece, as it comes; `None` is the end.
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        ready!(self.poll_fetch(cx));
        let chunk = std::mem::take(&mut self.ahead);
        Poll::Ready(if chunk.is_empty() { None } else { Some(chunk) })
    }

    /// Adds up to `max` bytes; adds none when it is pending.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut Vec<u8>, max: usize) -> Poll<Filled> {
        ready!(self.poll_fetch(cx));
        let count = self.ahead.len().min(max);
        into.extend_from_slice(&self.ahead[..count]);
        self.ahead.advance(count);
        Poll::Ready(if count == 0 && max > 0 { Filled::End } else { Filled::More })
    }

    /// Whether there are bytes to be had at once; not when the stream ended.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        ready!(self.poll_fetch(cx));
        Poll::Ready(!self.ahead.is_empty())
    }

    /// Sees to it that something is ahead, unless this is the end.
    fn poll_fetch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.ahead.is_empty() {
            match &mut self.source {
                Source::Chunks(stream) => match ready!(stream.as_mut().poll_next(cx)) {
                    Some(chunk) => self.ahead = chunk,
                    None => self.source = Source::End,
                },
                Source::Reader(reader) => {
                    let mut buffer = vec![0; batch_len::<u8>()];
                    match ready!(reader.poll_read(cx, &mut buffer)) {
                        0 => self.source = Source::End,
                        count => {
                            buffer.truncate(count);
                            self.ahead = buffer.into();
                        }
                    }
                }
                Source::End => break,
            }
        }
        Poll::Ready(())
    }
}
