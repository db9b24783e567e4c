//! What may be passed for a parameter of an async import that is a string, a list or a record.

use super::Lower;
use alloc::string::String;
use alloc::vec::Vec;

/// Lowers as a `T` does: a `T`, a reference to one, or what one of its kind is borrowed as.
///
/// What is borrowed is not copied, unless the callee has back-pressure.
///
/// # Safety
/// Its shape and its walk are those of `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be passed for a `{T}`",
    note = "a `{T}` itself, a reference to it, and `&str` and `&[_]` for strings and lists, can be"
)]
pub unsafe trait Param<W, T>: Lower<W> {}

// SAFETY: it is the type.
unsafe impl<W, T: Lower<W>> Param<W, T> for T {}
// SAFETY: a reference is walked as what it refers to.
unsafe impl<W, T: Lower<W>> Param<W, T> for &T {}
// SAFETY: strings are walked as `str`.
unsafe impl<W> Param<W, String> for &str {}
// SAFETY: vectors are walked as slices.
unsafe impl<W, T: Lower<W>> Param<W, Vec<T>> for &[T] {}
