//! Calls whose future was dropped before they were over.

use super::{Subtask, area, take_result};
use crate::abi::{Lift, Lower, Scratch};
use crate::builtins::{self, subtask};
#[cfg(not(feature = "async-cancel"))]
use crate::task::current;
use crate::task::waitable::Operation;
use alloc::boxed::Box;
use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr;

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize>
    Subtask<W, P, R, I, N, K>
{
    /// Cancels a call that is pending. Where that is not confirmed at once, what the engine still uses is left to whoever
    /// gets the event.
    ///
    /// # Safety
    /// The operation was registered, and the call is not over; nobody uses this afterwards.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn abandon(&self) {
        // SAFETY: the operation was registered.
        let handle = unsafe { self.operation.handle() };
        let (state, _waited) = self.operation.withdraw();
        let state = state.or_else(|| cancel(handle));
        // SAFETY: the call is pending. The scratch and the parameters are here while it is starting, and are not used here
        // afterwards.
        let params = unsafe { self.is_starting() }.then(|| unsafe {
            let scratch = (*self.scratch.get()).assume_init_read();
            (ManuallyDrop::into_inner(ptr::read(self.params.get())), scratch)
        });
        let left = Left::<W, P, R, I, K> {
            operation: Operation::new(),
            handle,
            params: Cell::new(params),
            // SAFETY: the call is pending, and so has an area.
            area: unsafe { self.area.get().assume_init() },
            // SAFETY: it is here, and is not used here afterwards.
            _import: ManuallyDrop::into_inner(unsafe { ptr::read(self.import.get()) }),
            types: PhantomData,
        };
        match state {
            // SAFETY: the subtask has this final state, and its handle has left its set.
            Some(state) => unsafe {
                self.operation.forget_handle();
                left.end(state);
            },
            None => left.stay(),
        }
    }
}

/// Asks the callee to stop. Returns the final state of the subtask, if it has one at once or if it may be waited for here.
fn cancel(handle: u32) -> Option<u32> {
    #[cfg(feature = "async-cancel")]
    return Some(builtins::subtask_cancel_async(handle)).filter(|state| *state != builtins::BLOCKED);
    #[cfg(not(feature = "async-cancel"))]
    return current::may_block().then(|| current::blocking(|| builtins::subtask_cancel(handle)));
}

/// What the engine uses of a call that nobody waits for.
#[repr(C)]
struct Left<W, P, R, I, const K: usize> {
    /// The first field, so that the rest is found by its address.
    operation: Operation,
    handle: u32,
    /// The parameters, and what they were lowered to, while the callee has not read them.
    params: Cell<Option<(P, Scratch)>>,
    area: *mut u8,
    /// What it owns may be what the engine uses: it is dropped after the end.
    _import: I,
    types: PhantomData<fn(W) -> R>,
}

impl<W, P: Lower<W>, R: Lift<W>, I, const K: usize> Left<W, P, R, I, K> {
    /// The subtask is not over. If the callee was asked to stop, it is left to whoever gets the event. If it could not
    /// even be asked, since engines trap where a synchronous export would wait, a task that may wait does that.
    fn stay(self) {
        let left = Box::into_raw(Box::new(self));
        // SAFETY: the box stays in place until one of these frees it; the subtask is ours.
        unsafe {
            #[cfg(feature = "async-cancel")]
            {
                crate::task::handover::sweep();
                Operation::detach(&raw const (*left).operation, (*left).handle, Self::done);
            }
            #[cfg(not(feature = "async-cancel"))]
            crate::task::spawn::put_off(left.cast(), Self::cancel);
        }
    }

    /// # Safety
    /// `this` is a box of this type, which nobody else has; the current task may wait.
    #[cfg(not(feature = "async-cancel"))]
    unsafe fn cancel(this: *mut ()) {
        // SAFETY: as the caller promises.
        let this = unsafe { *Box::from_raw(this.cast::<Self>()) };
        let state = current::blocking(|| builtins::subtask_cancel(this.handle));
        // SAFETY: that is its final state.
        unsafe { this.end(state) }
    }

    /// The subtask has moved on.
    ///
    /// # Safety
    /// `operation` is that of a box of this type, which is its own owner, and has this event.
    #[cfg(feature = "async-cancel")]
    unsafe fn done(operation: *const Operation, state: u32) {
        let this = operation.cast::<Self>();
        // SAFETY: as the caller promises; what is final is the last event.
        unsafe {
            if state == subtask::STARTED {
                let params = (*this).params.take();
                taken::<W, P>(params);
                return;
            }
            let this = *Box::from_raw(this.cast_mut());
            this.operation.last_handle();
            this.end(state);
        }
    }

    /// Ends the subtask. Runs code of users last.
    ///
    /// # Safety
    /// It has this final state, which says whose the parameters and the result are.
    unsafe fn end(self, state: u32) {
        builtins::subtask_drop(self.handle);
        let params = self.params.take();
        // SAFETY: when the callee has returned, the result is there. The area is not used afterwards.
        let result = unsafe {
            if state == subtask::RETURNED {
                Some(take_result::<W, R, K>(self.area))
            } else {
                area::give_back::<K>(self.area);
                None
            }
        };
        if state == subtask::CANCELLED_BEFORE_STARTED {
            drop(params);
        } else {
            // SAFETY: the callee has started.
            unsafe { taken::<W, P>(params) }
        }
        drop(result);
    }
}

/// Drops parameters, but what the callee has got with them.
///
/// # Safety
/// The callee has taken them.
unsafe fn taken<W, P: Lower<W>>(params: Option<(P, Scratch)>) {
    if let Some((params, scratch)) = params {
        drop(scratch);
        // SAFETY: the callee has taken them.
        unsafe { params.disown() }
    }
}
