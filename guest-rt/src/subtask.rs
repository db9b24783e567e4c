//! Calls of async imports.

use crate::abi::{Lift, Lower, Scratch, lower_flat};
use crate::builtins::{self, subtask};
use crate::task::executor;
use crate::task::waitable::Operation;
use crate::trap::invalid;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::{PhantomData, PhantomPinned};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Calls an async import when the future is polled first. It has the parameters until the callee has taken them.
///
/// What they borrow is passed in place where the callee takes it during the call. If it does not (it has back-pressure),
/// a future that is forgotten would leave the engine with addresses of memory that is not there any more: such a call is
/// cancelled, which is immediate as long as it has not started, and made again with copies. Where cancelling is not
/// allowed, and where handles are given away in the same call, what is borrowed is copied from the start.
///
/// `import` gets the slots of the parameters and the address of `K` words for the result.
///
/// # Safety
/// `import` passes these to the async-lowered form of a function that takes `P` and returns `R`, and returns what that
/// does.
#[inline(always)]
pub unsafe fn async_call<W, P: Lower<W>, R: Lift<W>, const N: usize, const K: usize>(
    params: P,
    import: impl Fn([u64; N], usize) -> u32,
) -> Call<W, P, R, impl Fn([u64; N], usize) -> u32, N, K> {
    const { assert!(R::SHAPE.size <= 8 * K) };
    Call {
        operation: UnsafeCell::new(Operation::new()),
        starting: Cell::new(false),
        area: UnsafeCell::new(MaybeUninit::uninit()),
        params: UnsafeCell::new(ManuallyDrop::new(params)),
        scratch: UnsafeCell::new(MaybeUninit::uninit()),
        import,
        types: PhantomData,
        _pinned: PhantomPinned,
    }
}

/// A call of an async import. Dropping it cancels the call, and waits until the callee has confirmed that.
///
/// The engine traps when a pending call is dropped in an export that WIT does not declare `async`, since that would have
/// to wait.
pub struct Call<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> {
    /// Idle: the call was not made. Over: the result was given out.
    operation: UnsafeCell<Operation>,
    /// The callee has not read the parameters; they and the scratch are still needed.
    starting: Cell<bool>,
    /// Where the engine writes the result.
    area: UnsafeCell<MaybeUninit<[u64; K]>>,
    /// Here until the callee has them: while idle or starting.
    params: UnsafeCell<ManuallyDrop<P>>,
    /// What the parameters were lowered to, while starting.
    scratch: UnsafeCell<MaybeUninit<Scratch>>,
    import: I,
    types: PhantomData<fn(W) -> R>,
    /// The engine and the table of operations point into this.
    _pinned: PhantomPinned,
}

