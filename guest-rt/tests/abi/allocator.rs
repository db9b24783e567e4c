//! An allocator that knows how much each thread holds, and that every piece is freed as it was allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// In front of every piece: its size and alignment. Miri keeps an eye on those itself, and on headers in front as well.
const HEADER: usize = if cfg!(miri) { 0 } else { 16 };

fn padded(layout: Layout) -> (Layout, usize) {
    let offset = if HEADER == 0 { 0 } else { layout.align().max(HEADER) };
    (Layout::from_size_align(layout.size() + offset, layout.align().max(HEADER)).expect("a layout of a test"), offset)
}

// SAFETY: memory comes from the system's allocator, with room for a header in front.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (outer, offset) = padded(layout);
        LIVE.set(LIVE.get() + layout.size() as isize);
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the layout is not empty, and the header fits in front.
        unsafe {
            let memory = System.alloc(outer).add(offset);
            if HEADER != 0 {
                memory.sub(HEADER).cast::<[usize; 2]>().write([layout.size(), layout.align()]);
            }
            memory
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if HEADER != 0 {
            // SAFETY: `alloc` wrote the header.
            let header = unsafe { memory.sub(HEADER).cast::<[usize; 2]>().read() };
            if header != [layout.size(), layout.align()] {
                eprintln!("freed with another layout than allocated with: {header:?}, {layout:?}");
                std::process::abort();
            }
        }
        let (outer, offset) = padded(layout);
        LIVE.set(LIVE.get() - layout.size() as isize);
        // SAFETY: this is what `alloc` got.
        unsafe { System.dealloc(memory.sub(offset), outer) }
    }
}

/// Asserts that `f` leaves as much memory allocated as it found, and tells how often it allocated.
pub fn no_leak<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let (live, calls) = (LIVE.get(), CALLS.get());
    let result = f();
    let (leaked, calls) = (LIVE.get() - live, CALLS.get() - calls);
    assert_eq!(leaked, 0, "bytes leaked");
    (result, calls)
}

#[test]
fn a_leak_is_noticed() {
    let mut kept = None;
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| no_leak(|| kept = Some(Box::new(1))))).is_err());
    assert_eq!(kept, Some(Box::new(1)));
}
