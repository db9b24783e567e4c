//! Lists of any length, and of a fixed length.

use super::{Abi, Lift, Lower, Scratch, Shape, Sink, Source, release};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Takes an array as it is.
///
/// # Safety
/// As for [`Lift::load_list`], and `T` is plain.
#[inline(always)]
pub(super) unsafe fn adopt<T>(from: *mut u8, len: usize) -> Vec<T> {
    if len == 0 {
        // The address of an empty array says nothing.
        return Vec::new();
    }
    // SAFETY: the canonical layout is Rust's.
    unsafe { Vec::from_raw_parts(from.cast(), len, len) }
}

/// Takes an array value by value, and frees it.
///
/// # Safety
/// As for [`Lift::load_list`].
#[inline(never)]
pub(super) unsafe fn load_each<W, T: Lift<W>>(from: *mut u8, len: usize) -> Vec<T> {
    let mut items = Vec::with_capacity(len);
    let mut to: *mut T = items.as_mut_ptr();
    let mut at = from;
    // SAFETY: there is room for `len` items and there are as many values.
    unsafe {
        for _ in 0..len {
            to.write(T::load(at));
            to = to.add(1);
            at = at.add(T::SHAPE.size);
        }
        items.set_len(len);
        release(from, len * T::SHAPE.size, T::SHAPE.align);
    }
    items
}

/// A slice as it is.
#[inline(always)]
pub(super) fn lend<T>(items: &[T], scratch: &mut Scratch) -> *const u8 {
    // SAFETY: a slice is valid for reads of its bytes.
    unsafe { scratch.lend(items.as_ptr().cast(), size_of_val(items), align_of::<T>()) }
}

/// A slice written value by value.
#[inline(never)]
pub(super) fn store_each<W, T: Lower<W>>(items: &[T], scratch: &mut Scratch) -> *const u8 {
    // A canonical value is never more than eight times as large as the Rust value, so that only an absurd list wraps.
    let Some(size) = items.len().checked_mul(T::SHAPE.size) else { crate::trap::invalid() };
    let array = scratch.alloc(size, T::SHAPE.align);
    let mut at = array;
    for item in items {
        // SAFETY: the array has room for every item.
        unsafe {
            item.store(at, scratch);
            at = at.add(T::SHAPE.size);
        }
    }
    array
}

// SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
unsafe impl<W, T> Abi<W> for [T] {
    const SHAPE: Shape = Shape::SLICE;
}

// SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
unsafe impl<W, T: Lower<W>> Lower<W> for [T] {
    const OWNS: bool = T::OWNS;
    const BORROWS: bool = T::BORROWS;
    const LENDS: bool = T::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            let items = T::store_list(self, to.scratch());
            to.pointer(items);
            to.usize(self.len());
        }
    }

    #[inline]
    unsafe fn disown(&self) {
        if T::OWNS {
            for item in self {
                // SAFETY: the caller's promise.
                unsafe { item.disown() }
            }
        }
    }
}

/// Owned lists lower as slices; `$lift` makes one of a `Vec`.
macro_rules! owned {
    ($($ty:ty, |$items:ident| $lift:expr;)*) => {$(
        // SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
        unsafe impl<W, T> Abi<W> for $ty {
            const SHAPE: Shape = Shape::SLICE;
        }

        // SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
        unsafe impl<W, T: Lift<W>> Lift<W> for $ty {
            #[inline(always)]
            unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                let $items = unsafe {
                    let items = from.pointer();
                    T::load_list(items, from.usize())
                };
                $lift
            }
        }

        // SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
        unsafe impl<W, T: Lower<W>> Lower<W> for $ty {
            const OWNS: bool = T::OWNS;
            const BORROWS: bool = T::BORROWS;
            const LENDS: bool = T::LENDS;

            #[inline(always)]
            unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
                // SAFETY: the caller's promise.
                unsafe { <[T] as Lower<W>>::lower(self, to) }
            }

            #[inline]
            unsafe fn disown(&self) {
                // SAFETY: the caller's promise.
                unsafe { <[T] as Lower<W>>::disown(self) }
            }
        }
    )*};
}

owned! {
    Vec<T>, |items| items;
    Box<[T]>, |items| items.into_boxed_slice();
}

// SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
unsafe impl<W, T: Abi<W>, const N: usize> Abi<W> for [T; N] {
    const SHAPE: Shape = T::SHAPE.array(N);
}

// SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
unsafe impl<W, T: Lift<W>, const N: usize> Lift<W> for [T; N] {
    const PLAIN: bool = T::PLAIN;

    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise: there are as many values as items.
        core::array::from_fn(|_| unsafe { from.take() })
    }

    #[inline]
    unsafe fn load(from: *const u8) -> Self {
        if T::PLAIN {
            // SAFETY: the canonical layout is Rust's.
            return unsafe { from.cast::<Self>().read() };
        }
        // SAFETY: the caller's promise: there are as many values as items.
        core::array::from_fn(|i| unsafe { T::load(from.add(i * T::SHAPE.size)) })
    }
}

// SAFETY: a list is an address and a length, an array its items one after the other; constants are those of the items.
unsafe impl<W, T: Lower<W>, const N: usize> Lower<W> for [T; N] {
    const PLAIN: bool = T::PLAIN;
    const OWNS: bool = T::OWNS;
    const BORROWS: bool = T::BORROWS;
    const LENDS: bool = T::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        for item in self {
            // SAFETY: the caller's promise: there is room for as many values as items.
            unsafe { to.put(item) }
        }
    }

    #[inline]
    unsafe fn store(&self, to: *mut u8, scratch: &mut Scratch) {
        if T::PLAIN {
            // SAFETY: the canonical layout is Rust's.
            return unsafe { to.copy_from_nonoverlapping(self.as_ptr().cast(), size_of_val(self)) };
        }
        for (i, item) in self.iter().enumerate() {
            // SAFETY: the caller's promise: there is room for as many values as items.
            unsafe { item.store(to.add(i * T::SHAPE.size), scratch) }
        }
    }

    #[inline]
    unsafe fn disown(&self) {
        // SAFETY: the caller's promise.
        unsafe { <[T] as Lower<W>>::disown(self) }
    }
}
