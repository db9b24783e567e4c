//! The bench of hosts: embedders over this project's bindings, beside `bindgen!`'s and code written by hand.

mod cases;
mod ours;
mod peer;
mod table;
mod wide;

pub use cases::{Case, Figures, Row, measure};
pub use table::Table;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An allocator that counts how often it is called.
#[derive(Debug)]
pub struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

/// How often the program has allocated; 0 unless [`Counting`] is its allocator.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}
