//! Copies: reads and writes of streams and futures, and what comes of them.

use crate::builtins::BLOCKED;
use crate::instance::instance;
use crate::payload::CancelFn;
use crate::task::background;
use crate::task::waitable::Operation;
use crate::task::{Parked, Target};
use core::cell::{Cell, UnsafeCell};
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

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

/// Engines let only async exports wait, and to cancel is to wait.
pub(crate) fn may_cancel() -> bool {
    let instance = instance();
    let task = instance.current.get();
    !task.is_null() && !background::is(instance, task)
}

/// Puts off what cannot be done where no task is: `finish(this)` is called by the next one.
///
/// # Safety
/// It may be called then.
pub(crate) unsafe fn put_off(this: *mut (), finish: unsafe fn(*mut ())) {
    drop(crate::spawn_local(poll_fn(move |_| {
        // SAFETY: the caller's promise.
        unsafe { finish(this) }
        Poll::Ready(())
    })));
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
    /// The set that the handle is in.
    joined: Cell<u32>,
    /// Waits for an engine.
    operation: UnsafeCell<Operation>,
    /// Waits for the other end, in this component.
    parked: UnsafeCell<Parked>,
    /// The outcome of a local copy, or `BLOCKED`.
    outcome: Cell<u32>,
}

impl Pending {
    pub(crate) const fn new(handle: u32) -> Pending {
        Pending {
            handle: Cell::new(handle),
            flight: Cell::new(Flight::Idle),
            joined: Cell::new(0),
            operation: UnsafeCell::new(Operation::new()),
            parked: UnsafeCell::new(Parked::nobody()),
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
        // SAFETY: no reference into the cell outlives a function of this type, and none of them calls back into it.
        unsafe { (*self.parked.get()).update(cx) }
    }

    /// The engine answered that a copy has to wait.
    ///
    /// # Safety
    /// It did so for this handle. This stays in place until the copy has ended.
    pub(crate) unsafe fn wait(&self, cx: &mut Context<'_>) {
        self.flight.set(Flight::Remote);
        // SAFETY: the caller's promise.
        unsafe { Operation::register(self.operation.get(), self.handle.get(), &self.joined, cx) }
    }

    /// As `wait`, for whom was parked for a local copy: that is now one of the engine. It stays parked as well.
    ///
    /// # Safety
    /// As for `wait`.
    pub(crate) unsafe fn wait_as_parked(&self) {
        // SAFETY: as in `park`; then the caller's promise.
        unsafe {
            let parked = &mut *self.parked.get();
            parked.make_foreign();
            let waker = match parked.take() {
                Target::Waker(waker) => waker,
                _ => Waker::noop().clone(),
            };
            let mut cx = Context::from_waker(&waker);
            self.park(&cx);
            self.wait(&mut cx);
        }
    }

    /// As `wait`, for nobody: `done` is called in the end, and may use `this` to get at what that is a part of.
    ///
    /// # Safety
    /// As for `wait`, and for `Operation::detach`.
    pub(crate) unsafe fn detach(this: *const Self, done: unsafe fn(*mut Operation, u32)) {
        // SAFETY: the caller's promise.
        unsafe {
            (*this).flight.set(Flight::Remote);
            let operation = UnsafeCell::raw_get(&raw const (*this).operation);
            Operation::detach(operation, (*this).handle.get(), &(*this).joined, done);
        }
    }

    /// The code of the copy, which then is over; before that, whom `cx` wakes will be woken by it.
    #[inline(never)]
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Option<u32> {
        let code = match self.flight.get() {
            Flight::Idle => return None,
            Flight::Local => {
                let outcome = self.outcome.replace(BLOCKED);
                if outcome == BLOCKED {
                    self.park(cx);
                    return None;
                }
                outcome
            }
            // SAFETY: it was registered when the flight began.
            Flight::Remote => unsafe { Operation::poll(self.operation.get(), &self.joined, cx) }?,
        };
        self.flight.set(Flight::Idle);
        Some(code)
    }

    /// A local copy has come to its end, for now: the last outcome before it is polled counts.
    #[must_use = "whom it returns has to be woken"]
    pub(crate) fn settle(&self, outcome: u32) -> Wake<'_> {
        self.outcome.set(outcome);
        Wake(self)
    }

    /// Gives the copy up: its code, which may tell that it had ended before.
    ///
    /// # Safety
    /// `cancel` is the built-in that cancels it; there is one when it is in the engine.
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, cancel: Option<CancelFn>) -> u32 {
        match self.flight.replace(Flight::Idle) {
            Flight::Idle => CANCELLED,
            Flight::Local => {
                self.unpark();
                match self.outcome.replace(BLOCKED) {
                    BLOCKED => CANCELLED,
                    outcome => outcome,
                }
            }
            // SAFETY: it was registered when the flight began, and its handle has left its set.
            Flight::Remote => unsafe {
                match (Operation::withdraw(self.operation.get(), &self.joined), cancel) {
                    (Some(code), _) => code,
                    (None, Some(cancel)) => cancel(self.handle.get()),
                    (None, None) => CANCELLED,
                }
            },
        }
    }

    /// Stops to wait for the engine, whose copy goes on, if it has not ended: then its code.
    pub(crate) fn withdraw(&self) -> Option<u32> {
        self.flight.set(Flight::Idle);
        // SAFETY: harmless where nothing is registered.
        unsafe { Operation::withdraw(self.operation.get(), &self.joined) }
    }

    /// What `detach` was called with.
    pub(crate) fn of_operation(operation: *mut Operation) -> *const Pending {
        operation.cast_const().wrapping_byte_sub(core::mem::offset_of!(Pending, operation)).cast()
    }

    /// The handle leaves its set, so that it can be given away.
    pub(crate) fn leave_set(&self) {
        if self.joined.replace(0) != 0 {
            crate::builtins::waitable_join(self.handle.get(), 0);
        }
    }

    /// The handle is gone.
    pub(crate) fn forget_handle(&self) -> u32 {
        self.joined.set(0);
        self.handle.replace(NO_HANDLE)
    }

    /// Wakes nobody any more.
    pub(crate) fn unpark(&self) {
        // SAFETY: as in `park`.
        unsafe { (*self.parked.get()).clear() }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.unpark();
    }
}

/// Who waits for a local copy; to be woken when everything else is settled, since wakers are anybody's code.
pub(crate) struct Wake<'a>(&'a Pending);

impl Wake<'_> {
    pub(crate) fn wake(self) {
        // SAFETY: as in `Pending::park`; what runs in there may come back, but to other functions of the cell only.
        unsafe { (*self.0.parked.get()).wake() }
    }
}
