//! What the ends of a future share that was made in this component.

use super::Area;
use crate::builtins::BLOCKED;
use crate::copy::{COMPLETED, DROPPED, Flight, NO_HANDLE, Pending};
use crate::owner::Owner;
use crate::payload::FutureWriteIntrinsics;
use crate::task::waitable::Operation;
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::task::Context;

/// Where the value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Nowhere yet.
    Unwritten,
    /// In the pair, while its writer waits until it is taken.
    Offered,
    /// In the pair, and the writer is gone.
    Sent,
    /// In the pair, and the writer is gone, but for a write in the engine.
    Background,
    /// The writer is gone without one: it is the default.
    Default,
    /// It was taken, or was not wanted.
    Gone,
}

/// The state of a future. The operations of an engine are the writer's: a reader that has one was lifted.
#[repr(C)]
pub(super) struct Pair<T: 'static> {
    /// The first field, so that it is found by its address.
    pub(super) writer: Pending,
    /// The reader, while it waits here.
    pub(super) reader: Pending,
    /// The reader is in this component.
    pub(super) reader_open: Cell<bool>,
    pub(super) state: Cell<Value>,
    pub(super) writing: &'static FutureWriteIntrinsics<T>,
    pub(super) default: fn() -> T,
    pub(super) owner: Owner,
    value: UnsafeCell<MaybeUninit<T>>,
    area: Area<T>,
    /// How many ends point here.
    owners: Cell<u8>,
}

/// What a write came to.
pub(super) enum Written<T: 'static> {
    Taken,
    Dropped(T),
    Cancelled(T),
}

