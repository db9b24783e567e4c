//! What a type needs to go through streams and futures: its intrinsics, in tables that readers and writers carry.
//!
//! The tables come in two halves. A reader that was lifted carries the reading half only, so that a program which only
//! reads imports nothing to write with; the writing half is reached from where a pair is made or a reader is lowered.

use crate::abi::{Lift, Lower, Scratch};
use core::marker::PhantomData;

/// A type that streams of the world `W` carry. Generated code implements it.
///
/// # Safety
/// The functions are the intrinsics of the `stream` of this type.
#[diagnostic::on_unimplemented(
    message = "`stream<{Self}>` is not a type of this world",
    note = "a world has the intrinsics of those streams that its functions mention: name the stream in the WIT"
)]
#[expect(clippy::missing_safety_doc, reason = "the canonical ABI says what its built-ins expect")]
pub unsafe trait StreamPayload<W>: Lift<W> + Lower<W> + Sized + 'static {
    /// `stream.new`: the readable end in the low half, the writable one in the high half.
    #[expect(clippy::new_ret_no_self, reason = "it is the built-in of this name")]
    unsafe fn new() -> u64;
    /// `stream.read`.
    unsafe fn read(reader: u32, to: *mut u8, count: usize) -> u32;
    /// `stream.write`.
    unsafe fn write(writer: u32, from: *const u8, count: usize) -> u32;
    /// `stream.cancel-read`.
    unsafe fn cancel_read(reader: u32) -> u32;
    /// `stream.cancel-write`.
    unsafe fn cancel_write(writer: u32) -> u32;
    /// `stream.drop-readable`.
    unsafe fn drop_readable(reader: u32);
    /// `stream.drop-writable`.
    unsafe fn drop_writable(writer: u32);
}

/// A type that futures of the world `W` carry. Generated code implements it.
///
/// # Safety
/// The functions are the intrinsics of the `future` of this type.
#[diagnostic::on_unimplemented(
    message = "`future<{Self}>` is not a type of this world",
    note = "a world has the intrinsics of those futures that its functions mention: name the future in the WIT"
)]
#[expect(clippy::missing_safety_doc, reason = "the canonical ABI says what its built-ins expect")]
pub unsafe trait FuturePayload<W>: Lift<W> + Lower<W> + Sized + 'static {
    /// `future.new`: the readable end in the low half, the writable one in the high half.
    #[expect(clippy::new_ret_no_self, reason = "it is the built-in of this name")]
    unsafe fn new() -> u64;
    /// `future.read`.
    unsafe fn read(reader: u32, to: *mut u8) -> u32;
    /// `future.write`.
    unsafe fn write(writer: u32, from: *const u8) -> u32;
    /// `future.cancel-read`.
    unsafe fn cancel_read(reader: u32) -> u32;
    /// `future.cancel-write`.
    unsafe fn cancel_write(writer: u32) -> u32;
    /// `future.drop-readable`.
    unsafe fn drop_readable(reader: u32);
    /// `future.drop-writable`.
    unsafe fn drop_writable(writer: u32);
}

/// What the two ends of a stream know of its items without their type.
#[derive(Clone, Copy)]
pub(crate) struct Items {
    /// Of the Rust type.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Drops so many of them; `None` where there is nothing to do.
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
pub(crate) struct Reading {
    pub(crate) read: unsafe fn(u32, *mut u8, usize) -> u32,
    pub(crate) cancel: unsafe fn(u32) -> u32,
    pub(crate) drop: unsafe fn(u32),
    /// Canonical size and alignment.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Makes so many items of canonical values; `None` where they are the same.
    pub(crate) load: Option<unsafe fn(*const u8, *mut u8, usize)>,
}

/// What it takes to give the readable end of a stream away, and to write to it then.
pub(crate) struct Writing {
    pub(crate) new: unsafe fn() -> u64,
    pub(crate) write: unsafe fn(u32, *const u8, usize) -> u32,
    pub(crate) cancel: unsafe fn(u32) -> u32,
    pub(crate) drop: unsafe fn(u32),
    pub(crate) drop_readable: unsafe fn(u32),
    /// Canonical size and alignment.
    pub(crate) size: usize,
    pub(crate) align: usize,
    /// Makes canonical values of so many items; `None` where they are the same.
    pub(crate) store: Option<unsafe fn(*const u8, *mut u8, usize, &mut Scratch)>,
    /// So many items were taken by the other side; `None` where they own no handles.
    pub(crate) disown: Option<unsafe fn(*const u8, usize)>,
}

/// What it takes to read a future that comes from elsewhere.
pub(crate) struct FutureReading<T> {
    pub(crate) read: unsafe fn(u32, *mut u8) -> u32,
    pub(crate) cancel: unsafe fn(u32) -> u32,
    pub(crate) drop: unsafe fn(u32),
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) load: unsafe fn(*const u8) -> T,
}

