//! The writer's half of a channel: copies from its buffer, by the engine or to the reader.

use super::buf::RawBuf;
use super::channel::Channel;
use crate::builtins::BLOCKED;
use crate::copy::{self, COMPLETED, DROPPED, Flight, MAX_COUNT, NO_HANDLE};
use crate::payload::{Stored, WriteIntrinsics};
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Context;

impl Channel {
    /// Starts to write what is in `buf`. The code, unless that has to wait: then the buffer is in flight.
    pub(super) fn write(&self, buf: &mut RawBuf, stamp: &mut u64, cx: &mut Context<'_>) -> Option<u32> {
        if self.writer.pending.handle.get() == NO_HANDLE {
            let code = self.write_locally(buf, cx);
            if code == BLOCKED {
                self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
                return None;
            }
            buf.head += copy::count(code);
            self.note_dropped(code);
            return Some(code);
        }
        let code = self.write_remotely(buf, stamp);
        if code != BLOCKED {
            self.taken(buf, code);
            return Some(code);
        }
        if self.reader.open.get() {
            // The reader may come back.
            self.writer.pending.park(cx);
        }
        // SAFETY: channels stay in place, and are there as long as a copy is in flight.
        unsafe { self.writer.pending.wait(cx) }
        self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
        None
    }

    #[inline(never)]
    fn write_locally(&self, buf: &RawBuf, cx: &Context<'_>) -> u32 {
        let (reader, at, count) = (&self.reader, buf.first(&self.items), buf.rest().min(MAX_COUNT));
        if !reader.open.get() {
            return DROPPED;
        }
        let mut wake = None;
        if reader.is_waiting() {
            let room = reader.rest();
            if room > 0 {
                let count = count.min(room);
                if count > 0 {
                    // SAFETY: the reader has so much room there, and there are as many items. They are its own now.
                    unsafe { reader.next(&self.items).copy_from_nonoverlapping(at, count * self.items.size) }
                    reader.advance(count);
                }
                return copy::code(COMPLETED, count);
            }
            if count == 0 && reader.count.get() == 0 {
                return COMPLETED;
            }
            wake = Some(reader.settle(COMPLETED));
        }
        self.writer.wait(at, count, cx);
        if let Some(wake) = wake {
            wake.wake();
        }
        BLOCKED
    }

    /// Calls the built-in.
    pub(super) fn write_remotely(&self, buf: &RawBuf, stamp: &mut u64) -> u32 {
        let Some(writing) = self.writing else { return DROPPED };
        let count = buf.rest().min(MAX_COUNT);
        let from = match writing.store {
            None => buf.first(&self.items),
            Some(store) => {
                if *stamp == 0 || self.stamp.get() != *stamp {
                    *stamp = next_stamp();
                    self.clear_area();
                    let to = self.area_for(buf.rest(), writing.size, writing.align);
                    // SAFETY: the items are there, and the area has room for them. Nobody else uses the scratch; what
                    // is lowered may make streams, but not use this one.
                    unsafe { store(writing, buf.first(&self.items), to, buf.rest(), &mut *self.scratch.get()) }
                    self.stamp.set(*stamp);
                    self.area_first.set(buf.head);
                }
                self.area_of(buf, writing)
            }
        };
        // SAFETY: so many canonical values are there, and stay until the write has ended: in the buffer or the area.
        unsafe { (writing.write)(self.writer.pending.handle.get(), from, count) }
    }

    /// The engine has taken items.
    #[inline(never)]
    pub(super) fn taken(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        match self.writing {
            Some(writing @ WriteIntrinsics { end: Some(end), .. }) => {
                let (items, area) = (buf.first(&self.items), self.area_of(buf, writing));
                buf.head += count;
                // SAFETY: the items from here on were stored in the area, and the first ones are not found again.
                unsafe { end(writing, Stored { items, area, accepted: count, rest: buf.rest() }) }
                if writing.moves {
                    self.clear_area();
                }
            }
            // SAFETY: the first items were taken, which leaves nothing of them to us but memory.
            _ => unsafe { buf.drop_first(count, &self.items) },
        }
        if buf.rest() == 0 {
            self.clear_area();
        }
        self.note_dropped(code);
    }

    /// The canonical value of the first item of a buffer that was stored.
    pub(super) fn area_of(&self, buf: &RawBuf, writing: &WriteIntrinsics) -> *mut u8 {
        self.area.get().wrapping_add((buf.head - self.area_first.get()) * writing.size)
    }

    pub(super) fn note_dropped(&self, code: u32) {
        if code & 15 == DROPPED {
            self.writer.finished.set(true);
        }
    }

    /// Waits for the write in flight: its code, and its buffer with what was not taken.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Option<(u32, RawBuf)> {
        let flight = self.writer.pending.flight.get();
        if flight == Flight::Remote && self.reader.open.get() {
            self.writer.pending.park(cx);
        }
        let code = self.writer.pending.poll(cx)?;
        Some((code, self.take_rest(flight, code)))
    }

    /// Gives up the write in flight: its code, and its buffer with what was not taken.
    #[inline(never)]
    pub(super) fn cancel_write(&self) -> (u32, RawBuf) {
        let flight = self.writer.pending.flight.get();
        self.writer.live.set(false);
        // SAFETY: that is the built-in.
        let code = unsafe { self.writer.pending.cancel(self.writing.map(|writing| writing.cancel)) };
        (code, self.take_rest(flight, code))
    }

    #[inline(never)]
    fn take_rest(&self, flight: Flight, code: u32) -> RawBuf {
        self.writer.live.set(false);
        let mut buf = self.writer.buf.replace(RawBuf::EMPTY);
        if flight == Flight::Remote {
            self.taken(&mut buf, code);
        } else {
            buf.head += copy::count(code);
            self.note_dropped(code);
        }
        buf
    }

    /// Ends the write of a future that was forgotten, or could not be cancelled.
    #[inline(never)]
    pub(super) fn drop_forgotten_write(&self) {
        if self.writer.pending.flight.get() != Flight::Idle {
            let (_, rest) = self.cancel_write();
            // SAFETY: the items are of the channel's type.
            unsafe { rest.free(&self.items) }
        }
    }

    /// The writer is dropped; nothing of it is in flight.
    #[inline(never)]
    pub(super) fn close_writer(&self) {
        self.writer.open.set(false);
        self.clear_area();
        let handle = self.writer.pending.forget_handle();
        if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: the end is ours, and no write is in flight.
            unsafe { (writing.drop)(handle) }
        } else if self.reader.is_waiting() {
            self.reader.settle(DROPPED).wake();
        }
    }
}

/// A number that no buffer of items had before: what the area of a channel holds is found again by it, when the rest of
/// a buffer is written. Addresses would not do, since they are used again.
fn next_stamp() -> u64 {
    static STAMP: AtomicU64 = AtomicU64::new(1);
    STAMP.fetch_add(1, Ordering::Relaxed)
}
