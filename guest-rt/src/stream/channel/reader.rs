//! The reader's half of a channel: copies into its buffers, by the engine or from the writer.

use super::Channel;
use super::buf::RawBuf;
use crate::builtins::BLOCKED;
use crate::copy::{self, COMPLETED, CopyState, DROPPED, MAX_COUNT, NO_HANDLE, Wake};
use crate::payload::ReadIntrinsics;

/// This many items that have no size in Rust, but have one in the canonical ABI, are read at a time.
const MAX_WEIGHTLESS: usize = 1024;

/// What is left of a reader that is closed: it is used up last.
#[must_use = "it runs code of users, when everything else is done"]
pub(crate) struct Closed {
    pub(crate) wake: Wake,
    pub(crate) displaced: Wake,
    pub(crate) bufs: [RawBuf; 2],
}

impl Channel {
    /// Starts to read from the engine into the room of `buf`, at most `most` items. Returns the code, unless the copy has to
    /// wait: then it has the buffer, and `poll_read` gives it back, and `wake` is parked.
    #[inline]
    pub(crate) fn read_remotely(
        &self,
        reading: &ReadIntrinsics,
        buf: &mut RawBuf,
        most: usize,
        into_own: bool,
        wake: &mut Wake,
    ) -> Option<u32> {
        let mut room = buf.room().min(most).min(MAX_COUNT);
        let to = if reading.load.is_some() {
            if self.items.size == 0 {
                // There is room for all the items in the world, but not for their canonical values.
                room = room.min(MAX_WEIGHTLESS);
            }
            self.area_for(room, reading.size, reading.align)
        } else {
            buf.end(&self.items)
        };
        let handle = self.reader.pending.handle.get();
        // SAFETY: the handle is the reader's. There is room for this many items, or their canonical values; it is in the
        // buffer or the area, and stays until the read has ended: the channel has both.
        let code = unsafe { (reading.read)(handle, to, room) };
        if code != BLOCKED {
            self.landed(buf, code);
            return Some(code);
        }
        self.keep_buffer(buf, into_own);
        // SAFETY: the engine has just answered so. Channels stay in place, and are not freed while an end copies.
        unsafe { self.reader.pending.wait(core::mem::replace(wake, Wake::nobody())) }
        None
    }

    /// The same from the writer, which is in this component. Also returns whom to wake; what `wake` is afterwards is to be
    /// dropped last.
    #[inline(never)]
    pub(crate) fn read_locally(
        &self,
        buf: &mut RawBuf,
        most: usize,
        into_own: bool,
        wake: &mut Wake,
    ) -> (Option<u32>, Wake) {
        self.demote();
        let (writer, room) = (&self.writer, buf.room().min(most).min(MAX_COUNT));
        let mut ready = Wake::nobody();
        if writer.is_waiting() {
            let rest = writer.rest();
            if rest > 0 {
                let count = self.take_written(buf, rest, room, into_own);
                if count > 0 {
                    ready = writer.advance(count);
                    self.close_left();
                }
                let code = copy::code(COMPLETED, count);
                self.landed(buf, code);
                return (Some(code), ready);
            }
            ready = writer.finish_copy(COMPLETED);
        }
        if !writer.open.get() {
            self.landed(buf, DROPPED);
            return (Some(DROPPED), ready);
        }
        self.reader.wait(buf.end(&self.items), room, wake);
        self.keep_buffer(buf, into_own);
        (None, ready)
    }

    /// Moves items from the window of the writer to the end of `buf`, which does not count them yet. Returns how many.
    fn take_written(&self, buf: &mut RawBuf, rest: usize, room: usize, into_own: bool) -> usize {
        let writer = &self.writer;
        let mut full = writer.buf.get();
        if writer.done.get() == 0
            && full.rest() == rest
            && self.has_room_for(rest, room, into_own)
            && RawBuf::exchange(&mut full, buf, &self.items, into_own)
        {
            writer.buf.set(full);
            buf.len = 0;
            return rest;
        }
        let count = rest.min(room);
        // SAFETY: the writer has this many items in its window, and there is room for them, in another buffer. They are
        // moved: the window will not give them again.
        unsafe { buf.end(&self.items).copy_from_nonoverlapping(writer.next(&self.items), count * self.items.size) }
        count
    }

