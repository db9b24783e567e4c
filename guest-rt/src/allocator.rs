//! A small allocator, for the feature `small-allocator`: lists of free blocks, four sizes for each doubling.
//!
//! A block goes back to the list of its size and is never split or joined, so both operations are a few instructions, and
//! memory that was used for one size stays with it. For components, which live shortly or do the same again and again, that
//! costs at most a quarter of the peak; a general allocator (std's is dlmalloc) costs 9 KB of code, and for small strings
//! and lists most of the fuel.

use core::alloc::Layout;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// Blocks are multiples of this, and aligned to it.
const UNIT: usize = 16;
const CLASSES: usize = 4 * (usize::BITS as usize - 4);
/// The lists after those of the classes are of powers of two, for what needs more alignment.
const LISTS: usize = CLASSES + usize::BITS as usize;

/// Where memory comes from.
pub(crate) trait Memory {
    /// At least `size` bytes more, and how many: anywhere, aligned to [`UNIT`]. `None` when there are none left.
    fn grow(&self, size: usize) -> Option<(*mut u8, usize)>;
}

/// All blocks, and who has them.
pub(crate) struct Heap<M> {
    memory: M,
    /// The first free block of each size; each points to the next.
    free: UnsafeCell<[*mut u8; LISTS]>,
    /// What was never a block: from here, so many bytes.
    rest: Cell<*mut u8>,
    left: Cell<usize>,
}

/// The size of which a block of `size` bytes is, and is not: the smallest that has room.
#[inline(always)]
fn class(size: usize) -> usize {
    let units = size.saturating_sub(1) / UNIT;
    if units < 4 {
        return units;
    }
    let doubling = log2(units);
    4 * (doubling - 1) + (units >> (doubling - 2) & 3)
}

/// The logarithm, of a number that is not 0. The library's function has a panic in it.
#[inline(always)]
fn log2(number: usize) -> usize {
    ((number | 1).leading_zeros() ^ (usize::BITS - 1)) as usize
}

/// The bytes of a block of this size; `None` if no address space has them.
#[inline(always)]
fn size_of_class(class: usize) -> Option<usize> {
    if class < 4 {
        return Some((class + 1) * UNIT);
    }
    let (quarters, doubling) = (5 + class % 4, class / 4 - 1);
    quarters.checked_mul(UNIT)?.checked_mul(1_usize.checked_shl(doubling as u32)?)
}

/// Where free blocks for this layout are.
#[inline(always)]
fn list(layout: Layout) -> usize {
    if layout.align() <= UNIT {
        return class(layout.size());
    }
    // Blocks of a power of two are aligned to it.
    let needed = layout.size().max(layout.align());
    CLASSES + needed.checked_next_power_of_two().map_or(usize::BITS as usize - 1, log2)
}

/// The size and the alignment of the blocks in a list; `None` if no address space has them.
fn of_list(list: usize) -> Option<(usize, usize)> {
    match list.checked_sub(CLASSES) {
        None => Some((size_of_class(list)?, UNIT)),
        Some(doubling) => Some((1 << doubling, 1 << doubling)),
    }
}

impl<M: Memory> Heap<M> {
    pub(crate) const fn new(memory: M) -> Heap<M> {
        Heap {
            memory,
            free: UnsafeCell::new([ptr::null_mut(); LISTS]),
            rest: Cell::new(ptr::null_mut()),
            left: Cell::new(0),
        }
    }

    /// The first free block of a list.
    #[inline(always)]
    fn first(&self, list: usize) -> *mut *mut u8 {
        debug_assert!(list < LISTS);
        // Not indexed, which would link the text of a panic.
        self.free.get().cast::<*mut u8>().wrapping_add(list)
    }

    /// A block for this layout, or null.
    #[inline]
    pub(crate) fn alloc(&self, layout: Layout) -> *mut u8 {
        let list = list(layout);
        // SAFETY: only this thread is at the lists, and no reference into them is kept. A free block starts with the
        // address of the next one.
        unsafe {
            let free = self.first(list);
            let block = *free;
            if !block.is_null() {
                *free = block.cast::<*mut u8>().read();
                return block;
            }
        }
        self.carve(list)
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// [`Heap::alloc`] gave it out for this layout, and nobody uses it.
    #[inline]
    pub(crate) unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the block is ours again, and has room for an address.
        unsafe {
            let free = self.first(list(layout));
            block.cast::<*mut u8>().write(*free);
            *free = block;
        }
    }

    /// A block of another size with the same contents, as far as they fit; or null, and the old block stays.
    ///
    /// # Safety
    /// As for [`Heap::dealloc`]. `size` is not too large for the alignment.
    #[inline]
    pub(crate) unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise. Two blocks do not overlap.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            if list(wanted) == list(layout) {
                return block;
            }
            let new = self.alloc(wanted);
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }

    /// A block of what was never one. Where that is too little, what is left of it is given up.
    #[cold]
    #[inline(never)]
    fn carve(&self, list: usize) -> *mut u8 {
        let Some((size, align)) = of_list(list) else { return ptr::null_mut() };
        // What is too little for the alignment is skipped.
        let mut skipped = self.rest.get().addr().wrapping_neg() & (align - 1);
        if skipped.checked_add(size).is_none_or(|needed| needed > self.left.get()) {
            let Some(wanted) = size.checked_add(align) else { return ptr::null_mut() };
            let Some((more, len)) = self.memory.grow(wanted) else { return ptr::null_mut() };
            if self.rest.get().wrapping_add(self.left.get()) == more {
                self.left.set(self.left.get() + len);
            } else {
                self.rest.set(more);
                self.left.set(len);
            }
            skipped = self.rest.get().addr().wrapping_neg() & (align - 1);
        }
        let block = self.rest.get().wrapping_add(skipped);
        self.rest.set(block.wrapping_add(size));
        self.left.set(self.left.get() - skipped - size);
        block
    }
}

