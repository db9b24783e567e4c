//! Reading into a buffer of the caller.

use super::buf::RawBuf;
use super::{StreamReader, StreamResult};
use crate::copy::{self, CANCELLED, DROPPED, Flight, one_thread};
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
    state: State<T>,
}

enum State<T> {
    Start(Vec<T>),
    /// The reader's channel has the buffer.
    Flying,
    Done,
}

one_thread!(StreamRead<'a, T>);

impl<T> Unpin for StreamRead<'_, T> {}

impl<'a, T> StreamRead<'a, T> {
    pub(super) fn new(reader: &'a mut StreamReader<T>, buf: Vec<T>) -> Self {
        StreamRead { reader, state: State::Start(buf) }
    }

    fn start(&mut self, buf: Vec<T>, cx: &mut Context<'_>) -> Poll<(StreamResult, Vec<T>)> {
        let Some(channel) = self.reader.channel() else { return Poll::Ready((StreamResult::Dropped, buf)) };
        // Items that are there come first, and a read that was given up without an end.
        if channel.own.get().rest() == 0
            && channel.reader.pending.flight.get() != Flight::Idle
            && StreamReader::<T>::fill(channel, cx).is_pending()
        {
            self.state = State::Start(buf);
            return Poll::Pending;
        }
        let mut buf = RawBuf::from_vec(buf);
        let mut own = channel.own.get();
        let code = if own.rest() > 0 {
            // SAFETY: both hold items of this type.
            let count = unsafe { own.move_to(&mut buf, &Items::of::<T>()) };
            channel.own.set(own);
            copy::code(copy::COMPLETED, count)
        } else if channel.reader.finished.get() {
            DROPPED
        } else {
            match channel.read(&mut buf, usize::MAX, false, cx) {
                Some(code) => code,
                None => {
                    self.state = State::Flying;
                    return Poll::Pending;
                }
            }
        };
        // SAFETY: it was made of a vector of this type.
        Poll::Ready((StreamResult::from_code(code), unsafe { buf.into_vec() }))
    }

    /// Gives the read up: what it has come to by now, and the buffer.
    ///
    /// After the read has ended: [`StreamResult::Cancelled`] and an empty buffer.
    pub fn cancel(mut self: Pin<&mut Self>) -> (StreamResult, Vec<T>) {
        match core::mem::replace(&mut self.state, State::Done) {
            State::Start(buf) => (StreamResult::Cancelled, buf),
            State::Flying => self.land(),
            State::Done => (StreamResult::Cancelled, Vec::new()),
        }
    }

    fn land(&mut self) -> (StreamResult, Vec<T>) {
        let (code, buf) = match self.reader.channel() {
            Some(channel) => channel.cancel_read(),
            None => (CANCELLED, RawBuf::EMPTY),
        };
        // SAFETY: it was made of a vector of this type.
        (StreamResult::from_code(code), unsafe { buf.into_vec() })
    }
}

impl<T> Future for StreamRead<'_, T> {
    type Output = (StreamResult, Vec<T>);

    /// After the read has ended: [`StreamResult::Cancelled`] and an empty buffer.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match core::mem::replace(&mut self.state, State::Done) {
            State::Start(buf) => self.start(buf, cx),
            State::Flying => {
                self.state = State::Flying;
                let landed = match self.reader.channel() {
                    Some(channel) => match channel.poll_read(cx) {
                        Some(landed) => Poll::Ready(landed),
                        None => Poll::Pending,
                    },
                    None => Poll::Ready((DROPPED, RawBuf::EMPTY)),
                };
                let (code, buf) = ready!(landed);
                self.state = State::Done;
                // SAFETY: it was made of a vector of this type.
                Poll::Ready((StreamResult::from_code(code), unsafe { buf.into_vec() }))
            }
            State::Done => Poll::Ready((StreamResult::Cancelled, Vec::new())),
        }
    }
}

impl<T> Drop for StreamRead<'_, T> {
    fn drop(&mut self) {
        if !matches!(self.state, State::Flying) {
            return;
        }
        let Some(channel) = self.reader.channel() else { return };
        if channel.reader.pending.flight.get() == Flight::Remote && !copy::may_cancel() {
            // It goes on, for the reader. What was in the buffer before is nobody's any more.
            let mut buf = channel.reader.buf.get();
            // SAFETY: the items are of this type, and the read fills what is behind them.
            unsafe { buf.drop_first(buf.len, &Items::of::<T>()) }
            return;
        }
        let (code, mut buf) = channel.cancel_read();
        // SAFETY: the items are of this type.
        unsafe {
            buf.drop_first(buf.len - copy::count(code), &Items::of::<T>());
            channel.own.replace(buf).free(&Items::of::<T>());
        }
    }
}
