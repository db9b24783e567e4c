//! Reading into a buffer of the caller.

use super::buf::RawBuf;
use super::channel::Channel;
use super::{StreamReader, StreamResult};
use crate::copy::{self, CANCELLED, DROPPED, Flight};
use crate::owner::one_thread;
use crate::payload::Items;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// A read that is in progress: see [`StreamReader::read`].
///
/// Dropping it gives the read up. Items that have arrived by then come out of the next read; what was in the buffer
/// before is dropped with it.
#[must_use = "futures do nothing unless polled"]
pub struct StreamRead<'a, T> {
    reader: &'a mut StreamReader<T>,
    read: RawRead,
}

/// A read without the type of its items.
struct RawRead {
    state: State,
    /// The caller's buffer, while the channel does not have it.
    buf: RawBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Flying,
    Done,
}

one_thread!(holds StreamRead<'a, T>);

impl<T> Unpin for StreamRead<'_, T> {}

impl<'a, T> StreamRead<'a, T> {
    #[inline]
    pub(super) fn new(reader: &'a mut StreamReader<T>, buf: Vec<T>) -> Self {
        StreamRead { reader, read: RawRead { state: State::Start, buf: RawBuf::from_vec(buf) } }
    }

    /// Gives the read up: what it has come to by now, and the buffer.
    ///
    /// After the read has ended: [`StreamResult::Cancelled`] and an empty buffer.
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
}

impl<T> Future for StreamRead<'_, T> {
    type Output = (StreamResult, Vec<T>);

    /// After the read has ended: [`StreamResult::Cancelled`] and an empty buffer.
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
        if (self.read.state != State::Done || self.read.buf.cap != 0) && self.reader.is_here() {
            // SAFETY: the items are of this type.
            unsafe { self.read.give_up(self.reader.channel(), &const { Items::of::<T>() }) }
        }
    }
}

impl RawRead {
    #[inline(never)]
    fn poll(&mut self, channel: Option<&Channel>, cx: &mut Context<'_>) -> Poll<u32> {
        let Some(channel) = channel else { return Poll::Ready(self.ended(DROPPED)) };
        match self.state {
            State::Start => self.start(channel, cx),
            State::Flying => match channel.poll_read(cx) {
                Some((code, buf)) => {
                    self.buf = buf;
                    Poll::Ready(self.ended(code))
                }
                None => Poll::Pending,
            },
            State::Done => Poll::Ready(CANCELLED),
        }
    }

    fn start(&mut self, channel: &Channel, cx: &mut Context<'_>) -> Poll<u32> {
        // Items that are there come first, and a read that was given up without an end.
        if !channel.has_items() && channel.reader.pending.flight.get() != Flight::Idle && channel.fill(cx).is_pending()
        {
            return Poll::Pending;
        }
        let mut own = channel.own.get();
        let code = if own.rest() > 0 {
            // SAFETY: both hold items of the channel's type.
            let count = unsafe { own.move_to(&mut self.buf, &channel.items) };
            channel.own.set(own);
            copy::code(copy::COMPLETED, count)
        } else if channel.reader.finished.get() {
            DROPPED
        } else {
            match channel.read(&mut self.buf, usize::MAX, false, cx) {
                Some(code) => code,
                None => {
                    self.state = State::Flying;
                    return Poll::Pending;
                }
            }
        };
        Poll::Ready(self.ended(code))
    }

    fn ended(&mut self, code: u32) -> u32 {
        self.state = State::Done;
        code
    }

    #[inline(never)]
    fn cancel(&mut self, channel: Option<&Channel>) -> u32 {
        if self.state == State::Flying
            && let Some(channel) = channel
        {
            let (code, buf) = channel.cancel_read();
            self.buf = buf;
            return self.ended(code);
        }
        self.ended(CANCELLED)
    }

    /// The future is dropped.
    ///
    /// # Safety
    /// The items are of this type.
    #[inline(never)]
    unsafe fn give_up(&mut self, channel: Option<&Channel>, items: &Items) {
        // SAFETY: the caller's promise; the channel has items of this type.
        unsafe {
            match channel {
                Some(channel) if self.state == State::Flying => channel.abandon_read(),
                _ => core::mem::replace(&mut self.buf, RawBuf::EMPTY).free(items),
            }
        }
    }
}
