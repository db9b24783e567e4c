//! The tables of intrinsics, and what makes them for a type.
//!
//! A table is passed to its own functions, so that those made of a vtable of `wit-bindgen`'s shape find that again (see
//! `compat`).

use super::{FuturePayload, StreamPayload};
use crate::abi::{Lift, Lower, Scratch};
use alloc::boxed::Box;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// `stream.read`.
pub(crate) type ReadFn = unsafe extern "C-unwind" fn(u32, *mut u8, usize) -> u32;
/// `stream.write`.
pub(crate) type WriteFn = unsafe extern "C-unwind" fn(u32, *const u8, usize) -> u32;
/// `future.read`.
pub(crate) type FutureReadFn = unsafe extern "C-unwind" fn(u32, *mut u8) -> u32;
/// `future.write`.
pub(crate) type FutureWriteFn = unsafe extern "C-unwind" fn(u32, *const u8) -> u32;
/// One of the `cancel` intrinsics.
pub(crate) type CancelFn = unsafe extern "C-unwind" fn(u32) -> u32;
/// One of the `drop` intrinsics.
pub(crate) type DropFn = unsafe extern "C-unwind" fn(u32);
/// Makes canonical values of items.
pub(crate) type StoreFn = unsafe fn(&WriteIntrinsics, *const u8, *mut u8, usize, &mut Scratch);
/// Ends what a [`StoreFn`] began.
pub(crate) type EndFn = unsafe fn(&WriteIntrinsics, Stored);
/// `stream.new` or `future.new`.
pub(crate) type NewFn = unsafe extern "C-unwind" fn() -> u64;

/// The address of something that lives as long as the program and that all threads may read.
#[derive(Clone, Copy)]
pub(crate) struct Context(*const ());

// SAFETY: all threads may read what it points to, and it is not written.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    pub(crate) const NONE: Context = Context(core::ptr::null());

    pub(crate) fn of<T: Sync>(context: &'static T) -> Context {
        Context(core::ptr::from_ref(context).cast())
    }

    /// # Safety
    /// It was made of a `T`.
    pub(crate) unsafe fn get<T>(self) -> &'static T {
        // SAFETY: so that is what it points to, for ever.
        unsafe { &*self.0.cast() }
    }
}

/// What the two ends of a stream know of its items without their type.
#[derive(Clone, Copy)]
pub(crate) struct Items {
    /// Of the Rust type.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Drops this many of them; `None` where there is nothing to do.
    pub(crate) drop: Option<unsafe fn(*mut u8, usize)>,
}

impl Items {
    pub(crate) const fn of<T>() -> Items {
        Items {
            size: size_of::<T>(),
            align: align_of::<T>(),
            drop: if core::mem::needs_drop::<T>() { Some(drop_each::<T>) } else { None },
        }
    }

    /// Drops `count` items, which runs code of users.
    ///
    /// # Safety
    /// They lie at `first`, are of this type, and nobody uses them any more.
    pub(crate) unsafe fn drop_many(&self, first: *mut u8, count: usize) {
        if let Some(drop) = self.drop {
            // SAFETY: the caller promises the same.
            unsafe { drop(first, count) }
        }
    }
}

/// What it takes to read a stream that comes from elsewhere.
pub(crate) struct ReadIntrinsics {
    pub(crate) read: ReadFn,
    pub(crate) cancel: CancelFn,
    pub(crate) drop: DropFn,
    /// Canonical size and alignment.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Makes this many items of canonical values; `None` where they are the same.
    pub(crate) load: Option<unsafe fn(&ReadIntrinsics, *const u8, *mut u8, usize)>,
    /// What the functions of the table know besides.
    pub(crate) context: Context,
}

/// What it takes to give the readable end of a stream away, and to write to it then.
pub(crate) struct WriteIntrinsics {
    pub(crate) new: NewFn,
    pub(crate) write: WriteFn,
    pub(crate) cancel: CancelFn,
    pub(crate) drop: DropFn,
    pub(crate) drop_readable: DropFn,
    /// Canonical size and alignment.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Makes canonical values of this many items; `None` where they are the same.
    pub(crate) store: Option<StoreFn>,
    /// Ends what `store` began, see [`Stored`]: runs no code of users. `None` where nothing has to be done.
    pub(crate) end: Option<EndFn>,
    /// Where `store` moves the items into the area: frees what this many canonical values there still own that the other
    /// side has accepted. It may run code of users. Otherwise `None`: then the accepted items are dropped.
    pub(crate) free: Option<unsafe fn(&WriteIntrinsics, *mut u8, usize)>,
    /// What the functions of the table know besides.
    pub(crate) context: Context,
}