/// What it takes to give the readable end of a future away, and to write to it then.
pub(crate) struct FutureWriting<T> {
    pub(crate) new: unsafe fn() -> u64,
    pub(crate) write: unsafe fn(u32, *const u8) -> u32,
    pub(crate) cancel: unsafe fn(u32) -> u32,
    pub(crate) drop: unsafe fn(u32),
    pub(crate) drop_readable: unsafe fn(u32),
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) store: unsafe fn(&T, *mut u8, &mut Scratch),
    pub(crate) disown: unsafe fn(&T),
}

/// The tables of `T` in the world `W`.
pub(crate) struct Tables<W, T>(PhantomData<(W, T)>);

impl<W, T: StreamPayload<W>> Tables<W, T> {
    /// A unit has no bytes that could differ.
    const UNIT: bool = T::SHAPE.size == 0 && size_of::<T>() == 0;

    pub(crate) const READING: &'static Reading = &Reading {
        read: T::read,
        cancel: T::cancel_read,
        drop: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        load: if <T as Lift<W>>::PLAIN || Self::UNIT { None } else { Some(load_each::<W, T>) },
    };

    pub(crate) const WRITING: &'static Writing = &Writing {
        new: T::new,
        write: T::write,
        cancel: T::cancel_write,
        drop: T::drop_writable,
        drop_readable: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        store: if <T as Lower<W>>::PLAIN || Self::UNIT { None } else { Some(store_each::<W, T>) },
        disown: if T::OWNS { Some(disown_each::<W, T>) } else { None },
    };
}

impl<W, T: FuturePayload<W>> Tables<W, T> {
    pub(crate) const FUTURE_READING: &'static FutureReading<T> = &FutureReading {
        read: T::read,
        cancel: T::cancel_read,
        drop: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        load: T::load,
    };

    pub(crate) const FUTURE_WRITING: &'static FutureWriting<T> = &FutureWriting {
        new: T::new,
        write: T::write,
        cancel: T::cancel_write,
        drop: T::drop_writable,
        drop_readable: T::drop_readable,
        size: T::SHAPE.size,
        align: T::SHAPE.align,
        store: T::store,
        disown: T::disown,
    };
}

/// # Safety
/// `count` items lie at `items`, and nobody uses them any more.
unsafe fn drop_each<T>(items: *mut u8, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::slice_from_raw_parts_mut(items.cast::<T>(), count).drop_in_place() }
}

/// # Safety
/// `count` canonical values that nobody else takes lie at `from`, and there is room for as many items at `to`.
#[inline(never)]
unsafe fn load_each<W, T: Lift<W>>(from: *const u8, to: *mut u8, count: usize) {
    let (mut from, mut to) = (from, to.cast::<T>());
    // SAFETY: the caller's promise.
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
unsafe fn store_each<W, T: Lower<W>>(items: *const u8, to: *mut u8, count: usize, scratch: &mut Scratch) {
    let (mut items, mut to) = (items.cast::<T>(), to);
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..count {
            (*items).store(to, scratch);
            items = items.add(1);
            to = to.add(T::SHAPE.size);
        }
    }
}

/// # Safety
/// `count` items lie at `items`, were lowered, and have been accepted by the other side.
unsafe fn disown_each<W, T: Lower<W>>(items: *const u8, count: usize) {
    let mut items = items.cast::<T>();
    // SAFETY: the caller's promise.
    unsafe {
        for _ in 0..count {
            (*items).disown();
            items = items.add(1);
        }
    }
}

