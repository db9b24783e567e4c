//! Local pairs that become streams of the engine, and back.

use super::Channel;
use crate::builtins::BLOCKED;
use crate::copy::{CopyState, MAX_COUNT, NO_HANDLE};
use crate::payload::WriteIntrinsics;

impl Channel {
    /// Makes the pair a stream of the engine, if it is none. Returns the handle of its readable end, and whether
    /// somebody has to finish what a writer has left that is gone: he owns the writer then.
    ///
    /// The reader is open and reads nothing. This is part of lowering, so no code of users runs: that is put off.
    #[inline(never)]
    pub(crate) fn promote(&self, writing: &'static WriteIntrinsics) -> (u32, bool) {
        if self.reader.pending.handle.get() != NO_HANDLE {
            return (self.given_handle(), false);
        }
        // SAFETY: this may be called at any time.
        let ends = unsafe { (writing.new)() };
        let (reader, writer) = (ends as u32, (ends >> 32) as u32);
        self.reader.pending.handle.set(reader);
        let is_left = !self.writer.open.get();
        if is_left && !self.writer.is_waiting() {
            // SAFETY: the end is new.
            unsafe { (writing.drop)(writer) }
            return (reader, false);
        }
        self.writer.pending.handle.set(writer);
        if is_left {
            self.writer.open.set(true);
            self.owners.set(self.owners.get() + 1);
            self.left.set(true);
            let mut buf = self.writer.buf.get();
            // What was read of it is not written again.
            buf.head = buf.len.min(buf.head + self.writer.done.replace(0));
            self.writer.buf.set(buf);
            self.writer.pending.set_outcome(BLOCKED).drop_later();
        }
        // A write that has come to something is over; its writer hears of that next.
        let goes_on = self.writer.is_waiting() && self.writer.done.get() == 0;
        self.writer.live.set(false);
        if goes_on {
            let mut stamp = 0;
            let code = self.write_remotely(&self.writer.buf.get(), &mut stamp);
            if code == BLOCKED {
                // SAFETY: the engine has just answered so. Channels stay in place, and are not freed while an end copies.
                unsafe { self.writer.pending.wait_as_parked() }
            }
        }
        (reader, is_left)
    }

    /// Returns the handle of the reader, which is in no set then.
    pub(crate) fn given_handle(&self) -> u32 {
        self.reader.pending.leave_set();
        self.reader.pending.handle.get()
    }

    /// Makes the pair a local one again: the reader was lowered, but stayed, and reads. A write of the engine has its waker
    /// parked in the channel, where it stays.
    #[inline(never)]
    pub(super) fn demote(&self) {
        let handle = self.reader.pending.handle.get();
        if handle == NO_HANDLE || self.reading.is_some() {
            return;
        }
        let Some(writing) = self.writing else { return };
        if self.writer.pending.state.get() == CopyState::Engine {
            // SAFETY: a write is in progress, and the table has the built-in that cancels it. Nobody can have read any of
            // it: the readable end is here.
            let (_, _nobody) = unsafe { self.writer.pending.cancel(Some(writing.cancel)) };
            let buf = self.writer.buf.get();
            self.end_stored(&buf, 0);
            self.writer.open_window(buf.first(&self.items), buf.rest().min(MAX_COUNT));
            self.writer.pending.state.set(CopyState::Local);
            self.clear_area();
        }
        // SAFETY: both ends are ours, and neither copies.
        unsafe {
            if self.writer.open.get() {
                (writing.drop)(self.writer.pending.forget_handle());
            }
            (writing.drop_readable)(self.reader.pending.forget_handle());
        }
    }
}
