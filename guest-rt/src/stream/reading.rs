//! The reader's half of a channel: copies into its buffers, by the engine or from the writer.

use super::buf::RawBuf;
use super::channel::Channel;
use crate::builtins::BLOCKED;
use crate::copy::{self, COMPLETED, DROPPED, MAX_COUNT, NO_HANDLE};
use crate::payload::ReadIntrinsics;
use core::task::Context;

/// So many items that have no size in Rust, but have one in the canonical ABI, are read at a time.
const MAX_WEIGHTLESS: usize = 1024;

impl Channel {
    /// Starts to read into the room of `buf`, at most so many items. The code, unless that has to wait: then the buffer
    /// is in flight.
    pub(super) fn read(&self, buf: &mut RawBuf, most: usize, into_own: bool, cx: &mut Context<'_>) -> Option<u32> {
        self.demote();
        let mut room = buf.room().min(most).min(MAX_COUNT);
        if self.items.size == 0 && matches!(self.reading, Some(ReadIntrinsics { load: Some(_), .. })) {
            // Items without size: there is room for all the items in the world, but not for their canonical values.
            room = room.min(MAX_WEIGHTLESS);
        }
        let at = buf.end(&self.items);
        let code = match self.reading {
            Some(reading) => {
                let to = match reading.load {
                    Some(_) => self.area_for(room, reading.size, reading.align),
                    None => at,
                };
                let handle = self.reader.pending.handle.get();
                // SAFETY: there is room, which stays until the read has ended: it is in the buffer or the area.
                unsafe { (reading.read)(handle, to, room) }
            }
            None => self.read_locally(at, room, cx),
        };
        if code != BLOCKED {
            self.landed(buf, code);
            return Some(code);
        }
        if self.reading.is_some() {
            // SAFETY: channels stay in place, and are there as long as a copy is in flight.
            unsafe { self.reader.pending.wait(cx) }
        }
        self.into_own.set(into_own);
        let slot = if into_own { &self.own } else { &self.reader.buf };
        slot.set(core::mem::replace(buf, RawBuf::EMPTY));
        None
    }

    /// The items of a read are there.
    #[inline(never)]
    pub(super) fn landed(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        if let Some(reading @ ReadIntrinsics { load: Some(load), .. }) = self.reading {
            // SAFETY: so many canonical values are in the area, and nobody else takes them; the room was there.
            unsafe { load(reading, self.area.get(), buf.end(&self.items), count) }
        }
        buf.len += count;
        if code & 15 == DROPPED {
            self.reader.finished.set(true);
        }
    }

    /// Waits for the read in flight: its code, and its buffer with what it has read.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>) -> Option<(u32, RawBuf)> {
        let code = self.reader.pending.poll(cx)?;
        Some((code, self.take_landed(code)))
    }

    /// Gives up the read in flight: its code, and its buffer with what it has read.
    #[inline(never)]
    pub(super) fn cancel_read(&self) -> (u32, RawBuf) {
        self.reader.live.set(false);
        // SAFETY: that is the built-in.
        let code = unsafe { self.reader.pending.cancel(self.reading.map(|reading| reading.cancel)) };
        (code, self.take_landed(code))
    }

    #[inline(never)]
    fn take_landed(&self, code: u32) -> RawBuf {
        self.reader.live.set(false);
        let slot = if self.into_own.get() { &self.own } else { &self.reader.buf };
        let mut buf = slot.replace(RawBuf::EMPTY);
        self.landed(&mut buf, code);
        buf
    }

    #[inline(never)]
    fn read_locally(&self, at: *mut u8, room: usize, cx: &Context<'_>) -> u32 {
        let writer = &self.writer;
        if !writer.open.get() {
            return DROPPED;
        }
        let mut wake = None;
        if writer.is_waiting() {
            let rest = writer.rest();
            if rest > 0 {
                let count = rest.min(room);
                if count > 0 {
                    // SAFETY: the writer has so many items there, and there is room for them. They are ours now.
                    unsafe { at.copy_from_nonoverlapping(writer.next(&self.items), count * self.items.size) }
                    writer.advance(count);
                }
                return copy::code(COMPLETED, count);
            }
            wake = Some(writer.settle(COMPLETED));
        }
        self.reader.wait(at, room, cx);
        // Only now: a waker may be anybody's code, and come back here.
        if let Some(wake) = wake {
            wake.wake();
        }
        BLOCKED
    }

    /// The reader is dropped, or given away: `handle` is what it has become there.
    #[inline(never)]
    pub(super) fn close_reader(&self, given: bool) {
        self.reader.open.set(false);
        if given {
            self.reader.pending.forget_handle();
            return;
        }
        let handle = self.reader.pending.forget_handle();
        if let Some(reading) = self.reading {
            // SAFETY: the end is ours, and no read is in flight.
            unsafe { (reading.drop)(handle) }
        } else if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: as above.
            unsafe { (writing.drop_readable)(handle) }
        } else if self.writer.is_waiting() {
            self.writer.settle(DROPPED).wake();
        }
    }
}
