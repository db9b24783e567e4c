//! Memory that callees write their results to.
//!
//! It is not part of the future that makes the call: when that is dropped, and the callee does not confirm the cancel at
//! once, the engine keeps the address. So areas are blocks of a few sizes, from free lists.

use crate::instance::local;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc, dealloc};
use core::cell::Cell;
use core::ptr;

/// This many sizes are kept in lists: 1, 2, 4, 8, 16 and 32 words of 64 bits. Larger ones come from the allocator.
const CLASSES: usize = 6;

type Areas = [Cell<*mut u8>; CLASSES];

local! {
    /// Free areas, by size. The first word of each is the address of the next.
    static AREAS: Areas = [const { Cell::new(ptr::null_mut()) }; CLASSES];
}

/// Returns the class of areas of `words` words; `CLASSES` or more where they are not kept.
const fn class(words: usize) -> usize {
    words.next_power_of_two().trailing_zeros() as usize
}

const fn layout(words: usize) -> Layout {
    let words = if class(words) < CLASSES { 1 << class(words) } else { words };
    match Layout::array::<u64>(words) {
        Ok(layout) => layout,
        Err(_) => panic!("a result is larger than memory"),
    }
}

/// Returns room for `WORDS` words. For none, an address that is not to be used.
#[inline(always)]
pub(super) fn take<const WORDS: usize>() -> *mut u8 {
    if WORDS == 0 {
        return ptr::without_provenance_mut(align_of::<u64>());
    }
    let Some(list) = AREAS.get(class(WORDS)) else { return fresh(layout(WORDS)) };
    let area = list.get();
    if area.is_null() {
        return fresh(const { layout(WORDS) });
    }
    // SAFETY: a free area has the next one's address in its first word.
    list.set(unsafe { area.cast::<*mut u8>().read() });
    area
}

/// Gives an area back.
///
/// # Safety
/// It came from `take` with the same number of words, and nobody uses it any more.
#[inline(always)]
pub(super) unsafe fn give_back<const WORDS: usize>(area: *mut u8) {
    if WORDS == 0 {
        return;
    }
    // SAFETY: the area is ours, and has room for an address, or was allocated with this layout.
    unsafe {
        match AREAS.get(class(WORDS)) {
            Some(list) => area.cast::<*mut u8>().write(list.replace(area)),
            None => dealloc(area, layout(WORDS)),
        }
    }
}

#[cold]
#[inline(never)]
fn fresh(layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not empty.
    let area = unsafe { alloc(layout) };
    if area.is_null() {
        out_of_memory(layout);
    }
    area
}
