//! Streams that the host makes, before the engine knows of them.

use super::bytes::Chunks;
use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How a source was filled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// At least one item came, and more may.
    More,
    /// Nothing comes after the items that came, if any.
    End,
}

/// Where the items of a made stream come from.
pub(crate) trait Items<T>: Send {
    /// Adds up to `max` items; adds none when it is pending.
    fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut Vec<T>, max: usize) -> Poll<Filled>;
}

/// A stream that the host made.
pub(crate) struct Made<T> {
    /// What was fetched only to learn that something is there.
    ahead: Vec<T>,
    kind: Kind<T>,
}

enum Kind<T> {
    Items(Box<dyn Items<T>>),
    /// Only where `T` is `u8`.
    Bytes(Chunks),
    End,
}

/// How many items are moved at once, where neither side says so.
pub(crate) const fn batch_len<T>() -> usize {
    let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    let fit = 64 * 1024 / size;
    if fit < 64 { 64 } else { fit }
}

impl<T: 'static> Made<T> {
    pub(crate) fn new(items: impl Items<T> + 'static) -> Made<T> {
        Made { ahead: Vec::new(), kind: Kind::Items(Box::new(items)) }
    }

    /// The bytes, as long as they are asked for as such.
    pub(crate) fn bytes(&mut self) -> Option<&mut Chunks> {
        match &mut self.kind {
            Kind::Bytes(chunks) => Some(chunks),
            _ => None,
        }
    }

    /// Adds up to `max` items; adds none when it is pending.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut Vec<T>, max: usize) -> Poll<Filled> {
        if !self.ahead.is_empty() {
            into.append(&mut self.ahead);
            return Poll::Ready(Filled::More);
        }
        let filled = match &mut self.kind {
            Kind::Items(items) => ready!(items.poll_fill(cx, into, max)),
            Kind::Bytes(chunks) => {
                let into: &mut dyn Any = into;
                // `Kind::Bytes` is made by `Made<u8>` alone.
                let into = into.downcast_mut::<Vec<u8>>().expect("bytes in a stream of something else");
                ready!(chunks.poll_fill(cx, into, max))
            }
            Kind::End => Filled::End,
        };
        if filled == Filled::End {
            self.kind = Kind::End;
        }
        Poll::Ready(filled)
    }

    /// Whether something is there to be had at once; not when the stream ended.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if let Kind::Bytes(chunks) = &mut self.kind {
            return chunks.poll_ready(cx);
        }
        if self.ahead.is_empty() {
            let mut ahead = std::mem::take(&mut self.ahead);
            let filled = self.poll_fill(cx, &mut ahead, 1);
            self.ahead = ahead;
            ready!(filled);
        }
        Poll::Ready(!self.ahead.is_empty())
    }
}

impl Made<u8> {
    pub(crate) fn from_chunks(chunks: Chunks) -> Made<u8> {
        Made { ahead: Vec::new(), kind: Kind::Bytes(chunks) }
    }
}

/// The items of a [`Stream`](futures_core::Stream).
pub(crate) struct Streamed<S>(pub(crate) Pin<Box<S>>);

impl<S: futures_core::Stream + Send> Items<S::Item> for Streamed<S> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut Vec<S::Item>, max: usize) -> Poll<Filled> {
        for got in 0..max {
            match self.0.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => into.push(item),
                Poll::Ready(None) => return Poll::Ready(Filled::End),
                Poll::Pending if got == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Filled::More)
    }
}

/// The items of an iterator.
pub(crate) struct Iterated<I>(pub(crate) I);

impl<I: Iterator + Send> Items<I::Item> for Iterated<I> {
    fn poll_fill(&mut self, _: &mut Context<'_>, into: &mut Vec<I::Item>, max: usize) -> Poll<Filled> {
        let before = into.len();
        into.extend(self.0.by_ref().take(max));
        Poll::Ready(if into.len() - before < max { Filled::End } else { Filled::More })
    }
}
