//! The ends of streams without the type of their items.

use super::channel::Channel;
use super::channel::buf::RawBuf;
use super::raw_copy::{RawItems, RawWrite, finish_kept};
use crate::copy::{CopyState, NO_HANDLE, Wake};
use crate::later;
use crate::owner::Owner;
use crate::payload::{Items, ReadIntrinsics, WriteIntrinsics};
use crate::task::spawn;
use core::cell::Cell;
use core::future::poll_fn;
use core::ptr::{self, NonNull};
use core::task::{Poll, ready};

/// A readable end.
pub(super) struct RawReader {
    /// Null as long as a lifted reader is not read, and when the reader was handed over.
    channel: Cell<*mut Channel>,
    /// While there is no channel.
    handle: Cell<u32>,
    reading: Option<&'static ReadIntrinsics>,
    pub(super) owner: Owner,
}

/// A writable end.
pub(super) struct RawWriter {
    channel: NonNull<Channel>,
}

impl RawReader {
    /// A reader that was lifted.
    #[inline(always)]
    pub(super) fn lifted(handle: u32, reading: &'static ReadIntrinsics) -> RawReader {
        let owner = Owner::here();
        RawReader { channel: Cell::new(ptr::null_mut()), handle: Cell::new(handle), reading: Some(reading), owner }
    }

    /// Returns the channel, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<&Channel> {
        self.owner.check();
        // SAFETY: it is live as long as this is one of its owners, and changed by shared references only.
        unsafe { self.channel.get().as_ref() }
    }

    /// Returns the channel, made when it is first needed; `None` when the reader was handed over.
    #[inline]
    pub(super) fn channel(&self, items: &Items) -> Option<&Channel> {
        self.owner.check();
        if self.handle.get() != NO_HANDLE
            && let Some(reading) = self.reading
        {
            self.channel.set(Channel::lifted(*items, reading, self.handle.replace(NO_HANDLE)));
        }
        self.get()
    }

    pub(super) fn handle(&self) -> u32 {
        match self.get() {
            Some(channel) => channel.reader.pending.handle.get(),
            None => self.handle.get(),
        }
    }

    /// Returns the handle, which the caller owns from now on. What was read ahead is dropped.
    #[inline(never)]
    pub(super) fn take_handle(&self) -> u32 {
        let _waited = self.end_read();
        let handle = match self.get() {
            Some(Channel { writing: Some(writing), .. }) => self.promoted(writing),
            Some(channel) => channel.given_handle(),
            None => self.handle.get(),
        };
        self.hand_over();
        later::settle();
        handle
    }

    /// Ends a read that goes on; what it brings stays with the reader. Returns who waited, to be dropped last.
    pub(super) fn end_read(&self) -> Wake {
        self.get().map_or(Wake::nobody(), Channel::end_read)
    }

    /// Returns the handle of the engine, which is in no set, of a reader that reads nothing; a pair that was made here gets
    /// one.
    pub(super) fn promoted(&self, writing: &'static WriteIntrinsics) -> u32 {
        let Some(channel) = self.get() else { return self.handle.get() };
        let (handle, is_left) = channel.promote(writing);
        if is_left && let Some(channel) = NonNull::new(self.channel.get()) {
            // The channel has counted one more owner for this.
            RawWriter { channel }.finish_left();
        }
        handle
    }

    /// Hands the reader over: its handle is somebody else's now. What was read ahead is dropped.
    #[inline(never)]
    pub(super) fn hand_over(&self) {
        self.owner.check();
        self.handle.set(NO_HANDLE);
        let channel = self.channel.replace(ptr::null_mut());
        if !channel.is_null() {
            // SAFETY: this was an owner, and nothing is read.
            unsafe { close_reader(channel, true) }
        }
    }

    /// Takes the place of this reader. Returns what it was before.
    pub(super) fn replace(&self, other: RawReader) -> RawReader {
        let old = RawReader {
            channel: Cell::new(self.channel.replace(other.channel.get())),
            handle: Cell::new(self.handle.replace(other.handle.get())),
            reading: self.reading,
            owner: self.owner,
        };
        core::mem::forget(other);
        old
    }
}

impl Drop for RawReader {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return;
        }
        let channel = self.channel.get();
        if !channel.is_null() {
            // SAFETY: this is an owner, and gone after this.
            unsafe { drop_reader(channel) }
        } else if let Some(reading) = self.reading
            && self.handle.get() != NO_HANDLE
        {
            // SAFETY: the end is ours, and nothing was ever read.
            unsafe { (reading.drop)(self.handle.get()) }
        }
    }
}

