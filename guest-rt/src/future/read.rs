//! The readable end.

use super::Area;
use super::pair::Pair;
use crate::builtins::BLOCKED;
use crate::copy::{COMPLETED, CopyState, NO_HANDLE, Pending, Wake};
use crate::later;
use crate::owner::{Owner, one_thread};
use crate::payload::FutureReadIntrinsics;
use crate::task::{current, spawn};
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
///
/// Natively it may be sent to another thread, but is used on the one that it was made on: elsewhere using it panics, and
/// dropping it does nothing.
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
        let owner = Owner::here();
        FutureReader { pair: Cell::new(ptr::null()), handle: Cell::new(handle), reading: Some(reading), owner }
    }

    /// # Safety
    /// It becomes the owner of the pair that its reader is.
    pub(super) unsafe fn local(pair: *const Pair<T>) -> FutureReader<T> {
        let owner = Owner::here();
        FutureReader { pair: Cell::new(pair), handle: Cell::new(NO_HANDLE), reading: None, owner }
    }

    fn spent() -> FutureReader<T> {
        let owner = Owner::here();
        FutureReader { pair: Cell::new(ptr::null()), handle: Cell::new(NO_HANDLE), reading: None, owner }
    }

    #[inline(always)]
    #[track_caller]
    fn pair_ptr(&self) -> &Cell<*const Pair<T>> {
        self.owner.check();
        &self.pair
    }

    #[inline(always)]
    #[track_caller]
    fn lifted_handle(&self) -> &Cell<u32> {
        self.owner.check();
        &self.handle
    }

    #[track_caller]
    fn pair(&self) -> Option<&Pair<T>> {
        // SAFETY: it is live as long as this owns it, and changed by shared references only.
        unsafe { self.pair_ptr().get().as_ref() }
    }

    /// Returns the handle of the future in the component's table; 0 while the future is one of this component only.
    ///
    /// # Panics
    ///
    /// Natively, on any thread but the one that the future was made on.
    pub fn handle(&self) -> u32 {
        match self.pair() {
            Some(pair) => pair.reader.handle.get(),
            None => self.lifted_handle().get(),
        }
    }

    /// Returns the handle, which the caller owns from now on.
    #[doc(hidden)]
    pub fn take_handle(&self) -> u32 {
        let handle = self.lowered();
        self.hand_over();
        later::settle();
        handle
    }

    /// Returns a handle of the engine that is fit to be given away.
    pub(super) fn lowered(&self) -> u32 {
        let pair = self.pair_ptr().get();
        if pair.is_null() {
            return self.lifted_handle().get();
        }
        // SAFETY: this is an owner.
        unsafe { Pair::promote(pair) }
    }

    /// The reader is somebody else's now, by the handle that was lowered.
    pub(super) fn hand_over(&self) {
        self.lifted_handle().set(NO_HANDLE);
        let pair = self.pair_ptr().replace(ptr::null());
        if !pair.is_null() {
            // SAFETY: this was the owner that the reader is, and has just forgotten the pair.
            unsafe { Pair::hand_over_reader(pair) }
        }
    }
}

impl<T: 'static> Drop for FutureReader<T> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return;
        }
        let (pair, handle) = (self.pair_ptr().get(), self.lifted_handle().get());
        if !pair.is_null() {
            // SAFETY: this was the owner that the reader is, and is not used again.
            unsafe { Pair::close_reader(pair) }
        } else if let Some(reading) = self.reading
            && handle != NO_HANDLE
        {
            // SAFETY: the end is ours, and nothing is in flight: a read that is has taken the handle.
            unsafe { (reading.drop)(handle) }
        }
    }
}

impl<T: 'static> fmt::Debug for FutureReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.owner.is_here() {
            return f.debug_struct("FutureReader").finish_non_exhaustive();
        }
        f.debug_struct("FutureReader").field("handle", &self.handle()).finish()
    }
}

impl<T: 'static> IntoFuture for FutureReader<T> {
    type Output = T;
    type IntoFuture = FutureRead<T>;

    fn into_future(self) -> FutureRead<T> {
        FutureRead { reader: self, state: State::Start, read: ptr::null_mut() }
    }
}

