//! What the reader of a pair does.

use super::{Last, Pair, Value};
use crate::copy::{COMPLETED, CopyState, DROPPED, NO_HANDLE};
use crate::payload::Leftover;
use crate::task::parked::Wake;

/// What a reader has taken.
#[must_use = "the value is in there"]
pub(in crate::future) struct Taken<T> {
    /// The value, or the function that makes it.
    value: Result<T, fn() -> T>,
    writer: Option<Wake>,
    reader: Wake,
}

impl<T> Taken<T> {
    /// Wakes the writer. Returns the value, which is made now if it is the default. Runs code of users: called last.
    pub(in crate::future) fn finish(self) -> T {
        if let Some(writer) = self.writer {
            writer.wake();
        }
        drop(self.reader);
        match self.value {
            Ok(value) => value,
            Err(default) => default(),
        }
    }
}

impl<T: 'static> Pair<T> {
    /// Takes the value, if it is there. Otherwise `wake` is woken when that has changed. What it is afterwards is to be
    /// dropped last.
    pub(in crate::future) fn read(&self, wake: &mut Wake) -> Option<Taken<T>> {
        self.demote();
        let taken = self.take();
        if taken.is_none() {
            *wake = self.reader.wait_locally(core::mem::replace(wake, Wake::nobody()));
        }
        taken
    }

    /// Takes the value, if it is there: the reader waits no more.
    #[inline(never)]
    pub(in crate::future) fn take(&self) -> Option<Taken<T>> {
        let state = self.state.get();
        let mut writer = None;
        let value = match state {
            Value::Unwritten | Value::Background | Value::Gone => return None,
            Value::Default | Value::Due => Err(self.default),
            // SAFETY: these states say that the value is there. The state is set below.
            Value::Offered | Value::Sent => Ok(unsafe { self.take_value() }),
        };
        self.state.set(Value::Gone);
        if state == Value::Offered {
            writer = Some(self.writer.set_outcome(COMPLETED));
        }
        Some(Taken { value, writer, reader: self.stop_reading() })
    }

    /// Stops waiting. Returns the reader's waker, to be dropped last.
    pub(in crate::future) fn stop_reading(&self) -> Wake {
        self.reader.state.set(CopyState::Idle);
        self.reader.unpark()
    }

    /// The reader is dropped.
    ///
    /// # Safety
    /// The caller was the owner that the reader is, and does not use the pair afterwards.
    #[inline(never)]
    pub(in crate::future) unsafe fn close_reader(this: *const Pair<T>) {
        // SAFETY: the caller is an owner, which keeps the pair live until it is released.
        let pair = unsafe { &*this };
        let parked = pair.stop_reading();
        pair.reader_open.set(false);
        let mut last = Last::NOTHING;
        match (pair.reader.forget_handle(), pair.state.get()) {
            (NO_HANDLE, Value::Offered) => last.woken = Some(pair.writer.set_outcome(DROPPED)),
            (NO_HANDLE, Value::Sent) => {
                pair.state.set(Value::Gone);
                // SAFETY: the state said that the value is there, and does so no more.
                last.dropped = Some(Leftover::Value(unsafe { pair.take_value() }));
            }
            (NO_HANDLE, Value::Default | Value::Due) => pair.state.set(Value::Gone),
            (NO_HANDLE, Value::Unwritten | Value::Background | Value::Gone) => {}
            // It was lowered, but stayed.
            // SAFETY: the end is ours, is not used again, and nothing is in flight there.
            (handle, _) => unsafe { (pair.writing.drop_readable)(handle) },
        }
        // SAFETY: the caller was an owner.
        unsafe { Self::release(this) }
        last.run();
        drop(parked);
    }

    /// The reader is somebody else's now: its handle was lowered and taken.
    ///
    /// # Safety
    /// As for `close_reader`.
    pub(in crate::future) unsafe fn hand_over_reader(this: *const Pair<T>) {
        // SAFETY: the caller is an owner, which keeps the pair live until it is released.
        let pair = unsafe { &*this };
        let parked = pair.stop_reading();
        pair.reader_open.set(false);
        pair.reader.forget_handle();
        // SAFETY: the caller was an owner.
        unsafe { Self::release(this) }
        drop(parked);
    }
}
