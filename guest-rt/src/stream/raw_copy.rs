//! Reads and writes in progress, without the type of their items.

use super::channel::Channel;
use super::channel::buf::RawBuf;
use crate::copy::{self, CANCELLED, COMPLETED, DROPPED, Wake};
use crate::later;
use crate::payload::Items;
use core::task::{Context, Poll, ready};

/// How far a read or a write is.
///
/// ```text
///            poll: it has to wait          poll: it has ended, cancel
///   Start ───────────────────────► Copying ─────────────────────────► Done
///     │                                                                ▲
///     └──────────────── poll: it ended at once, cancel ────────────────┘
/// ```
///
/// While it copies the channel has the buffer. What is done stays pending for ever.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Start,
    Copying,
    Done,
}

/// A read in progress.
pub(super) struct RawRead {
    pub(super) progress: Progress,
    /// The caller's buffer, while the channel does not have it.
    pub(super) buf: RawBuf,
}

impl RawRead {
    /// Reads. After the read has ended this is pending for ever.
    #[inline(never)]
    pub(super) fn poll(&mut self, channel: Option<&Channel>, cx: &Context<'_>) -> Poll<u32> {
        if self.progress == Progress::Done {
            return Poll::Pending;
        }
        let Some(channel) = channel else { return Poll::Ready(self.ended(DROPPED)) };
        // Code of users, and so before anything is read. What is displaced by it is dropped in the end.
        let mut wake = Wake::of(cx);
        match self.progress {
            Progress::Done => Poll::Pending,
            Progress::Start => self.start(channel, &mut wake),
            Progress::Copying => match channel.poll_read(&mut wake) {
                Some((code, buf)) => {
                    self.buf = buf;
                    Poll::Ready(self.ended(code))
                }
                None => Poll::Pending,
            },
        }
    }

    fn start(&mut self, channel: &Channel, wake: &mut Wake) -> Poll<u32> {
        // Items that are there come first, and a read that was given up without an end.
        if !channel.has_items() && channel.reader.is_copying() && channel.fill_for(wake).is_pending() {
            return Poll::Pending;
        }
        let mut own = channel.own.get();
        if own.rest() > 0 {
            // SAFETY: both hold items of the channel's type.
            let count = unsafe { own.move_to(&mut self.buf, &channel.items) };
            channel.own.set(own);
            return Poll::Ready(self.ended(copy::code(COMPLETED, count)));
        }
        if channel.reader.finished.get() {
            return Poll::Ready(self.ended(DROPPED));
        }
        let Some(reading) = channel.reading else { return self.start_locally(channel, wake) };
        match channel.read_remotely(reading, &mut self.buf, usize::MAX, false, wake) {
            Some(code) => Poll::Ready(self.ended(code)),
            None => {
                self.progress = Progress::Copying;
                Poll::Pending
            }
        }
    }

    #[inline(never)]
    fn start_locally(&mut self, channel: &Channel, wake: &mut Wake) -> Poll<u32> {
        let (code, ready) = channel.read_locally(&mut self.buf, usize::MAX, false, wake);
        self.progress = if code.is_some() { Progress::Done } else { Progress::Copying };
        ready.wake();
        code.map_or(Poll::Pending, Poll::Ready)
    }

    fn ended(&mut self, code: u32) -> u32 {
        self.progress = Progress::Done;
        code
    }

    /// Cancels the read. Returns what it has come to; the buffer is here then. One that cannot be cancelled here goes on,
    /// for the reader: then there is a buffer with what was in the other one before.
    #[inline(never)]
    pub(super) fn cancel(&mut self, channel: Option<&Channel>) -> u32 {
        let mut code = CANCELLED;
        let _waited;
        if self.progress == Progress::Copying
            && let Some(channel) = channel
        {
            if channel.reader.can_cancel() {
                (code, self.buf, _waited) = channel.cancel_read();
            } else {
                self.buf = channel.leave_read();
            }
        }
        self.ended(code)
    }

