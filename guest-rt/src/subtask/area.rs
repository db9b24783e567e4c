//! Memory that callees write their results to.
//!
//! It is not part of the future that makes the call: when that is dropped, and the callee does not confirm the cancel at
//! once, the engine keeps the address. So areas are blocks of a few sizes that are used again and again.
//!
//! An area is taken before a call, and is nobody else's until it was given back: while a component's callee starts, engines
//! run other code of the caller's instance.

use crate::instance::local;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc, dealloc};
use core::cell::Cell;
use core::ptr;

/// This many sizes are kept: 1, 2, 4, 8, 16 and 32 words of 64 bits. Larger ones come from the allocator.
const CLASSES: usize = 6;

/// The free areas of one size.
struct Free {
    /// One of them, or null: most often there is need for one at a time.
    first: Cell<*mut u8>,
    /// The others. The first word of each is the address of the next.
    rest: Cell<*mut u8>,
}

local! {
    static AREAS: [Free; CLASSES] =
        [const { Free { first: Cell::new(ptr::null_mut()), rest: Cell::new(ptr::null_mut()) } }; CLASSES];
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

/// Returns room for `WORDS` words. For none, the address is not to be used.
#[inline(always)]
pub(super) fn take<const WORDS: usize>() -> *mut u8 {
    if WORDS == 0 {
        return ptr::without_provenance_mut(align_of::<u64>());
    }
    let Some(free) = AREAS.get(class(WORDS)) else { return fresh(layout(WORDS)) };
    let area = free.first.get();
    if area.is_null() {
        return another(free, const { layout(WORDS) });
    }
    free.first.set(ptr::null_mut());
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
    match AREAS.get(class(WORDS)) {
        Some(free) if free.first.get().is_null() => free.first.set(area),
        // SAFETY: the area is ours, and has room for an address.
        Some(free) => unsafe { keep(free, area) },
        // SAFETY: it was allocated with this layout.
        None => unsafe { dealloc(area, layout(WORDS)) },
    }
}

/// Gives an area back, as [`give_back`] does, where it is not known at compile time how large it is.
///
/// # Safety
/// It came from `take` with this number of words, and nobody uses it any more.
#[cold]
#[inline(never)]
pub(super) unsafe fn give_back_any(area: *mut u8, words: usize) {
    if words == 0 {
        return;
    }
    // SAFETY: the area is ours; if it is one of those that are kept it has room for an address, and otherwise it was
    // allocated with this layout.
    unsafe {
        match AREAS.get(class(words)) {
            Some(free) => keep(free, area),
            None => dealloc(area, Layout::from_size_align_unchecked(words * size_of::<u64>(), align_of::<u64>())),
        }
    }
}

#[cold]
#[inline(never)]
fn another(free: &Free, layout: Layout) -> *mut u8 {
    let area = free.rest.get();
    if area.is_null() {
        return fresh(layout);
    }
    // SAFETY: a free area has the next one's address in its first word.
    free.rest.set(unsafe { area.cast::<*mut u8>().read() });
    area
}

/// # Safety
/// `area` is a free area of this size.
#[cold]
#[inline(never)]
unsafe fn keep(free: &Free, area: *mut u8) {
    // SAFETY: areas have room for an address, and this one is free.
    unsafe { area.cast::<*mut u8>().write(free.rest.replace(area)) }
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