impl<T: 'static> Pair<T> {
    /// A pair with two owners.
    pub(super) fn new(writing: &'static FutureWriteIntrinsics<T>, default: fn() -> T) -> *mut Pair<T> {
        Box::into_raw(Box::new(Pair {
            writer: Pending::new(NO_HANDLE),
            reader: Pending::new(NO_HANDLE),
            reader_open: Cell::new(true),
            state: Cell::new(Value::Unwritten),
            writing,
            default,
            owner: Owner::here(),
            value: UnsafeCell::new(MaybeUninit::uninit()),
            area: Area::new(),
            owners: Cell::new(2),
        }))
    }

    /// One owner less.
    ///
    /// # Safety
    /// The caller was an owner.
    pub(super) unsafe fn release(this: *const Pair<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let owners = (*this).owners.get() - 1;
            (*this).owners.set(owners);
            if owners == 0 {
                drop(Box::from_raw(this.cast_mut()));
            }
        }
    }

    pub(super) fn put(&self, value: T) {
        // SAFETY: no reference into the cell outlives a function of this type.
        unsafe { (*self.value.get()).write(value) };
    }

    /// # Safety
    /// There is a value, and the state will not say so any more.
    pub(super) unsafe fn take(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { (*self.value.get()).assume_init_read() }
    }

    // Writing.

    /// Writes a value: `None` if that has to wait.
    pub(super) fn write(&self, value: T, cx: &mut Context<'_>) -> Option<Written<T>> {
        if self.writer.handle.get() != NO_HANDLE {
            self.put(value);
            let code = self.write_remotely();
            if code != BLOCKED {
                return Some(self.written(code));
            }
            self.state.set(Value::Offered);
            if self.reader_open.get() {
                // The reader may come back.
                self.writer.park(cx);
            }
            // SAFETY: pairs stay in place, and are there as long as a copy is in flight.
            unsafe { self.writer.wait(cx) }
            return None;
        }
        if !self.reader_open.get() {
            self.state.set(Value::Gone);
            return Some(Written::Dropped(value));
        }
        self.put(value);
        if self.reader.flight.get() == Flight::Local {
            self.state.set(Value::Sent);
            self.reader.settle(COMPLETED).wake();
            return Some(Written::Taken);
        }
        self.state.set(Value::Offered);
        self.writer.wait_locally(cx);
        None
    }

    /// Calls the built-in, for the value in the pair.
    fn write_remotely(&self) -> u32 {
        // SAFETY: there is a value. The room is not in use: there is one write. Both stay until that has ended.
        unsafe {
            let (room, scratch) = self.area.room(self.writing.size, self.writing.align);
            (self.writing.store)(self.writing, (*self.value.get()).as_ptr(), room, scratch);
            (self.writing.write)(self.writer.handle.get(), room)
        }
    }

    /// Waits for the write: what it came to.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>) -> Option<Written<T>> {
        let flight = self.writer.flight.get();
        if flight == Flight::Remote && self.reader_open.get() {
            self.writer.park(cx);
        }
        let code = self.writer.poll(cx)?;
        Some(self.ended(flight, code))
    }

    /// Gives the write up: what it has come to.
    pub(super) fn cancel_write(&self) -> Written<T> {
        let flight = self.writer.flight.get();
        // SAFETY: a write is in flight, and its handle has left its set.
        let code = unsafe { self.writer.cancel(Some(self.writing.cancel)) };
        self.ended(flight, code)
    }

    fn ended(&self, flight: Flight, code: u32) -> Written<T> {
        if flight == Flight::Remote {
            return self.written(code);
        }
        // SAFETY: unless it was taken, the value is there.
        unsafe {
            match code & 15 {
                COMPLETED => Written::Taken,
                DROPPED => {
                    self.state.set(Value::Gone);
                    Written::Dropped(self.take())
                }
                _ => {
                    self.state.set(Value::Unwritten);
                    Written::Cancelled(self.take())
                }
            }
        }
    }

    /// A write has ended in the engine.
    fn written(&self, code: u32) -> Written<T> {
        // SAFETY: the value is there. The end is ours, and if it is dropped it has written, or knows that nobody reads.
        unsafe {
            match code & 15 {
                COMPLETED => {
                    self.state.set(Value::Gone);
                    let area = self.area.written(self.writing.size, self.writing.align).cast_mut();
                    let left = (self.writing.accepted)(self.writing, (*self.value.get()).as_ptr(), area);
                    (self.writing.drop)(self.writer.forget_handle());
                    drop(left);
                    Written::Taken
                }
                DROPPED => {
                    self.state.set(Value::Gone);
                    self.restore();
                    (self.writing.drop)(self.writer.forget_handle());
                    Written::Dropped(self.take())
                }
                _ => {
                    self.state.set(Value::Unwritten);
                    self.restore();
                    Written::Cancelled(self.take())
                }
            }
        }
    }

    /// The value that was stored was not accepted: the pair has it again.
    ///
    /// # Safety
    /// It was stored since it was put here, and this is called once for that.
    unsafe fn restore(&self) {
        if let Some(restore) = self.writing.restore {
            let area = self.area.written(self.writing.size, self.writing.align).cast_mut();
            // SAFETY: the caller knows that the value was stored in the area, where it is still.
            unsafe { restore(self.writing, (*self.value.get()).as_mut_ptr(), area) }
        }
    }

    /// The writer is dropped. If nothing was written, that will be the default.
    ///
    /// # Safety
    /// The caller was an owner, and nothing is in flight.
    pub(super) unsafe fn close_writer(this: *const Pair<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = &*this;
            if pair.state.get() == Value::Unwritten {
                if pair.writer.handle.get() != NO_HANDLE {
                    pair.put((pair.default)());
                    return Self::write_in_background(this);
                }
                pair.state.set(if pair.reader_open.get() { Value::Default } else { Value::Gone });
                if pair.reader.flight.get() == Flight::Local {
                    pair.reader.settle(COMPLETED).wake();
                }
            }
            Self::release(this);
        }
    }

    /// Writes a value for a writer that goes.
    ///
    /// # Safety
    /// The caller was an owner, and nothing is in flight.
    pub(super) unsafe fn send(this: *const Pair<T>, value: T) {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = &*this;
            if pair.writer.handle.get() != NO_HANDLE {
                pair.put(value);
                return Self::write_in_background(this);
            }
            if pair.reader_open.get() {
                pair.put(value);
                pair.state.set(Value::Sent);
                if pair.reader.flight.get() == Flight::Local {
                    pair.reader.settle(COMPLETED).wake();
                }
            }
            Self::release(this);
        }
    }

    /// Writes the value in the pair to the engine, for nobody.
    ///
    /// # Safety
    /// There is one. The caller was an owner.
    unsafe fn write_in_background(this: *const Pair<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let code = (*this).write_remotely();
            if code == BLOCKED {
                (*this).state.set(Value::Background);
                Pending::detach(&raw const (*this).writer, Self::done);
            } else {
                drop((*this).written(code));
                Self::release(this);
            }
        }
    }

    /// Lets a write go on that is in flight in the engine, when its owner goes.
    ///
    /// # Safety
    /// It is. The caller was an owner.
    pub(super) unsafe fn leave_write(this: *const Pair<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            match (*this).writer.withdraw() {
                None => {
                    (*this).state.set(Value::Background);
                    Pending::detach(&raw const (*this).writer, Self::done);
                }
                Some(code) => {
                    drop((*this).written(code));
                    Self::release(this);
                }
            }
        }
    }

    /// A write in the background has ended.
    unsafe fn done(operation: *mut Operation, code: u32) {
        let this = Pending::of_operation(operation).cast::<Pair<T>>();
        // SAFETY: the operation is that of the first field of a pair, which it owns.
        unsafe {
            (*this).writer.flight.set(Flight::Idle);
            drop((*this).written(code));
            Self::release(this);
        }
    }

    // Reading.

    /// The value, if it is there: otherwise whom `cx` wakes will be woken.
    pub(super) fn read(&self, cx: &Context<'_>) -> Option<T> {
        self.demote();
        let value = self.taken();
        if value.is_none() {
            self.reader.wait_locally(cx);
        }
        value
    }

    /// Takes the value, if it is there.
    #[inline(never)]
    pub(super) fn taken(&self) -> Option<T> {
        let state = self.state.get();
        match state {
            Value::Unwritten | Value::Background | Value::Gone => return None,
            Value::Offered | Value::Sent | Value::Default => self.state.set(Value::Gone),
        }
        self.reader.unpark();
        self.reader.flight.set(Flight::Idle);
        if state == Value::Default {
            return Some((self.default)());
        }
        // SAFETY: the state says that it is there.
        let value = unsafe { self.take() };
        if state == Value::Offered {
            self.writer.settle(COMPLETED).wake();
        }
        Some(value)
    }

    /// The reader stops waiting.
    pub(super) fn stop_reading(&self) {
        self.reader.unpark();
        self.reader.flight.set(Flight::Idle);
    }

    /// The reader is dropped, or was given away.
    ///
    /// # Safety
    /// The caller was an owner.
    #[inline(never)]
    pub(super) unsafe fn close_reader(this: *const Pair<T>, given: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            let pair = &*this;
            pair.stop_reading();
            pair.reader_open.set(false);
            let handle = pair.reader.forget_handle();
            if given {
            } else if handle != NO_HANDLE {
                (pair.writing.drop_readable)(handle);
            } else {
                match pair.state.get() {
                    Value::Offered => pair.writer.settle(DROPPED).wake(),
                    Value::Sent => {
                        pair.state.set(Value::Gone);
                        drop(pair.take());
                    }
                    Value::Default => pair.state.set(Value::Gone),
                    Value::Unwritten | Value::Background | Value::Gone => {}
                }
            }
            Self::release(this);
        }
    }

    // From local to remote and back.

    /// The handle of the readable end of a future of the engine that this pair has become.
    ///
    /// # Safety
    /// The caller is an owner.
    pub(super) unsafe fn promote(this: *const Pair<T>) -> u32 {
        // SAFETY: the caller's promise. A new future may be made at any time.
        unsafe {
            let pair = &*this;
            if pair.reader.handle.get() != NO_HANDLE {
                return pair.reader.handle.get();
            }
            let ends = (pair.writing.new)();
            pair.reader.handle.set(ends as u32);
            pair.writer.handle.set((ends >> 32) as u32);
            match pair.state.get() {
                Value::Offered => {
                    if pair.write_remotely() == BLOCKED {
                        pair.writer.wait_as_parked();
                    }
                }
                state @ (Value::Sent | Value::Default) => {
                    if state == Value::Default {
                        pair.put((pair.default)());
                    }
                    // The write is one more.
                    pair.owners.set(pair.owners.get() + 1);
                    Self::write_in_background(this);
                }
                Value::Unwritten | Value::Background | Value::Gone => {}
            }
            pair.reader.handle.get()
        }
    }

    /// The reader was lowered, but stayed: it reads, and so the pair is local again.
    fn demote(&self) {
        let reader = self.reader.forget_handle();
        if reader == NO_HANDLE {
            return;
        }
        let was_flying = self.writer.flight.get() == Flight::Remote;
        // SAFETY: nobody can have read what is being written. A writer may go once it knows that nobody reads.
        unsafe {
            if was_flying {
                self.writer.cancel(Some(self.writing.cancel));
                self.restore();
            }
            (self.writing.drop_readable)(reader);
            let (room, _) = self.area.room(self.writing.size, self.writing.align);
            (self.writing.write)(self.writer.handle.get(), room);
            (self.writing.drop)(self.writer.forget_handle());
        }
        match self.state.get() {
            Value::Offered => self.writer.flight.set(Flight::Local),
            Value::Background => {
                self.state.set(Value::Sent);
                // SAFETY: the write was an owner, and is over; the reader is one still.
                unsafe { Self::release(self) }
            }
            Value::Unwritten | Value::Sent | Value::Default | Value::Gone => {}
        }
    }
}