impl RawWriter {
    pub(super) fn channel(&self) -> &Channel {
        // SAFETY: it is live as long as this is one of its owners, and changed by shared references only.
        let channel = unsafe { self.channel.as_ref() };
        channel.owner.check();
        channel
    }

    /// Returns whether it may be used on this thread.
    pub(super) fn is_here(&self) -> bool {
        // SAFETY: as in `channel`; whose a channel is does not change.
        unsafe { self.channel.as_ref() }.owner.is_here()
    }

    /// Spawns a future that finishes what a writer has left that is gone, and closes it then.
    fn finish_left(self) {
        drop(crate::spawn_local(poll_fn(move |cx| {
            let channel = self.channel();
            let mut wake = Wake::of(cx);
            loop {
                if channel.writer.is_copying() {
                    ready!(finish_kept(channel, &mut wake));
                }
                let last = channel.last.replace(RawBuf::EMPTY);
                if last.rest() == 0 {
                    return Poll::Ready(());
                }
                let rest = ready!(RawWrite::new(channel, RawItems::new(last)).poll_all_kept(&mut wake));
                // SAFETY: the items are of the channel's type.
                unsafe { rest.buf.free(&channel.items) }
            }
        })));
    }
}

impl Drop for RawWriter {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: this is an owner, and gone after this.
            unsafe { drop_writer(self.channel) }
        }
    }
}

/// Makes the ends of a local pair.
pub(super) fn pair(items: Items, writing: &'static WriteIntrinsics) -> (RawWriter, RawReader) {
    let channel = Channel::pair(items, writing);
    // SAFETY: it was boxed.
    let writer = RawWriter { channel: unsafe { NonNull::new_unchecked(channel) } };
    let owner = Owner::here();
    (writer, RawReader { channel: Cell::new(channel), handle: Cell::new(NO_HANDLE), reading: None, owner })
}

/// Drops the reader of a channel.
///
/// # Safety
/// The caller was its owner, and does not use it any more.
#[inline(never)]
unsafe fn drop_reader(channel: *mut Channel) {
    // SAFETY: the caller owned the end: so the channel is live until that is closed below.
    let this = unsafe { &*channel };
    if !this.reader.can_cancel() {
        // SAFETY: nobody else owns the end, which still counts as an owner of the channel.
        unsafe { spawn::put_off(channel.cast(), |channel| drop_reader(channel.cast())) };
        return;
    }
    let _parked = this.reader.pending.unpark();
    let _waited = this.end_read();
    // SAFETY: the caller was an owner, and nothing is read any more.
    unsafe { close_reader(channel, false) }
}

/// Closes the reader of a channel.
///
/// # Safety
/// The caller was its owner, and does not use it any more. Nothing is read.
unsafe fn close_reader(channel: *mut Channel, handed_over: bool) {
    // SAFETY: the caller owned the end: so the channel is live until `release`.
    let (closed, items) = unsafe { ((*channel).close_reader(handed_over), (*channel).items) };
    // SAFETY: the caller was an owner, and the end has no buffer any more.
    unsafe { Channel::release(channel) }
    closed.wake.wake();
    drop(closed.displaced);
    for buf in closed.bufs {
        // SAFETY: the items are of the channel's type.
        unsafe { buf.free(&items) }
    }
}

/// Drops the writer of a channel. What it holds is left to the reader.
///
/// # Safety
/// The caller was its owner, and does not use it any more.
#[inline(never)]
unsafe fn drop_writer(channel: NonNull<Channel>) {
    // SAFETY: the caller owned the end: so the channel is live until `release`.
    let this = unsafe { channel.as_ref() };
    if this.writer.pending.state.get() == CopyState::Engine {
        if !this.left.replace(true) {
            // The ownership goes on to this.
            return RawWriter { channel }.finish_left();
        }
        if !this.writer.can_cancel() {
            // SAFETY: nobody else owns the end, which still counts as an owner of the channel.
            unsafe {
                spawn::put_off(channel.as_ptr().cast(), |channel| drop_writer(NonNull::new_unchecked(channel.cast())))
            };
            return;
        }
        // Nobody polls it any more: what was spawned was dropped.
        drop(RawWrite::resume(this));
    }
    let (wake, displaced, rest) = this.close_writer();
    let (last, items) = (this.last.replace(RawBuf::EMPTY), this.items);
    // SAFETY: the caller was an owner, and the end has no buffer any more but for what is left to the reader.
    unsafe { Channel::release(channel.as_ptr()) }
    wake.wake();
    drop(displaced);
    // SAFETY: the items are of the channel's type.
    unsafe {
        rest.free(&items);
        last.free(&items);
    }
}
