//! How a pair becomes a future of the engine, and is local again.

use super::{Pair, Value};
use crate::builtins::BLOCKED;
use crate::copy::{CopyState, NO_HANDLE};
use crate::task::handover;

impl<T: 'static> Pair<T> {
    /// Makes the pair a future of the engine. Returns the handle of its readable end.
    ///
    /// # Safety
    /// The caller is an owner.
    pub(in crate::future) unsafe fn promote(this: *const Pair<T>) -> u32 {
        // SAFETY: the caller is an owner, which keeps the pair live.
        let pair = unsafe { &*this };
        if pair.reader.handle.get() == NO_HANDLE && matches!(pair.state.get(), Value::Sent | Value::Default) {
            // Code of users, first. A write for nobody follows: see `Pending::detach`.
            handover::sweep();
            pair.make_default();
        }
        if pair.reader.handle.get() != NO_HANDLE {
            return pair.reader.handle.get();
        }
        // SAFETY: a new future may be made at any time.
        let ends = unsafe { (pair.writing.new)() };
        let reader = ends as u32;
        pair.reader.handle.set(reader);
        pair.writer.handle.set((ends >> 32) as u32);
        match pair.state.get() {
            // SAFETY: the value is there, and nothing is in flight. The writer is an owner as long as it waits.
            Value::Offered => unsafe {
                // The reader is here, and reads nothing: the write has to wait.
                if pair.start_write() == BLOCKED {
                    pair.writer.wait_as_parked();
                }
            },
            Value::Sent => {
                pair.owners.set(pair.owners.get() + 1);
                // SAFETY: the value is there, and nothing is in flight. The write is one owner more.
                let last = unsafe { Self::write_detached(this) };
                last.run();
            }
            Value::Unwritten | Value::Background | Value::Default | Value::Gone => {}
        }
        reader
    }

    /// Makes the default, if the state is `Default`.
    fn make_default(&self) {
        if self.state.get() != Value::Default {
            return;
        }
        let value = (self.default)();
        if self.state.get() == Value::Default {
            self.put(value);
            self.state.set(Value::Sent);
        }
    }

    /// Makes the pair local again, when its reader was lowered but stayed, and reads here.
    pub(super) fn demote(&self) {
        let reader = self.reader.forget_handle();
        if reader == NO_HANDLE {
            return;
        }
        // SAFETY: the ends are ours and are not used again. Nobody can have read the value, so that the write is
        // cancelled at once, and its value stays. A writer may go when it knows that nobody reads: to that end it writes
        // what is in the room, which nobody reads.
        unsafe {
            if self.writer.state.get() == CopyState::Engine {
                self.writer.cancel(Some(self.writing.cancel));
                self.restore();
            }
            (self.writing.drop_readable)(reader);
            let (room, _) = self.area.room(self.writing.size, self.writing.align);
            (self.writing.write)(self.writer.handle.get(), room);
            (self.writing.drop)(self.writer.forget_handle());
        }
        match self.state.get() {
            Value::Offered => self.writer.state.set(CopyState::Local),
            Value::Background => {
                self.state.set(Value::Sent);
                // SAFETY: the write was an owner, and is over; the reader is one still.
                unsafe { Self::release(self) }
            }
            Value::Unwritten | Value::Sent | Value::Default | Value::Gone => {}
        }
    }
}
