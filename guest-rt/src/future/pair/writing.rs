//! What the writer of a pair does.

use super::{Last, Pair, Value};
use crate::builtins::BLOCKED;
use crate::copy::{CANCELLED, COMPLETED, CopyState, DROPPED, NO_HANDLE, Pending, Wake};
use crate::later;
use crate::payload::Leftover;
use crate::task::handover;
use crate::task::waitable::Operation;

/// What a write came to.
#[must_use = "the value is in there"]
pub(in crate::future) enum Written<T: 'static> {
    Taken(Last<T>),
    Dropped(T),
    Cancelled(T),
}

impl<T> Written<T> {
    /// What is left to do where nobody asks for the value.
    fn into_last(self) -> Last<T> {
        match self {
            Written::Taken(last) => last,
            Written::Dropped(value) | Written::Cancelled(value) => {
                Last { woken: None, dropped: Some(Leftover::Value(value)) }
            }
        }
    }
}

impl<T: 'static> Pair<T> {
    /// Writes a value. Returns `None` if that has to wait. What `wake` is afterwards is to be dropped last; before that,
    /// [`later::settle`] is called.
    pub(in crate::future) fn write(&self, value: T, wake: &mut Wake) -> Option<Written<T>> {
        if self.writer.handle.get() != NO_HANDLE {
            return self.write_to_engine(value, wake);
        }
        if !self.reader_open.get() {
            self.state.set(Value::Gone);
            return Some(Written::Dropped(value));
        }
        self.put(value);
        if self.reader.state.get() == CopyState::Local {
            self.state.set(Value::Sent);
            return Some(Written::Taken(Last { woken: self.tell_reader(), dropped: None }));
        }
        self.state.set(Value::Offered);
        *wake = self.writer.wait_locally(core::mem::replace(wake, Wake::nobody()));
        None
    }

    fn write_to_engine(&self, value: T, wake: &mut Wake) -> Option<Written<T>> {
        self.put(value);
        // SAFETY: the value was just put there, and there is no other write.
        let code = unsafe { self.start_write() };
        if code != BLOCKED {
            // SAFETY: that write has ended.
            return Some(unsafe { self.after_write(code) });
        }
        self.state.set(Value::Offered);
        let waiting = core::mem::replace(wake, Wake::nobody());
        // SAFETY: the built-in has just said that it waits. Pairs stay in place, and their owners see to it that they are
        // there as long as a copy is in flight.
        unsafe {
            if self.reader_open.get() {
                // The reader was lowered in vain, and may come back: see `demote`.
                *wake = self.writer.wait_parked(waiting);
            } else {
                self.writer.wait(waiting);
            }
        }
        None
    }

    /// Calls the built-in that writes the value in the pair. Returns its code.
    ///
    /// # Safety
    /// There is a value, which stays until the write has ended, and no write is in flight.
    pub(super) unsafe fn start_write(&self) -> u32 {
        // SAFETY: the caller promises that the value is there, and that nobody uses the room. The room is fit for the value.
        // The handle is that of a writable end that is ours.
        unsafe {
            let (room, scratch) = self.area.room(self.writing.size, self.writing.align);
            later::writing(|| (self.writing.store)(self.writing, (*self.value.get()).as_ptr(), room, scratch));
            (self.writing.write)(self.writer.handle.get(), room)
        }
    }

    /// Waits for the write. Returns what it came to. What `wake` is afterwards is to be dropped last.
    pub(in crate::future) fn poll_write(&self, wake: &mut Wake) -> Option<Written<T>> {
        let state = self.writer.state.get();
        let code = self.writer.poll(wake)?;
        Some(self.stop_write(state, code))
    }

    /// Cancels the write. Returns what it has come to, and who waited, to be dropped last.
    pub(in crate::future) fn cancel_write(&self) -> (Written<T>, Wake) {
        let state = self.writer.state.get();
        // SAFETY: it is the built-in that cancels a write of this end.
        let (code, waited) = unsafe { self.writer.cancel(Some(self.writing.cancel)) };
        (self.stop_write(state, code), waited)
    }

    /// Returns what a write came to that was in flight like this, and has ended.
    fn stop_write(&self, state: CopyState, code: u32) -> Written<T> {
        if state == CopyState::Engine {
            // SAFETY: that write has ended.
            return unsafe { self.after_write(code) };
        }
        match (self.state.get(), code & 15) {
            (Value::Offered, DROPPED) => {
                self.state.set(Value::Gone);
                // SAFETY: the state said that the value is here, and does so no more.
                Written::Dropped(unsafe { self.take_value() })
            }
            (Value::Offered, CANCELLED) => {
                self.state.set(Value::Unwritten);
                // SAFETY: as above.
                Written::Cancelled(unsafe { self.take_value() })
            }
            // There is no value that could be given back.
            _ => Written::Taken(Last::NOTHING),
        }
    }

    /// Returns what a write came to that has ended in the engine.
    ///
    /// # Safety
    /// `code` is that of the write of the value in the pair.
    unsafe fn after_write(&self, code: u32) -> Written<T> {
        let code = code & 15;
        if code == COMPLETED {
            self.state.set(Value::Gone);
            // SAFETY: the other side has taken the value, which was stored in the area and is not read again. The end is
            // ours, is not used again, and has written.
            let dropped = unsafe {
                let dropped = (self.writing.accepted)(self.writing, (*self.value.get()).as_ptr(), self.stored());
                (self.writing.drop)(self.writer.forget_handle());
                dropped
            };
            return Written::Taken(Last { woken: None, dropped });
        }
        // SAFETY: the value was stored, and not accepted. It is there then until the state says otherwise.
        let value = unsafe {
            self.restore();
            self.take_value()
        };
        if code != DROPPED {
            self.state.set(Value::Unwritten);
            return Written::Cancelled(value);
        }
        self.state.set(Value::Gone);
        // SAFETY: the end is ours, is not used again, and knows that nobody reads.
        unsafe { (self.writing.drop)(self.writer.forget_handle()) }
        Written::Dropped(value)
    }

    /// Returns where the value was stored.
    fn stored(&self) -> *mut u8 {
        self.area.written(self.writing.size, self.writing.align).cast_mut()
    }

    /// Has the value in the pair again after it was stored.
    ///
    /// # Safety
    /// It was stored since it was put here, was not accepted, and this is called once for that.
    pub(super) unsafe fn restore(&self) {
        if let Some(restore) = self.writing.restore {
            // SAFETY: the caller says that the value is in the area. The pair has room for it.
            unsafe { restore(self.writing, (*self.value.get()).as_mut_ptr(), self.stored()) }
        }
    }

    /// The writer is dropped. If nothing was written, that will be the default.
    ///
    /// # Safety
    /// The caller was the owner that the writer is, does not use the pair afterwards, and nothing is in flight.
    pub(in crate::future) unsafe fn close_writer(this: *const Pair<T>) {
        // SAFETY: the caller is an owner, which keeps the pair live until it is released.
        let pair = unsafe { &*this };
        if pair.state.get() == Value::Unwritten && pair.writer.handle.get() != NO_HANDLE {
            let value = (pair.default)();
            // SAFETY: the caller's promise is the same. Where the reader is by now is looked up anew.
            return unsafe { Self::send(this, value) };
        }
        let mut woken = None;
        if pair.state.get() == Value::Unwritten {
            pair.state.set(if pair.reader_open.get() { Value::Default } else { Value::Gone });
            woken = pair.tell_reader();
        }
        // SAFETY: the caller was an owner.
        unsafe { Self::release(this) }
        Last::<T> { woken, dropped: None }.run();
    }

    /// Writes a value for a writer that goes.
    ///
    /// # Safety
    /// As for `close_writer`; nothing was written.
    pub(in crate::future) unsafe fn send(this: *const Pair<T>, value: T) {
        // SAFETY: the caller is an owner, which keeps the pair live until it is released.
        let pair = unsafe { &*this };
        if pair.writer.handle.get() != NO_HANDLE {
            pair.put(value);
            // SAFETY: the value was just put there, and nothing is in flight. The write becomes the owner.
            unsafe { Self::write_detached(this) }.run();
            later::settle();
            return handover::sweep();
        }
        let mut last = Last::NOTHING;
        if pair.reader_open.get() {
            pair.put(value);
            pair.state.set(Value::Sent);
            last.woken = pair.tell_reader();
        } else {
            pair.state.set(Value::Gone);
            last.dropped = Some(Leftover::Value(value));
        }
        // SAFETY: the caller was an owner.
        unsafe { Self::release(this) }
        last.run();
    }

    /// Writes the value in the pair to the engine, for nobody.
    ///
    /// # Safety
    /// There is a value, and nothing is in flight. The caller was an owner, and does not use the pair as one afterwards.
    pub(super) unsafe fn write_detached(this: *const Pair<T>) -> Last<T> {
        // SAFETY: the caller was an owner; from here on the write is, until it has ended. So it stays in place until then.
        unsafe {
            (*this).state.set(Value::Background);
            let code = (*this).start_write();
            if code == BLOCKED {
                Pending::detach(&raw const (*this).writer, Self::after_detached);
                return Last::NOTHING;
            }
            Self::end_detached(this, code)
        }
    }

    /// Lets a write go on that is in flight in the engine, when its owner goes.
    ///
    /// # Safety
    /// It is in flight. The caller was an owner, and does not use the pair afterwards.
    pub(in crate::future) unsafe fn detach_write(this: *const Pair<T>) {
        // SAFETY: the caller was an owner; from here on the write is, until it has ended. So it stays in place until then.
        let (last, _parked, _waited) = unsafe {
            let parked = (*this).writer.unpark();
            let (code, waited) = (*this).writer.withdraw();
            (*this).state.set(Value::Background);
            let last = match code {
                None => {
                    Pending::detach(&raw const (*this).writer, Self::after_detached);
                    Last::NOTHING
                }
                Some(code) => Self::end_detached(this, code),
            };
            (last, parked, waited)
        };
        last.run();
        handover::sweep();
    }

    /// A write for nobody has ended.
    ///
    /// # Safety
    /// `operation` is that of the writer of a pair, whose write has ended with `code`. That write is an owner.
    unsafe fn after_detached(operation: *const Operation, code: u32) {
        let this = Pending::of_operation(operation).cast::<Pair<T>>();
        // SAFETY: the writer is the first field of its pair, which the write has kept in place.
        let last = unsafe {
            (*this).writer.state.set(CopyState::Idle);
            Self::end_detached(this, code)
        };
        last.run();
    }

    /// # Safety
    /// A write for nobody has ended with `code`, and was an owner.
    unsafe fn end_detached(this: *const Pair<T>, code: u32) -> Last<T> {
        // SAFETY: the write was an owner until now.
        unsafe {
            let last = (*this).after_write(code).into_last();
            Self::release(this);
            last
        }
    }
}