    /// Abandons the read: its future is dropped.
    ///
    /// # Safety
    /// The items are of this type.
    #[inline(never)]
    pub(super) unsafe fn abandon(&mut self, channel: Option<&Channel>, items: &Items) {
        let progress = core::mem::replace(&mut self.progress, Progress::Done);
        match channel {
            // SAFETY: the read is this one, whose buffer the channel has.
            Some(channel) if progress == Progress::Copying => unsafe { channel.abandon_read() },
            // SAFETY: the buffer is ours; the caller promises that its items are of this type.
            _ => unsafe { core::mem::replace(&mut self.buf, RawBuf::EMPTY).free(items) },
        }
    }
}

/// Items to write.
pub(super) struct RawItems {
    pub(super) buf: RawBuf,
    /// Under which their canonical values are found again, in the area of the channel that they were written to.
    pub(super) stamp: u64,
}

impl RawItems {
    pub(super) const NONE: RawItems = RawItems { buf: RawBuf::EMPTY, stamp: 0 };

    pub(super) fn new(buf: RawBuf) -> RawItems {
        RawItems { buf, stamp: 0 }
    }
}

/// A write in progress, of items of the channel's type.
pub(super) struct RawWrite<'a> {
    pub(super) channel: &'a Channel,
    pub(super) progress: Progress,
    /// What is to be written, while the channel does not have it.
    pub(super) items: RawItems,
}