// SAFETY: a component instance has one thread at a time.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Send
    for Call<W, P, R, I, N, K>
{
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Future
    for Call<W, P, R, I, N, K>
{
    type Output = R;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // Only shared from here: the engine writes to the area, and events to the operation.
        let this = &*self;
        let operation = this.operation.get();
        // SAFETY: the operation is live. The code says that the callee has written the result.
        unsafe {
            if !Operation::is_idle(operation) {
                if !Operation::has(operation, subtask::RETURNED) {
                    let state = wait(operation, cx);
                    if state != subtask::RETURNED {
                        if state != PENDING && this.is_starting() {
                            this.started();
                        }
                        return Poll::Pending;
                    }
                }
                if this.is_starting() {
                    this.started();
                }
                return Poll::Ready(this.finish());
            }
        }
        let mut scratch =
            if P::BORROWS && (P::OWNS || !executor::may_wait()) { Scratch::deep() } else { Scratch::new() };
        // SAFETY: the parameters are here, and do not move before the callee has them.
        let slots = unsafe { lower_flat::<W, P, N>(&**this.params.get(), &mut scratch) };
        let status = (this.import)(slots, this.area.get().expose_provenance());
        // SAFETY: the status says what the callee has done, and if it has not returned, which subtask it is. This is
        // pinned, and dropping it withdraws the operation.
        unsafe {
            if status == subtask::RETURNED {
                this.release_params();
                Operation::finish(operation);
                return Poll::Ready(this.result());
            }
            if status & 15 == subtask::STARTED {
                this.release_params();
            } else if P::BORROWS && !scratch.is_deep() {
                return this.call_with_copies(status >> 4, cx);
            } else if Self::KEEPS {
                this.starting.set(true);
                (*this.scratch.get()).write(scratch);
            } else {
                // It is empty; and were it not, the engine would still read from it.
                core::mem::forget(scratch);
            }
            Operation::register_new(operation, status >> 4, cx);
        }
        Poll::Pending
    }
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Call<W, P, R, I, N, K> {
    /// The parameters own something, or lower to more than their slots: there is something to do once they are taken.
    const KEEPS: bool = P::BORROWS || P::OWNS || core::mem::needs_drop::<P>();

    /// The callee has not read the parameters, which matters.
    #[inline(always)]
    fn is_starting(&self) -> bool {
        Self::KEEPS && self.starting.get()
    }

    /// The callee has not started, and what it was passed is borrowed: calls it again, with copies of that.
    #[cold]
    #[inline(never)]
    unsafe fn call_with_copies(&self, handle: u32, cx: &mut Context<'_>) -> Poll<R> {
        let operation = self.operation.get();
        // SAFETY: the subtask is in no set, and nothing ran since it was made: it has not started, and taken nothing.
        unsafe {
            if builtins::subtask_cancel(handle) != subtask::CANCELLED_BEFORE_STARTED {
                invalid();
            }
            builtins::subtask_drop(handle);
            let mut scratch = Scratch::deep();
            let slots = lower_flat::<W, P, N>(&**self.params.get(), &mut scratch);
            let status = (self.import)(slots, self.area.get().expose_provenance());
            if status == subtask::RETURNED {
                self.release_params();
                Operation::finish(operation);
                return Poll::Ready(self.result());
            }
            if status & 15 == subtask::STARTED {
                self.release_params();
            } else {
                self.starting.set(true);
                (*self.scratch.get()).write(scratch);
            }
            Operation::register_new(operation, status >> 4, cx);
        }
        Poll::Pending
    }

    /// The callee has taken the parameters after all.
    #[cold]
    #[inline(never)]
    unsafe fn started(&self) {
        self.starting.set(false);
        // SAFETY: the caller's promise; it was starting.
        unsafe {
            (*self.scratch.get()).assume_init_drop();
            self.release_params();
        }
    }

    /// The callee has returned.
    #[inline(always)]
    unsafe fn finish(&self) -> R {
        let operation = self.operation.get();
        // SAFETY: the caller's promise; the operation was registered.
        unsafe {
            builtins::subtask_drop(Operation::handle(operation));
            Operation::finish(operation);
            self.result()
        }
    }

    /// The callee owns what was handed over; the rest is dropped.
    #[inline(always)]
    unsafe fn release_params(&self) {
        // SAFETY: the caller knows that they are here, and that the callee has taken them.
        unsafe {
            let params = &mut *self.params.get();
            params.disown();
            ManuallyDrop::drop(params);
        }
    }

    #[inline(always)]
    unsafe fn result(&self) -> R {
        // SAFETY: the caller knows that the result is here.
        unsafe { R::load(self.area.get().cast()) }
    }

    /// Gives a pending call up.
    #[cold]
    #[inline(never)]
    unsafe fn cancel(&self) {
        // SAFETY: the operation was registered. The final state says whose the parameters and the result are.
        unsafe {
            let state = withdraw(self.operation.get());
            if self.is_starting() {
                (*self.scratch.get()).assume_init_drop();
                if state == subtask::CANCELLED_BEFORE_STARTED {
                    ManuallyDrop::drop(&mut *self.params.get());
                } else {
                    self.release_params();
                }
            }
            if state == subtask::RETURNED {
                drop(self.result());
            }
        }
    }
}

/// The callee has done nothing new.
const PENDING: u32 = u32::MAX;

/// The state that the subtask has come to, once; or [`PENDING`], and whom `cx` wakes will be woken.
#[inline(never)]
unsafe fn wait(operation: *mut Operation, cx: &mut Context<'_>) -> u32 {
    // SAFETY: it was registered, or is over.
    unsafe { Operation::poll(operation, &Cell::new(Operation::SOME_SET), cx) }.unwrap_or(PENDING)
}

/// Ends a subtask: its final state.
#[cold]
#[inline(never)]
unsafe fn withdraw(operation: *mut Operation) -> u32 {
    // SAFETY: the operation was registered.
    unsafe {
        let handle = Operation::handle(operation);
        let state = match Operation::withdraw(operation, &Cell::new(Operation::SOME_SET)) {
            Some(state) => state,
            None => builtins::subtask_cancel(handle),
        };
        builtins::subtask_drop(handle);
        state
    }
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Drop
    for Call<W, P, R, I, N, K>
{
    #[inline(always)]
    fn drop(&mut self) {
        let operation = self.operation.get();
        // SAFETY: what is idle was not called, and has its parameters; what is not over was.
        unsafe {
            if Operation::is_over(operation) {
            } else if Operation::is_idle(operation) {
                ManuallyDrop::drop(self.params.get_mut());
            } else {
                self.cancel();
            }
        }
    }
}
