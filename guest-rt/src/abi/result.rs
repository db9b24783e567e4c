//! `result<t, e>`; a missing side is `()`.

use super::{Abi, Lift, Lower, Shape, Sink, Source};

// SAFETY: a result is a variant of two cases, walked as one.
unsafe impl<W, T: Abi<W>, E: Abi<W>> Abi<W> for Result<T, E> {
    const SHAPE: Shape = Shape::variant(1, &[T::SHAPE, E::SHAPE]);
}

// SAFETY: a result is a variant of two cases, walked as one.
unsafe impl<W, T: Lift<W>, E: Lift<W>> Lift<W> for Result<T, E> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match from.variant::<Self>(1) {
                (0, mut payload) => Ok(payload.take()),
                (_, mut payload) => Err(payload.take()),
            }
        }
    }
}

// SAFETY: a result is a variant of two cases, walked as one.
unsafe impl<W, T: Lower<W>, E: Lower<W>> Lower<W> for Result<T, E> {
    const OWNS: bool = T::OWNS || E::OWNS;
    const BORROWS: bool = T::BORROWS || E::BORROWS;
    const LENDS: bool = T::LENDS || E::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Ok(value) => to.variant::<Self>(1, 0).put(value),
                Err(error) => to.variant::<Self>(1, 1).put(error),
            }
        }
    }

    #[inline]
    unsafe fn disown(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Ok(value) => value.disown(),
                Err(error) => error.disown(),
            }
        }
    }
}