/// The intrinsics of a stream's payload, by their link names: `stream_payload! { T, World, "module", new: "…", read: "…",
/// write: "…", cancel_read: "…", cancel_write: "…", drop_readable: "…", drop_writable: "…" }`.
///
/// Natively they are those of the stand-in for the engine.
#[doc(hidden)]
#[macro_export]
macro_rules! stream_payload {
    (
        $ty:ty, $world:ty, $module:literal,
        new: $new:literal, read: $read:literal, write: $write:literal,
        cancel_read: $cancel_read:literal, cancel_write: $cancel_write:literal,
        drop_readable: $drop_readable:literal, drop_writable: $drop_writable:literal $(,)?
    ) => {
        // SAFETY: the names are those of the intrinsics.
        #[cfg(target_family = "wasm")]
        unsafe impl $crate::__rt::StreamPayload<$world> for $ty {
            $crate::payload! { $module;
                $new fn new() -> u64;
                $read fn read(reader: u32, to: *mut u8, count: usize) -> u32;
                $write fn write(writer: u32, from: *const u8, count: usize) -> u32;
                $cancel_read fn cancel_read(reader: u32) -> u32;
                $cancel_write fn cancel_write(writer: u32) -> u32;
                $drop_readable fn drop_readable(reader: u32);
                $drop_writable fn drop_writable(writer: u32);
            }
        }

        // SAFETY: the stand-in behaves as the engine does.
        #[cfg(not(target_family = "wasm"))]
        unsafe impl $crate::__rt::StreamPayload<$world> for $ty {
            unsafe fn new() -> u64 {
                $crate::native::stream_new($crate::native::Items::of::<$world, $ty>())
            }
            unsafe fn read(reader: u32, to: *mut u8, count: usize) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::stream_read(reader, to, count) }
            }
            unsafe fn write(writer: u32, from: *const u8, count: usize) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::stream_write(writer, from, count) }
            }
            unsafe fn cancel_read(reader: u32) -> u32 {
                $crate::native::stream_cancel(reader)
            }
            unsafe fn cancel_write(writer: u32) -> u32 {
                $crate::native::stream_cancel(writer)
            }
            unsafe fn drop_readable(reader: u32) {
                $crate::native::stream_drop(reader)
            }
            unsafe fn drop_writable(writer: u32) {
                $crate::native::stream_drop(writer)
            }
        }
    };
}

/// The intrinsics of a future's payload, written as those of [`stream_payload`].
#[doc(hidden)]
#[macro_export]
macro_rules! future_payload {
    (
        $ty:ty, $world:ty, $module:literal,
        new: $new:literal, read: $read:literal, write: $write:literal,
        cancel_read: $cancel_read:literal, cancel_write: $cancel_write:literal,
        drop_readable: $drop_readable:literal, drop_writable: $drop_writable:literal $(,)?
    ) => {
        // SAFETY: the names are those of the intrinsics.
        #[cfg(target_family = "wasm")]
        unsafe impl $crate::__rt::FuturePayload<$world> for $ty {
            $crate::payload! { $module;
                $new fn new() -> u64;
                $read fn read(reader: u32, to: *mut u8) -> u32;
                $write fn write(writer: u32, from: *const u8) -> u32;
                $cancel_read fn cancel_read(reader: u32) -> u32;
                $cancel_write fn cancel_write(writer: u32) -> u32;
                $drop_readable fn drop_readable(reader: u32);
                $drop_writable fn drop_writable(writer: u32);
            }
        }

        // SAFETY: the stand-in behaves as the engine does.
        #[cfg(not(target_family = "wasm"))]
        unsafe impl $crate::__rt::FuturePayload<$world> for $ty {
            unsafe fn new() -> u64 {
                $crate::native::future_new($crate::native::Items::of::<$world, $ty>())
            }
            unsafe fn read(reader: u32, to: *mut u8) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::future_read(reader, to) }
            }
            unsafe fn write(writer: u32, from: *const u8) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::future_write(writer, from) }
            }
            unsafe fn cancel_read(reader: u32) -> u32 {
                $crate::native::future_cancel(reader)
            }
            unsafe fn cancel_write(writer: u32) -> u32 {
                $crate::native::future_cancel(writer)
            }
            unsafe fn drop_readable(reader: u32) {
                $crate::native::future_drop(reader)
            }
            unsafe fn drop_writable(writer: u32) {
                $crate::native::future_drop(writer)
            }
        }
    };
}

/// Functions of a trait that call imports of the same type.
#[doc(hidden)]
#[macro_export]
macro_rules! payload {
    ($module:literal; $($link:literal fn $name:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {$(
        #[inline(always)]
        unsafe fn $name($($arg: $ty),*) $(-> $ret)? {
            $crate::import!($module, $link, fn import($($arg: $ty),*) $(-> $ret)?);
            // SAFETY: the caller's promise.
            unsafe { import($($arg),*) }
        }
    )*};
}
