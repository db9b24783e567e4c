//! `option<t>`.

use super::{Abi, Lift, Lower, Shape, Sink, Source};

// SAFETY: an option is a variant of two cases, walked as one.
unsafe impl<W, T: Abi<W>> Abi<W> for Option<T> {
    const SHAPE: Shape = Shape::variant(1, &[T::SHAPE]);
}

// SAFETY: an option is a variant of two cases, walked as one.
unsafe impl<W, T: Lift<W>> Lift<W> for Option<T> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match from.variant::<Self>(1) {
                (0, _) => None,
                (_, mut payload) => Some(payload.take()),
            }
        }
    }
}

// SAFETY: an option is a variant of two cases, walked as one.
unsafe impl<W, T: Lower<W>> Lower<W> for Option<T> {
    const OWNS: bool = T::OWNS;
    const BORROWS: bool = T::BORROWS;
    const LENDS: bool = T::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                None => _ = to.variant::<Self>(1, 0),
                Some(value) => to.variant::<Self>(1, 1).put(value),
            }
        }
    }

    #[inline]
    unsafe fn disown(&self) {
        if let Some(value) = self {
            // SAFETY: the caller's promise.
            unsafe { value.disown() }
        }
    }
}
