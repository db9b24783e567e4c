//! Calls whose future was dropped before they were over.
//!
//! Most of this is one function for all calls: what depends on their types is in a table, [`Fate`].

use super::{Subtask, area, take_result};
use crate::abi::{Lift, Lower, Scratch};
use crate::builtins::{self, subtask};
use crate::task::current;
use crate::task::waitable::Operation;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc, dealloc};
use core::cell::Cell;
use core::mem::{MaybeUninit, needs_drop, offset_of};
use core::ptr;

impl<W, P: Lower<W>, R: Lift<W>, I: Fn([u64; N], usize) -> u32, const N: usize, const K: usize>
    Subtask<W, P, R, I, N, K>
{
    /// What becomes of the parameters, the import and the result.
    const FATE: &'static Fate = &Fate {
        layout: Layout::new::<Block<P, I>>(),
        params: Part { at: offset_of!(Block<P, I>, params), size: size_of::<P>() },
        import: Part { at: offset_of!(Block<P, I>, import), size: size_of::<I>() },
        drop_params: if needs_drop::<P>() || P::OWNS { Some(Self::drop_params) } else { None },
        drop_import: if needs_drop::<I>() { Some(Self::drop_import) } else { None },
        drop_result: if needs_drop::<R>() { Some(Self::drop_result) } else { None },
        words: K,
        lends: P::LENDS,
    };

    /// Cancels a call that is pending. Where that is not confirmed at once, what the engine still uses is left to whoever
    /// gets the event.
    ///
    /// # Safety
    /// The operation was registered, and the call is not over; nobody uses this afterwards.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn abandon(&self) {
        // SAFETY: the operation was registered, and the call is pending: so it has an area, and while it is starting a
        // scratch and its parameters. The import is here. Nobody uses any of them here afterwards, and the table is that
        // of their types.
        unsafe {
            let (area, scratch) =
                (self.area.get().assume_init(), self.is_starting().then_some(self.scratch.get().cast()));
            let (params, import) = (self.params.get().cast(), self.import.get().cast());
            abandon(&self.operation, area, scratch, params, import, Self::FATE);
        }
    }

    /// # Safety
    /// As for [`Fate::drop_params`].
    unsafe fn drop_params(params: *mut u8, taken: bool) {
        // SAFETY: they are there, and nobody uses them afterwards. What the callee has taken is not dropped here.
        unsafe {
            let params = params.cast::<P>().read();
            if taken {
                params.disown();
            }
        }
    }

    /// # Safety
    /// As for [`Fate::drop_import`].
    unsafe fn drop_import(import: *mut u8) {
        // SAFETY: it is there, and nobody uses it afterwards.
        unsafe { import.cast::<I>().drop_in_place() }
    }

    /// # Safety
    /// As for [`Fate::drop_result`].
    unsafe fn drop_result(area: *mut u8) {
        // SAFETY: the area has a result that nobody took, and is not used afterwards.
        drop(unsafe { take_result::<W, R, K>(area) });
    }
}

/// What depends on the types of a call.
struct Fate {
    /// The layout of a [`Block`].
    layout: Layout,
    params: Part,
    import: Part,
    /// Drops the parameters, but what the callee has got with them, if it has `taken` them.
    ///
    /// # Safety
    /// They are there, and nobody uses them afterwards. It is true what is said of the callee.
    drop_params: Option<unsafe fn(*mut u8, bool)>,
    /// Drops the import.
    ///
    /// # Safety
    /// It is there, and nobody uses it afterwards.
    drop_import: Option<unsafe fn(*mut u8)>,
    /// Drops the result, and gives its area back before that.
    ///
    /// # Safety
    /// The area has one that nobody took, and nobody uses it afterwards.
    drop_result: Option<unsafe fn(*mut u8)>,
    /// The size of the area.
    words: usize,
    /// The parameters lend a handle. Its owner may drop it as soon as the future of the call is gone, so the callee must be
    /// done by then.
    lends: bool,
}

/// Where a value is in a block.
struct Part {
    at: usize,
    size: usize,
}

