//! The readable end.

use super::channel::Channel;
use super::channel::buf::RawBuf;
use super::raw::RawReader;
use super::{StreamResult, page_of};
use crate::owner::one_thread;
use crate::payload::Items;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll, ready};

/// The readable end of a stream.
///
/// Dropping it tells the writer. Items that arrive while a read is given up are not lost, but come out of the next read:
/// all futures of a reader may be dropped at any time, in a `select!` for instance.
///
/// From a stream that this component has written and got back from elsewhere it can only read numbers and units: engines
/// do not copy anything else inside one component. As long as a pair stays in the component there is no such limit.
///
/// Methods that share a name with one of `Stream`, `AsyncRead` or `AsyncBufRead` do the same as that.
pub struct StreamReader<T> {
    raw: RawReader,
    items: PhantomData<T>,
}

one_thread!(StreamReader<T>);

impl<T> Unpin for StreamReader<T> {}

impl<T> StreamReader<T> {
    pub(super) const ITEMS: Items = Items::of::<T>();

    /// A reader of items of this type.
    #[inline(always)]
    pub(super) fn of(raw: RawReader) -> StreamReader<T> {
        StreamReader { raw, items: PhantomData }
    }

    #[inline(always)]
    pub(super) fn raw(&self) -> &RawReader {
        &self.raw
    }

    /// Returns whether it may be used on this thread.
    #[inline(always)]
    pub(super) fn is_here(&self) -> bool {
        self.raw.owner.is_here()
    }

    /// Returns the channel, made when it is first needed; `None` when the reader was handed over.
    #[inline]
    pub(super) fn channel(&self) -> Option<&Channel> {
        self.raw.channel(&const { Self::ITEMS })
    }

    /// Returns the handle of the stream in the component's table; 0 while the stream is one of this component only.
    pub fn handle(&self) -> u32 {
        self.raw.handle()
    }

    /// Returns the handle, which the caller owns from now on. What was read ahead is dropped.
    #[doc(hidden)]
    pub fn take_handle(&self) -> u32 {
        self.raw.take_handle()
    }

    /// Returns the next item, or `None` after the last one.
    ///
    /// It reads ahead, the more the faster the writer is. What it has read ahead stays with the reader, wherever that
    /// goes.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the items that are there, at least one, or `None` after the last one.
    ///
    /// A writer in this component that writes many bytes, or other items without a destructor, passes them on as they
    /// are, without copying any. To use one buffer again and again, see [`read`](Self::read).
    pub async fn next_chunk(&mut self) -> Option<Vec<T>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The poll function of [`next`](Self::next). The read goes on when it is not polled any more.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(channel) = self.channel() else { return Poll::Ready(None) };
        if !ready!(channel.fill(cx)) {
            return Poll::Ready(None);
        }
        let mut own = channel.own.get();
        // SAFETY: there is an item, which moves out.
        let item = unsafe { own.first(&Self::ITEMS).cast::<T>().read() };
        own.head += 1;
        channel.own.set(own);
        Poll::Ready(Some(item))
    }

    /// The poll function of [`next_chunk`](Self::next_chunk).
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<T>>> {
        let Some(channel) = self.channel() else { return Poll::Ready(None) };
        channel.ahead.set(page_of::<T>());
        if !ready!(channel.fill(cx)) {
            return Poll::Ready(None);
        }
        // SAFETY: the items are of this type, and so the storage is that of a vector.
        Poll::Ready(Some(unsafe { channel.own.replace(RawBuf::EMPTY).into_vec() }))
    }

    /// Moves items into the spare capacity of `buf`, as [`read`](Self::read) does. The read goes on when this is not
    /// polled any more.
    pub fn poll_read_into(&mut self, cx: &mut Context<'_>, buf: &mut Vec<T>) -> Poll<StreamResult> {
        let Some(channel) = self.channel() else { return Poll::Ready(StreamResult::Dropped) };
        let wanted = buf.capacity() - buf.len();
        channel.ahead.set(wanted.clamp(1, page_of::<T>()));
        if !ready!(channel.fill(cx)) {
            return Poll::Ready(StreamResult::Dropped);
        }
        let mut own = channel.own.get();
        let mut to = RawBuf::from_vec(core::mem::take(buf));
        // SAFETY: both hold items of this type.
        let count = unsafe { own.move_to(&mut to, &Self::ITEMS) };
        channel.own.set(own);
        // SAFETY: it was made of a vector of this type.
        *buf = unsafe { to.into_vec() };
        Poll::Ready(StreamResult::Complete(count))
    }

    /// Reads ahead, unless something was read ahead already. Returns what was, which is nothing after the last item. The
    /// read goes on when this is not polled any more.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<&[T]> {
        match self.channel() {
            Some(channel) => _ = ready!(channel.fill(cx)),
            None => return Poll::Ready(&[]),
        }
        Poll::Ready(self.buffer())
    }

    /// Drops the first `count` items that were read ahead, or all if there are fewer.
    pub fn consume(&mut self, count: usize) {
        if let Some(channel) = self.channel() {
            let mut own = channel.own.get();
            let first = own.first(&Self::ITEMS);
            let count = count.min(own.rest());
            own.head += count;
            channel.own.set(own);
            // SAFETY: this many items are there, which nobody finds any more.
            unsafe { Self::ITEMS.drop_many(first, count) }
        }
    }

    /// Sees to it that at least `count` items are read ahead next time, if there are as many.
    #[cfg(feature = "futures-io")]
    pub(super) fn read_ahead(&self, count: usize) {
        if let Some(channel) = self.channel() {
            channel.ahead.set(channel.ahead.get().max(count));
        }
    }

    /// Returns the items that were read ahead.
    pub fn buffer(&mut self) -> &[T] {
        match self.raw.get().map(|channel| channel.own.get()) {
            // SAFETY: the items are there, and nobody can move them while this reader is borrowed.
            Some(own) if own.rest() > 0 => unsafe {
                core::slice::from_raw_parts(own.first(&Self::ITEMS).cast(), own.rest())
            },
            _ => &[],
        }
    }

    /// Whether the last item was read: nothing comes any more.
    #[cfg(feature = "futures-stream")]
    pub(super) fn is_at_end(&self) -> bool {
        self.channel().is_none_or(Channel::is_at_end)
    }
}

impl<T> fmt::Debug for StreamReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_here() {
            return f.debug_struct("StreamReader").finish_non_exhaustive();
        }
        f.debug_struct("StreamReader").field("handle", &self.handle()).finish()
    }
}
