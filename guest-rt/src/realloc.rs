//! `cabi_realloc`: memory that the engine asks for, from Rust's global allocator, so that values can keep it.

use alloc::alloc::{Layout, alloc, realloc};
use core::ptr;

/// Allocates, or grows what was allocated.
///
/// # Safety
/// `old` has `old_size` bytes aligned to `align`, a power of two, and came from here, or `old_size` is zero.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if size == 0 {
        return ptr::without_provenance_mut(align);
    }
    // SAFETY: the caller's promise about alignment and old memory; engines ask for less than 2 GiB.
    unsafe {
        let layout = Layout::from_size_align_unchecked(if old_size == 0 { size } else { old_size }, align);
        let memory = if old_size == 0 { alloc(layout) } else { realloc(old, layout, size) };
        if memory.is_null() {
            crate::trap::out_of_memory(layout)
        }
        memory
    }
}
