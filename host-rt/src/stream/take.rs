//! What becomes of streams: bytes in pieces, in readers, writers and bodies.

use super::port::{Sink, Taken};
use super::{InStream, Source};
use crate::cell::lock;
use bytes::Bytes;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

impl InStream<u8> {
    /// The bytes that are there, at least one; or `None` after the last one.
    pub async fn next_chunk(&mut self) -> Option<Bytes> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The poll function of [`next_chunk`](Self::next_chunk).
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let inner = self.inner();
        if inner.batch.is_empty()
            && let Source::Made(made) = &mut inner.source
            && let Some(chunks) = made.bytes()
        {
            return chunks.poll_chunk(cx);
        }
        self.poll_batch(cx).map(|batch| batch.map(Bytes::from))
    }

    /// Shows all bytes to a function, in pieces, where the component has them: nothing is copied. The function says how
    /// many it takes, or `None` when it wants no more.
    pub async fn for_each_chunk(
        mut self,
        mut take: impl FnMut(&mut Context<'_>, &[u8]) -> Poll<Option<usize>> + Send + 'static,
    ) {
        let mut sink: Option<Sink<u8>> = Some(Box::new(move |cx, bytes| match bytes {
            [] => Poll::Ready(Some(0)),
            bytes => take(cx, bytes),
        }));
        poll_fn(|cx| self.poll_pour(cx, &mut sink)).await;
    }

    fn poll_pour(&mut self, cx: &mut Context<'_>, sink: &mut Option<Sink<u8>>) -> Poll<()> {
        let inner = self.inner();
        loop {
            // What is here comes first.
            if !inner.batch.is_empty() {
                let Some(take) = sink else { return Poll::Ready(()) };
                let (first, _) = inner.batch.as_slices();
                match ready!(take(cx, first)) {
                    Some(count) => drop(inner.batch.drain(..count)),
                    None => return Poll::Ready(()),
                }
                continue;
            }
            match &mut inner.source {
                Source::Port(port) => match ready!(port.poll_pour(cx, sink, &mut inner.batch)) {
                    Taken::Batch => {}
                    Taken::Back(made) => inner.source = Source::Made(made),
                    Taken::End => inner.source = Source::End,
                },
                _ => {
                    ready!(inner.poll_fetch(cx));
                    if inner.batch.is_empty() {
                        return Poll::Ready(());
                    }
                }
            }
        }
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
        let written = Written::new(writer);
        let shared = written.clone();
        self.for_each_chunk(move |cx, bytes| Written::poll(&shared, |writer| Pin::new(writer).poll_write(cx, bytes)))
            .await;
        let mut written = Written::unwrap(written)?;
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
        let written = Written::new(writer);
        let shared = written.clone();
        self.for_each_chunk(move |cx, bytes| Written::poll(&shared, |writer| Pin::new(writer).poll_write(cx, bytes)))
            .await;
        let mut written = Written::unwrap(written)?;
        poll_fn(|cx| Pin::new(&mut written.writer).poll_flush(cx)).await?;
        Ok((written.count, written.writer))
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

#[cfg(feature = "http-body")]
impl http_body::Body for InStream<u8> {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.poll_chunk(cx).map(|chunk| chunk.map(|chunk| Ok(http_body::Frame::data(chunk))))
    }
}
