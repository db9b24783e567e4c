//! Memory that printed bindings ask for.

use alloc::alloc::{Layout, alloc, dealloc};
use core::ptr::{self, NonNull};

/// Owns a piece of memory, which is freed when this is dropped.
#[derive(Debug)]
pub struct Cleanup {
    memory: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it is the only owner of its memory.
unsafe impl Send for Cleanup {}
// SAFETY: nothing is reachable through a shared reference.
unsafe impl Sync for Cleanup {}

impl Cleanup {
    /// Allocates memory. Returns its address, which dangles where the layout has no size, and what frees it.
    pub fn new(layout: Layout) -> (*mut u8, Option<Cleanup>) {
        if layout.size() == 0 {
            return (ptr::without_provenance_mut(layout.align()), None);
        }
        // SAFETY: the layout is not empty.
        match NonNull::new(unsafe { alloc(layout) }) {
            Some(memory) => (memory.as_ptr(), Some(Cleanup { memory, layout })),
            None => crate::trap::out_of_memory(layout),
        }
    }

    /// Leaves the memory to whoever has its address.
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        // SAFETY: `new` allocated it with this layout, and this is its owner.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) }
    }
}

/// Links the allocation function that the engine calls.
#[inline(always)]
pub fn maybe_link_cabi_realloc() {
    // A static that is kept is what keeps the function: a call of nothing would be optimised away.
    #[cfg(target_family = "wasm")]
    {
        #[used]
        static CABI_REALLOC: unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8 =
            crate::realloc::cabi_realloc;
    }
}
