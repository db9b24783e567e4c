//! Copies: reads and writes of streams and futures, and what comes of them.

use crate::builtins::BLOCKED;
use crate::instance::instance;
use crate::task::background;
use crate::task::waitable::Operation;
use crate::task::{Parked, Target};
use core::cell::{Cell, UnsafeCell};
use core::future::poll_fn;
use core::mem::ManuallyDrop;
use core::task::{Context, Poll, Waker};

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

/// Whether a copy may be cancelled here: to cancel is to wait, and engines let only async exports do that.
pub(crate) fn may_cancel() -> bool {
    let instance = instance();
    let task = instance.current.get();
    !task.is_null() && !background::is(instance, task)
}

/// Puts off what cannot be done here: a task calls `finish(this)` later.
///
/// # Safety
/// `finish(this)` may be called at any time from now on, once.
pub(crate) unsafe fn put_off(this: *mut (), finish: unsafe fn(*mut ())) {
    drop(crate::spawn_local(poll_fn(move |_| {
        // SAFETY: it is called once, since the future is ready then; the caller promises the rest.
        unsafe { finish(this) }
        Poll::Ready(())
    })));
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

/// Somebody to wake, or to let go: either runs code of users, which may come back to where this was taken from. So it
/// is used up last, when everything else is done and nothing is borrowed.
#[must_use = "it is to be woken, or dropped, when everything else is done"]
pub(crate) struct Wake(Parked);

impl Wake {
    /// Wakes nobody.
    #[inline(always)]
    pub(crate) const fn nobody() -> Wake {
        Wake(Parked::nobody())
    }

    /// Whom `cx` wakes. Runs code of users, if the waker is not one of this runtime: nothing that was read before is
    /// true any more.
    pub(crate) fn of(cx: &Context<'_>) -> Wake {
        let mut parked = Parked::nobody();
        parked.update(cx);
        Wake(parked)
    }

    /// Wakes it.
    #[inline(always)]
    pub(crate) fn wake(self) {
        if !self.is_nobody() {
            self.0.wake();
        }
    }

    #[inline(always)]
    fn is_nobody(&self) -> bool {
        self.0.node().is_null()
    }

    fn of_waker(waker: Waker) -> Wake {
        let mut parked = Parked::nobody();
        parked.update(&Context::from_waker(&waker));
        Wake(parked)
    }

    fn into_parked(self) -> Parked {
        // SAFETY: it is moved out of what is not dropped.
        unsafe { core::ptr::read(&ManuallyDrop::new(self).0) }
    }

    fn into_waker(self) -> Waker {
        let mut parked = self.into_parked();
        parked.make_foreign();
        match parked.take() {
            Target::Waker(waker) => waker,
            _ => Waker::noop().clone(),
        }
    }
}

impl Drop for Wake {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.is_nobody() {
            self.0.clear();
        }
    }
}

/// Waits for the outcome of a copy of one end, wherever that is.
pub(crate) struct Pending {
    /// The handle of the end, while there is one.
    pub(crate) handle: Cell<u32>,
    pub(crate) state: Cell<CopyState>,
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
            state: Cell::new(CopyState::Idle),
            joined: Cell::new(0),
            operation: UnsafeCell::new(Operation::new()),
            parked: UnsafeCell::new(Parked::nobody()),
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
    pub(crate) fn park(&self, wake: Wake) -> Wake {
        // SAFETY: the cell is borrowed for a move in and out, which runs nobody's code.
        Wake(unsafe { core::mem::replace(&mut *self.parked.get(), wake.into_parked()) })
    }

    /// Takes who is parked, to be woken or dropped last.
    pub(crate) fn unpark(&self) -> Wake {
        self.park(Wake::nobody())
    }

    /// Starts to wait for the engine, which answered that a copy has to wait.
    ///
    /// # Safety
    /// It did so for this handle. This stays in place until the copy has ended.
    pub(crate) unsafe fn wait(&self, cx: &mut Context<'_>) {
        self.state.set(CopyState::Engine);
        // SAFETY: a copy of the handle is pending, and only one can be: nothing is registered. The cell stays in place.
        unsafe { Operation::register(self.operation.get(), self.handle.get(), &self.joined, cx) }
    }

    /// Starts to wait for the engine as `wait` does, for `wake`; that is parked as well, since the copy may become a
    /// local one again. Returns who was parked before, to be dropped last.
    ///
    /// # Safety
    /// As for `wait`.
    pub(crate) unsafe fn wait_parked(&self, wake: Wake) -> Wake {
        let waker = wake.into_waker();
        // SAFETY: the caller promises the same.
        unsafe { self.wait(&mut Context::from_waker(&waker)) }
        self.park(Wake::of_waker(waker))
    }

