//! Memory for what a lowering writes besides the value itself.

use alloc::alloc::{Layout, alloc, dealloc};
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

/// What a lowering allocated, freed when this is dropped.
///
/// A deep scratch also copies what would else be borrowed from the value.
pub struct Scratch {
    head: Option<NonNull<Slab>>,
    mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// What is in canonical form already is borrowed from the value.
    Borrowing,
    /// It is copied.
    Deep,
    /// It is copied, and each piece of memory is one that the engine could have asked for. Whoever lifts it frees it.
    Owned,
}

/// A piece of memory with its place in the chain in front.
struct Slab {
    next: Option<NonNull<Slab>>,
    layout: Layout,
}

// SAFETY: a scratch is the only owner of its memory.
unsafe impl Send for Scratch {}
// SAFETY: nothing is reachable through a shared reference.
unsafe impl Sync for Scratch {}

impl Scratch {
    /// An empty scratch; what is lowered with it borrows from the value.
    #[inline(always)]
    pub const fn new() -> Scratch {
        Scratch { head: None, mode: Mode::Borrowing }
    }

    /// An empty scratch; what is lowered with it is independent of the value.
    #[inline(always)]
    pub const fn deep() -> Scratch {
        Scratch { head: None, mode: Mode::Deep }
    }

    /// An empty scratch; what is lowered with it has its memory to itself.
    pub(crate) const fn owned() -> Scratch {
        Scratch { head: None, mode: Mode::Owned }
    }

    /// What is lowered with it is independent of the value.
    #[inline(always)]
    pub(crate) const fn is_deep(&self) -> bool {
        !matches!(self.mode, Mode::Borrowing)
    }

    /// `size` bytes, valid until the scratch is cleared or dropped; dangling for none.
    #[inline(never)]
    pub fn alloc(&mut self, size: usize, align: usize) -> *mut u8 {
        if size == 0 {
            return ptr::without_provenance_mut(align);
        }
        if self.mode == Mode::Owned {
            // SAFETY: there is no old memory.
            return unsafe { crate::realloc::cabi_realloc(ptr::null_mut(), 0, align, size) };
        }
        // Canonical alignments go up to 8; the header needs its own.
        let header = align_of::<Slab>().max(align);
        let offset = size_of::<Slab>().next_multiple_of(header);
        let Some(Ok(layout)) = size.checked_add(offset).map(|size| Layout::from_size_align(size, header)) else {
            crate::trap::invalid()
        };
        // SAFETY: the layout is not empty.
        let Some(slab) = NonNull::new(unsafe { alloc(layout) }) else { crate::trap::out_of_memory(layout) };
        let slab = slab.cast::<Slab>();
        // SAFETY: the memory starts with room for a header.
        unsafe { slab.write(Slab { next: self.head, layout }) };
        self.head = Some(slab);
        // SAFETY: within the allocation.
        unsafe { slab.cast::<u8>().as_ptr().add(offset) }
    }

    /// Returns where to write what has room in `inside`: there, or in the scratch where that is deep.
    #[inline(always)]
    pub(crate) fn area<const K: usize>(&mut self, inside: *mut MaybeUninit<[u64; K]>) -> *mut u8 {
        if self.is_deep() { self.alloc(8 * K, 8) } else { inside.cast() }
    }

    /// `len` bytes that are in canonical form already: themselves, or a copy where the scratch is deep.
    ///
    /// # Safety
    /// `bytes` is valid for reads of `len` bytes.
    #[inline(always)]
    pub unsafe fn lend(&mut self, bytes: *const u8, len: usize, align: usize) -> *const u8 {
        if self.is_deep() {
            // SAFETY: `bytes` has this many.
            unsafe { self.copy(bytes, len, align) }
        } else {
            bytes
        }
    }

    /// Frees everything.
    #[inline(always)]
    pub fn clear(&mut self) {
        if self.head.is_some() {
            self.free();
        }
    }

    /// # Safety
    /// `bytes` is valid for reads of `len` bytes.
    #[inline(never)]
    unsafe fn copy(&mut self, bytes: *const u8, len: usize, align: usize) -> *const u8 {
        let copy = self.alloc(len, align);
        // SAFETY: the copy is fresh and has `len` bytes; the caller promises the same of `bytes`.
        unsafe { ptr::copy_nonoverlapping(bytes, copy, len) };
        copy
    }

    #[inline(never)]
    fn free(&mut self) {
        while let Some(slab) = self.head {
            // SAFETY: slabs in the chain are live and were allocated with their layout.
            unsafe {
                let Slab { next, layout } = slab.read();
                self.head = next;
                dealloc(slab.cast().as_ptr(), layout);
            }
        }
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Drop for Scratch {
    #[inline(always)]
    fn drop(&mut self) {
        self.clear();
    }
}
