//! Writing from a buffer.

use super::buf::RawBuf;
use super::channel::Channel;
use super::{StreamResult, StreamWriter};
use crate::copy::{self, CANCELLED, COMPLETED, DROPPED, Flight};
use crate::owner::one_thread;
use crate::payload::Items;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// Items to write, of which some may have been written.
///
/// A write gives it back. It can be written again, by [`StreamWriter::write_buf`], without moving anything.
pub struct AbiBuffer<T> {
    raw: RawItems,
    items: PhantomData<T>,
}

/// The same without the type of the items.
struct RawItems {
    buf: RawBuf,
    /// See `Channel::stamp`.
    stamp: u64,
}

impl RawItems {
    const NONE: RawItems = RawItems { buf: RawBuf::EMPTY, stamp: 0 };
}

one_thread!(holds AbiBuffer<T>, StreamWrite<'a, T>, WriteFrom<'a, T>);

impl<T> AbiBuffer<T> {
    pub(super) fn new(items: Vec<T>) -> AbiBuffer<T> {
        AbiBuffer { raw: RawItems { buf: RawBuf::from_vec(items), stamp: 0 }, items: PhantomData }
    }

    fn take_raw(self) -> RawItems {
        let mut this = ManuallyDrop::new(self);
        core::mem::replace(&mut this.raw, RawItems::NONE)
    }

    /// The items that were not written, in the vector that they came in.
    pub fn into_vec(self) -> Vec<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: it was made of a vector of this type.
        unsafe { this.raw.buf.into_vec() }
    }

    /// How many items were not written.
    pub fn remaining(&self) -> usize {
        self.raw.buf.rest()
    }
}

impl<T> Drop for AbiBuffer<T> {
    fn drop(&mut self) {
        // SAFETY: it was made of a vector of this type.
        unsafe { self.raw.buf.free(&const { Items::of::<T>() }) }
    }
}

impl<T> fmt::Debug for AbiBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbiBuffer").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

/// A write that is in progress: see [`StreamWriter::write`].
///
/// Dropping it gives the write up, and drops the items that were not written; [`StreamWrite::cancel`] gives them back.
#[must_use = "futures do nothing unless polled"]
pub struct StreamWrite<'a, T> {
    write: RawWrite<'a>,
    writer: PhantomData<&'a mut StreamWriter<T>>,
}

/// A write without the type of its items, which is that of its channel.
pub(super) struct RawWrite<'a> {
    channel: &'a Channel,
    state: State,
    /// What is to be written, while the channel does not have it.
    items: RawItems,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Flying,
    Done,
}

impl<T> Unpin for StreamWrite<'_, T> {}

impl<'a, T> StreamWrite<'a, T> {
    #[inline]
    pub(super) fn new(writer: &'a mut StreamWriter<T>, buf: AbiBuffer<T>) -> Self {
        let write = RawWrite { channel: writer.channel(), state: State::Start, items: buf.take_raw() };
        StreamWrite { write, writer: PhantomData }
    }

    /// The write that is in flight.
    pub(super) fn resume(writer: &'a mut StreamWriter<T>) -> Self {
        let write = RawWrite { channel: writer.channel(), state: State::Flying, items: RawItems::NONE };
        StreamWrite { write, writer: PhantomData }
    }

    /// Gives the write up: what it has come to by now, and the items that were not written.
    ///
    /// After the write has ended: [`StreamResult::Cancelled`] and nothing.
    pub fn cancel(mut self: Pin<&mut Self>) -> (StreamResult, AbiBuffer<T>) {
        self.end()
    }

    pub(super) fn end(&mut self) -> (StreamResult, AbiBuffer<T>) {
        let code = self.write.cancel();
        (StreamResult::from_code(code), self.rest())
    }

    /// What was not written.
    #[inline]
    fn rest(&mut self) -> AbiBuffer<T> {
        AbiBuffer { raw: core::mem::replace(&mut self.write.items, RawItems::NONE), items: PhantomData }
    }

    /// Polls until all is written: what is left because the reader was dropped.
    #[inline]
    pub(super) fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Vec<T>> {
        ready!(self.write.poll_all(cx));
        Poll::Ready(self.rest().into_vec())
    }

    /// Polls; when that is pending, the writer goes on with the write even if this is dropped.
    pub(super) fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<(StreamResult, AbiBuffer<T>)> {
        let polled = self.step(cx);
        self.write.state = State::Done;
        polled
    }

