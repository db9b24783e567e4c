//! What may be passed for a parameter of an async import that is a string, a list or a record.

use super::Lower;
use alloc::string::String;
use alloc::vec::Vec;

/// Lowers as a `T` does: a `T`, a reference to one, or what one of its kind is borrowed as.
///
/// What is borrowed is not copied, unless the callee has back-pressure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be passed for a `{T}`",
    note = "a `{T}` itself, a reference to it, and `&str` and `&[_]` for strings and lists, can be"
)]
pub trait Param<W, T>: Lower<W> {}

impl<W, T: Lower<W>> Param<W, T> for T {}
impl<W, T: Lower<W>> Param<W, T> for &T {}
impl<W> Param<W, String> for &str {}
impl<W, T: Lower<W>> Param<W, Vec<T>> for &[T] {}
