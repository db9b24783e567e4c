//! `flags`: a set of named bits, which is one byte, two bytes, or words of 32 bits.

use super::{Shape, Sink, Source};

/// An integer that flags are kept in, as `WORDS` words where it is wider than one.
///
/// # Safety
/// As for [`Abi`](super::Abi), [`Lift`](super::Lift) and [`Lower`](super::Lower).
pub unsafe trait Bits<const WORDS: usize>: Sized {
    /// The shape of flags in this many words.
    const SHAPE: Shape;

    /// Reads the bits.
    ///
    /// # Safety
    /// As for [`Lift::lift`](super::Lift::lift).
    unsafe fn lift<S: Source>(from: &mut S) -> Self;

    /// Writes the bits.
    ///
    /// # Safety
    /// As for [`Lower::lower`](super::Lower::lower).
    unsafe fn lower<S: Sink>(self, to: &mut S);
}

/// Integers that are one core value.
macro_rules! narrow {
    ($($ty:ident)*) => {$(
        // SAFETY: flags are walked as the integer they are kept in.
        unsafe impl Bits<1> for $ty {
            const SHAPE: Shape = Shape::scalar(size_of::<$ty>());

            #[inline(always)]
            unsafe fn lift<S: Source>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { from.$ty() }
            }

            #[inline(always)]
            unsafe fn lower<S: Sink>(self, to: &mut S) {
                // SAFETY: the caller's promise.
                unsafe { to.$ty(self) }
            }
        }
    )*};
}

narrow!(u8 u16 u32);

/// Integers of several core values, least significant first.
macro_rules! wide {
    ($($ty:ident)*) => {$(
        // SAFETY: flags are walked as the integer they are kept in.
        unsafe impl<const WORDS: usize> Bits<WORDS> for $ty {
            const SHAPE: Shape = Shape::scalar(4).array(WORDS);

            #[inline(always)]
            unsafe fn lift<S: Source>(from: &mut S) -> Self {
                let mut bits = 0;
                for i in 0..WORDS {
                    // SAFETY: the caller's promise.
                    bits |= $ty::from(unsafe { from.u32() }) << (32 * i);
                }
                bits
            }

            #[inline(always)]
            unsafe fn lower<S: Sink>(self, to: &mut S) {
                for i in 0..WORDS {
                    // SAFETY: the caller's promise.
                    unsafe { to.u32((self >> (32 * i)) as u32) }
                }
            }
        }
    )*};
}

wide!(u64 u128);

/// The ABI of a flags type with `bits` and `from_bits_retain`: `flags!(Perms, World, u8)`, and `flags!(Perms, World,
/// u128, 3)` where the bits take fewer words of 32 bits than the integer has.
#[doc(hidden)]
#[macro_export]
macro_rules! flags {
    ($flags:ty, $world:ty, u8) => {
        $crate::flags!($flags, $world, u8, 1);
    };
    ($flags:ty, $world:ty, u16) => {
        $crate::flags!($flags, $world, u16, 1);
    };
    ($flags:ty, $world:ty, u32) => {
        $crate::flags!($flags, $world, u32, 1);
    };
    ($flags:ty, $world:ty, u64) => {
        $crate::flags!($flags, $world, u64, 2);
    };
    ($flags:ty, $world:ty, u128) => {
        $crate::flags!($flags, $world, u128, 4);
    };
    ($flags:ty, $world:ty, $bits:ident, $words:literal) => {
        // SAFETY: flags are walked as the integer they are kept in.
        unsafe impl $crate::__rt::Abi<$world> for $flags {
            const SHAPE: $crate::__rt::Shape = <$bits as $crate::__rt::Bits<$words>>::SHAPE;
        }

        // SAFETY: flags are walked as the integer they are kept in.
        unsafe impl $crate::__rt::Lift<$world> for $flags {
            #[inline(always)]
            unsafe fn lift<S_: $crate::__rt::Source<World = $world>>(from: &mut S_) -> Self {
                // SAFETY: the caller's promise.
                <$flags>::from_bits_retain(unsafe { <$bits as $crate::__rt::Bits<$words>>::lift(from) })
            }
        }

        // SAFETY: flags are walked as the integer they are kept in.
        unsafe impl $crate::__rt::Lower<$world> for $flags {
            #[inline(always)]
            unsafe fn lower<S_: $crate::__rt::Sink<World = $world>>(&self, to: &mut S_) {
                // SAFETY: the caller's promise.
                unsafe { <$bits as $crate::__rt::Bits<$words>>::lower(self.bits(), to) }
            }
        }
    };
}
