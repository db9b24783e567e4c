//! The writable end.

use super::pair::{Pair, Written};
use crate::copy::{CopyState, Wake};
use crate::later;
use crate::owner::{Owner, one_thread};
use crate::task::current;
use core::fmt;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The writable end of a future.
///
/// Dropping it without having written writes the default that it was made with, in the background. The default is not
/// asked for when it is not read.
///
/// Natively it may be sent to another thread, but is used on the one that it was made on: elsewhere using it panics, and
/// dropping it does nothing.
pub struct FutureWriter<T: 'static> {
    pair: *const Pair<T>,
    owner: Owner,
}

impl<T: 'static> FutureWriter<T> {
    /// # Safety
    /// It becomes the owner of the pair that its writer is.
    pub(super) unsafe fn new(pair: *const Pair<T>) -> FutureWriter<T> {
        FutureWriter { pair, owner: Owner::here() }
    }

    #[track_caller]
    fn pair(&self) -> &Pair<T> {
        self.owner.check();
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        unsafe { &*self.pair }
    }

    /// Writes the value. The future ends when the reader has read it, or was dropped.
    pub fn write(self, value: T) -> FutureWrite<T> {
        FutureWrite { writer: Some(self), value: Some(value) }
    }

    /// Writes the value in the background.
    pub fn write_and_forget(self, value: T) {
        self.owner.check();
        let this = ManuallyDrop::new(self);
        // SAFETY: this was the owner that the writer is, and is not used again. Nothing was written.
        unsafe { Pair::send(this.pair, value) }
    }
}

impl<T: 'static> Drop for FutureWriter<T> {
    fn drop(&mut self) {
        if self.owner.is_here() {
            // SAFETY: this was the owner that the writer is, and is not used again. A write has the writer as long as it is
            // in flight, so none is.
            unsafe { Pair::close_writer(self.pair) }
        }
    }
}

impl<T: 'static> fmt::Debug for FutureWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.owner.is_here() {
            return f.debug_struct("FutureWriter").finish_non_exhaustive();
        }
        f.debug_struct("FutureWriter").field("handle", &self.pair().writer.handle.get()).finish()
    }
}

/// A write that is in progress: see [`FutureWriter::write`].
///
/// Dropping it cancels the write and drops the value; the default is written instead. [`FutureWrite::cancel`] gives
/// value and writer back. Where nothing can be cancelled, in a synchronous export, the value is written.
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

/// What a write came to that was cancelled, see [`FutureWrite::cancel`].
#[derive(Debug)]
pub enum FutureWriteCancel<T: 'static> {
    /// The reader has read the value.
    AlreadySent,
    /// The reader was dropped.
    Dropped(T),
    /// It was cancelled: the value, and the writer.
    Cancelled(T, FutureWriter<T>),
}

impl<T: 'static> FutureWrite<T> {
    /// Cancels the write. Returns what it has come to by now.
    ///
    /// After the write has ended, that is [`FutureWriteCancel::AlreadySent`].
    pub fn cancel(mut self: Pin<&mut Self>) -> FutureWriteCancel<T> {
        self.stop()
    }

    fn stop(&mut self) -> FutureWriteCancel<T> {
        if let Some(writer) = &self.writer {
            writer.owner.check();
        }
        let Some(writer) = self.writer.take() else { return FutureWriteCancel::AlreadySent };
        if let Some(value) = self.value.take() {
            return FutureWriteCancel::Cancelled(value, writer);
        }
        let (written, _waited) = writer.pair().cancel_write();
        match written {
            Written::Taken(last) => {
                drop(writer);
                last.run();
                FutureWriteCancel::AlreadySent
            }
            Written::Dropped(value) => FutureWriteCancel::Dropped(value),
            Written::Cancelled(value) => FutureWriteCancel::Cancelled(value, writer),
        }
    }
}

impl<T: 'static> Future for FutureWrite<T> {
    type Output = Result<(), FutureWriteError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(writer) = &this.writer else { return Poll::Pending };
        writer.owner.check();
        // Code of users, and so before the value leaves this. What is displaced by it is dropped in the end.
        let mut wake = Wake::of(cx);
        let written = match this.value.take() {
            Some(value) => {
                let written = writer.pair().write(value, &mut wake);
                later::settle();
                written
            }
            None => writer.pair().poll_write(&mut wake),
        };
        let Some(written) = written else { return Poll::Pending };
        // This has ended before the reader is woken, which is code of users.
        drop(this.writer.take());
        Poll::Ready(match written {
            Written::Taken(last) => {
                last.run();
                Ok(())
            }
            Written::Dropped(value) | Written::Cancelled(value) => Err(FutureWriteError { value }),
        })
    }
}

#[cfg(feature = "futures-stream")]
impl<T: 'static> futures_core::FusedFuture for FutureWrite<T> {
    fn is_terminated(&self) -> bool {
        self.writer.is_none()
    }
}

impl<T: 'static> Drop for FutureWrite<T> {
    fn drop(&mut self) {
        let Some(writer) = &self.writer else { return };
        if !writer.owner.is_here() {
            return;
        }
        if writer.pair().writer.state.get() == CopyState::Engine && !current::may_block() {
            // It cannot be cancelled here. Then the value is as good as the default.
            if let Some(writer) = self.writer.take().map(ManuallyDrop::new) {
                // SAFETY: a write is in flight. This was the owner that the writer is, and is not used again.
                unsafe { Pair::detach_write(writer.pair) }
            }
            return;
        }
        // Dropping the writer writes the default.
        drop(self.stop());
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
