//! Streams that cross the boundary of the component.

use super::channel::Channel;
use super::reader::relay;
use super::{StreamReader, StreamWriter};
use crate::abi::{Abi, Lift, Lower, Shape, Sink, Source};
use crate::payload::{Items, StreamPayload, Tables};

/// A pair of ends. It becomes a stream of the engine when the reader is passed on; until then items of any type may be
/// read where they were written.
pub fn stream_new<W, T: StreamPayload<W>>() -> (StreamWriter<T>, StreamReader<T>) {
    let channel = Channel::pair(const { Items::of::<T>() }, Tables::<W, T>::WRITING);
    // SAFETY: the channel has two owners, and is one of this type.
    unsafe { (StreamWriter::new(channel), StreamReader::local(channel)) }
}

impl<T> StreamReader<T> {
    /// A handle of the engine that is fit to be given away.
    fn lowered<W>(&self) -> u32
    where
        T: StreamPayload<W>,
    {
        self.settle();
        if self.has_items() || self.has_ended() {
            // What was read ahead comes first, and then the rest. (A stream whose end was read cannot be given away.)
            let (writer, reader) = stream_new::<W, T>();
            let old = self.replace(reader);
            if old.has_ended() && !old.has_items() {
                drop(writer);
            } else {
                drop(crate::spawn_local(relay(old, writer)));
            }
        }
        self.promoted(Tables::<W, T>::WRITING)
    }
}

impl<W, T> Abi<W> for StreamReader<T> {
    const SHAPE: Shape = Shape::scalar(4);
}

impl<W, T: StreamPayload<W>> Lift<W> for StreamReader<T> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        StreamReader::lifted(unsafe { from.u32() }, Tables::<W, T>::READING)
    }
}

impl<W, T: StreamPayload<W>> Lower<W> for StreamReader<T> {
    const OWNS: bool = true;

    #[inline]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { to.u32(self.lowered::<W>()) }
    }

    #[inline]
    unsafe fn disown(&self) {
        self.give_up();
    }
}
