//! Memory that callees write their results to.
//!
//! It is not part of the future that makes the call: when that is dropped, and the callee does not confirm the cancel at
//! once, the engine keeps the address. So areas are blocks of a few sizes, from free lists.
//!
//! A call borrows the first one of its list. When the callee returns at once, which is when nothing else of the instance
//! can have run, that stays where it is. Only a call that is pending takes it out.

use crate::instance::local;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc, dealloc};
use core::cell::Cell;
use core::ptr;

/// This many sizes are kept in lists: 1, 2, 4, 8, 16 and 32 words of 64 bits. Larger ones come from the allocator.
const CLASSES: usize = 6;
/// In front of an area is the address of the next free one, so that a result does not overwrite it.
const HEADER: usize = size_of::<u64>();

type Areas = [Cell<*mut u8>; CLASSES];

local! {
    /// Free areas, by size.
    static AREAS: Areas = [const { Cell::new(ptr::null_mut()) }; CLASSES];
}

/// Returns the class of areas of `words` words; `CLASSES` or more where they are not kept.
const fn class(words: usize) -> usize {
    words.next_power_of_two().trailing_zeros() as usize
}

const fn layout(words: usize) -> Layout {
    let words = if class(words) < CLASSES { 1 << class(words) } else { words };
    match Layout::array::<u64>(words + HEADER / size_of::<u64>()) {
        Ok(layout) => layout,
        Err(_) => panic!("a result is larger than memory"),
    }
}

/// Returns room for `WORDS` words, for a call that is made now; then [`keep`] or [`give_back`] it. For no words, the
/// address is not to be used.
#[inline(always)]
pub(super) fn lend<const WORDS: usize>() -> *mut u8 {
    if WORDS == 0 {
        return ptr::without_provenance_mut(align_of::<u64>());
    }
    let Some(list) = AREAS.get(class(WORDS)) else { return fresh(layout(WORDS)) };
    let mut area = list.get();
    if area.is_null() {
        area = fresh(const { layout(WORDS) });
        list.set(area);
    }
    // The stand-in calls tests from inside of an import, which may make calls themselves.
    #[cfg(not(target_family = "wasm"))]
    // SAFETY: the area was not taken out.
    unsafe {
        take_out::<WORDS>(area);
    }
    area
}

/// The call for which an area was lent has returned, and nothing else has run since: it is free again.
///
/// # Safety
/// It came from `lend` with the same number of words, and is not used afterwards.
#[inline(always)]
pub(super) unsafe fn returned<const WORDS: usize>(area: *mut u8) {
    if cfg!(not(target_family = "wasm")) || class(WORDS) >= CLASSES {
        // SAFETY: as the caller promises; it was taken out.
        unsafe { give_back::<WORDS>(area) }
    }
}

/// The call for which an area was lent is pending, and keeps it. Nothing else has run since.
///
/// # Safety
/// It came from `lend` with the same number of words.
#[inline(always)]
pub(super) unsafe fn keep<const WORDS: usize>(area: *mut u8) {
    if cfg!(target_family = "wasm") {
        // SAFETY: as the caller promises; it is the first one still.
        unsafe { take_out::<WORDS>(area) }
    }
}

/// # Safety
/// `area` is the first one of its list.
#[inline(always)]
unsafe fn take_out<const WORDS: usize>(area: *mut u8) {
    if WORDS != 0
        && let Some(list) = AREAS.get(class(WORDS))
    {
        // SAFETY: the header of a free area has the next one's address.
        list.set(unsafe { area.sub(HEADER).cast::<*mut u8>().read() });
    }
}

/// Gives an area back.
///
/// # Safety
/// It came from `lend` with the same number of words and was kept, and nobody uses it any more.
#[inline(always)]
pub(super) unsafe fn give_back<const WORDS: usize>(area: *mut u8) {
    if WORDS == 0 {
        return;
    }
    // SAFETY: the area is ours, and has a header; or it was allocated with this layout.
    unsafe {
        match AREAS.get(class(WORDS)) {
            Some(list) => area.sub(HEADER).cast::<*mut u8>().write(list.replace(area)),
            None => dealloc(area.sub(HEADER), layout(WORDS)),
        }
    }
}

#[cold]
#[inline(never)]
fn fresh(layout: Layout) -> *mut u8 {
    // SAFETY: the layout is not empty, and starts with room for a header, in which there is no next area yet.
    unsafe {
        let block = alloc(layout);
        if block.is_null() {
            out_of_memory(layout);
        }
        block.cast::<*mut u8>().write(ptr::null_mut());
        block.add(HEADER)
    }
}
