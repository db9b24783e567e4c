//! Calls of async imports.

use crate::abi::{Lift, Lower, Scratch, lower_flat};
use crate::builtins::{self, subtask};
use crate::waitable::Operation;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::{PhantomData, PhantomPinned};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::task::{Context, Poll};

/// The call was not made yet.
const NEW: u32 = 0;
/// The callee has not read the parameters; they and the scratch are still needed.
const STARTING: u32 = 1;
/// The callee has taken the parameters.
const STARTED: u32 = 2;
/// The result was given out.
const DONE: u32 = 3;

/// Calls an async import when the future is polled first. It owns the parameters until the callee has taken them.
///
/// `import` gets the slots of the parameters and the address of `K` words for the result.
///
/// # Safety
/// `import` passes these to the async-lowered form of a function that takes `P` and returns `R`, and returns what that
/// does. What `P` lowers to stays valid for as long as the parameters do: they are not borrowed memory.
#[inline(always)]
pub unsafe fn async_call<W, P: Lower<W>, R: Lift<W>, const N: usize, const K: usize>(
    params: P,
    import: impl Fn([u64; N], usize) -> u32,
) -> Call<W, P, R, impl Fn([u64; N], usize) -> u32, N, K> {
    const { assert!(R::SHAPE.size <= 8 * K) };
    Call {
        operation: UnsafeCell::new(Operation::new()),
        state: Cell::new(NEW),
        handle: Cell::new(0),
        joined: Cell::new(0),
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
    operation: UnsafeCell<Operation>,
    state: Cell<u32>,
    /// The subtask, and the set it is in; from the first poll that is not ready.
    handle: Cell<u32>,
    joined: Cell<u32>,
    /// Where the engine writes the result.
    area: UnsafeCell<MaybeUninit<[u64; K]>>,
    /// Here until the callee has them: in the states `NEW` and `STARTING`.
    params: UnsafeCell<ManuallyDrop<P>>,
    /// What the parameters were lowered to, in the state `STARTING`.
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
        if this.state.get() != NEW {
            return this.resume(cx);
        }
        let mut scratch = Scratch::new();
        // SAFETY: the parameters are here, and do not move before the callee has them.
        let slots = unsafe { lower_flat::<W, P, N>(&**this.params.get(), &mut scratch) };
        let status = (this.import)(slots, this.area.get().expose_provenance());
        if status == subtask::RETURNED {
            this.state.set(DONE);
            // SAFETY: the callee has taken the parameters and written the result.
            return Poll::Ready(unsafe {
                this.release_params();
                this.result()
            });
        }
        // SAFETY: the status is that of a new subtask; this is pinned, and dropping it withdraws the operation.
        unsafe {
            if status & 15 == subtask::STARTED {
                this.state.set(STARTED);
                this.release_params();
            } else {
                this.state.set(STARTING);
                (*this.scratch.get()).write(scratch);
            }
            this.handle.set(status >> 4);
            Operation::register(this.operation.get(), status >> 4, &this.joined, cx);
        }
        Poll::Pending
    }
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Call<W, P, R, I, N, K> {
    /// Any poll but the first.
    #[inline(always)]
    fn resume(&self, cx: &mut Context<'_>) -> Poll<R> {
        // SAFETY: in these states the operation was registered. The codes say what the callee has done.
        unsafe {
            if self.state.get() == DONE {
                return Poll::Pending;
            }
            let Some(code) = Operation::poll(self.operation.get(), &self.joined, cx) else { return Poll::Pending };
            if self.state.get() == STARTING {
                self.started();
            }
            if code != subtask::RETURNED {
                return Poll::Pending;
            }
            self.state.set(DONE);
            builtins::subtask_drop(self.handle.get());
            Poll::Ready(self.result())
        }
    }

    /// The callee has taken the parameters after all.
    #[cold]
    unsafe fn started(&self) {
        self.state.set(STARTED);
        // SAFETY: the caller's promise; the state was `STARTING`.
        unsafe {
            (*self.scratch.get()).assume_init_drop();
            self.release_params();
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
        let starting = self.state.replace(DONE) == STARTING;
        let handle = self.handle.get();
        // SAFETY: the operation was registered. The final state says whose the parameters and the result are.
        unsafe {
            let state = match Operation::withdraw(self.operation.get(), &self.joined) {
                Some(state) => state,
                None => builtins::subtask_cancel(handle),
            };
            builtins::subtask_drop(handle);
            if starting {
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

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Drop
    for Call<W, P, R, I, N, K>
{
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: what the states say.
        unsafe {
            match self.state.get() {
                NEW => ManuallyDrop::drop(self.params.get_mut()),
                DONE => {}
                _ => self.cancel(),
            }
        }
    }
}
