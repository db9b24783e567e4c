//! Copies: reads and writes of streams and futures, and what comes of them.

use crate::builtins::BLOCKED;
use crate::task::current;
use crate::task::parked::{Parked, Target};
use crate::task::waitable::Operation;
use core::cell::Cell;
use core::task::Context;

/// The other side has taken, or given, what it wanted.
pub(crate) const COMPLETED: u32 = 0;
/// The other end is gone.
pub(crate) const DROPPED: u32 = 1;
/// This side has cancelled.
pub(crate) const CANCELLED: u32 = 2;

/// No copy is for more items.
pub(crate) const MAX_COUNT: usize = (1 << 28) - 1;

/// A handle that is none.
pub(crate) const NO_HANDLE: u32 = 0;

/// The code of a copy of `count` items.
#[inline(always)]
pub(crate) fn code(result: u32, count: usize) -> u32 {
    result | (count as u32) << 4
}

/// The items of a copy.
#[inline(always)]
pub(crate) fn count(code: u32) -> usize {
    (code >> 4) as usize
}

/// Where the copy of an end is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flight {
    /// There is none.
    Idle,
    /// Between two ends in this component.
    Local,
    /// In the engine.
    Remote,
}

/// What waits for the outcome of a copy of one end, wherever that is.
pub(crate) struct Pending {
    /// The handle of the end, while there is one.
    pub(crate) handle: Cell<u32>,
    pub(crate) flight: Cell<Flight>,
    /// Waits for an engine.
    operation: Operation,
    /// Waits for the other end, in this component.
    parked: Parked,
    /// The outcome of a local copy, or `BLOCKED`.
    outcome: Cell<u32>,
}

impl Pending {
    pub(crate) const fn new(handle: u32) -> Pending {
        Pending {
            handle: Cell::new(handle),
            flight: Cell::new(Flight::Idle),
            operation: Operation::new(),
            parked: Parked::nobody(),
            outcome: Cell::new(BLOCKED),
        }
    }

    /// A copy between local ends has to wait.
    #[inline(never)]
    pub(crate) fn wait_locally(&self, cx: &Context<'_>) {
        self.outcome.set(BLOCKED);
        self.flight.set(Flight::Local);
        self.park(cx);
    }

    /// Wakes whom `cx` wakes when a local copy has an outcome.
    pub(crate) fn park(&self, cx: &Context<'_>) {
        self.parked.park(cx);
    }

    /// The engine answered that a copy has to wait.
    ///
    /// # Safety
    /// It did so for this handle. This stays in place until the copy has ended.
    pub(crate) unsafe fn wait(&self, cx: &mut Context<'_>) {
        self.flight.set(Flight::Remote);
        // SAFETY: a copy of the handle is pending, which is ours; the operation stays in place with this.
        unsafe { Operation::register(&raw const self.operation, self.handle.get(), cx) }
    }

    /// As `wait`, for who is parked for a local copy: that is now one of the engine. Who is parked stays so, and is woken
    /// by the event.
    ///
    /// # Safety
    /// As for `wait`.
    pub(crate) unsafe fn wait_as_parked(&self) {
        /// # Safety
        /// `operation` is that of a `Pending`.
        unsafe fn wake(operation: *const Operation, _code: u32) {
            // SAFETY: `detach` was called with the operation of a `Pending`, which stays in place until the copy has ended.
            unsafe { (*Pending::of_operation(operation)).parked.take() }.wake();
        }
        // SAFETY: the caller's promise for `wait`; `wake` frees nothing.
        unsafe { Pending::detach(self, wake) }
    }

    /// As `wait`, for nobody: `done` is called in the end, and may use `this` to get at what that is a part of.
    ///
    /// Who lets go of a copy like this calls [`handover::sweep`](crate::task::handover::sweep), when nothing is borrowed:
    /// an instance that never waits would heap up such copies.
    ///
    /// # Safety
    /// As for `wait`, and for `Operation::detach`. `done` may be called with the operation of `this`, and may free what
    /// that is a part of.
    pub(crate) unsafe fn detach(this: *const Self, done: unsafe fn(*const Operation, u32)) {
        // SAFETY: a copy of the handle is pending, which is ours; the operation stays in place with this.
        unsafe {
            (*this).flight.set(Flight::Remote);
            Operation::detach(&raw const (*this).operation, (*this).handle.get(), done);
        }
    }

    /// The code of the copy, which then is over; before that, whom `cx` wakes will be woken by it.
    #[inline(never)]
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Option<u32> {
        let code = match self.flight.get() {
            Flight::Idle => return None,
            Flight::Local => {
                if self.outcome.get() == BLOCKED {
                    self.park(cx);
                }
                // Parking runs code of users, which may have brought the outcome about.
                match self.outcome.replace(BLOCKED) {
                    BLOCKED => return None,
                    outcome => outcome,
                }
            }
            Flight::Remote => self.operation.poll(cx)?,
        };
        self.flight.set(Flight::Idle);
        Some(code)
    }

    /// A local copy has come to its end, for now: the last outcome before it is polled counts.
    pub(crate) fn settle(&self, outcome: u32) -> Target {
        self.outcome.set(outcome);
        self.parked.take()
    }

    /// Wakes nobody any more. Returns whom it would have woken.
    pub(crate) fn take_parked(&self) -> Target {
        self.parked.take()
    }

    /// Gives the copy up: its code, which may tell that it had ended before.
    ///
    /// # Safety
    /// `cancel` is the built-in that cancels it; there is one when it is in the engine.
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, cancel: Option<unsafe fn(u32) -> u32>) -> u32 {
        match self.flight.replace(Flight::Idle) {
            Flight::Idle => CANCELLED,
            Flight::Local => {
                let parked = self.parked.take();
                let code = match self.outcome.replace(BLOCKED) {
                    BLOCKED => CANCELLED,
                    outcome => outcome,
                };
                drop(parked);
                code
            }
            Flight::Remote => match (self.operation.withdraw(), cancel) {
                (Some(code), _) => code,
                // SAFETY: it is the built-in, and the handle has left its set.
                (None, Some(cancel)) => current::blocking(|| unsafe { cancel(self.handle.get()) }),
                (None, None) => CANCELLED,
            },
        }
    }

    /// Stops waiting; the engine's copy goes on. Returns its code if it had already ended.
    pub(crate) fn withdraw(&self) -> Option<u32> {
        self.flight.set(Flight::Idle);
        self.operation.withdraw()
    }

    /// What `detach` was called with.
    pub(crate) fn of_operation(operation: *const Operation) -> *const Pending {
        operation.wrapping_byte_sub(core::mem::offset_of!(Pending, operation)).cast()
    }

    /// The handle leaves its set, so that it can be given away.
    pub(crate) fn leave_set(&self) {
        self.operation.leave_set();
    }

    /// The handle is gone.
    pub(crate) fn forget_handle(&self) -> u32 {
        self.operation.forget_handle();
        self.handle.replace(NO_HANDLE)
    }
}

/// Unsafe impls for what one thread of an instance shares: on wasm without threads there is no other.
macro_rules! one_thread {
    ($($ty:ident<$($lt:lifetime,)? $T:ident $(: $bound:lifetime)?>),* $(,)?) => {$(
        // SAFETY: a component instance has one thread at a time.
        #[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
        unsafe impl<$($lt,)? $T $(: $bound)?> Send for $ty<$($lt,)? $T> {}
        // SAFETY: as above.
        #[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
        unsafe impl<$($lt,)? $T $(: $bound)?> Sync for $ty<$($lt,)? $T> {}
    )*};
}

pub(crate) use one_thread;
