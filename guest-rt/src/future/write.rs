//! The writable end.

use super::pair::{Pair, Written};
use crate::copy::{self, Flight};
use crate::owner::one_thread;
use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The writable end of a future.
///
/// Dropping it without having written writes the default that it was made with, in the background. The default is not
/// asked for when it is not read.
pub struct FutureWriter<T: 'static> {
    pair: *const Pair<T>,
}

impl<T: 'static> FutureWriter<T> {
    /// # Safety
    /// It becomes the owner of the pair that its writer is.
    pub(super) unsafe fn new(pair: *const Pair<T>) -> FutureWriter<T> {
        FutureWriter { pair }
    }

    fn pair(&self) -> &Pair<T> {
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        let pair = unsafe { &*self.pair };
        pair.owner.check();
        pair
    }

    fn is_here(&self) -> bool {
        // SAFETY: as in `pair`; who owns a pair does not change.
        unsafe { (*self.pair).owner.is_here() }
    }

    /// Writes the value. The future ends when the reader has read it, or was dropped.
    pub fn write(self, value: T) -> FutureWrite<T> {
        FutureWrite { writer: Some(self), value: Some(value) }
    }

    /// Writes the value in the background.
    pub fn write_and_forget(self, value: T) {
        self.pair();
        let this = ManuallyDrop::new(self);
        // SAFETY: this was an owner, and nothing is in flight.
        unsafe { Pair::send(this.pair, value) }
    }
}

impl<T: 'static> Drop for FutureWriter<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: this was an owner, and nothing is in flight.
            unsafe { Pair::close_writer(self.pair) }
        }
    }
}

impl<T: 'static> fmt::Debug for FutureWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureWriter").field("handle", &self.pair().writer.handle.get()).finish()
    }
}

/// A write that is in progress: see [`FutureWriter::write`].
///
/// Dropping it gives the write up and drops the value; the default is written instead. [`FutureWrite::cancel`] gives
/// value and writer back.
#[must_use = "futures do nothing unless polled"]
pub struct FutureWrite<T: 'static> {
    /// `None` when the write has ended.
    writer: Option<FutureWriter<T>>,
    /// `None` when the write has started.
    value: Option<T>,
}

one_thread!(FutureWriter<T: 'static>);
one_thread!(holds FutureWrite<T: 'static>);

impl<T: 'static> Unpin for FutureWrite<T> {}

/// What a write came to that was given up, see [`FutureWrite::cancel`].
#[derive(Debug)]
pub enum FutureWriteCancel<T: 'static> {
    /// The reader has read the value.
    AlreadySent,
    /// The reader was dropped.
    Dropped(T),
    /// It was given up: the value, and the writer.
    Cancelled(T, FutureWriter<T>),
}

impl<T: 'static> FutureWrite<T> {
    /// Gives the write up: what it has come to by now.
    ///
    /// After the write has ended: [`FutureWriteCancel::AlreadySent`].
    pub fn cancel(mut self: Pin<&mut Self>) -> FutureWriteCancel<T> {
        self.end()
    }

    fn end(&mut self) -> FutureWriteCancel<T> {
        let Some(writer) = self.writer.take() else { return FutureWriteCancel::AlreadySent };
        if let Some(value) = self.value.take() {
            return FutureWriteCancel::Cancelled(value, writer);
        }
        match writer.pair().cancel_write() {
            Written::Taken => FutureWriteCancel::AlreadySent,
            Written::Dropped(value) => FutureWriteCancel::Dropped(value),
            Written::Cancelled(value) => FutureWriteCancel::Cancelled(value, writer),
        }
    }
}

impl<T: 'static> Future for FutureWrite<T> {
    type Output = Result<(), FutureWriteError<T>>;

    /// After the write has ended: `Ok`.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let value = self.value.take();
        let Some(writer) = &self.writer else { return Poll::Ready(Ok(())) };
        let written = match value {
            Some(value) => writer.pair().write(value, cx),
            None => writer.pair().poll_write(cx),
        };
        let Some(written) = written else { return Poll::Pending };
        self.writer = None;
        Poll::Ready(match written {
            Written::Taken => Ok(()),
            Written::Dropped(value) | Written::Cancelled(value) => Err(FutureWriteError { value }),
        })
    }
}

impl<T: 'static> Drop for FutureWrite<T> {
    fn drop(&mut self) {
        if self.writer.as_ref().is_some_and(|writer| !writer.is_here()) {
            return;
        }
        if let Some(writer) = &self.writer
            && writer.pair().writer.flight.get() == Flight::Remote
            && !copy::may_cancel()
        {
            // It cannot be given up here. Then the value is as good as the default.
            if let Some(writer) = self.writer.take().map(ManuallyDrop::new) {
                // SAFETY: a write is in flight, and this was an owner.
                unsafe { Pair::leave_write(writer.pair) }
            }
            return;
        }
        // Dropping the writer writes the default.
        drop(self.end());
    }
}

/// The reader was dropped before it had read the value.
pub struct FutureWriteError<T> {
    /// The value.
    pub value: T,
}

impl<T> fmt::Debug for FutureWriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureWriteError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for FutureWriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of the future was dropped")
    }
}

impl<T> core::error::Error for FutureWriteError<T> {}
