//! Calls of async imports.

mod area;
mod left;
mod place;

use self::place::Place;
use crate::abi::{Lift, Lower, Scratch, lower_flat};
use crate::builtins::{self, subtask};
use crate::task::current;
use crate::task::parked::Wake;
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
) -> Subtask<W, P, R, impl Fn([u64; N], usize) -> u32, N, K> {
    const { assert!(R::SHAPE.size <= 8 * K) };
    Subtask {
        operation: Place::new(),
        starting: Cell::new(MaybeUninit::uninit()),
        area: Cell::new(MaybeUninit::uninit()),
        params: UnsafeCell::new(ManuallyDrop::new(params)),
        scratch: UnsafeCell::new(MaybeUninit::uninit()),
        import: UnsafeCell::new(ManuallyDrop::new(import)),
        types: PhantomData,
        _pinned: PhantomPinned,
    }
}

/// A call of an async import. After it has given its result it stays pending.
///
/// Dropping it cancels the call. With the feature `async-cancel` that never waits for the callee, but the engine has to
/// offer the asynchronous form of `subtask.cancel`. Without it, the current task waits until the callee has confirmed the
/// cancel; in an export that WIT does not declare `async`, where nothing may wait, the cancel is put off to a task that
/// may.
///
/// ```text
///            poll                      STARTED event                RETURNED event, poll
///  new ─────────────────► starting ────────────────────► started ────────────────────────► over
///   │   status STARTING    │ the parameters are ours      │ the callee has them              ▲
///   ├──────────────────────┼─────────────────────────────►│ status STARTED                   │
///   ├──────────────────────┼──────────────────────────────┼─────────────────────────────────►┘ status RETURNED
///   │ drop                 │ drop: abandon                │ drop: abandon
///   ▼                      ▼                              ▼
///  parameters dropped     CANCELLED_BEFORE_STARTED:      final state: result dropped
///                         parameters dropped             none yet: left to the background (`left`)
/// ```
///
/// Natively it may be sent to another thread. Once it has called, it belongs to the thread that it was polled on: elsewhere
/// polling it panics, and dropping it leaves the call as it is.
///
/// New and over are states of `operation`; starting is `starting`. The functions at the arrows: `poll`,
/// `call_with_copies`, `started`, `finish`, `abandon`.
pub struct Subtask<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> {
    operation: Place,
    /// The callee has not read the parameters; they and the scratch are still needed. Written when the call is pending, if
    /// it matters then.
    starting: Cell<MaybeUninit<bool>>,
    /// Where the engine writes the result, while the call is pending.
    area: Cell<MaybeUninit<*mut u8>>,
    /// Here until the callee has them: while new or starting.
    params: UnsafeCell<ManuallyDrop<P>>,
    /// What the parameters were lowered to, while starting.
    scratch: UnsafeCell<MaybeUninit<Scratch>>,
    /// Here until the call is over, or `abandon` has taken it: what it owns may be what the engine uses.
    import: UnsafeCell<ManuallyDrop<I>>,
    types: PhantomData<fn(W) -> R>,
    /// The table of operations points into this.
    _pinned: PhantomPinned,
}

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more.
#[cfg(target_family = "wasm")]
unsafe impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Send
    for Subtask<W, P, R, I, N, K>
{
}

