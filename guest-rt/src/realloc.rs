//! `cabi_realloc`: memory that the engine asks for, from Rust's global allocator, so that values can keep it.
//!
//! The name can be in a module once. With the feature `beside` it is that of a symbol that gives way to others of its
//! kind, in an object which is not Rust and calls the function here: so several versions of the runtime are linked
//! together, and `wit-bindgen`'s.

use alloc::alloc::{Layout, alloc, realloc};
use core::ptr;

#[cfg(all(feature = "beside", target_family = "wasm"))]
unsafe extern "C" {
    /// Allocates, or grows what was allocated.
    ///
    /// # Safety
    /// `old` has `old_size` bytes aligned to `align`, a power of two, and came from here, or `old_size` is zero.
    #[link_name = "wasp_cabi_realloc"]
    pub fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8;
}

#[cfg(not(all(feature = "beside", target_family = "wasm")))]
pub use versioned as cabi_realloc;

/// Allocates, or grows what was allocated.
///
/// # Safety
/// `old` has `old_size` bytes aligned to `align`, a power of two, and came from here, or `old_size` is zero.
#[cfg_attr(
    all(target_family = "wasm", feature = "beside"),
    unsafe(export_name = concat!("cabi_realloc_wasp_", env!("CARGO_PKG_VERSION")))
)]
#[cfg_attr(all(target_family = "wasm", not(feature = "beside")), unsafe(export_name = "cabi_realloc"))]
#[allow(unreachable_pub, reason = "with `beside`, only the object knows it")]
pub unsafe extern "C" fn versioned(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
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