/// What the engine uses of a call that nobody waits for.
#[repr(C)]
struct Block<P, I> {
    left: Left,
    params: MaybeUninit<P>,
    import: MaybeUninit<I>,
}

/// The head of a block.
#[repr(C)]
struct Left {
    /// The first field, so that the rest is found by its address.
    operation: Operation,
    rest: Rest,
}

/// A call that nobody waits for.
struct Rest {
    handle: u32,
    area: *mut u8,
    /// What the parameters were lowered to, while the callee has not read them. They are there as long as this is.
    scratch: Cell<Option<Scratch>>,
    fate: &'static Fate,
}

/// Cancels a call that is pending.
///
/// # Safety
/// The operation was registered. The import is there, and the parameters, if there is a scratch; nobody uses them
/// afterwards, nor the area, nor the scratch. All of that is of the types that the table is for.
#[cold]
#[inline(never)]
unsafe fn abandon(
    operation: &Operation,
    area: *mut u8,
    scratch: Option<*mut Scratch>,
    params: *mut u8,
    import: *mut u8,
    fate: &'static Fate,
) {
    // SAFETY: the operation was registered; a scratch is there, and not used afterwards.
    let (handle, scratch) = unsafe { (operation.handle(), scratch.map(|scratch| scratch.read())) };
    // Who waited is dropped last.
    let (state, _waited) = operation.withdraw();
    let state = state.or_else(|| cancel(handle, fate.lends));
    let rest = Rest { handle, area, scratch: Cell::new(scratch), fate };
    match state {
        // SAFETY: the subtask has this final state, and its handle has left its set. The rest is the caller's promise.
        Some(state) => unsafe {
            operation.forget_handle();
            rest.end(state, params, import);
        },
        // SAFETY: the subtask is not over; the rest is the caller's promise.
        None => unsafe { Left::stay(rest, params, import) },
    }
}

/// Asks the callee to stop. Returns the final state of the subtask, if it has one at once or if it is waited for: it has to
/// be where a handle is lent, and it may be where the engine has no other way.
fn cancel(handle: u32, lends: bool) -> Option<u32> {
    if (lends || cfg!(not(feature = "async-cancel"))) && current::may_block() {
        return Some(current::blocking(|| builtins::subtask_cancel(handle)));
    }
    #[cfg(feature = "async-cancel")]
    return Some(builtins::subtask_cancel_async(handle)).filter(|state| *state != builtins::BLOCKED);
    #[cfg(not(feature = "async-cancel"))]
    return None;
}

impl Left {
    /// The subtask is not over. If the callee was asked to stop, it is left to whoever gets the event. If it could not
    /// even be asked, since engines trap where a synchronous export would wait, a task that may wait does that.
    ///
    /// # Safety
    /// As for [`abandon`].
    unsafe fn stay(rest: Rest, params: *mut u8, import: *mut u8) {
        let fate = rest.fate;
        // SAFETY: the layout is not empty: a block has a head.
        let block = unsafe { alloc(fate.layout) };
        if block.is_null() {
            out_of_memory(fate.layout);
        }
        let left = block.cast::<Left>();
        // SAFETY: the block has room for all of them, and nobody else has it. The parameters and the import move there:
        // they are not used here afterwards. The block stays in place until one of these frees it; the subtask is ours.
        unsafe {
            left.write(Left { operation: Operation::new(), rest });
            ptr::copy_nonoverlapping(params, block.add(fate.params.at), fate.params.size);
            ptr::copy_nonoverlapping(import, block.add(fate.import.at), fate.import.size);
            #[cfg(feature = "async-cancel")]
            {
                crate::task::handover::sweep();
                Operation::detach(&raw const (*left).operation, (*left).rest.handle, true, Self::done);
            }
            #[cfg(not(feature = "async-cancel"))]
            crate::task::spawn::put_off(left.cast(), Self::cancel);
        }
    }

