//! A `Vec` without its type, whose first items may be gone.

use crate::payload::Items;
use crate::trap::out_of_memory;
use alloc::alloc::{Layout, alloc, dealloc};
use alloc::vec::Vec;
use core::mem::ManuallyDrop;
use core::ptr;

/// Storage for `cap` items, of which those from `head` to `len` are there.
#[derive(Clone, Copy)]
pub(crate) struct RawBuf {
    pub(crate) ptr: *mut u8,
    pub(crate) cap: usize,
    pub(crate) len: usize,
    pub(crate) head: usize,
}

impl RawBuf {
    pub(crate) const EMPTY: RawBuf = RawBuf { ptr: ptr::null_mut(), cap: 0, len: 0, head: 0 };

    /// Takes the storage of a vector.
    #[inline]
    pub(crate) fn from_vec<T>(items: Vec<T>) -> RawBuf {
        let mut items = ManuallyDrop::new(items);
        RawBuf { ptr: items.as_mut_ptr().cast(), cap: items.capacity(), len: items.len(), head: 0 }
    }

    /// Returns the storage as a vector, with the items that are there at its front.
    ///
    /// # Safety
    /// It was made from a `Vec<T>`, or allocated for items of type `T`.
    #[inline]
    pub(crate) unsafe fn into_vec<T>(self) -> Vec<T> {
        if self.cap == 0 {
            return Vec::new();
        }
        let items = self.ptr.cast::<T>();
        // SAFETY: both ranges are in the storage. Then the items at its front are there, and it was allocated as a vector
        // allocates its own, which the caller promises.
        unsafe {
            if self.head != 0 {
                ptr::copy(items.add(self.head), items, self.rest());
            }
            Vec::from_raw_parts(items, self.rest(), self.cap)
        }
    }

    /// Returns how many items are there.
    #[inline(always)]
    pub(crate) fn rest(&self) -> usize {
        self.len - self.head
    }

    /// Returns how many more there is room for.
    #[inline(always)]
    pub(crate) fn room(&self) -> usize {
        self.cap - self.len
    }

    /// Returns where the first item is.
    #[inline(always)]
    pub(crate) fn first(&self, items: &Items) -> *mut u8 {
        self.ptr.wrapping_add(self.head * items.size)
    }

    /// Returns where the next item would go.
    #[inline(always)]
    pub(crate) fn end(&self, items: &Items) -> *mut u8 {
        self.ptr.wrapping_add(self.len * items.size)
    }

    /// Drops everything: the items, which runs code of users, and then the storage.
    ///
    /// # Safety
    /// The items are of this type.
    #[inline(never)]
    pub(crate) unsafe fn free(self, items: &Items) {
        /// Frees the storage, also when a destructor panics.
        struct Storage<'a>(RawBuf, &'a Items);
        impl Drop for Storage<'_> {
            fn drop(&mut self) {
                let Storage(RawBuf { ptr, cap, .. }, items) = self;
                if *cap != 0 && items.size != 0 {
                    // SAFETY: this is the layout that the storage was allocated with, and nobody else has it.
                    unsafe { dealloc(*ptr, Layout::from_size_align_unchecked(*cap * items.size, items.align)) }
                }
            }
        }

        let _storage = Storage(self, items);
        if self.rest() > 0 {
            // SAFETY: that many items are there, and this was their owner. They are of this type, as the caller promises.
            unsafe { items.drop_many(self.first(items), self.rest()) }
        }
    }

    /// Exchanges full storage of a writer with empty storage of a reader, if that leaves both with as much as they have:
    /// a move of all items, which copies none. `any_size` is for a reader that does not care how much it has.
    #[inline(never)]
    pub(crate) fn exchange(full: &mut RawBuf, empty: &mut RawBuf, items: &Items, any_size: bool) -> bool {
        /// It is not worth it for less.
        const LEAST: usize = 512;

        let count = full.rest();
        let fits = full.cap == empty.cap || any_size;
        if !fits || full.head != 0 || empty.len != 0 || count == 0 || count * items.size < LEAST {
            return false;
        }
        core::mem::swap(full, empty);
        (full.len, full.head) = (0, 0);
        empty.len = count;
        true
    }

    /// Returns storage for `count` items.
    #[inline(never)]
    pub(crate) fn with_capacity(count: usize, items: &Items) -> RawBuf {
        if items.size == 0 {
            return RawBuf { ptr: ptr::without_provenance_mut(items.align), cap: usize::MAX, len: 0, head: 0 };
        }
        if count == 0 {
            return RawBuf::EMPTY;
        }
        RawBuf { ptr: allocate(count, items.size, items.align), cap: count, len: 0, head: 0 }
    }

    /// Moves as many items to the end of `to` as there are, and as it has room for. Returns how many.
    ///
    /// # Safety
    /// Both hold items of this type.
    #[inline(never)]
    pub(crate) unsafe fn move_to(&mut self, to: &mut RawBuf, items: &Items) -> usize {
        let count = self.rest().min(to.room());
        // SAFETY: that many items are there, and there is room for them; no two buffers share storage.
        unsafe { ptr::copy_nonoverlapping(self.first(items), to.end(items), count * items.size) };
        self.head += count;
        to.len += count;
        count
    }
}

/// Returns memory for `count` values of this size. Neither is zero.
pub(crate) fn allocate(count: usize, size: usize, align: usize) -> *mut u8 {
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
