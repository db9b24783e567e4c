//! A `Vec` without its type, whose first items may be gone.

use crate::payload::Items;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc};
use alloc::vec::Vec;
use core::mem::ManuallyDrop;
use core::ptr;

/// Storage of `cap` items, of which those from `head` to `len` are there.
#[derive(Clone, Copy)]
pub(super) struct RawBuf {
    pub(super) ptr: *mut u8,
    pub(super) cap: usize,
    pub(super) len: usize,
    pub(super) head: usize,
}

impl RawBuf {
    pub(super) const EMPTY: RawBuf = RawBuf { ptr: ptr::null_mut(), cap: 0, len: 0, head: 0 };

    /// Takes a vector.
    #[inline]
    pub(super) fn from_vec<T>(items: Vec<T>) -> RawBuf {
        let mut items = ManuallyDrop::new(items);
        RawBuf { ptr: items.as_mut_ptr().cast(), cap: items.capacity(), len: items.len(), head: 0 }
    }

    /// Gives the vector back, with the items that are there at its front.
    ///
    /// # Safety
    /// It was made from a `Vec<T>`, or allocated for items of type `T`.
    #[inline]
    pub(super) unsafe fn into_vec<T>(self) -> Vec<T> {
        if self.cap == 0 {
            return Vec::new();
        }
        let items = self.ptr.cast::<T>();
        // SAFETY: the items from `head` to `len` are there, and the storage is one of a vector.
        unsafe {
            if self.head != 0 {
                ptr::copy(items.add(self.head), items, self.rest());
            }
            Vec::from_raw_parts(items, self.rest(), self.cap)
        }
    }

    /// How many items are there.
    #[inline(always)]
    pub(super) fn rest(&self) -> usize {
        self.len - self.head
    }

    /// How many more there is room for.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.cap - self.len
    }

    /// Where the first item is.
    #[inline(always)]
    pub(super) fn first(&self, items: &Items) -> *mut u8 {
        self.ptr.wrapping_add(self.head * items.size)
    }

    /// Where the next item would go.
    #[inline(always)]
    pub(super) fn end(&self, items: &Items) -> *mut u8 {
        self.ptr.wrapping_add(self.len * items.size)
    }

    /// Drops the first `count` items.
    ///
    /// # Safety
    /// They are there, and of this type.
    #[inline(never)]
    pub(super) unsafe fn drop_first(&mut self, count: usize, items: &Items) {
        let first = self.first(items);
        // Before they are dropped: what runs then must not find them.
        self.head += count;
        if let Some(drop) = items.drop
            && count != 0
        {
            // SAFETY: the caller's promise.
            unsafe { drop(first, count) }
        }
    }

    /// Drops everything.
    ///
    /// # Safety
    /// The items are of this type.
    #[inline(never)]
    pub(super) unsafe fn free(mut self, items: &Items) {
        // SAFETY: the caller's promise; the layout is that of the storage.
        unsafe {
            self.drop_first(self.rest(), items);
            if self.cap != 0 && items.size != 0 {
                let layout = Layout::from_size_align_unchecked(self.cap * items.size, items.align);
                alloc::alloc::dealloc(self.ptr, layout);
            }
        }
    }

    /// Storage for `count` items.
    #[inline(never)]
    pub(super) fn with_capacity(count: usize, items: &Items) -> RawBuf {
        if items.size == 0 {
            return RawBuf { ptr: ptr::without_provenance_mut(items.align), cap: usize::MAX, len: 0, head: 0 };
        }
        if count == 0 {
            return RawBuf::EMPTY;
        }
        RawBuf { ptr: allocate(count, items.size, items.align), cap: count, len: 0, head: 0 }
    }

    /// Moves as many items as there are, and room for, to the end of `to`.
    ///
    /// # Safety
    /// Both hold items of this type.
    #[inline(never)]
    pub(super) unsafe fn move_to(&mut self, to: &mut RawBuf, items: &Items) -> usize {
        let count = self.rest().min(to.room());
        // SAFETY: the items are there, and there is room for them; no two buffers share storage.
        unsafe { ptr::copy_nonoverlapping(self.first(items), to.end(items), count * items.size) };
        self.head += count;
        to.len += count;
        count
    }
}

/// Memory for `count` values of this size, which is not zero, any more than `count` is.
pub(super) fn allocate(count: usize, size: usize, align: usize) -> *mut u8 {
    let Some(Ok(layout)) = count.checked_mul(size).map(|size| Layout::from_size_align(size, align)) else {
        crate::trap::invalid()
    };
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc(layout) };
    if memory.is_null() {
        out_of_memory(layout);
    }
    memory
}
