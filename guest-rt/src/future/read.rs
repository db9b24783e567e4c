//! The readable end.

use super::Area;
use super::pair::Pair;
use crate::builtins::BLOCKED;
use crate::copy::{self, COMPLETED, Flight, NO_HANDLE, Pending};
use crate::owner::{Owner, one_thread};
use crate::payload::FutureReadIntrinsics;
use alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

/// The readable end of a future: `.await` gives its value. Dropping it tells the writer.
///
/// Of a future that this component has written and got back from elsewhere it can only read numbers and units: engines do
/// not copy anything else inside one component. As long as a pair stays in the component there is no such limit.
pub struct FutureReader<T: 'static> {
    /// Of a pair that was made here; null otherwise, and when the reader was given away.
    pair: Cell<*const Pair<T>>,
    /// Of one that was lifted.
    handle: Cell<u32>,
    reading: Option<&'static FutureReadIntrinsics<T>>,
    owner: Owner,
}

impl<T: 'static> FutureReader<T> {
    pub(crate) fn lifted(handle: u32, reading: &'static FutureReadIntrinsics<T>) -> FutureReader<T> {
        FutureReader {
            pair: Cell::new(ptr::null()),
            handle: Cell::new(handle),
            reading: Some(reading),
            owner: Owner::here(),
        }
    }

    /// # Safety
    /// It becomes the owner of the pair that its reader is.
    pub(super) unsafe fn local(pair: *const Pair<T>) -> FutureReader<T> {
        FutureReader { pair: Cell::new(pair), handle: Cell::new(NO_HANDLE), reading: None, owner: Owner::here() }
    }

    fn spent() -> FutureReader<T> {
        FutureReader { pair: Cell::new(ptr::null()), handle: Cell::new(NO_HANDLE), reading: None, owner: Owner::here() }
    }

    fn pair(&self) -> Option<&Pair<T>> {
        self.owner.check();
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        unsafe { self.pair.get().as_ref() }
    }

    /// The handle of the future in the component's table; 0 while the future is one of this component only.
    pub fn handle(&self) -> u32 {
        match self.pair() {
            Some(pair) => pair.reader.handle.get(),
            None => self.handle.get(),
        }
    }

    /// The handle, which the caller owns from now on.
    #[doc(hidden)]
    pub fn take_handle(&self) -> u32 {
        let handle = self.lowered();
        self.give_up();
        handle
    }

    /// A handle of the engine that is fit to be given away.
    pub(super) fn lowered(&self) -> u32 {
        self.owner.check();
        let pair = self.pair.get();
        if pair.is_null() {
            return self.handle.get();
        }
        // SAFETY: this is an owner.
        unsafe { Pair::promote(pair) }
    }

    /// The reader is somebody else's now.
    pub(super) fn give_up(&self) {
        self.owner.check();
        self.handle.set(NO_HANDLE);
        let pair = self.pair.replace(ptr::null());
        if !pair.is_null() {
            // SAFETY: this was an owner.
            unsafe { Pair::close_reader(pair, true) }
        }
    }
}

impl<T: 'static> Drop for FutureReader<T> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
        } else if !self.pair.get().is_null() {
            // SAFETY: this was an owner.
            unsafe { Pair::close_reader(self.pair.get(), false) }
        } else if let Some(reading) = self.reading
            && self.handle.get() != NO_HANDLE
        {
            // SAFETY: the end is ours, and nothing is in flight.
            unsafe { (reading.drop)(self.handle.get()) }
        }
    }
}

impl<T: 'static> fmt::Debug for FutureReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureReader").field("handle", &self.handle()).finish()
    }
}

impl<T: 'static> IntoFuture for FutureReader<T> {
    type Output = T;
    type IntoFuture = FutureRead<T>;

    fn into_future(self) -> FutureRead<T> {
        FutureRead { reader: self, state: State::Start, flight: ptr::null() }
    }
}

/// A read that is in progress. Dropping it drops the reader as well; [`FutureRead::cancel`] gives it back.
#[must_use = "futures do nothing unless polled"]
pub struct FutureRead<T: 'static> {
    reader: FutureReader<T>,
    state: State,
    /// Of a reader that was lifted, when it had to wait.
    flight: *const Flying<T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Flying,
    Done,
}

/// A read in the engine. It is not kept in the future itself, since it cannot be given up everywhere: see
/// `copy::may_cancel`.
struct Flying<T: 'static> {
    pending: Pending,
    area: Area<T>,
    reading: &'static FutureReadIntrinsics<T>,
}

one_thread!(FutureReader<T: 'static>, FutureRead<T: 'static>);

impl<T: 'static> Unpin for FutureReader<T> {}
impl<T: 'static> Unpin for FutureRead<T> {}

