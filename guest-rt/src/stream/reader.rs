//! The readable end.

use super::buf::RawBuf;
use super::channel::Channel;
use super::{StreamRead, StreamResult, StreamWriter};
use crate::copy::{self, Flight, NO_HANDLE, one_thread};
use crate::payload::{Items, Reading, Writing};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll, ready};

/// The readable end of a stream.
///
/// Dropping it tells the writer. Items that arrive while a read is given up are not lost, but come out of the next read:
/// all futures of a reader may be dropped at any time, in a `select!` for instance.
///
/// Of a stream that this component has written and got back from elsewhere it can only read numbers and units: engines
/// do not copy anything else inside one component. As long as a pair stays in the component there is no such limit.
pub struct StreamReader<T> {
    /// Null as long as a lifted reader is not read, and when the reader was given away.
    channel: Cell<*mut Channel>,
    /// While there is no channel.
    handle: Cell<u32>,
    reading: Option<&'static Reading>,
    items: PhantomData<T>,
}

one_thread!(StreamReader<T>);

impl<T> Unpin for StreamReader<T> {}

impl<T> StreamReader<T> {
    const ITEMS: Items = Items::of::<T>();

    pub(super) fn lifted(handle: u32, reading: &'static Reading) -> StreamReader<T> {
        let channel = Cell::new(core::ptr::null_mut());
        StreamReader { channel, handle: Cell::new(handle), reading: Some(reading), items: PhantomData }
    }

    /// # Safety
    /// It becomes the owner of the channel that its reader is, with items of this type.
    pub(super) unsafe fn local(channel: *mut Channel) -> StreamReader<T> {
        StreamReader { channel: Cell::new(channel), handle: Cell::new(NO_HANDLE), reading: None, items: PhantomData }
    }

    /// The channel, made when it is first needed; `None` when the reader was given away.
    #[inline]
    pub(super) fn channel(&self) -> Option<&Channel> {
        if self.handle.get() != NO_HANDLE
            && let Some(reading) = self.reading
        {
            self.channel.set(Channel::lifted(Self::ITEMS, reading, self.handle.replace(NO_HANDLE)));
        }
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        unsafe { self.channel.get().as_ref() }
    }

    /// The handle of the stream in the component's table; 0 while the stream is one of this component only.
    pub fn handle(&self) -> u32 {
        // SAFETY: as in `channel`.
        match unsafe { self.channel.get().as_ref() } {
            Some(channel) => channel.reader.pending.handle.get(),
            None => self.handle.get(),
        }
    }

    /// The handle, which the caller owns from now on. What was read ahead is dropped.
    #[doc(hidden)]
    pub fn take_handle(&self) -> u32 {
        self.settle();
        // SAFETY: as in `channel`.
        let handle = match unsafe { self.channel.get().as_ref() } {
            Some(Channel { writing: Some(writing), .. }) => self.promoted(writing),
            Some(channel) => channel.given_handle(),
            None => self.handle.get(),
        };
        self.give_up();
        handle
    }