/// A read that is in progress. Dropping it drops the reader as well; [`FutureRead::cancel`] gives it back.
#[must_use = "futures do nothing unless polled"]
pub struct FutureRead<T: 'static> {
    reader: FutureReader<T>,
    state: State,
    /// While it waits: the read of a reader that was lifted. Null otherwise.
    read: *mut EngineRead<T>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It was not polled yet.
    Start,
    /// It was, and waits.
    Waiting,
    /// It has given the value, or the reader back.
    Done,
}

/// A read in the engine. It is not kept in the future itself, since it cannot be cancelled everywhere: see
/// `current::may_block`.
struct EngineRead<T: 'static> {
    pending: Pending,
    area: Area<T>,
    reading: &'static FutureReadIntrinsics<T>,
}

// The cells of a reader are used through `pair_ptr` and `lifted_handle`, which check the owner.
one_thread!(FutureReader<T: 'static>, FutureRead<T: 'static>);

impl<T: 'static> Unpin for FutureReader<T> {}
impl<T: 'static> Unpin for FutureRead<T> {}

impl<T: 'static> FutureRead<T> {
    /// Cancels the read. Returns the value if it has come already, otherwise the reader.
    ///
    /// After the read has ended, that is a reader that will never read anything.
    ///
    /// # Errors
    ///
    /// The reader, when no value has come.
    pub fn cancel(mut self: Pin<&mut Self>) -> Result<T, FutureReader<T>> {
        self.stop()
    }

    fn stop(&mut self) -> Result<T, FutureReader<T>> {
        self.reader.owner.check();
        let state = core::mem::replace(&mut self.state, State::Done);
        let read = core::mem::replace(&mut self.read, ptr::null_mut());
        let reader = core::mem::replace(&mut self.reader, FutureReader::spent());
        if state != State::Waiting {
            return Err(reader);
        }
        if let Some(pair) = reader.pair() {
            let Some(taken) = pair.take() else {
                drop(pair.stop_reading());
                return Err(reader);
            };
            drop(reader);
            return Ok(taken.finish());
        }
        // SAFETY: one that waits and has no pair has this, which is no longer known here.
        unsafe { EngineRead::cancel(read) }.ok_or(reader)
    }

    /// Has a lifted reader start to read.
    fn start(&mut self, reading: &'static FutureReadIntrinsics<T>, wake: Wake) -> Poll<T> {
        let handle = self.reader.lifted_handle().get();
        let read = EngineRead { pending: Pending::new(handle), area: Area::new(), reading };
        let read = Box::into_raw(Box::new(read));
        // SAFETY: the box stays in place until the read has ended: it is freed where that is so. The room is fit for the
        // value, and nobody else uses it.
        unsafe {
            let (room, _) = (*read).area.room(reading.size, reading.align);
            let code = (reading.read)(handle, room);
            if code != BLOCKED {
                return self.end(Box::from_raw(read), code);
            }
            self.read = read;
            self.state = State::Waiting;
            (*read).pending.wait(wake);
        }
        Poll::Pending
    }

    /// Takes what a read has come to, after which this is done: without a value it never gives one.
    ///
    /// # Safety
    /// The read has ended with this code.
    unsafe fn end(&mut self, read: Box<EngineRead<T>>, code: u32) -> Poll<T> {
        // SAFETY: the caller's promise is the same.
        let value = unsafe { read.value(code) };
        self.state = State::Done;
        // The handle leaves its set by being dropped, which happens now: the engine need not wait for this future.
        read.pending.forget_handle();
        drop(core::mem::replace(&mut self.reader, FutureReader::spent()));
        drop(read);
        value.map_or(Poll::Pending, Poll::Ready)
    }

    /// Polls the read that is in the engine.
    fn poll_engine(&mut self, wake: &mut Wake) -> Poll<T> {
        // SAFETY: one that waits and has no pair has this, which stays in place until the read has ended.
        let Some(code) = (unsafe { (*self.read).pending.poll(wake) }) else { return Poll::Pending };
        let read = core::mem::replace(&mut self.read, ptr::null_mut());
        // SAFETY: it was made from a box, and is no longer known here; the read has ended with this code.
        unsafe { self.end(Box::from_raw(read), code) }
    }
}

