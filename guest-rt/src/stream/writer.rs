//! The writable end.

use super::channel::Channel;
use super::raw::RawWriter;
use crate::owner::one_thread;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// The writable end of a stream.
///
/// Dropping it tells the reader that nothing more will come, after what the writer still holds: items that were accepted
/// ([`poll_write_from`](Self::poll_write_from), `AsyncWrite`, `Sink`) and have not been read yet. For those a spawned
/// future waits, when the reader is elsewhere.
///
/// A writer writes items of its own type and no other, not even of one that it could be converted to:
///
/// ```compile_fail
/// # use wasp_guest_rt::StreamWriter;
/// fn shorter<'a>(writer: StreamWriter<&'static str>) -> StreamWriter<&'a str> {
///     writer
/// }
/// ```
pub struct StreamWriter<T> {
    raw: RawWriter,
    /// It has items of its own, and takes others: the type is invariant.
    items: PhantomData<Cell<T>>,
}

one_thread!(StreamWriter<T>);

impl<T> Unpin for StreamWriter<T> {}

impl<T> StreamWriter<T> {
    /// A writer of items of this type.
    pub(super) fn new(raw: RawWriter) -> StreamWriter<T> {
        StreamWriter { raw, items: PhantomData }
    }

    pub(super) fn channel(&self) -> &Channel {
        self.raw.channel()
    }

    /// Returns the handle of the stream in the component's table; 0 while the stream is one of this component only.
    pub fn handle(&self) -> u32 {
        self.channel().writer.pending.handle.get()
    }

    pub(super) fn is_writing(&self) -> bool {
        self.channel().writer.is_copying()
    }
}

impl<T> fmt::Debug for StreamWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.raw.is_here() {
            return f.debug_struct("StreamWriter").finish_non_exhaustive();
        }
        f.debug_struct("StreamWriter").field("handle", &self.handle()).finish()
    }
}
