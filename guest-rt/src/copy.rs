//! Copies: reads and writes of streams and futures, and what comes of them.

use crate::builtins::BLOCKED;
use crate::payload::CancelFn;
use crate::task::current;
use crate::task::parked::Parked;
pub(crate) use crate::task::parked::Wake;
use crate::task::waitable::Operation;
use core::cell::Cell;

/// The other side has taken, or given, what it wanted.
pub(crate) const COMPLETED: u32 = 0;
/// The other end is gone.
pub(crate) const DROPPED: u32 = 1;
/// This side has cancelled.
pub(crate) const CANCELLED: u32 = 2;

/// No copy is for more items.
pub(crate) const MAX_COUNT: usize = (1 << 28) - 1;

/// No handle: the engine gives none this number.
pub(crate) const NO_HANDLE: u32 = 0;

/// Returns the code of a copy of `count` items.
#[inline(always)]
pub(crate) fn code(result: u32, count: usize) -> u32 {
    result | (count as u32) << 4
}

/// Returns how many items a copy was of.
#[inline(always)]
pub(crate) fn count(code: u32) -> usize {
    (code >> 4) as usize
}

/// Returns what a copy of a local stream ends as that had come to `code` and was cancelled before anybody heard of that.
/// As with engines, what was copied counts, and the copy ends as cancelled.
pub(crate) fn cancelled(code: u32) -> u32 {
    if code & 15 == COMPLETED { code | CANCELLED } else { code }
}

/// Cancels a copy of the engine. Returns its code. Meanwhile others of this instance may run.
///
/// # Safety
/// `cancel` cancels copies of `handle`, of which one is pending. It is in no set.
pub(crate) unsafe fn cancel_now(cancel: CancelFn, handle: u32) -> u32 {
    // SAFETY: as the caller promises.
    current::blocking(|| unsafe { cancel(handle) })
}

/// Where the copy of an end is.
///
/// ```text
///              wait_locally                        wait
///   Local ◄──────────────────── Idle ────────────────────► Engine
///     │  │                      ▲  ▲                       │ │ ▲
///     │  └─ poll, cancel ───────┘  └──── poll, cancel ─────┘ │ │
///     │                            └──── withdraw ───────────┘ │
///     └───────────────────── wait_as_parked ───────────────────┘
/// ```
///
/// `cancel` asks the engine. `withdraw` does not: the copy goes on there, and `detach` says who ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyState {
    /// There is none.
    Idle,
    /// Between two ends in this component.
    Local,
    /// In the engine.
    Engine,
}