/// Items that were stored, of which the other side has accepted the first ones.
///
/// Those own nothing but memory after the table's `end`: they are left to be dropped, or moved out (`free`). The others are
/// items again.
pub(crate) struct Stored {
    /// The first of them.
    pub(crate) items: *mut u8,
    /// The canonical value of the first of them.
    pub(crate) area: *mut u8,
    pub(crate) accepted: usize,
    pub(crate) rest: usize,
}

/// What it takes to read a future that comes from elsewhere.
pub(crate) struct FutureReadIntrinsics<T> {
    pub(crate) read: FutureReadFn,
    pub(crate) cancel: CancelFn,
    pub(crate) drop: DropFn,
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) load: unsafe fn(&FutureReadIntrinsics<T>, *const u8) -> T,
    /// What the functions of the table know besides.
    pub(crate) context: Context,
}

/// What it takes to give the readable end of a future away, and to write to it then.
pub(crate) struct FutureWriteIntrinsics<T> {
    pub(crate) new: NewFn,
    pub(crate) write: FutureWriteFn,
    pub(crate) cancel: CancelFn,
    pub(crate) drop: DropFn,
    pub(crate) drop_readable: DropFn,
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) store: unsafe fn(&FutureWriteIntrinsics<T>, *const T, *mut u8, &mut Scratch),
    /// The other side has accepted the value that was stored in the area: returns what is left to drop of it. Runs no code
    /// of users.
    pub(crate) accepted: unsafe fn(&FutureWriteIntrinsics<T>, *const T, *mut u8) -> Option<Leftover<T>>,
    /// The other side has not accepted it: makes it a value again; `None` where it still is one.
    pub(crate) restore: Option<unsafe fn(&FutureWriteIntrinsics<T>, *mut T, *mut u8)>,
    /// What the functions of the table know besides.
    pub(crate) context: Context,
}

/// What is left of a value that the other side has accepted, or of one that nobody wants. Dropping it may run code of users.
pub(crate) enum Leftover<T> {
    Value(T),
    Lists(#[expect(dead_code, reason = "it is dropped")] Lists),
}

/// A canonical value that the other side has accepted. What it still owns is freed when this is dropped.
pub(crate) struct Lists {
    value: Box<[MaybeUninit<u64>]>,
    free: unsafe fn(*mut u8),
}

impl Lists {
    /// Takes a canonical value of this size out of the memory where it is.
    ///
    /// # Safety
    /// It lies there, and nobody uses it any more. `free` frees what it still owns.
    pub(crate) unsafe fn take(value: *const u8, size: usize, free: unsafe fn(*mut u8)) -> Lists {
        let mut copy = Box::<[u64]>::new_uninit_slice(size.div_ceil(size_of::<u64>()));
        // SAFETY: the caller says that it is there, and the copy has room for it.
        unsafe { copy.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(value, size) }
        Lists { value: copy, free }
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        // SAFETY: the value is here, and is not used again. Canonical values are aligned to 8 bytes at most, and may be
        // moved.
        unsafe { (self.free)(self.value.as_mut_ptr().cast()) }
    }
}

/// The tables of `T` in the world `W`.
pub(crate) struct Tables<W, T>(PhantomData<(W, T)>);

impl<W, T: StreamPayload<W>> Tables<W, T> {
    /// A unit has no bytes that could differ.
    pub(crate) const UNIT: bool = T::SHAPE.size == 0 && size_of::<T>() == 0;

    pub(crate) const READ: &'static ReadIntrinsics = &ReadIntrinsics {
        read: T::read,
        cancel: T::cancel_read,
        drop: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        load: if <T as Lift<W>>::PLAIN || Self::UNIT { None } else { Some(load_each::<W, T>) },
        context: Context::NONE,
    };