    /// # Safety
    /// `this` is the head of a block, which nobody else has; the current task may wait.
    #[cfg(not(feature = "async-cancel"))]
    unsafe fn cancel(this: *mut ()) {
        let this = this.cast::<Left>();
        // SAFETY: the block is live.
        let handle = unsafe { (*this).rest.handle };
        let state = current::blocking(|| builtins::subtask_cancel(handle));
        // SAFETY: that is its final state, and nobody else has the block.
        unsafe { Self::end(this, state) }
    }

    /// The subtask has moved on.
    ///
    /// # Safety
    /// `operation` is that of a block, which is its own owner, and has this event.
    #[cfg(feature = "async-cancel")]
    unsafe fn done(operation: *const Operation, state: u32) {
        let this = operation.cast_mut().cast::<Left>();
        // SAFETY: the block is live and its own owner; what is final is the last event.
        unsafe {
            if state == subtask::STARTED {
                let params = this.cast::<u8>().add((*this).rest.fate.params.at);
                (*this).rest.end_params(params, true);
                return;
            }
            (*this).operation.last_handle();
            Self::end(this, state);
        }
    }

    /// Ends the subtask, and frees the block. Runs code of users last.
    ///
    /// # Safety
    /// `this` is the head of a block, which nobody else has. The subtask has this final state.
    unsafe fn end(this: *mut Left, state: u32) {
        /// Frees a block, also when a destructor panics.
        struct Memory(*mut u8, Layout);
        impl Drop for Memory {
            fn drop(&mut self) {
                // SAFETY: it was allocated with this layout, and nobody has it any more.
                unsafe { dealloc(self.0, self.1) }
            }
        }

        // SAFETY: the block is live, and what it has is moved out or dropped in place, once. The state is the final one.
        unsafe {
            let rest = ptr::read(&raw const (*this).rest);
            let (block, fate) = (this.cast::<u8>(), rest.fate);
            ptr::drop_in_place(&raw mut (*this).operation);
            let _memory = Memory(block, fate.layout);
            rest.end(state, block.add(fate.params.at), block.add(fate.import.at));
        }
    }
}

impl Rest {
    /// Ends the subtask. Runs code of users last: destructors of the parameters, the result and the import, in this order.
    ///
    /// # Safety
    /// It has this final state, which says whose the parameters and the result are. The import is there, and the
    /// parameters, if there is a scratch; nobody uses them afterwards, nor the area.
    unsafe fn end(self, state: u32, params: *mut u8, import: *mut u8) {
        /// Drops the result, if there is one, and then the import: also when a destructor panics.
        struct Others {
            returned: bool,
            area: *mut u8,
            import: *mut u8,
            fate: &'static Fate,
        }
        impl Drop for Others {
            fn drop(&mut self) {
                let _import = Import(self.import, self.fate);
                // SAFETY: when the callee has returned, the result is there. The area is not used afterwards.
                unsafe {
                    match self.fate.drop_result {
                        Some(drop_result) if self.returned => drop_result(self.area),
                        _ => area::give_back_any(self.area, self.fate.words),
                    }
                }
            }
        }
        struct Import(*mut u8, &'static Fate);
        impl Drop for Import {
            fn drop(&mut self) {
                if let Some(drop_import) = self.1.drop_import {
                    // SAFETY: it is there, and nobody uses it afterwards.
                    unsafe { drop_import(self.0) }
                }
            }
        }

        builtins::subtask_drop(self.handle);
        let _others = Others { returned: state == subtask::RETURNED, area: self.area, import, fate: self.fate };
        // SAFETY: if there is a scratch, the parameters are there. The callee has taken them if it has started.
        unsafe { self.end_params(params, state != subtask::CANCELLED_BEFORE_STARTED) }
    }

    /// Drops the parameters, if they are there, but what the callee has got with them, if it has `taken` them.
    ///
    /// # Safety
    /// They are there, if there is a scratch, and nobody uses them afterwards. It is true what is said of the callee.
    unsafe fn end_params(&self, params: *mut u8, taken: bool) {
        if let Some(scratch) = self.scratch.take() {
            drop(scratch);
            if let Some(drop_params) = self.fate.drop_params {
                // SAFETY: they are there, and nobody uses them afterwards; the caller says whether the callee has them.
                unsafe { drop_params(params, taken) }
            }
        }
    }
}