    /// Starts to wait for the engine as `wait` does, for whom was parked for a local copy. It stays parked as well.
    ///
    /// # Safety
    /// As for `wait`.
    pub(crate) unsafe fn wait_as_parked(&self) {
        // SAFETY: the caller promises the same.
        drop(unsafe { self.wait_parked(self.unpark()) });
    }

    /// Leaves a copy to the engine: `done` is called in the end, and may use `of_operation` to get at this.
    ///
    /// # Safety
    /// As for `wait`, but `this` may go as soon as `done` was called. `done` takes care of all that the copy was for.
    pub(crate) unsafe fn detach(this: *const Self, done: unsafe fn(*mut Operation, u32)) {
        // SAFETY: `this` is live, and nothing is registered: the caller promises that the engine answered `BLOCKED`, or
        // the operation was withdrawn.
        unsafe {
            (*this).state.set(CopyState::Engine);
            let operation = UnsafeCell::raw_get(&raw const (*this).operation);
            Operation::detach(operation, (*this).handle.get(), &(*this).joined, done);
        }
    }

    /// Returns the code of the copy, which then is over; before that, whom `cx` wakes will be woken by it.
    #[inline(never)]
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Option<u32> {
        let code = match self.state.get() {
            // SAFETY: it was registered when the copy got there.
            CopyState::Engine => unsafe { Operation::poll(self.operation.get(), &self.joined, cx) }?,
            CopyState::Local => self.poll_locally(cx)?,
            CopyState::Idle => return None,
        };
        self.state.set(CopyState::Idle);
        Some(code)
    }

    #[cold]
    #[inline(never)]
    fn poll_locally(&self, cx: &mut Context<'_>) -> Option<u32> {
        if self.outcome.get() == BLOCKED {
            let wake = Wake::of(cx);
            // Once more: it may be anybody's code that was run.
            match self.state.get() {
                CopyState::Local if self.outcome.get() != BLOCKED => {}
                // SAFETY: as in `poll`.
                CopyState::Engine => return unsafe { Operation::poll(self.operation.get(), &self.joined, cx) },
                CopyState::Idle => return None,
                CopyState::Local => {
                    drop(self.park(wake));
                    return None;
                }
            }
        }
        Some(self.outcome.replace(BLOCKED))
    }

    /// Sets the outcome of a local copy: the last one before it is polled counts. Returns whom to wake.
    pub(crate) fn set_outcome(&self, outcome: u32) -> Wake {
        self.outcome.set(outcome);
        self.unpark()
    }

    /// Cancels the copy. Returns its code, which may tell that it had ended before.
    ///
    /// # Safety
    /// `cancel` is the built-in that cancels it; there is one when it is in the engine.
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, cancel: Option<unsafe fn(u32) -> u32>) -> u32 {
        match self.state.replace(CopyState::Idle) {
            CopyState::Idle => CANCELLED,
            CopyState::Local => {
                let _parked = self.unpark();
                match self.outcome.replace(BLOCKED) {
                    BLOCKED => CANCELLED,
                    outcome => outcome,
                }
            }
            // SAFETY: it was registered when the copy got there. When it is withdrawn without a code, the copy is still
            // pending, and its handle is in no set: so it may be cancelled, by the built-in that the caller promises.
            CopyState::Engine => unsafe {
                match (Operation::withdraw(self.operation.get(), &self.joined), cancel) {
                    (Some(code), _) => code,
                    (None, Some(cancel)) => cancel(self.handle.get()),
                    (None, None) => CANCELLED,
                }
            },
        }
    }

    /// Stops waiting; the engine's copy goes on. Returns its code if it had already ended.
    pub(crate) fn withdraw(&self) -> Option<u32> {
        self.state.set(CopyState::Idle);
        // SAFETY: if it was ever registered, then with this note of its set.
        unsafe { Operation::withdraw(self.operation.get(), &self.joined) }
    }

    /// Returns what `detach` was called with.
    pub(crate) fn of_operation(operation: *mut Operation) -> *const Pending {
        operation.cast_const().wrapping_byte_sub(core::mem::offset_of!(Pending, operation)).cast()
    }

    /// Takes the handle out of its set, so that it can be given away.
    pub(crate) fn leave_set(&self) {
        if self.joined.replace(0) != 0 {
            crate::builtins::waitable_join(self.handle.get(), 0);
        }
    }

    /// Returns the handle, which this has no longer.
    pub(crate) fn forget_handle(&self) -> u32 {
        self.joined.set(0);
        self.handle.replace(NO_HANDLE)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        drop(self.unpark());
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