    /// Whether the reader takes `count` items, all at once, for which it need not have room of its own.
    pub(super) fn has_room_for(&self, count: usize, room: usize, into_own: bool) -> bool {
        // A reader that reads ahead by the page has got into its stride: more than a page is as good, if dropping the
        // reader loses nothing but bytes.
        let any = into_own && self.items.drop.is_none() && self.ahead.get() >= self.most_ahead();
        count <= room || any
    }

    fn keep_buffer(&self, buf: &mut RawBuf, into_own: bool) {
        self.into_own.set(into_own);
        self.reader_slot().set(core::mem::replace(buf, RawBuf::EMPTY));
    }

    /// Returns where the buffer of the read that goes on is kept.
    pub(super) fn reader_slot(&self) -> &core::cell::Cell<RawBuf> {
        if self.into_own.get() { &self.own } else { &self.reader.buf }
    }

    /// Counts the items of a read in its buffer.
    #[inline(never)]
    fn landed(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        if let Some(reading @ ReadIntrinsics { load: Some(load), .. }) = self.reading {
            // SAFETY: the engine has written this many canonical values to the area, for us alone; there was room for as
            // many items.
            unsafe { load(reading, self.area.get(), buf.end(&self.items), count) }
        }
        buf.len += count;
        if code & 15 == DROPPED {
            self.reader.finished.set(true);
        }
    }

    /// Waits for the read that goes on. Returns its code, and its buffer with what it has read. What `wake` is afterwards is
    /// to be dropped last.
    pub(crate) fn poll_read(&self, wake: &mut Wake) -> Option<(u32, RawBuf)> {
        let code = self.reader.pending.poll(wake)?;
        Some((code, self.take_landed(code)))
    }

    /// Cancels the read that goes on. Returns its code, its buffer with what it has read, and who waited, to be dropped
    /// last.
    #[inline(never)]
    pub(crate) fn cancel_read(&self) -> (u32, RawBuf, Wake) {
        self.reader.live.set(false);
        let local = self.reader.pending.state.get() == CopyState::Local;
        // SAFETY: a read of the engine is one of a reader that was lifted, and its table has the built-in.
        let (code, waited) = unsafe { self.reader.pending.cancel(self.reading.map(|reading| reading.cancel)) };
        let buf = self.take_landed(code);
        (if local { copy::cancelled(code) } else { code }, buf, waited)
    }

    #[inline(never)]
    fn take_landed(&self, code: u32) -> RawBuf {
        self.reader.live.set(false);
        let mut buf = self.reader_slot().replace(RawBuf::EMPTY);
        self.landed(&mut buf, code);
        buf
    }

    /// Closes the reader, which does not copy: it is dropped, or was handed over and its handle is somebody else's.
    #[inline(never)]
    pub(crate) fn close_reader(&self, handed_over: bool) -> Closed {
        self.reader.open.set(false);
        let (displaced, handle) = (self.reader.pending.unpark(), self.reader.pending.forget_handle());
        let own = self.own.replace(RawBuf::EMPTY);
        let mut closed = Closed { wake: Wake::nobody(), displaced, bufs: [own, RawBuf::EMPTY] };
        if handed_over {
            return closed;
        }
        if let Some(reading) = self.reading {
            // SAFETY: the end is ours, and no read is in progress.
            unsafe { (reading.drop)(handle) }
        } else if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: as above.
            unsafe { (writing.drop_readable)(handle) }
        } else if self.writer.is_waiting() {
            if self.writer.open.get() {
                closed.wake = self.writer.finish_copy(DROPPED);
            } else {
                closed.bufs[1] = self.take_left();
            }
        }
        closed
    }
}
