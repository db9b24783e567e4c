//! Strings. The engine has checked that what it hands over is UTF-8.

use super::{Abi, Lift, Lower, Shape, Sink, Source};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

// SAFETY: a string is walked as the list of its bytes.
unsafe impl<W> Abi<W> for str {
    const SHAPE: Shape = Shape::SLICE;
}

// SAFETY: a string is walked as the list of its bytes.
unsafe impl<W> Lower<W> for str {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise; the bytes are those of the string.
        unsafe {
            let bytes = to.scratch().lend(self.as_ptr(), self.len(), 1);
            to.pointer(bytes);
            to.usize(self.len());
        }
    }
}

/// Owned strings lower as `str`; `$lift` makes one of a `String`.
macro_rules! owned {
    ($($ty:ty, |$string:ident| $lift:expr;)*) => {$(
        // SAFETY: a string is walked as the list of its bytes.
        unsafe impl<W> Abi<W> for $ty {
            const SHAPE: Shape = Shape::SLICE;
        }

        // SAFETY: a string is walked as the list of its bytes.
        unsafe impl<W> Lift<W> for $ty {
            #[inline(always)]
            unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise; the engine hands over UTF-8 only.
                let $string = unsafe { String::from_utf8_unchecked(<Vec<u8> as Lift<W>>::lift(from)) };
                $lift
            }
        }

        // SAFETY: a string is walked as the list of its bytes.
        unsafe impl<W> Lower<W> for $ty {
            #[inline(always)]
            unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
                // SAFETY: the caller's promise.
                unsafe { <str as Lower<W>>::lower(self, to) }
            }
        }
    )*};
}

owned! {
    String, |string| string;
    Box<str>, |string| string.into_boxed_str();
}
