//! Local pairs that become streams of the engine, and back.

use super::channel::Channel;
use crate::builtins::BLOCKED;
use crate::copy::{Flight, MAX_COUNT, NO_HANDLE};
use crate::payload::{Stored, WriteIntrinsics};

impl Channel {
    /// The handle of the readable end of a stream of the engine that this pair has become.
    ///
    /// The reader is open and reads nothing.
    #[inline(never)]
    pub(super) fn promote(&self, writing: &'static WriteIntrinsics) -> u32 {
        if self.reader.pending.handle.get() != NO_HANDLE {
            return self.given_handle();
        }
        // SAFETY: this may be called at any time.
        let ends = unsafe { (writing.new)() };
        let (reader, writer) = (ends as u32, (ends >> 32) as u32);
        self.reader.pending.handle.set(reader);
        if !self.writer.open.get() {
            // SAFETY: the end is new.
            unsafe { (writing.drop)(writer) }
            return reader;
        }
        self.writer.pending.handle.set(writer);
        // A write that has come to something is over; its writer hears of that next.
        if self.writer.is_waiting() && self.writer.done.get() == 0 {
            self.writer.live.set(false);
            let buf = self.writer.buf.get();
            let mut stamp = 0;
            if self.write_remotely(&buf, &mut stamp) == BLOCKED {
                // SAFETY: as in `write`.
                unsafe { self.writer.pending.wait_as_parked() }
            }
        }
        self.writer.live.set(false);
        reader
    }

    /// The handle of the reader, in no set.
    pub(super) fn given_handle(&self) -> u32 {
        self.reader.pending.leave_set();
        self.reader.pending.handle.get()
    }

    /// The reader was lowered, but stayed: it reads, and so the pair is local again.
    #[inline(never)]
    pub(super) fn demote(&self) {
        let handle = self.reader.pending.handle.get();
        if handle == NO_HANDLE || self.reading.is_some() {
            return;
        }
        let Some(writing) = self.writing else { return };
        if self.writer.pending.flight.get() == Flight::Remote {
            // SAFETY: a write is in flight, which nobody can have read from.
            unsafe { self.writer.pending.cancel(Some(writing.cancel)) };
            let buf = self.writer.buf.get();
            if let WriteIntrinsics { end: Some(end), moves: true, .. } = writing {
                let (items, area) = (buf.first(&self.items), self.area_of(&buf, writing));
                // SAFETY: the items were stored in the area, and nobody can have accepted any.
                unsafe { end(writing, Stored { items, area, accepted: 0, rest: buf.rest() }) }
            }
            self.writer.at.set(buf.first(&self.items));
            self.writer.count.set(buf.rest().min(MAX_COUNT));
            self.writer.done.set(0);
            self.writer.live.set(true);
            self.writer.pending.flight.set(Flight::Local);
            self.clear_area();
        }
        // SAFETY: both ends are ours and idle.
        unsafe {
            if self.writer.open.get() {
                (writing.drop)(self.writer.pending.forget_handle());
            }
            (writing.drop_readable)(self.reader.pending.forget_handle());
        }
    }
}
