//! Reading into a buffer of the caller.

use super::channel::buf::RawBuf;
use super::raw_copy::{Progress, RawRead};
use super::{StreamReader, StreamResult};
use crate::owner::one_thread;
use crate::payload::Items;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

impl<T> StreamReader<T> {
    /// Reads items into the spare capacity of `buf`, as many as the writer has, and at least one; or none, when there
    /// is no spare capacity: then it waits until the writer is ready.
    ///
    /// Items that were read ahead by [`next`](Self::next) come first.
    pub fn read(&mut self, buf: Vec<T>) -> StreamRead<'_, T> {
        StreamRead { reader: self, read: RawRead { progress: Progress::Start, buf: RawBuf::from_vec(buf) } }
    }

    /// Returns all items until the writer is dropped.
    pub async fn collect(mut self) -> Vec<T> {
        let mut all = Vec::new();
        loop {
            if all.len() == all.capacity() {
                all.reserve(1);
            }
            let (result, more) = self.read(all).await;
            all = more;
            if !matches!(result, StreamResult::Complete(_)) {
                return all;
            }
        }
    }
}

/// A read that is in progress: see [`StreamReader::read`].
///
/// Dropping it gives the read up. Items that have arrived by then come out of the next read; what was in the buffer
/// before is dropped with it. After the read has ended it is pending for ever.
#[must_use = "futures do nothing unless polled"]
pub struct StreamRead<'a, T> {
    reader: &'a mut StreamReader<T>,
    read: RawRead,
}

one_thread!(holds StreamRead<'a, T>);

impl<T> Unpin for StreamRead<'_, T> {}

impl<T> StreamRead<'_, T> {
    /// Gives the read up. Returns what it has come to by now, and the buffer.
    ///
    /// After the read has ended this is [`StreamResult::Cancelled`] and an empty buffer. Where the engine does not let it be
    /// given up, as where no task is current, it is what was in the buffer before; the read goes on, for the next one.
    pub fn cancel(mut self: Pin<&mut Self>) -> (StreamResult, Vec<T>) {
        let this = &mut *self;
        let code = this.read.cancel(this.reader.channel());
        this.end(code)
    }

    #[inline]
    fn end(&mut self, code: u32) -> (StreamResult, Vec<T>) {
        let buf = core::mem::replace(&mut self.read.buf, RawBuf::EMPTY);
        // SAFETY: it was made of a vector of this type.
        (StreamResult::from_code(code), unsafe { buf.into_vec() })
    }

    #[cfg(feature = "futures-stream")]
    pub(super) fn is_done(&self) -> bool {
        self.read.progress == Progress::Done
    }
}

impl<T> Future for StreamRead<'_, T> {
    type Output = (StreamResult, Vec<T>);

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let code = ready!(this.read.poll(this.reader.channel(), cx));
        Poll::Ready(this.end(code))
    }
}

impl<T> Drop for StreamRead<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // What has ended leaves nothing.
        if (self.read.progress != Progress::Done || self.read.buf.cap != 0) && self.reader.is_here() {
            // SAFETY: the buffer was made of a vector of this type.
            unsafe { self.read.abandon(self.reader.channel(), &const { Items::of::<T>() }) }
        }
    }
}
