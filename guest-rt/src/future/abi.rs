//! Futures that cross the boundary of the component.

use super::pair::Pair;
use super::{FutureReader, FutureWriter};
use crate::abi::{Abi, Lift, Lower, Shape, Sink, Source};
use crate::payload::{FuturePayload, FutureWriteIntrinsics, Tables};

/// Returns the two ends of a new future. It becomes one of the engine when the reader is passed on; until then a value of
/// any type may be read where it was written. When the writer is dropped unwritten, `default` makes what is read.
pub fn future_new<W, T: FuturePayload<W>>(default: fn() -> T) -> (FutureWriter<T>, FutureReader<T>) {
    future_pair(Tables::<W, T>::FUTURE_WRITE, default)
}

/// Returns the two ends of a new future, which in the engine has these intrinsics.
pub(crate) fn future_pair<T>(
    writing: &'static FutureWriteIntrinsics<T>,
    default: fn() -> T,
) -> (FutureWriter<T>, FutureReader<T>) {
    let pair = Pair::new(writing, default);
    // SAFETY: the pair is new and has two owners, which these are.
    unsafe { (FutureWriter::new(pair), FutureReader::local(pair)) }
}

// SAFETY: the readable end of a future is a handle.
unsafe impl<W, T: 'static> Abi<W> for FutureReader<T> {
    const SHAPE: Shape = Shape::scalar(4);
}

// SAFETY: the readable end of a future is a handle.
unsafe impl<W, T: FuturePayload<W>> Lift<W> for FutureReader<T> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller promises that a value of this type is next, which is a handle; it is ours from now on.
        FutureReader::lifted(unsafe { from.u32() }, Tables::<W, T>::FUTURE_READ)
    }
}

// SAFETY: the readable end of a future is a handle.
unsafe impl<W, T: FuturePayload<W>> Lower<W> for FutureReader<T> {
    const OWNS: bool = true;

    #[inline]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller promises that a value of this type is next, which is a handle.
        unsafe { to.u32(self.lowered()) }
    }

    #[inline]
    unsafe fn disown(&self) {
        self.hand_over();
    }
}