/// Waits for the outcome of a copy of one end, wherever that is.
pub(crate) struct Pending {
    /// The handle of the end, while there is one.
    pub(crate) handle: Cell<u32>,
    pub(crate) state: Cell<CopyState>,
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
            state: Cell::new(CopyState::Idle),
            operation: Operation::new(),
            parked: Parked::nobody(),
            outcome: Cell::new(BLOCKED),
        }
    }

    /// Starts to wait for the other end of a local pair. Returns who was parked before, to be dropped last.
    #[inline(never)]
    pub(crate) fn wait_locally(&self, wake: Wake) -> Wake {
        self.outcome.set(BLOCKED);
        self.state.set(CopyState::Local);
        self.park(wake)
    }

    /// Parks whom to wake when a local copy has an outcome. Returns who was parked before, to be dropped last.
    fn park(&self, wake: Wake) -> Wake {
        self.parked.put(wake)
    }

    /// Takes who is parked, to be woken or dropped last.
    pub(crate) fn unpark(&self) -> Wake {
        self.parked.take()
    }

    /// Starts to wait for the engine, which answered that a copy has to wait. `wake` was made before it was asked.
    ///
    /// # Safety
    /// It did so for this handle. This stays in place until the copy has ended.
    pub(crate) unsafe fn wait(&self, wake: Wake) {
        self.state.set(CopyState::Engine);
        // SAFETY: a copy of the handle is pending, which is ours, and only one can be: nothing is registered. The
        // operation stays in place with this.
        unsafe { Operation::register(&raw const self.operation, self.handle.get(), wake) }
    }

    /// Starts to wait for the engine as `wait` does, for `wake`, which is parked: the copy may become a local one again.
    /// Returns who was parked before, to be dropped last.
    ///
    /// # Safety
    /// As for `wait`.
    pub(crate) unsafe fn wait_parked(&self, wake: Wake) -> Wake {
        let displaced = self.park(wake);
        // SAFETY: the caller promises the same.
        unsafe { self.wait_as_parked() }
        displaced
    }

    /// Starts to wait for the engine as `wait` does, for who is parked. It stays parked, and is woken by the event.
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

    /// Leaves a copy to the engine: `done` is called in the end, and may use `of_operation` to get at this.
    ///
    /// Who lets go of a copy like this calls [`handover::sweep`](crate::task::handover::sweep), when nothing is borrowed:
    /// an instance that never waits would heap up such copies.
    ///
    /// # Safety
    /// As for `wait`, but `this` may go as soon as `done` was called. `done` takes care of all that the copy was for.
    pub(crate) unsafe fn detach(this: *const Self, done: unsafe fn(*const Operation, u32)) {
        // SAFETY: `this` is live, and nothing is registered: the caller promises that the engine answered `BLOCKED`, or
        // the operation was withdrawn. The operation stays in place with this.
        unsafe {
            (*this).state.set(CopyState::Engine);
            Operation::detach(&raw const (*this).operation, (*this).handle.get(), false, done);
        }
    }

    /// Returns the code of the copy, which then is over; before that, `wake` will be woken by it. What `wake` is afterwards
    /// is to be dropped last: no code of users runs in here.
    #[inline(never)]
    pub(crate) fn poll(&self, wake: &mut Wake) -> Option<u32> {
        let code = match self.state.get() {
            CopyState::Engine => match self.operation.poll(wake) {
                Some(code) => code,
                None => return self.poll_shared(wake),
            },
            CopyState::Local if self.outcome.get() == BLOCKED => {
                self.parked.swap(wake);
                return None;
            }
            CopyState::Local => self.outcome.replace(BLOCKED),
            CopyState::Idle => return None,
        };
        self.state.set(CopyState::Idle);
        Some(code)
    }

    /// The engine has not told yet. Where the event wakes who is parked here, since the copy may become a local one, that is
    /// `wake` from now on.
    #[inline(always)]
    fn poll_shared(&self, wake: &mut Wake) -> Option<u32> {
        if self.operation.is_called() {
            self.parked.swap(wake);
        }
        None
    }

    /// Sets the outcome of a local copy: the last one before it is polled counts. Returns whom to wake.
    pub(crate) fn set_outcome(&self, outcome: u32) -> Wake {
        self.outcome.set(outcome);
        self.unpark()
    }

    /// Cancels the copy. Returns its code, which may tell that it had ended before, and who waited, to be dropped last.
    ///
    /// # Safety
    /// `cancel` is the built-in that cancels it; there is one when it is in the engine.
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, cancel: Option<CancelFn>) -> (u32, Wake) {
        match self.state.replace(CopyState::Idle) {
            CopyState::Idle => (CANCELLED, Wake::nobody()),
            CopyState::Local => match self.outcome.replace(BLOCKED) {
                BLOCKED => (CANCELLED, self.unpark()),
                outcome => (outcome, self.unpark()),
            },
            CopyState::Engine => {
                let (code, waited) = self.operation.withdraw();
                let code = match (code, cancel) {
                    (Some(code), _) => code,
                    // SAFETY: the copy is still pending, and its handle is in no set: so it may be cancelled, by the
                    // built-in that the caller promises.
                    (None, Some(cancel)) => unsafe { cancel_now(cancel, self.handle.get()) },
                    (None, None) => CANCELLED,
                };
                (code, waited)
            }
        }
    }

    /// Stops waiting; the engine's copy goes on. Returns its code if it had already ended, and who waited, to be dropped
    /// last.
    pub(crate) fn withdraw(&self) -> (Option<u32>, Wake) {
        self.state.set(CopyState::Idle);
        self.operation.withdraw()
    }

    /// Returns what `detach` was called with.
    pub(crate) fn of_operation(operation: *const Operation) -> *const Pending {
        operation.wrapping_byte_sub(core::mem::offset_of!(Pending, operation)).cast()
    }

    /// Takes the handle out of its set, so that it can be given away.
    pub(crate) fn leave_set(&self) {
        self.operation.leave_set();
    }

    /// Returns the handle, which this has no longer.
    pub(crate) fn forget_handle(&self) -> u32 {
        self.operation.forget_handle();
        self.handle.replace(NO_HANDLE)
    }
}