    pub(crate) const WRITE: &'static WriteIntrinsics = &WriteIntrinsics {
        new: T::new,
        write: T::write,
        cancel: T::cancel_write,
        drop: T::drop_writable,
        drop_readable: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        store: if <T as Lower<W>>::PLAIN || Self::UNIT { None } else { Some(store_each::<W, T>) },
        end: if T::OWNS { Some(end_each::<W, T>) } else { None },
        free: None,
        context: Context::NONE,
    };
}

impl<W, T: FuturePayload<W>> Tables<W, T> {
    pub(crate) const FUTURE_READ: &'static FutureReadIntrinsics<T> = &FutureReadIntrinsics {
        read: T::read,
        cancel: T::cancel_read,
        drop: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        load: load::<W, T>,
        context: Context::NONE,
    };

    pub(crate) const FUTURE_WRITE: &'static FutureWriteIntrinsics<T> = &FutureWriteIntrinsics {
        new: T::new,
        write: T::write,
        cancel: T::cancel_write,
        drop: T::drop_writable,
        drop_readable: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        store: store::<W, T>,
        accepted: accepted::<W, T>,
        restore: None,
        context: Context::NONE,
    };
}

/// # Safety
/// `count` items lie at `items`, and nobody uses them any more.
unsafe fn drop_each<T>(items: *mut u8, count: usize) {
    // SAFETY: they are this function's to drop.
    unsafe { core::ptr::slice_from_raw_parts_mut(items.cast::<T>(), count).drop_in_place() }
}

/// # Safety
/// `count` canonical values that nobody else takes lie at `from`, and there is room for as many items at `to`.
#[inline(never)]
unsafe fn load_each<W, T: Lift<W>>(_: &ReadIntrinsics, from: *const u8, to: *mut u8, count: usize) {
    let (mut from, mut to) = (from, to.cast::<T>());
    // SAFETY: each step reads one value and writes one item, of which there are `count`.
    unsafe {
        for _ in 0..count {
            to.write(T::load(from));
            from = from.add(T::SHAPE.size);
            to = to.add(1);
        }
    }
}

/// # Safety
/// `count` items lie at `items`, and there is room for as many canonical values at `to`.
#[inline(never)]
unsafe fn store_each<W, T: Lower<W>>(
    _: &WriteIntrinsics,
    items: *const u8,
    to: *mut u8,
    count: usize,
    scratch: &mut Scratch,
) {
    let (mut items, mut to) = (items.cast::<T>(), to);
    // SAFETY: each step reads one item and writes one value, of which there are `count`.
    unsafe {
        for _ in 0..count {
            (*items).store(to, scratch);
            items = items.add(1);
            to = to.add(T::SHAPE.size);
        }
    }
}

/// # Safety
/// The items were lowered, and this is called once for them.
unsafe fn end_each<W, T: Lower<W>>(_: &WriteIntrinsics, stored: Stored) {
    let items = stored.items.cast::<T>();
    for i in 0..stored.accepted {
        // SAFETY: this many items are there, were lowered, and the other side has what they gave up.
        unsafe { (*items.add(i)).disown() }
    }
}

/// # Safety
/// A canonical value that nobody else takes lies at `from`.
unsafe fn load<W, T: Lift<W>>(_: &FutureReadIntrinsics<T>, from: *const u8) -> T {
    // SAFETY: `load` asks for the same.
    unsafe { T::load(from) }
}

/// # Safety
/// A value lies at `value`, and there is room for its canonical value at `to`.
unsafe fn store<W, T: Lower<W>>(_: &FutureWriteIntrinsics<T>, value: *const T, to: *mut u8, scratch: &mut Scratch) {
    // SAFETY: `store` asks for the same.
    unsafe { (*value).store(to, scratch) }
}

/// # Safety
/// The value was stored and accepted, and is used up here.
unsafe fn accepted<W, T: Lower<W>>(_: &FutureWriteIntrinsics<T>, value: *const T, _: *mut u8) -> Option<Leftover<T>> {
    // SAFETY: the value is there, and the caller's place for it is not read again.
    unsafe {
        let value = value.read();
        value.disown();
        Some(Leftover::Value(value))
    }
}