impl<T: 'static> EngineRead<T> {
    /// Returns the value that the read has come to, once.
    ///
    /// # Safety
    /// The read has ended with this code.
    unsafe fn value(&self, code: u32) -> Option<T> {
        if code & 15 != COMPLETED {
            return None;
        }
        // SAFETY: the value was written where the read was told to.
        unsafe { Some((self.reading.load)(self.reading, self.area.written(self.reading.size, self.reading.align))) }
    }

    /// Cancels the read. Returns the value if it has come already.
    ///
    /// # Safety
    /// The read is in flight, and `this` the caller's, which does not use it afterwards.
    unsafe fn cancel(this: *mut EngineRead<T>) -> Option<T> {
        // SAFETY: it was made from a box, which nobody else owns. `cancel` is the built-in for a read of this end, which has
        // ended with the code that it returns.
        unsafe {
            let this = Box::from_raw(this);
            let (code, _waited) = this.pending.cancel(Some(this.reading.cancel));
            // Where the read had ended already, the handle is in a set still.
            this.pending.leave_set();
            this.value(code)
        }
    }

    /// Cancels the read of a reader that is dropped, and drops its handle. Where nothing can be cancelled, the next task
    /// does that.
    ///
    /// # Safety
    /// The read is in flight, and `this` the caller's, which uses neither this nor the handle afterwards.
    unsafe fn abandon(this: *mut EngineRead<T>) {
        // SAFETY: the caller owns this, and passes it on to the next task, or to `cancel`. The handle is ours, and nothing
        // is in flight when that has returned.
        unsafe {
            if (*this).pending.state.get() == CopyState::Engine && !current::may_block() {
                return spawn::put_off(this.cast(), |this| Self::abandon(this.cast()));
            }
            let (handle, reading) = ((*this).pending.handle.get(), (*this).reading);
            let value = Self::cancel(this);
            (reading.drop)(handle);
            drop(value);
        }
    }
}

impl<T: 'static> Future for FutureRead<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        this.reader.owner.check();
        if this.state == State::Done {
            return Poll::Pending;
        }
        // Code of users, and so before anything is looked at. What is displaced by it is dropped in the end.
        let mut wake = Wake::of(cx);
        match (this.state, this.reader.pair()) {
            (State::Done, _) => Poll::Pending,
            (State::Start | State::Waiting, Some(pair)) => {
                let taken = pair.read(&mut wake);
                this.state = State::Waiting;
                let Some(taken) = taken else { return Poll::Pending };
                this.state = State::Done;
                // The writer need not wait for this future to be dropped.
                drop(core::mem::replace(&mut this.reader, FutureReader::spent()));
                Poll::Ready(taken.finish())
            }
            (State::Start, None) => match this.reader.reading {
                Some(reading) if this.reader.lifted_handle().get() != NO_HANDLE => this.start(reading, wake),
                _ => Poll::Pending,
            },
            (State::Waiting, None) => this.poll_engine(&mut wake),
        }
    }
}

#[cfg(feature = "futures-stream")]
impl<T: 'static> futures_core::FusedFuture for FutureRead<T> {
    fn is_terminated(&self) -> bool {
        match self.state {
            State::Start => self.reader.pair().is_none() && self.reader.lifted_handle().get() == NO_HANDLE,
            State::Waiting => false,
            State::Done => true,
        }
    }
}

impl<T: 'static> Drop for FutureRead<T> {
    fn drop(&mut self) {
        // Elsewhere dropping the reader is all there is to do.
        if !self.read.is_null() && self.reader.owner.is_here() {
            self.reader.lifted_handle().set(NO_HANDLE);
            // SAFETY: a read in flight has this, and its handle was just forgotten here.
            unsafe { EngineRead::abandon(self.read) }
        }
    }
}
