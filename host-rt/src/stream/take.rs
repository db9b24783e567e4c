//! What becomes of streams of bytes: pieces, or a look at them where they are.

use super::port::{Sink, Taken};
use super::{InStream, Source};
use bytes::Bytes;
use std::future::poll_fn;
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
}
