//! The ends of streams without the type of their items.

use super::buf::RawBuf;
use super::channel::Channel;
use super::relay::relay;
use crate::copy::{self, Flight, NO_HANDLE};
use crate::owner::Owner;
use crate::payload::{Items, ReadIntrinsics, WriteIntrinsics};
use core::cell::Cell;
use core::ptr::{self, NonNull};

/// A readable end.
pub(super) struct RawReader {
    /// Null as long as a lifted reader is not read, and when the reader was given away.
    channel: Cell<*mut Channel>,
    /// While there is no channel.
    handle: Cell<u32>,
    reading: Option<&'static ReadIntrinsics>,
    owner: Owner,
}

/// A writable end.
pub(super) struct RawWriter {
    channel: NonNull<Channel>,
}

impl RawReader {
    #[inline(always)]
    pub(super) fn lifted(handle: u32, reading: &'static ReadIntrinsics) -> RawReader {
        RawReader {
            channel: Cell::new(ptr::null_mut()),
            handle: Cell::new(handle),
            reading: Some(reading),
            owner: Owner::here(),
        }
    }

    /// # Safety
    /// It becomes the owner of the channel that its reader is.
    pub(super) unsafe fn local(channel: *mut Channel) -> RawReader {
        RawReader { channel: Cell::new(channel), handle: Cell::new(NO_HANDLE), reading: None, owner: Owner::here() }
    }

    /// The channel, if there is one.
    #[inline]
    pub(super) fn get(&self) -> Option<&Channel> {
        self.owner.check();
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        unsafe { self.channel.get().as_ref() }
    }

    /// The channel, made when it is first needed; `None` when the reader was given away.
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

    /// Returns whether it may be used here.
    pub(super) fn is_here(&self) -> bool {
        self.owner.is_here()
    }

    pub(super) fn handle(&self) -> u32 {
        match self.get() {
            Some(channel) => channel.reader.pending.handle.get(),
            None => self.handle.get(),
        }
    }

    /// The handle, which the caller owns from now on. What was read ahead is dropped.
    #[inline(never)]
    pub(super) fn take_handle(&self) -> u32 {
        self.settle();
        let handle = match self.get() {
            Some(Channel { writing: Some(writing), .. }) => self.promoted(writing),
            Some(channel) => channel.given_handle(),
            None => self.handle.get(),
        };
        self.give_up();
        handle
    }

    /// A handle of the engine that is fit to be given away.
    #[inline(never)]
    pub(super) fn lowered(&self, items: &Items, writing: &'static WriteIntrinsics) -> u32 {
        self.settle();
        if let Some(channel) = self.get()
            && (channel.has_items() || channel.reader.finished.get())
        {
            // What was read ahead comes first, and then the rest. (A stream whose end was read cannot be given away.)
            let more = channel.has_items();
            let (writer, reader) = pair(*items, writing);
            let old = self.replace(reader);
            if more {
                drop(crate::spawn_local(relay(old, writer)));
            }
        }
        self.promoted(writing)
    }

    /// Ends a read that is in flight; what it brings stays with the reader.
    fn settle(&self) {
        if let Some(channel) = self.get() {
            channel.settle();
        }
    }

    /// The handle of the engine, in no set; of a pair made here once it has one. Nothing is in flight.
    fn promoted(&self, writing: &'static WriteIntrinsics) -> u32 {
        match self.get() {
            None => self.handle.get(),
            Some(channel) => channel.promote(writing),
        }
    }

    /// The reader is somebody else's now.
    #[inline(never)]
    pub(super) fn give_up(&self) {
        self.owner.check();
        let channel = self.channel.replace(ptr::null_mut());
        self.handle.set(NO_HANDLE);
        if !channel.is_null() {
            // SAFETY: this was an owner, and nothing is in flight. The buffer is one of the channel.
            unsafe {
                (*channel).close_reader(true);
                (*channel).own.replace(RawBuf::EMPTY).free(&(*channel).items);
                Channel::release(channel);
            }
        }
    }

    /// Takes the place of this reader, whose previous self is returned.
    fn replace(&self, other: RawReader) -> RawReader {
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
            // SAFETY: this is an owner.
            unsafe { drop_reader(channel) }
        } else if let Some(reading) = self.reading
            && self.handle.get() != NO_HANDLE
        {
            // SAFETY: the end is ours, and nothing was ever in flight.
            unsafe { (reading.drop)(self.handle.get()) }
        }
    }
}

impl RawWriter {
    pub(super) fn channel(&self) -> &Channel {
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        let channel = unsafe { self.channel.as_ref() };
        channel.owner.check();
        channel
    }
}

impl Drop for RawWriter {
    fn drop(&mut self) {
        // SAFETY: this is an owner.
        unsafe {
            if self.channel.as_ref().owner.is_here() {
                drop_writer(self.channel.as_ptr());
            }
        }
    }
}

/// The ends of a local pair.
pub(super) fn pair(items: Items, writing: &'static WriteIntrinsics) -> (RawWriter, RawReader) {
    let channel = Channel::pair(items, writing);
    // SAFETY: the channel is not null, and has two owners.
    unsafe { (RawWriter { channel: NonNull::new_unchecked(channel) }, RawReader::local(channel)) }
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

/// Drops the writer of a channel.
///
/// # Safety
/// The caller was its owner.
#[inline(never)]
unsafe fn drop_writer(channel: *mut Channel) {
    // SAFETY: the caller's promise; buffers hold items of the channel's type.
    unsafe {
        let this = &*channel;
        if this.writer.pending.flight.get() == Flight::Remote && !copy::may_cancel() {
            // A task can, and the next one does.
            copy::put_off(channel.cast(), |channel| drop_writer(channel.cast()));
            return;
        }
        this.drop_forgotten_write();
        if this.writer.open.get() {
            this.close_writer();
        }
        Channel::release(channel);
    }
}
