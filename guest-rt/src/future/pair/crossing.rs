//! How a pair becomes a future of the engine, and is local again.

use super::{Last, Pair, Value};
use crate::builtins::BLOCKED;
use crate::copy::{CopyState, NO_HANDLE};
use crate::instance::OnUnwind;
use crate::later;
use crate::payload::Leftover;
use crate::task::handover;

impl<T: 'static> Pair<T> {
    /// Makes the pair a future of the engine. Returns the handle of its readable end.
    ///
    /// This is part of lowering, so no code of users runs: that is put off.
    ///
    /// # Safety
    /// The caller is an owner.
    pub(in crate::future) unsafe fn promote(this: *const Pair<T>) -> u32 {
        // SAFETY: the caller is an owner, which keeps the pair live.
        let pair = unsafe { &*this };
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
                later::put_off(|| {
                    last.run();
                    // That was a write for nobody: see `Pending::detach`.
                    handover::sweep();
                });
            }
            Value::Default => {
                pair.owners.set(pair.owners.get() + 1);
                pair.state.set(Value::Due);
                // SAFETY: that is one owner more.
                later::put_off(move || unsafe { Self::write_default(this) });
            }
            Value::Unwritten | Value::Background | Value::Due | Value::Gone => {}
        }
        reader
    }

    /// Makes the default and writes it, unless it was read meanwhile.
    ///
    /// # Safety
    /// The caller was an owner, and does not use the pair afterwards.
    unsafe fn write_default(this: *const Pair<T>) {
        // SAFETY: the caller is an owner, which keeps the pair live until it is released.
        let pair = unsafe { &*this };
        let mut last = Last::NOTHING;
        if pair.state.get() == Value::Due && pair.writer.handle.get() == NO_HANDLE {
            // It is not needed yet.
            pair.state.set(Value::Default);
        } else if pair.state.get() == Value::Due {
            let unwind = OnUnwind(|| {
                pair.state.set(Value::Default);
                // SAFETY: the caller was an owner.
                unsafe { Self::release(this) }
            });
            let value = (pair.default)();
            unwind.disarm();
            match pair.state.get() {
                Value::Due if pair.writer.handle.get() != NO_HANDLE => {
                    pair.put(value);
                    // SAFETY: the value was just put there, and nothing is in flight. The write becomes the owner.
                    unsafe { Self::write_detached(this) }.run();
                    return handover::sweep();
                }
                Value::Due => {
                    pair.put(value);
                    pair.state.set(Value::Sent);
                }
                // It was read.
                _ => last.dropped = Some(Leftover::Value(value)),
            }
        }
        // SAFETY: the caller was an owner.
        unsafe { Self::release(this) }
        last.run();
    }

    /// Makes the pair local again, when its reader was lowered but stayed, and reads here.
    ///
    /// No code of users runs in here: a write in the engine has its waker parked in the pair, where it stays.
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
                let (_, _nobody) = self.writer.cancel(Some(self.writing.cancel));
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
            Value::Unwritten | Value::Sent | Value::Default | Value::Due | Value::Gone => {}
        }
    }
}