impl<'a> RawWrite<'a> {
    /// A write that has not started.
    pub(super) fn new(channel: &'a Channel, items: RawItems) -> RawWrite<'a> {
        RawWrite { channel, progress: Progress::Start, items }
    }

    /// The write that the writer goes on with.
    pub(super) fn resume(channel: &'a Channel) -> RawWrite<'a> {
        RawWrite { channel, progress: Progress::Copying, items: RawItems::NONE }
    }

    /// Writes. After the write has ended this is pending for ever.
    #[inline(never)]
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<u32> {
        if self.progress == Progress::Done {
            return Poll::Pending;
        }
        self.channel.owner.check();
        // Code of users, and so before anything is read. What is displaced by it is dropped in the end.
        self.poll_for(&mut Wake::of(cx))
    }

    /// The same for `wake`, who is parked only when this is pending. What it is then is to be dropped last.
    #[inline(never)]
    fn poll_for(&mut self, wake: &mut Wake) -> Poll<u32> {
        let channel = self.channel;
        channel.owner.check();
        if channel.reader.open.get() {
            return self.poll_here(wake);
        }
        let code = match self.progress {
            Progress::Start => {
                ready!(self.before(wake));
                if channel.writer.finished.get() {
                    Some(DROPPED)
                } else {
                    channel.write_away(&mut self.items.buf, &mut self.items.stamp, wake)
                }
            }
            Progress::Copying => {
                let Some((code, buf)) = channel.poll_write(wake) else { return Poll::Pending };
                self.items.buf = buf;
                Some(code)
            }
            Progress::Done => return Poll::Pending,
        };
        self.ended(code, Wake::nobody())
    }

    /// The same while the reader is in this component.
    #[inline(never)]
    fn poll_here(&mut self, wake: &mut Wake) -> Poll<u32> {
        let channel = self.channel;
        let _stale;
        let (code, ready) = match self.progress {
            Progress::Start => {
                ready!(self.before(wake));
                if channel.writer.finished.get() {
                    (Some(DROPPED), Wake::nobody())
                } else {
                    channel.write_here(&mut self.items.buf, &mut self.items.stamp, wake)
                }
            }
            Progress::Copying => {
                let Some((code, buf)) = channel.poll_write(wake) else { return Poll::Pending };
                self.items.buf = buf;
                // Nobody waits any more.
                _stale = channel.writer.pending.unpark();
                (Some(code), Wake::nobody())
            }
            Progress::Done => return Poll::Pending,
        };
        self.ended(code, ready)
    }

    /// What the writer goes on with comes first: it was accepted, or could not be cancelled.
    #[inline(always)]
    fn before(&self, wake: &mut Wake) -> Poll<()> {
        if self.channel.writer.is_copying() { finish_kept(self.channel, wake) } else { Poll::Ready(()) }
    }

    /// Notes what a step has come to, and only then runs code of users.
    #[inline(always)]
    fn ended(&mut self, code: Option<u32>, ready: Wake) -> Poll<u32> {
        self.progress = if code.is_some() { Progress::Done } else { Progress::Copying };
        ready.wake();
        later::settle();
        let Some(code) = code else { return Poll::Pending };
        // SAFETY: the write has just ended, and this is its buffer.
        unsafe { self.channel.drop_taken(&self.items.buf, code) }
        Poll::Ready(code)
    }

    /// Writes all, again and again, until the reader was dropped. It is done when it has returned `DROPPED`, or nothing is
    /// left.
    #[inline]
    pub(super) fn poll_all(&mut self, cx: &Context<'_>) -> Poll<u32> {
        self.poll_all_for(&mut Wake::of(cx))
    }

    /// The same for `wake`, who is parked only when this is pending. What it is then is to be dropped last.
    #[inline(never)]
    fn poll_all_for(&mut self, wake: &mut Wake) -> Poll<u32> {
        loop {
            if self.progress != Progress::Copying {
                if self.items.buf.rest() == 0 {
                    return Poll::Ready(COMPLETED);
                }
                self.progress = Progress::Start;
            }
            if ready!(self.poll_for(wake)) & 15 == DROPPED && self.items.buf.rest() > 0 {
                return Poll::Ready(DROPPED);
            }
        }
    }

    /// Writes all that the writer goes on with, as `poll_all` does. It goes on when this is not polled any more.
    pub(super) fn poll_all_kept(mut self, wake: &mut Wake) -> Poll<RawItems> {
        let polled = self.poll_all_for(wake);
        self.progress = Progress::Done;
        polled.map(|_| core::mem::replace(&mut self.items, RawItems::NONE))
    }

    /// Cancels the write. Returns what it has come to; what was not written is here then. The writer goes on with one that
    /// cannot be cancelled here.
    #[inline(never)]
    pub(super) fn cancel(&mut self) -> u32 {
        self.channel.owner.check();
        let progress = core::mem::replace(&mut self.progress, Progress::Done);
        if progress != Progress::Copying || !self.channel.writer.can_cancel() {
            return CANCELLED;
        }
        let (code, buf, _waited) = self.channel.cancel_write();
        self.items.buf = buf;
        // SAFETY: the write has just ended, and this is its buffer.
        unsafe { self.channel.drop_taken(&self.items.buf, code) }
        code
    }

    /// Abandons the write: its future is dropped. What cannot be cancelled here the writer goes on with.
    #[inline(never)]
    fn abandon(&mut self) {
        self.cancel();
        // SAFETY: the items are of the channel's type.
        unsafe { core::mem::replace(&mut self.items.buf, RawBuf::EMPTY).free(&self.channel.items) }
    }
}

impl Drop for RawWrite<'_> {
    #[inline]
    fn drop(&mut self) {
        // What has ended leaves nothing.
        if (self.progress != Progress::Done || self.items.buf.cap != 0) && self.channel.owner.is_here() {
            self.abandon();
        }
    }
}

/// Finishes the write that the writer goes on with: all of it is taken then, or the reader was dropped.
#[inline(never)]
pub(super) fn finish_kept(channel: &Channel, wake: &mut Wake) -> Poll<()> {
    let rest = ready!(RawWrite::resume(channel).poll_all_kept(wake));
    // SAFETY: the items are of the channel's type.
    unsafe { rest.buf.free(&channel.items) }
    Poll::Ready(())
}