impl<T: 'static> FutureRead<T> {
    /// Gives the read up: the value if it has come already, otherwise the reader.
    ///
    /// After the read has ended: a reader that will never read anything.
    pub fn cancel(mut self: Pin<&mut Self>) -> Result<T, FutureReader<T>> {
        self.end()
    }

    fn end(&mut self) -> Result<T, FutureReader<T>> {
        let state = core::mem::replace(&mut self.state, State::Done);
        let value = match (state, self.reader.pair()) {
            (State::Start | State::Done, _) => None,
            (State::Flying, Some(pair)) => {
                pair.stop_reading();
                pair.taken()
            }
            (State::Flying, None) => {
                let flight = core::mem::replace(&mut self.flight, ptr::null());
                // SAFETY: a read in flight has this, which is ours now.
                unsafe { Flying::cancel(flight.cast_mut()) }
            }
        };
        let reader = core::mem::replace(&mut self.reader, FutureReader::spent());
        value.ok_or(reader)
    }

    /// A lifted reader starts to read.
    fn start(&mut self, reading: &'static FutureReadIntrinsics<T>, cx: &mut Context<'_>) -> Poll<T> {
        let handle = self.reader.handle.get();
        let flying = Flying { pending: Pending::new(handle), area: Area::new(), reading };
        let flight = Box::into_raw(Box::new(flying));
        // SAFETY: the box stays in place until the read has ended.
        unsafe {
            let (room, _) = (*flight).area.room(reading.size, reading.align);
            if (reading.read)(handle, room) == BLOCKED {
                (*flight).pending.wait(cx);
                self.flight = flight;
                self.state = State::Flying;
                return Poll::Pending;
            }
            let value = (reading.load)(reading, room);
            drop(Box::from_raw(flight));
            Poll::Ready(value)
        }
    }
}

impl<T: 'static> Flying<T> {
    /// # Safety
    /// A read that is over has come to this.
    unsafe fn landed(&self, code: u32) -> Option<T> {
        if code & 15 != COMPLETED {
            return None;
        }
        // SAFETY: the value was written where the read was told to.
        unsafe { Some((self.reading.load)(self.reading, self.area.written(self.reading.size, self.reading.align))) }
    }

    /// # Safety
    /// A read is in flight, and `this` the caller's.
    unsafe fn cancel(this: *mut Flying<T>) -> Option<T> {
        // SAFETY: the caller's promise; the handle has left its set.
        unsafe {
            let this = Box::from_raw(this);
            let code = this.pending.cancel(Some(this.reading.cancel));
            this.landed(code)
        }
    }

    /// Drops a reader whose read is in flight.
    ///
    /// # Safety
    /// It is, and `this` is the caller's.
    unsafe fn abandon(this: *mut Flying<T>) {
        // SAFETY: the caller's promise.
        unsafe {
            let (handle, reading) = ((*this).pending.handle.get(), (*this).reading);
            let value = Self::cancel(this);
            (reading.drop)(handle);
            drop(value);
        }
    }
}

impl<T: 'static> Future for FutureRead<T> {
    type Output = T;

    /// Pending for ever after the read has ended.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        let polled = match (this.state, this.reader.pair()) {
            (State::Done, _) => return Poll::Pending,
            (_, Some(pair)) => match pair.read(cx) {
                Some(value) => Poll::Ready(value),
                None => {
                    this.state = State::Flying;
                    Poll::Pending
                }
            },
            (State::Start, None) => match this.reader.reading {
                Some(reading) if this.reader.handle.get() != NO_HANDLE => this.start(reading, cx),
                _ => return Poll::Pending,
            },
            // SAFETY: a read in flight has this, which is freed when that has ended.
            (State::Flying, None) => unsafe {
                match (*this.flight).pending.poll(cx) {
                    None => Poll::Pending,
                    Some(code) => {
                        let flight = Box::from_raw(core::mem::replace(&mut this.flight, ptr::null()).cast_mut());
                        match flight.landed(code) {
                            Some(value) => Poll::Ready(value),
                            None => return Poll::Pending,
                        }
                    }
                }
            },
        };
        if polled.is_ready() {
            this.state = State::Done;
            // The writer, or the engine, need not wait for this future to be dropped.
            this.reader = FutureReader::spent();
        }
        polled
    }
}

impl<T: 'static> Drop for FutureRead<T> {
    fn drop(&mut self) {
        if !self.reader.owner.is_here() {
            return;
        }
        if self.flight.is_null() {
            drop(self.end());
            return;
        }
        self.reader.handle.set(NO_HANDLE);
        let flight = self.flight.cast_mut();
        // SAFETY: a read is in flight, and this owns it. What is put off is the same.
        unsafe {
            if (*flight).pending.flight.get() == Flight::Remote && !copy::may_cancel() {
                copy::put_off(flight.cast(), |flight| Flying::<T>::abandon(flight.cast()));
            } else {
                Flying::abandon(flight);
            }
        }
    }
}
