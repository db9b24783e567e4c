//! Types that are one core value, and `()`, which is none.

use super::{Abi, Lift, Lower, Shape, Sink, Source};

/// Numbers: `read` and `write` name the functions of sources and sinks.
macro_rules! numbers {
    ($($ty:ty: $read:ident, $write:ident;)*) => {$(
        // SAFETY: a scalar is one value of this size, and a unit none.
        unsafe impl<W> Abi<W> for $ty {
            const SHAPE: Shape = Shape::scalar(size_of::<$ty>());
        }

        // SAFETY: a scalar is one value of this size, and a unit none.
        unsafe impl<W> Lift<W> for $ty {
            // Some 32-bit machines align 64 bits to 4 bytes.
            const PLAIN: bool = align_of::<$ty>() == size_of::<$ty>();

            #[inline(always)]
            unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { from.$read() as $ty }
            }
        }

        // SAFETY: a scalar is one value of this size, and a unit none.
        unsafe impl<W> Lower<W> for $ty {
            const PLAIN: bool = align_of::<$ty>() == size_of::<$ty>();

            #[inline(always)]
            unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
                // SAFETY: the caller's promise.
                unsafe { to.$write(*self as _) }
            }
        }
    )*};
}

numbers! {
    u8: u8, u8;
    u16: u16, u16;
    u32: u32, u32;
    u64: u64, u64;
    i8: u8, s8;
    i16: u16, s16;
    i32: u32, u32;
    i64: u64, u64;
    f32: f32, f32;
    f64: f64, f64;
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Abi<W> for bool {
    const SHAPE: Shape = Shape::scalar(1);
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lift<W> for bool {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe { from.u8() != 0 }
    }
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lower<W> for bool {
    // Not to be read back as such, but good to write.
    const PLAIN: bool = true;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { to.u8(u8::from(*self)) }
    }
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Abi<W> for char {
    const SHAPE: Shape = Shape::scalar(4);
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lift<W> for char {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        match char::from_u32(unsafe { from.u32() }) {
            Some(char) => char,
            None => crate::trap::invalid(),
        }
    }
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lower<W> for char {
    const PLAIN: bool = true;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { to.u32(*self as u32) }
    }
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Abi<W> for () {
    const SHAPE: Shape = Shape::UNIT;
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lift<W> for () {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(_: &mut S) -> Self {}
}

// SAFETY: a scalar is one value of this size, and a unit none.
unsafe impl<W> Lower<W> for () {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, _: &mut S) {}
}
