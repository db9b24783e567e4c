//! Items that a reader has read and that nobody has asked for yet.

use super::buf::RawBuf;
use super::channel::Channel;
use crate::copy::{self, Flight};
use crate::task::current;
use core::task::{Context, Poll};

impl Channel {
    /// So many items are read ahead at most: about a page, but not too few.
    pub(super) fn most_ahead(&self) -> usize {
        super::page(self.items.size)
    }

    /// Items were read that nobody has asked for yet.
    pub(super) fn has_items(&self) -> bool {
        self.own.get().rest() > 0
    }

    /// Sees to it that there are such items. False after the last one.
    #[inline(never)]
    pub(super) fn fill(&self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if self.has_items() {
                return Poll::Ready(true);
            }
            let (code, own) = if self.reader.pending.flight.get() != Flight::Idle {
                self.adopt_flight();
                match self.poll_read(cx) {
                    Some(landed) => landed,
                    None => return Poll::Pending,
                }
            } else if self.reader.finished.get() {
                return Poll::Ready(false);
            } else {
                let mut own = self.cleared();
                match self.read(&mut own, self.ahead.get(), true, cx) {
                    Some(code) => (code, own),
                    None => return Poll::Pending,
                }
            };
            self.own.set(own);
            if copy::count(code) >= self.ahead.get() {
                self.ahead.set((self.ahead.get() * 2).min(self.most_ahead()));
            }
        }
    }

    /// The buffer of items to read ahead, which is empty, with as much room as shall be read.
    #[inline(never)]
    fn cleared(&self) -> RawBuf {
        let mut own = self.own.replace(RawBuf::EMPTY);
        let ahead = self.ahead.get();
        if own.cap < ahead {
            // SAFETY: the items are of the channel's type.
            unsafe { own.free(&self.items) }
            own = RawBuf::with_capacity(ahead, &self.items);
        }
        own.head = 0;
        own.len = 0;
        own
    }

    /// The read in flight is one of the reader itself from now on, if it was one of a future that was forgotten, or
    /// could not be cancelled.
    #[inline(never)]
    fn adopt_flight(&self) {
        if !self.into_own.replace(true) {
            let mut buf = self.reader.buf.replace(RawBuf::EMPTY);
            // These belonged to the future.
            buf.head = buf.len;
            let old = self.own.replace(buf);
            // SAFETY: the items are of the channel's type.
            unsafe { old.free(&self.items) }
        }
    }

    /// Ends a read that is in flight; what it brings stays with the reader.
    #[inline(never)]
    pub(super) fn settle(&self) {
        if self.reader.pending.flight.get() != Flight::Idle {
            self.adopt_flight();
            let (_, own) = self.cancel_read();
            self.own.set(own);
        }
    }

    /// The future of a read in flight is dropped: what has arrived stays with the reader.
    ///
    /// # Safety
    /// The buffer is one of that future.
    pub(super) unsafe fn abandon_read(&self) {
        // SAFETY: the items are of the channel's type. Those that were in the buffer before go with the future.
        unsafe {
            if self.reader.pending.flight.get() == Flight::Remote && !current::may_block() {
                // It goes on, for the reader, and fills what is behind them.
                let mut buf = self.reader.buf.get();
                buf.drop_first(buf.len, &self.items);
                return;
            }
            let (code, mut buf) = self.cancel_read();
            buf.drop_first(buf.len - copy::count(code), &self.items);
            self.own.replace(buf).free(&self.items);
        }
    }
}