// SAFETY: but for the parameters and the import nothing is touched elsewhere than on the owner's thread, see `Owner`; and
// these only as long as the import was not called. A result does not leave that thread.
#[cfg(not(target_family = "wasm"))]
unsafe impl<W, P: Lower<W> + Send, R: Lift<W>, I: Fn([u64; N], usize) -> u32 + Send, const N: usize, const K: usize>
    Send for Subtask<W, P, R, I, N, K>
{
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Future
    for Subtask<W, P, R, I, N, K>
{
    type Output = R;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // Only shared from here: events are delivered to the operation.
        let this = &*self;
        this.operation.owner().check();
        loop {
            if !this.operation.is_new() {
                if !this.operation.has(subtask::RETURNED) {
                    let state = wait(&this.operation, cx);
                    if state != subtask::RETURNED {
                        // SAFETY: a call that is over has nothing new; others are pending. The subtask has left the state
                        // STARTING.
                        unsafe {
                            if state != PENDING && this.is_starting() {
                                this.started();
                            }
                        }
                        return Poll::Pending;
                    }
                }
                // SAFETY: the event says that the callee has returned, and so has the parameters.
                return unsafe {
                    if this.is_starting() {
                        this.started();
                    }
                    Poll::Ready(this.finish())
                };
            }
            let deep = Self::POINTS && (P::BORROWS && P::OWNS || !current::may_block());
            let mut scratch = if deep { Scratch::deep() } else { Scratch::new() };
            // SAFETY: the parameters are here, and do not move before the callee has them.
            let slots = unsafe { lower_flat::<W, P, N>(&**this.params.get(), &mut scratch) };
            let area = area::take::<K>();
            let status = this.call(slots, area);
            let is_parked;
            // SAFETY: the status says what the callee has done, and if it has not returned, which subtask it is. This is
            // pinned, and dropping it withdraws the operation.
            unsafe {
                if status == subtask::RETURNED {
                    let result = take_result::<W, R, K>(area);
                    // Late, so that it is plain to the compiler that there is nothing to drop.
                    this.operation.skip();
                    this.release_params();
                    return Poll::Ready(result);
                }
                this.area.set(MaybeUninit::new(area));
                if status & 15 == subtask::STARTED {
                    this.set_starting(false);
                    is_parked = Operation::register_new(this.operation.bind(), status >> 4, cx);
                    this.release_params();
                } else if Self::POINTS_INSIDE && !scratch.is_deep() {
                    match this.call_with_copies(status >> 4, cx) {
                        Some(result) => return Poll::Ready(result),
                        // Once more, then.
                        None => is_parked = false,
                    }
                } else {
                    is_parked = this.wait_to_start(status >> 4, scratch, cx);
                }
            }
            if is_parked {
                return Poll::Pending;
            }
            // The waker is code of users: it is cloned now, when the call is registered, as if it was polled once more.
        }
    }
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize>
    Subtask<W, P, R, I, N, K>
{
    /// What the parameters lower to may point into this future, or into what it borrows.
    const POINTS_INSIDE: bool = P::BORROWS || P::SPILLS;
    /// What the parameters lower to may point somewhere.
    const POINTS: bool = Self::POINTS_INSIDE || core::mem::needs_drop::<P>();
    /// There is something to do once the callee has the parameters.
    const KEEPS: bool = Self::POINTS || P::OWNS;

    /// Calls the import. Returns its status.
    #[inline(always)]
    fn call(&self, slots: [u64; N], area: *mut u8) -> u32 {
        // SAFETY: the import is here as long as the call is not over, and is only called.
        let import = unsafe { &*self.import.get() };
        current::calling(|| import(slots, area.expose_provenance()))
    }

    /// Returns whether the callee of a pending call has not read the parameters, and that matters.
    ///
    /// # Safety
    /// The call is pending.
    #[inline(always)]
    unsafe fn is_starting(&self) -> bool {
        // SAFETY: where it matters, it was written when the call became pending.
        Self::KEEPS && unsafe { self.starting.get().assume_init() }
    }

    #[inline(always)]
    fn set_starting(&self, starting: bool) {
        if Self::KEEPS {
            self.starting.set(MaybeUninit::new(starting));
        }
    }

    /// The callee has not started, and what it was passed lies here or is borrowed: calls it again, with copies of that.
    /// Returns the result if it is there at once.
    ///
    /// # Safety
    /// The subtask is new, and in the state STARTING.
    #[cold]
    #[inline(never)]
    unsafe fn call_with_copies(&self, handle: u32, cx: &Context<'_>) -> Option<R> {
        // SAFETY: the subtask is in no set, and nothing ran since it was made: it has not started, and taken nothing. The
        // status of the new one says what its callee has done.
        unsafe {
            if builtins::subtask_cancel(handle) != subtask::CANCELLED_BEFORE_STARTED {
                invalid();
            }
            builtins::subtask_drop(handle);
            let mut scratch = Scratch::deep();
            let slots = lower_flat::<W, P, N>(&**self.params.get(), &mut scratch);
            let area = self.area.get().assume_init();
            let status = self.call(slots, area);
            if status == subtask::RETURNED {
                let result = take_result::<W, R, K>(area);
                self.operation.skip();
                self.release_params();
                return Some(result);
            }
            if status & 15 == subtask::STARTED {
                self.set_starting(false);
                Operation::register_new(self.operation.bind(), status >> 4, cx);
                self.release_params();
            } else {
                self.wait_to_start(status >> 4, scratch, cx);
            }
        }
        None
    }

    /// Keeps what the callee has not read. Returns whether whom `cx` wakes is parked.
    ///
    /// # Safety
    /// The subtask is new, and in the state STARTING; `scratch` has what the parameters were lowered to.
    #[inline(always)]
    unsafe fn wait_to_start(&self, handle: u32, scratch: Scratch, cx: &Context<'_>) -> bool {
        self.set_starting(true);
        if Self::KEEPS {
            // SAFETY: nobody else uses the cell.
            unsafe { (*self.scratch.get()).write(scratch) };
        } else {
            // It is empty; and were it not, the engine would still read from it.
            core::mem::forget(scratch);
        }
        // SAFETY: the subtask is new and ours; this is pinned, and dropping it withdraws the operation.
        unsafe { Operation::register_new(self.operation.bind(), handle, cx) }
    }

    /// The callee has taken the parameters after all.
    ///
    /// # Safety
    /// It was starting, and has.
    #[cold]
    #[inline(never)]
    unsafe fn started(&self) {
        self.set_starting(false);
        // SAFETY: while it was starting, the scratch and the parameters were here.
        unsafe {
            (*self.scratch.get()).assume_init_drop();
            self.release_params();
        }
    }

    /// The callee has returned.
    ///
    /// # Safety
    /// The operation was registered, and its event RETURNED was delivered.
    #[inline(always)]
    unsafe fn finish(&self) -> R {
        // SAFETY: as the caller promises.
        unsafe {
            builtins::subtask_drop(self.operation.last_handle());
            let result = take_result::<W, R, K>(self.area.get().assume_init());
            // Last, so that it is plain to the compiler that there is nothing to drop.
            self.operation.finish();
            self.operation.unbind();
            result
        }
    }

    /// The callee owns what was handed over; the rest is dropped. This may run code of users.
    ///
    /// # Safety
    /// The parameters are here, and the callee has taken them.
    #[inline(always)]
    unsafe fn release_params(&self) {
        // SAFETY: they are here; nobody uses them afterwards.
        unsafe {
            let params = &mut *self.params.get();
            params.disown();
            ManuallyDrop::drop(params);
        }
    }
}

/// Takes a result, and gives its area back.
///
/// # Safety
/// The area has a result that nobody took, and is not used afterwards.
#[inline(always)]
unsafe fn take_result<W, R: Lift<W>, const K: usize>(area: *mut u8) -> R {
    // SAFETY: as the caller promises.
    unsafe {
        let result = R::load(area);
        area::give_back::<K>(area);
        result
    }
}

/// The callee has done nothing new.
const PENDING: u32 = u32::MAX;

/// Returns the state that the subtask has come to, once; or [`PENDING`], and whom `cx` wakes will be woken.
#[inline(never)]
fn wait(operation: &Operation, cx: &mut Context<'_>) -> u32 {
    operation.poll(&mut Wake::of(cx)).unwrap_or(PENDING)
}

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize> Drop
    for Subtask<W, P, R, I, N, K>
{
    #[inline(always)]
    fn drop(&mut self) {
        if !self.operation.owner().is_here() {
            return;
        }
        // SAFETY: what is new was not called, and has its parameters; what is not over was called and is not finished. The
        // import is here, and `abandon` takes it.
        unsafe {
            if !self.operation.is_over() {
                if !self.operation.is_new() {
                    return self.abandon();
                }
                ManuallyDrop::drop(self.params.get_mut());
            }
            ManuallyDrop::drop(self.import.get_mut());
        }
    }
}
