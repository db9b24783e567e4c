//! What this thread allocates.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

struct Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, and two counters.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        _ = BYTES.try_with(|bytes| bytes.set(bytes.get() - layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Fewer under an interpreter.
const ROUNDS: u32 = if cfg!(miri) { 10 } else { 100_000 };

/// How often something was allocated.
pub(crate) fn allocations() -> usize {
    ALLOCATIONS.get()
}

/// How many bytes were allocated and not freed.
pub(crate) fn allocated() -> isize {
    BYTES.get()
}

/// Does it often, and checks that no more is allocated afterwards than after a few times.
pub(crate) fn stays_flat(mut round: impl FnMut()) {
    (0..20).for_each(|_| round());
    let before = allocated();
    (0..ROUNDS).for_each(|_| round());
    assert_eq!(allocated(), before);
}
