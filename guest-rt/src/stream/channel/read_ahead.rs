//! Items that a reader has read and that nobody has asked for yet.

use super::Channel;
use super::buf::RawBuf;
use crate::copy::{self, Wake};
use core::task::{Context, Poll};

impl Channel {
    /// Returns how many items are read ahead at most: about a page, but not too few.
    pub(crate) fn most_ahead(&self) -> usize {
        crate::stream::page(self.items.size)
    }

    /// Whether items were read that nobody has asked for yet.
    pub(crate) fn has_items(&self) -> bool {
        self.own.get().rest() > 0
    }

    /// Whether the last item was read, and asked for.
    #[cfg(feature = "futures-stream")]
    pub(crate) fn is_at_end(&self) -> bool {
        self.reader.finished.get() && !self.has_items() && !self.reader.is_copying()
    }

    /// Sees to it that there are such items. Returns false after the last one.
    #[inline]
    pub(crate) fn fill(&self, cx: &Context<'_>) -> Poll<bool> {
        if self.has_items() {
            return Poll::Ready(true);
        }
        self.fill_for(&mut Wake::of(cx))
    }

    /// The same for `wake`, who is parked only when this is pending. What it is then is to be dropped last.
    #[inline(never)]
    pub(crate) fn fill_for(&self, wake: &mut Wake) -> Poll<bool> {
        loop {
            if self.has_items() {
                return Poll::Ready(true);
            }
            let mut ready = Wake::nobody();
            let code = if self.reader.is_copying() {
                self.adopt_read();
                match self.poll_read(wake) {
                    Some((code, own)) => {
                        self.own.set(own);
                        Some(code)
                    }
                    None => return Poll::Pending,
                }
            } else if self.reader.finished.get() {
                return Poll::Ready(false);
            } else {
                let mut own = self.cleared();
                let code = match self.reading {
                    Some(reading) => self.read_remotely(reading, &mut own, self.ahead.get(), true, wake),
                    None => {
                        let code;
                        (code, ready) = self.read_locally(&mut own, self.ahead.get(), true, wake);
                        code
                    }
                };
                if code.is_some() {
                    self.own.set(own);
                }
                code
            };
            if let Some(code) = code
                && copy::count(code) >= self.ahead.get()
            {
                self.ahead.set((self.ahead.get() * 2).min(self.most_ahead()));
            }
            ready.wake();
            if code.is_none() {
                return Poll::Pending;
            }
        }
    }

    /// Returns the buffer of items to read ahead, which is empty, with as much room as shall be read.
    #[inline(never)]
    fn cleared(&self) -> RawBuf {
        let mut own = self.own.replace(RawBuf::EMPTY);
        let ahead = self.ahead.get();
        (own.head, own.len) = (0, 0);
        if own.cap < ahead {
            // SAFETY: it holds nothing, and is storage for items of this type.
            unsafe { own.free(&self.items) }
            own = RawBuf::with_capacity(ahead, &self.items);
        }
        own
    }

    /// Makes the read that goes on one of the reader itself, if it was one of a future that was forgotten, or could not
    /// be cancelled. Returns where the items lie that the future had before, and how many: they are nobody's now.
    #[inline(never)]
    fn adopt_read(&self) -> (*mut u8, usize) {
        if self.into_own.replace(true) {
            return (core::ptr::null_mut(), 0);
        }
        let mut buf = self.reader.buf.replace(RawBuf::EMPTY);
        let before = (buf.first(&self.items), buf.rest());
        buf.head = buf.len;
        let old = self.own.replace(buf);
        // SAFETY: nothing was read ahead when that read was started: this is only storage, for items of this type.
        unsafe { old.free(&self.items) }
        before
    }

    /// Ends the read that goes on, if there is one; what it brings stays with the reader. Returns who waited, to be
    /// dropped last.
    #[inline(never)]
    pub(crate) fn end_read(&self) -> Wake {
        if !self.reader.is_copying() {
            return Wake::nobody();
        }
        self.adopt_read();
        let (_, own, waited) = self.cancel_read();
        self.own.set(own);
        waited
    }

    /// Leaves the read of a future to the reader, for which it goes on. Returns what the future had in its buffer before, in
    /// another one.
    pub(crate) fn leave_read(&self) -> RawBuf {
        let (first, count) = self.adopt_read();
        if count == 0 {
            return RawBuf::EMPTY;
        }
        let mut buf = RawBuf::with_capacity(count, &self.items);
        // SAFETY: this many items lie there, which are nobody's, and there is room for them in other storage.
        unsafe { buf.ptr.copy_from_nonoverlapping(first, count * self.items.size) }
        buf.len = count;
        buf
    }

    /// Abandons the read of a future that is dropped: what has arrived stays with the reader.
    ///
    /// # Safety
    /// The read that goes on is that of the future, whose items the buffer had before.
    pub(crate) unsafe fn abandon_read(&self) {
        let (first, count) = self.adopt_read();
        // Where it cannot be cancelled it goes on, for the reader.
        let _waited = self.reader.can_cancel().then(|| self.end_read());
        if count > 0 {
            // SAFETY: the items were the future's, and are in front of what the buffer holds now. The reader is borrowed by
            // the future until this returns: so nobody moves the buffer meanwhile.
            unsafe { self.items.drop_many(first, count) }
        }
    }
}