    #[inline]
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<(StreamResult, AbiBuffer<T>)> {
        let code = ready!(self.write.poll(cx));
        Poll::Ready((StreamResult::from_code(code), self.rest()))
    }
}

impl<T> Future for StreamWrite<'_, T> {
    type Output = (StreamResult, AbiBuffer<T>);

    /// After the write has ended: [`StreamResult::Cancelled`] and nothing.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.step(cx)
    }
}

impl Drop for RawWrite<'_> {
    #[inline]
    fn drop(&mut self) {
        // What has ended leaves nothing.
        if self.state != State::Done || self.items.buf.cap != 0 {
            self.give_up();
        }
    }
}

impl<'a> RawWrite<'a> {
    /// A write of items of the channel's type.
    pub(super) fn new(channel: &'a Channel, items: RawBuf) -> RawWrite<'a> {
        RawWrite { channel, state: State::Start, items: RawItems { buf: items, stamp: 0 } }
    }

    #[inline(never)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<u32> {
        let channel = self.channel;
        channel.owner.check();
        let code = match self.state {
            State::Start => {
                channel.drop_forgotten_write();
                if channel.writer.finished.get() {
                    Some(DROPPED)
                } else {
                    channel.write(&mut self.items.buf, &mut self.items.stamp, cx)
                }
            }
            State::Flying => channel.poll_write(cx).map(|(code, buf)| {
                self.items.buf = buf;
                code
            }),
            State::Done => Some(CANCELLED),
        };
        self.state = if code.is_some() { State::Done } else { State::Flying };
        code.map_or(Poll::Pending, Poll::Ready)
    }

    /// Polls until all is written, or the reader was dropped.
    #[inline(never)]
    pub(super) fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<u32> {
        loop {
            if self.state != State::Flying {
                if self.items.buf.rest() == 0 {
                    return Poll::Ready(COMPLETED);
                }
                self.state = State::Start;
            }
            if ready!(self.poll(cx)) == DROPPED {
                return Poll::Ready(DROPPED);
            }
        }
    }

    #[inline(never)]
    fn cancel(&mut self) -> u32 {
        self.channel.owner.check();
        if core::mem::replace(&mut self.state, State::Done) != State::Flying {
            return CANCELLED;
        }
        let (code, buf) = self.channel.cancel_write();
        self.items.buf = buf;
        code
    }

    /// It is known to the engine, which does not let it be cancelled here.
    fn is_stuck(&self) -> bool {
        self.state == State::Flying && self.channel.writer.pending.flight.get() == Flight::Remote && !copy::may_cancel()
    }

    /// The future is dropped.
    #[inline(never)]
    fn give_up(&mut self) {
        // What cannot be cancelled here is so by the next write, or when the writer is dropped.
        if self.channel.owner.is_here() && !self.is_stuck() {
            self.cancel();
            // SAFETY: the items are of the channel's type.
            unsafe { core::mem::replace(&mut self.items.buf, RawBuf::EMPTY).free(&self.channel.items) }
        }
    }
}

/// A write that takes items from a vector: see [`StreamWriter::write_from`].
#[must_use = "futures do nothing unless polled"]
pub struct WriteFrom<'a, T> {
    write: StreamWrite<'a, T>,
    values: &'a mut Vec<T>,
}

impl<T> Unpin for WriteFrom<'_, T> {}

impl<'a, T> WriteFrom<'a, T> {
    pub(super) fn new(writer: &'a mut StreamWriter<T>, values: &'a mut Vec<T>) -> Self {
        WriteFrom { write: StreamWrite::new(writer, AbiBuffer::new(core::mem::take(values))), values }
    }
}

impl<T> Future for WriteFrom<'_, T> {
    type Output = StreamResult;

    /// After the write has ended: [`StreamResult::Cancelled`].
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StreamResult> {
        if self.write.write.state == State::Done {
            return Poll::Ready(StreamResult::Cancelled);
        }
        self.write.step(cx).map(|(result, rest)| {
            *self.values = rest.into_vec();
            result
        })
    }
}

impl<T> Drop for WriteFrom<'_, T> {
    fn drop(&mut self) {
        let write = &self.write.write;
        if write.channel.owner.is_here() && write.state != State::Done && !write.is_stuck() {
            let (_, rest) = self.write.end();
            *self.values = rest.into_vec();
        }
    }
}
