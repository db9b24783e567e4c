//! Readers and writers, of tokio and of `futures::io`: streams of bytes from them, and to them.

use super::adapt::{Ended, Outcome, Reporter};
use super::bytes::{Chunks, ReadBytes};
use super::made::Made;
use super::{InStream, Source};
use crate::cell::lock;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

impl InStream<u8> {
    /// The bytes of a reader until it fails, and a future of how it ended. They are read right into the memory of the
    /// component.
    #[cfg(feature = "tokio")]
    pub fn try_from_reader(reader: impl tokio::io::AsyncRead + Send + 'static) -> (Self, Ended<io::Error>) {
        let outcome = Outcome::new();
        let reader = TokioReader { reader: Box::pin(reader), outcome: Reporter(outcome.clone()) };
        (Self::made(Made::from_chunks(Chunks::of_reader(reader))), Ended(outcome))
    }

    /// The bytes of a reader; an error ends them.
    #[cfg(feature = "tokio")]
    pub fn from_reader(reader: impl tokio::io::AsyncRead + Send + 'static) -> Self {
        Self::try_from_reader(reader).0
    }

    /// The bytes of a reader of `futures::io` until it fails, and a future of how it ended.
    #[cfg(feature = "futures-io")]
    pub fn try_from_futures_reader(reader: impl futures_io::AsyncRead + Send + 'static) -> (Self, Ended<io::Error>) {
        let outcome = Outcome::new();
        let reader = FuturesReader { reader: Box::pin(reader), outcome: Reporter(outcome.clone()) };
        (Self::made(Made::from_chunks(Chunks::of_reader(reader))), Ended(outcome))
    }

    /// Writes all bytes to a writer, from where the component has them, and flushes it: how many they were, and the writer.
    ///
    /// # Errors
    ///
    /// What the writer fails with. The component is then told that nobody reads.
    #[cfg(feature = "tokio")]
    pub async fn copy_to<W>(self, writer: W) -> io::Result<(u64, W)>
    where
        W: tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let mut written = self.pour(writer, W::poll_write).await?;
        poll_fn(|cx| Pin::new(&mut written.writer).poll_flush(cx)).await?;
        Ok((written.count, written.writer))
    }

    /// The same for a writer of `futures::io`.
    ///
    /// # Errors
    ///
    /// As [`copy_to`](Self::copy_to).
    #[cfg(feature = "futures-io")]
    pub async fn copy_to_futures<W>(self, writer: W) -> io::Result<(u64, W)>
    where
        W: futures_io::AsyncWrite + Send + Unpin + 'static,
    {
        let mut written = self.pour(writer, W::poll_write).await?;
        poll_fn(|cx| Pin::new(&mut written.writer).poll_flush(cx)).await?;
        Ok((written.count, written.writer))
    }

    /// Writes all bytes with `write`.
    async fn pour<W: Send + Unpin + 'static>(self, writer: W, write: PollWrite<W>) -> io::Result<Written<W>> {
        let written = Written::new(writer);
        let shared = written.clone();
        self.for_each_chunk(move |cx, bytes| Written::poll(&shared, |writer| write(Pin::new(writer), cx, bytes))).await;
        Written::unwrap(written)
    }

    fn poll_into(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<usize> {
        let inner = self.inner();
        if inner.batch.is_empty()
            && let Source::Made(made) = &mut inner.source
            && let Some(chunks) = made.bytes()
        {
            return chunks.poll_read(cx, into);
        }
        ready!(inner.poll_fetch(cx));
        let (first, _) = inner.batch.as_slices();
        let count = first.len().min(into.len());
        into[..count].copy_from_slice(&first[..count]);
        inner.batch.drain(..count);
        Poll::Ready(count)
    }
}

#[cfg(feature = "tokio")]
struct TokioReader<R> {
    reader: Pin<Box<R>>,
    outcome: Reporter<io::Error>,
}

#[cfg(feature = "tokio")]
impl<R: tokio::io::AsyncRead + Send> ReadBytes for TokioReader<R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<usize> {
        let mut buffer = tokio::io::ReadBuf::new(into);
        Poll::Ready(match ready!(self.reader.as_mut().poll_read(cx, &mut buffer)) {
            Ok(()) => buffer.filled().len(),
            Err(error) => {
                self.outcome.0.set(Err(error));
                0
            }
        })
    }
}

#[cfg(feature = "futures-io")]
struct FuturesReader<R> {
    reader: Pin<Box<R>>,
    outcome: Reporter<io::Error>,
}

#[cfg(feature = "futures-io")]
impl<R: futures_io::AsyncRead + Send> ReadBytes for FuturesReader<R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<usize> {
        Poll::Ready(match ready!(self.reader.as_mut().poll_read(cx, into)) {
            Ok(count) => count,
            Err(error) => {
                self.outcome.0.set(Err(error));
                0
            }
        })
    }
}

/// The function that writes of a writer.
type PollWrite<W> = fn(Pin<&mut W>, &mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>;

/// A writer, and what came of it, between a stream and who awaits it.
struct Written<W> {
    writer: W,
    count: u64,
    error: Option<io::Error>,
}

impl<W> Written<W> {
    fn new(writer: W) -> Arc<Mutex<Written<W>>> {
        Arc::new(Mutex::new(Written { writer, count: 0, error: None }))
    }

    fn poll(shared: &Mutex<Written<W>>, write: impl FnOnce(&mut W) -> Poll<io::Result<usize>>) -> Poll<Option<usize>> {
        let mut written = lock(shared);
        let result = match ready!(write(&mut written.writer)) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        };
        Poll::Ready(match result {
            Ok(count) => {
                written.count += count as u64;
                Some(count)
            }
            Err(error) => {
                written.error = Some(error);
                None
            }
        })
    }

    fn unwrap(shared: Arc<Mutex<Written<W>>>) -> io::Result<Written<W>> {
        // The other half went with the stream.
        let shared = Arc::into_inner(shared).ok_or_else(|| io::Error::other("the stream still has its writer"))?;
        let mut written = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        match written.error.take() {
            Some(error) => Err(error),
            None => Ok(written),
        }
    }
}

#[cfg(feature = "tokio")]
impl tokio::io::AsyncRead for InStream<u8> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.initialize_unfilled();
        if !room.is_empty() {
            let count = ready!(self.poll_into(cx, room));
            buffer.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "futures-io")]
impl futures_io::AsyncRead for InStream<u8> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.poll_into(cx, into).map(Ok)
    }
}