#[cfg(all(feature = "small-allocator", target_arch = "wasm32", not(target_feature = "atomics")))]
mod global {
    use super::{Heap, Memory};
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};
    use core::ptr;

    const PAGE: usize = 64 * 1024;

    /// The module's memory.
    struct Pages;

    impl Memory for Pages {
        fn grow(&self, size: usize) -> Option<(*mut u8, usize)> {
            let end = memory_size::<0>() * PAGE;
            let pages = size.div_ceil(PAGE);
            // The very last byte of all memory has no address behind it.
            end.checked_add(pages.checked_mul(PAGE)?)?;
            let before = memory_grow::<0>(pages);
            (before != usize::MAX).then(|| (ptr::with_exposed_provenance_mut(before * PAGE), pages * PAGE))
        }
    }

    struct Small(Heap<Pages>);

    // SAFETY: without atomics there is one thread.
    unsafe impl Sync for Small {}

    #[global_allocator]
    static ALLOCATOR: Small = Small(Heap::new(Pages));

    // SAFETY: blocks are as large and aligned as was asked for, and given out once until they are back.
    unsafe impl GlobalAlloc for Small {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.alloc(layout)
        }

        #[inline]
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.0.dealloc(block, layout) }
        }

        #[inline]
        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { self.0.realloc(block, layout, size) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// A fixed piece of memory, given out in portions.
    struct Fixed {
        start: *mut u8,
        used: Cell<usize>,
    }

    const ALL: usize = 1 << 20;

    impl Memory for Fixed {
        fn grow(&self, size: usize) -> Option<(*mut u8, usize)> {
            let (used, size) = (self.used.get(), size.next_multiple_of(4096));
            (used + size <= ALL).then(|| {
                self.used.set(used + size);
                (self.start.wrapping_add(used), size)
            })
        }
    }

    fn heap() -> Heap<Fixed> {
        let memory = Vec::leak(alloc::vec![0_u128; ALL / 16]);
        Heap::new(Fixed { start: memory.as_mut_ptr().cast(), used: Cell::new(0) })
    }

    #[test]
    fn every_size_has_a_class_with_room_and_little_to_spare() {
        for size in 1..100_000 {
            let room = size_of_class(class(size)).unwrap();
            assert!(room >= size && room < size + size / 4 + UNIT, "{size} bytes in {room}");
            assert_eq!(class(room), class(size));
        }
        assert_eq!(class(0), 0);
        assert!(class(isize::MAX as usize) < CLASSES);
    }

    #[test]
    fn blocks_keep_their_contents_and_do_not_overlap() {
        let (heap, mut seed) = (heap(), 1_u32);
        let mut random = |below: u32| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            (seed % below) as usize
        };
        let mut blocks: Vec<(*mut u8, Layout, u8)> = Vec::new();
        // SAFETY: blocks are used within their layouts, and given back once.
        unsafe {
            for round in 0..if cfg!(miri) { 300 } else { 20_000_u32 } {
                let layout = Layout::from_size_align(1 + random(2000), 1 << random(7)).unwrap();
                if blocks.len() < 50 {
                    let block = heap.alloc(layout);
                    assert!(!block.is_null() && block.addr() % layout.align() == 0);
                    block.write_bytes(round as u8, layout.size());
                    blocks.push((block, layout, round as u8));
                    continue;
                }
                let index = random(50);
                let (block, old, fill) = blocks[index];
                assert!((0..old.size()).all(|i| block.add(i).read() == fill));
                if round % 3 == 0 && old.align() <= UNIT {
                    let new = heap.realloc(block, old, layout.size());
                    let kept = old.size().min(layout.size());
                    assert!(!new.is_null() && (0..kept).all(|i| new.add(i).read() == fill));
                    new.write_bytes(fill, layout.size());
                    blocks[index] = (new, Layout::from_size_align(layout.size(), old.align()).unwrap(), fill);
                } else {
                    heap.dealloc(block, old);
                    blocks.swap_remove(index);
                }
            }
        }
    }

    #[test]
    fn what_is_given_back_is_used_again() {
        let heap = heap();
        let layout = Layout::from_size_align(100, 8).unwrap();
        let first = heap.alloc(layout);
        // SAFETY: it is given back once.
        unsafe { heap.dealloc(first, layout) };
        assert_eq!(heap.alloc(layout), first);
    }

    #[test]
    fn too_much_is_null() {
        let heap = heap();
        assert!(heap.alloc(Layout::from_size_align(ALL * 2, 8).unwrap()).is_null());
        assert!(heap.alloc(Layout::from_size_align(isize::MAX as usize - 7, 8).unwrap()).is_null());
        assert!(!heap.alloc(Layout::from_size_align(10, 8).unwrap()).is_null());
    }
}
