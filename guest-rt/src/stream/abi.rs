//! Streams that cross the boundary of the component.

use super::raw::{self, RawReader};
use super::{StreamReader, StreamWriter};
use crate::abi::{Abi, Lift, Lower, Shape, Sink, Source};
use crate::payload::{ReadIntrinsics, StreamPayload, Tables, WriteIntrinsics};

/// Makes a pair of ends. It becomes a stream of the engine when the reader is passed on; until then items of any type may
/// be read where they were written.
pub fn stream_new<W, T: StreamPayload<W>>() -> (StreamWriter<T>, StreamReader<T>) {
    stream_pair(Tables::<W, T>::WRITE)
}

/// Makes a pair of ends whose stream in the engine has these intrinsics, which are those of `T`.
pub(crate) fn stream_pair<T>(writing: &'static WriteIntrinsics) -> (StreamWriter<T>, StreamReader<T>) {
    let (writer, reader) = raw::pair(StreamReader::<T>::ITEMS, writing);
    (StreamWriter::new(writer), StreamReader::of(reader))
}

impl<T> StreamReader<T> {
    /// Returns the readable end of a stream from elsewhere, whose intrinsics are those of `T`.
    #[inline(always)]
    pub(crate) fn lifted(handle: u32, reading: &'static ReadIntrinsics) -> StreamReader<T> {
        StreamReader::of(RawReader::lifted(handle, reading))
    }
}

// SAFETY: the readable end of a stream is a handle.
unsafe impl<W, T> Abi<W> for StreamReader<T> {
    const SHAPE: Shape = Shape::scalar(4);
}

// SAFETY: the readable end of a stream is a handle.
unsafe impl<W, T: StreamPayload<W>> Lift<W> for StreamReader<T> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller promises that the next value is a handle of such a reader.
        StreamReader::lifted(unsafe { from.u32() }, Tables::<W, T>::READ)
    }
}

// SAFETY: the readable end of a stream is a handle.
unsafe impl<W, T: StreamPayload<W>> Lower<W> for StreamReader<T> {
    const OWNS: bool = true;

    #[inline]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller promises that there is room for a handle.
        unsafe { to.u32(self.raw().lowered(&const { Self::ITEMS }, Tables::<W, T>::WRITE)) }
    }

    #[inline]
    unsafe fn disown(&self) {
        self.raw().hand_over();
    }
}