    /// Reads items into the spare capacity of `buf`, as many as the writer has, and at least one; or none, when there
    /// is no spare capacity: then it waits until the writer is ready.
    ///
    /// Items that were read ahead by [`next`](Self::next) come first.
    pub fn read(&mut self, buf: Vec<T>) -> StreamRead<'_, T> {
        StreamRead::new(self, buf)
    }

    /// The next item, or `None` after the last one.
    ///
    /// It reads ahead, the more the faster the writer is. What it has read ahead stays with the reader, wherever that
    /// goes.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The items that are there, at least one, or `None` after the last one.
    ///
    /// To use one buffer again and again, see [`read`](Self::read).
    pub async fn next_chunk(&mut self) -> Option<Vec<T>> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// All items until the writer is dropped.
    pub async fn collect(mut self) -> Vec<T> {
        let mut all = Vec::new();
        loop {
            if all.len() == all.capacity() {
                all.reserve(1);
            }
            let (result, more) = self.read(all).await;
            all = more;
            if !matches!(result, StreamResult::Complete(_)) {
                return all;
            }
        }
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
        channel.ahead.set(channel.most_ahead());
        if !ready!(channel.fill(cx)) {
            return Poll::Ready(None);
        }
        // SAFETY: the items are of this type.
        Poll::Ready(Some(unsafe { channel.own.replace(RawBuf::EMPTY).into_vec() }))
    }

    /// Moves items into the spare capacity of `buf`, as [`read`](Self::read) does. The read goes on when this is not
    /// polled any more.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut Vec<T>) -> Poll<StreamResult> {
        let Some(channel) = self.channel() else { return Poll::Ready(StreamResult::Dropped) };
        let wanted = buf.capacity() - buf.len();
        channel.ahead.set(wanted.min(channel.most_ahead()).max(1));
        if !ready!(channel.fill(cx)) {
            return Poll::Ready(StreamResult::Dropped);
        }
        let mut own = channel.own.get();
        let mut to = RawBuf::from_vec(core::mem::take(buf));
        // SAFETY: the items are of this type.
        let count = unsafe { own.move_to(&mut to, &Self::ITEMS) };
        channel.own.set(own);
        // SAFETY: it was made of a vector of this type.
        *buf = unsafe { to.into_vec() };
        Poll::Ready(StreamResult::Complete(count))
    }

    /// Reads ahead, unless something is: the items that were read ahead, none after the last one. The read goes on when
    /// this is not polled any more.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<&[T]> {
        match self.channel() {
            Some(channel) => _ = ready!(channel.fill(cx)),
            None => return Poll::Ready(&[]),
        }
        Poll::Ready(self.buffered())
    }

    /// Drops so many of the items that were read ahead, or all if there are fewer.
    pub fn consume(&mut self, count: usize) {
        if let Some(channel) = self.channel() {
            let mut own = channel.own.get();
            let first = own.first(&Self::ITEMS);
            let count = count.min(own.rest());
            own.head += count;
            // Before they are dropped: what runs then must not find them.
            channel.own.set(own);
            if let Some(drop) = Self::ITEMS.drop
                && count != 0
            {
                // SAFETY: so many items are there, which nobody finds any more.
                unsafe { drop(first, count) }
            }
        }
    }

    /// At least so many items are read ahead next time, if there is that much.
    #[cfg(feature = "futures-io")]
    pub(super) fn read_ahead(&self, count: usize) {
        if let Some(channel) = self.channel() {
            channel.ahead.set(channel.ahead.get().max(count));
        }
    }

    /// The items that were read ahead.
    pub fn buffered(&mut self) -> &[T] {
        // SAFETY: as in `channel`; the items are there, and nobody can move them while this reader is borrowed.
        unsafe {
            match self.channel.get().as_ref() {
                Some(channel) if channel.own.get().rest() > 0 => {
                    let own = channel.own.get();
                    core::slice::from_raw_parts(own.first(&Self::ITEMS).cast(), own.rest())
                }
                _ => &[],
            }
        }
    }

    /// A `futures::Stream` of the items.
    #[cfg(feature = "futures-stream")]
    pub fn into_stream(self) -> super::StreamReaderStream<T> {
        super::StreamReaderStream::new(self)
    }

    /// Ends a read that is in flight; what it brings stays with the reader.
    pub(super) fn settle(&self) {
        // SAFETY: as in `channel`.
        if let Some(channel) = unsafe { self.channel.get().as_ref() } {
            channel.settle();
        }
    }

    /// Items were read ahead.
    pub(super) fn has_items(&self) -> bool {
        // SAFETY: as in `channel`.
        unsafe { self.channel.get().as_ref() }.is_some_and(Channel::has_items)
    }

    /// The end of the stream was read.
    pub(super) fn has_ended(&self) -> bool {
        // SAFETY: as in `channel`.
        unsafe { self.channel.get().as_ref() }.is_some_and(|channel| channel.reader.finished.get())
    }

    /// The handle of the engine, in no set; of a pair made here once it has one. Nothing is in flight.
    pub(super) fn promoted(&self, writing: &'static Writing) -> u32 {
        // SAFETY: as in `channel`.
        match unsafe { self.channel.get().as_ref() } {
            None => self.handle.get(),
            Some(channel) => channel.promote(writing),
        }
    }

    /// The reader is somebody else's now.
    pub(super) fn give_up(&self) {
        let channel = self.channel.replace(core::ptr::null_mut());
        self.handle.set(NO_HANDLE);
        if !channel.is_null() {
            // SAFETY: this was an owner, and nothing is in flight.
            unsafe {
                (*channel).close_reader(true);
                (*channel).own.replace(RawBuf::EMPTY).free(&Self::ITEMS);
                Channel::release(channel);
            }
        }
    }

    /// Takes the place of this reader, whose previous self is returned.
    pub(super) fn replace(&self, other: StreamReader<T>) -> StreamReader<T>
    where
        T: 'static,
    {
        let other = core::mem::ManuallyDrop::new(other);
        StreamReader {
            channel: Cell::new(self.channel.replace(other.channel.get())),
            handle: Cell::new(self.handle.replace(other.handle.get())),
            reading: self.reading,
            items: PhantomData,
        }
    }
}

/// Copies what is left of a stream.
pub(super) async fn relay<T>(mut from: StreamReader<T>, mut to: StreamWriter<T>) {
    while let Some(items) = from.next_chunk().await {
        if !to.write_all(items).await.is_empty() {
            return;
        }
    }
}

impl<T> Drop for StreamReader<T> {
    fn drop(&mut self) {
        let channel = self.channel.get();
        if channel.is_null() {
            if let Some(reading) = self.reading
                && self.handle.get() != NO_HANDLE
            {
                // SAFETY: the end is ours, and nothing was ever in flight.
                unsafe { (reading.drop)(self.handle.get()) }
            }
            return;
        }
        // SAFETY: this is an owner.
        unsafe { drop_reader(channel) }
    }
}

/// Drops the reader of a channel.
///
/// # Safety
/// The caller was its owner.
#[inline(never)]
unsafe fn drop_reader(channel: *mut Channel) {
    // SAFETY: the caller's promise; buffers hold items of the channel's type.
    unsafe {
        let this = &*channel;
        if this.reader.pending.flight.get() == Flight::Remote && !copy::may_cancel() {
            // A task can, and the next one does.
            copy::put_off(channel.cast(), |channel| drop_reader(channel.cast()));
            return;
        }
        if this.reader.pending.flight.get() != Flight::Idle {
            let (code, buf) = this.cancel_read();
            if this.into_own.get() {
                this.own.set(buf);
            } else {
                // The first ones were the future's.
                let mut buf = buf;
                buf.head = buf.len - copy::count(code);
                buf.free(&this.items);
            }
        }
        let own = this.own.replace(RawBuf::EMPTY);
        this.close_reader(false);
        own.free(&this.items);
        Channel::release(channel);
    }
}

impl<T> fmt::Debug for StreamReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader").field("handle", &self.handle()).finish()
    }
}
