//! What a type needs to go through streams and futures: its intrinsics, in tables that readers and writers carry.
//!
//! The tables come in two halves. A reader that was lifted carries the reading half only, so that a program which only
//! reads imports nothing to write with; the writing half is reached from where a pair is made or a reader is lowered.

mod tables;

use crate::abi::{Lift, Lower};

pub(crate) use tables::{
    CancelFn, Context, DropFn, EndFn, FutureReadFn, FutureReadIntrinsics, FutureWriteFn, FutureWriteIntrinsics, Items,
    Leftover, Lists, NewFn, ReadFn, ReadIntrinsics, Stored, Tables, WriteFn, WriteIntrinsics,
};

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
    unsafe extern "C-unwind" fn new() -> u64;
    /// `stream.read`.
    unsafe extern "C-unwind" fn read(reader: u32, to: *mut u8, count: usize) -> u32;
    /// `stream.write`.
    unsafe extern "C-unwind" fn write(writer: u32, from: *const u8, count: usize) -> u32;
    /// `stream.cancel-read`.
    unsafe extern "C-unwind" fn cancel_read(reader: u32) -> u32;
    /// `stream.cancel-write`.
    unsafe extern "C-unwind" fn cancel_write(writer: u32) -> u32;
    /// `stream.drop-readable`.
    unsafe extern "C-unwind" fn drop_readable(reader: u32);
    /// `stream.drop-writable`.
    unsafe extern "C-unwind" fn drop_writable(writer: u32);
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
    unsafe extern "C-unwind" fn new() -> u64;
    /// `future.read`.
    unsafe extern "C-unwind" fn read(reader: u32, to: *mut u8) -> u32;
    /// `future.write`.
    unsafe extern "C-unwind" fn write(writer: u32, from: *const u8) -> u32;
    /// `future.cancel-read`.
    unsafe extern "C-unwind" fn cancel_read(reader: u32) -> u32;
    /// `future.cancel-write`.
    unsafe extern "C-unwind" fn cancel_write(writer: u32) -> u32;
    /// `future.drop-readable`.
    unsafe extern "C-unwind" fn drop_readable(reader: u32);
    /// `future.drop-writable`.
    unsafe extern "C-unwind" fn drop_writable(writer: u32);
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
            unsafe extern "C-unwind" fn new() -> u64 {
                $crate::native::stream_new($crate::native::Items::of::<$world, $ty>())
            }
            unsafe extern "C-unwind" fn read(reader: u32, to: *mut u8, count: usize) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::stream_read(reader, to, count) }
            }
            unsafe extern "C-unwind" fn write(writer: u32, from: *const u8, count: usize) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::stream_write(writer, from, count) }
            }
            unsafe extern "C-unwind" fn cancel_read(reader: u32) -> u32 {
                $crate::native::stream_cancel(reader)
            }
            unsafe extern "C-unwind" fn cancel_write(writer: u32) -> u32 {
                $crate::native::stream_cancel(writer)
            }
            unsafe extern "C-unwind" fn drop_readable(reader: u32) {
                $crate::native::stream_drop(reader)
            }
            unsafe extern "C-unwind" fn drop_writable(writer: u32) {
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
            unsafe extern "C-unwind" fn new() -> u64 {
                $crate::native::future_new($crate::native::Items::of::<$world, $ty>())
            }
            unsafe extern "C-unwind" fn read(reader: u32, to: *mut u8) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::future_read(reader, to) }
            }
            unsafe extern "C-unwind" fn write(writer: u32, from: *const u8) -> u32 {
                // SAFETY: the caller's promise.
                unsafe { $crate::native::future_write(writer, from) }
            }
            unsafe extern "C-unwind" fn cancel_read(reader: u32) -> u32 {
                $crate::native::future_cancel(reader)
            }
            unsafe extern "C-unwind" fn cancel_write(writer: u32) -> u32 {
                $crate::native::future_cancel(writer)
            }
            unsafe extern "C-unwind" fn drop_readable(reader: u32) {
                $crate::native::future_drop(reader)
            }
            unsafe extern "C-unwind" fn drop_writable(writer: u32) {
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
        unsafe extern "C-unwind" fn $name($($arg: $ty),*) $(-> $ret)? {
            $crate::import!($module, $link, fn import($($arg: $ty),*) $(-> $ret)?);
            // SAFETY: the caller's promise.
            unsafe { import($($arg),*) }
        }
    )*};
}
