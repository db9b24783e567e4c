//! Writing from a buffer.

use super::buf::RawBuf;
use super::{StreamResult, StreamWriter};
use crate::copy::{self, CANCELLED, Flight, one_thread};
use crate::payload::Items;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Items to write, of which some may have been written.
///
/// A write gives it back. It can be written again, by [`StreamWriter::write_buf`], without moving anything.
pub struct AbiBuffer<T> {
    buf: RawBuf,
    /// See `Channel::stamp`.
    stamp: u64,
    items: PhantomData<T>,
}

one_thread!(AbiBuffer<T>, StreamWrite<'a, T>, WriteFrom<'a, T>);

impl<T> AbiBuffer<T> {
    pub(super) fn new(items: Vec<T>) -> AbiBuffer<T> {
        AbiBuffer { buf: RawBuf::from_vec(items), stamp: 0, items: PhantomData }
    }

    /// The items that were not written, in the vector that they came in.
    pub fn into_vec(self) -> Vec<T> {
        let this = ManuallyDrop::new(self);
        // SAFETY: it was made of a vector of this type.
        unsafe { this.buf.into_vec() }
    }

    /// How many items were not written.
    pub fn remaining(&self) -> usize {
        self.buf.rest()
    }
}

impl<T> Drop for AbiBuffer<T> {
    fn drop(&mut self) {
        // SAFETY: it was made of a vector of this type.
        unsafe { self.buf.free(&Items::of::<T>()) }
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
    writer: &'a mut StreamWriter<T>,
    /// Empty while the writer's channel has it.
    buf: AbiBuffer<T>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Flying,
    Done,
}

impl<T> Unpin for StreamWrite<'_, T> {}

impl<'a, T> StreamWrite<'a, T> {
    pub(super) fn new(writer: &'a mut StreamWriter<T>, buf: AbiBuffer<T>) -> Self {
        StreamWrite { writer, buf, state: State::Start }
    }

    /// The write that is in flight.
    pub(super) fn resume(writer: &'a mut StreamWriter<T>) -> Self {
        StreamWrite { writer, buf: AbiBuffer::new(Vec::new()), state: State::Flying }
    }

    /// Gives the write up: what it has come to by now, and the items that were not written.
    ///
    /// After the write has ended: [`StreamResult::Cancelled`] and nothing.
    pub fn cancel(mut self: Pin<&mut Self>) -> (StreamResult, AbiBuffer<T>) {
        self.end()
    }

    pub(super) fn end(&mut self) -> (StreamResult, AbiBuffer<T>) {
        let state = core::mem::replace(&mut self.state, State::Done);
        if state == State::Flying {
            let (code, buf) = self.writer.channel().cancel_write();
            self.buf.buf = buf;
            return (StreamResult::from_code(code), self.take());
        }
        (StreamResult::from_code(CANCELLED), self.take())
    }

    fn take(&mut self) -> AbiBuffer<T> {
        core::mem::replace(&mut self.buf, AbiBuffer::new(Vec::new()))
    }

    /// Polls; when that is pending, the writer goes on with the write even if this is dropped.
    pub(super) fn poll_kept(&mut self, cx: &mut Context<'_>) -> Poll<(StreamResult, AbiBuffer<T>)> {
        let polled = self.step(cx);
        self.state = State::Done;
        polled
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<(StreamResult, AbiBuffer<T>)> {
        if self.state == State::Start {
            if self.writer.is_writing() {
                // The write of a future that was forgotten, or could not be cancelled.
                let (_, rest) = StreamWrite::resume(self.writer).end();
                drop(rest);
            }
            let channel = self.writer.channel();
            self.state = State::Done;
            if channel.writer.finished.get() {
                return Poll::Ready((StreamResult::Dropped, self.take()));
            }
            let AbiBuffer { buf, stamp, .. } = &mut self.buf;
            return match channel.write(buf, stamp, cx) {
                Some(code) => Poll::Ready((StreamResult::from_code(code), self.take())),
                None => {
                    self.state = State::Flying;
                    Poll::Pending
                }
            };
        }
        if self.state == State::Done {
            return Poll::Ready((StreamResult::Cancelled, self.take()));
        }
        match self.writer.channel().poll_write(cx) {
            Some((code, buf)) => {
                self.state = State::Done;
                self.buf.buf = buf;
                Poll::Ready((StreamResult::from_code(code), self.take()))
            }
            None => Poll::Pending,
        }
    }
}

impl<T> Future for StreamWrite<'_, T> {
    type Output = (StreamResult, AbiBuffer<T>);

    /// After the write has ended: [`StreamResult::Cancelled`] and nothing.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.step(cx)
    }
}

impl<T> Drop for StreamWrite<'_, T> {
    fn drop(&mut self) {
        let remote = self.writer.channel().writer.pending.flight.get() == Flight::Remote;
        // What cannot be cancelled here is so by the next write, or when the writer is dropped.
        if self.state == State::Flying && (!remote || copy::may_cancel()) {
            drop(self.end());
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StreamResult> {
        if self.write.state == State::Done {
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
        let remote = self.write.writer.channel().writer.pending.flight.get() == Flight::Remote;
        if self.write.state == State::Start || self.write.state == State::Flying && (!remote || copy::may_cancel()) {
            let (_, rest) = self.write.end();
            *self.values = rest.into_vec();
        }
    }
}
