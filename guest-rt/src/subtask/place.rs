//! Where the operation of a call is, and on which thread.
//!
//! On wasm that is the future of the call. Natively the future may be sent to another thread, and dropped there, where it
//! cannot be taken out of the tables of its own: so there the operation is in a block of its own, which is forgotten then.

use crate::owner::Owner;
use crate::task::waitable::Operation;
use core::ops::Deref;

#[cfg(target_family = "wasm")]
pub(super) struct Place {
    operation: Operation,
}

#[cfg(not(target_family = "wasm"))]
pub(super) struct Place {
    operation: core::ptr::NonNull<Operation>,
    /// Nobody unless the operation is registered.
    owner: core::cell::Cell<Owner>,
}

#[cfg(target_family = "wasm")]
impl Place {
    #[inline(always)]
    pub(super) const fn new() -> Place {
        Place { operation: Operation::new() }
    }

    /// Returns the operation, which belongs to this thread from now on.
    #[inline(always)]
    pub(super) fn bind(&self) -> *const Operation {
        &raw const self.operation
    }

    /// The operation belongs to no thread any more.
    #[inline(always)]
    pub(super) fn unbind(&self) {}

    /// Returns whose the operation is.
    #[inline(always)]
    pub(super) fn owner(&self) -> Owner {
        Owner::here()
    }
}

#[cfg(target_family = "wasm")]
impl Deref for Place {
    type Target = Operation;

    #[inline(always)]
    fn deref(&self) -> &Operation {
        &self.operation
    }
}

#[cfg(not(target_family = "wasm"))]
const WORDS: usize = size_of::<Operation>().div_ceil(size_of::<u64>());

#[cfg(not(target_family = "wasm"))]
impl Place {
    pub(super) fn new() -> Place {
        const { assert!(align_of::<Operation>() <= align_of::<u64>()) };
        let operation = super::area::take::<WORDS>().cast::<Operation>();
        // SAFETY: it is not null, and has room for an operation.
        let operation = unsafe {
            operation.write(Operation::new());
            core::ptr::NonNull::new_unchecked(operation)
        };
        Place { operation, owner: core::cell::Cell::new(Owner::nobody()) }
    }

    /// Returns the operation, which belongs to this thread from now on.
    pub(super) fn bind(&self) -> *const Operation {
        self.owner.set(Owner::here());
        self.operation.as_ptr()
    }

    /// The operation belongs to no thread any more.
    pub(super) fn unbind(&self) {
        self.owner.set(Owner::nobody());
    }

    /// Returns whose the operation is.
    pub(super) fn owner(&self) -> Owner {
        self.owner.get()
    }
}

#[cfg(not(target_family = "wasm"))]
impl Deref for Place {
    type Target = Operation;

    fn deref(&self) -> &Operation {
        // SAFETY: it is live as long as this is, and changed by shared references only. The owner was checked.
        unsafe { self.operation.as_ref() }
    }
}

#[cfg(not(target_family = "wasm"))]
impl Drop for Place {
    fn drop(&mut self) {
        if self.owner.get().is_here() {
            // SAFETY: the block came from there; the operation is not registered, and needs no destructor.
            unsafe { super::area::give_back::<WORDS>(self.operation.as_ptr().cast()) }
        }
    }
}
