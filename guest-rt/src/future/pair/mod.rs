//! What the ends of a future share that was made in this component.

mod crossing;
mod reading;
mod writing;

pub(super) use self::writing::Written;

use super::Area;
use crate::copy::{COMPLETED, CopyState, NO_HANDLE, Pending};
use crate::payload::{FutureWriteIntrinsics, Leftover};
use crate::task::parked::Wake;
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;

/// Where the value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// There is none yet.
    Unwritten,
    /// In the pair, while its writer waits until it is taken.
    Offered,
    /// In the pair, and the writer is gone.
    Sent,
    /// In the pair, and the writer is gone, but for a write in the engine.
    Background,
    /// The writer is gone and has not written: the default will be read.
    Default,
    /// The same, when the pair was promoted: the default is written as soon as code of users may run.
    Due,
    /// It was taken, or was not wanted.
    Gone,
}

/// The state of a future. The operations of an engine are the writer's: a reader that has one was lifted.
///
/// ```text
///  Unwritten ─── write, and nobody waits here ──────────► Offered
///            ─── write, and a reader waits here ────────► Sent
///            ─── send, to a reader that is here ────────► Sent
///            ─── send, to a reader elsewhere ───────────► Background
///            ─── close_writer ──────────────────────────► Default, or Gone without a reader
///    Offered ─── take ──────────────────────────────────► Gone
///            ─── close_reader, then poll_write ─────────► Gone
///            ─── poll_write: read or dropped elsewhere ─► Gone
///            ─── cancel_write ──────────────────────────► Unwritten, or Gone if it comes too late
///            ─── detach_write ──────────────────────────► Background
///       Sent ─── take, close_reader ────────────────────► Gone
///            ─── promote ───────────────────────────────► Background
/// Background ─── after_detached ────────────────────────► Gone
///            ─── demote ────────────────────────────────► Sent
///    Default ─── take, close_reader ────────────────────► Gone
///            ─── promote ───────────────────────────────► Due
///        Due ─── take, close_reader when it is local ───► Gone
///            ─── write_default ─────────────────────────► Background; Sent or Default when it is local again
/// ```
///
/// `close_writer` of a future whose reader is elsewhere is `send` of the default.
///
/// # The order of things
///
/// The default, destructors of values and wakers are code of users, and may use both ends. The default is made first,
/// before a state is read; but not while the reader is lowered, see `write_default`. The other two are in what the functions
/// return or keep as [`Last`], until the state is whole and the pair is released.
#[repr(C)]
pub(super) struct Pair<T: 'static> {
    /// The first field, so that it is found by its address.
    pub(super) writer: Pending,
    /// The reader, while it waits here.
    pub(super) reader: Pending,
    /// The reader is in this component.
    reader_open: Cell<bool>,
    state: Cell<Value>,
    writing: &'static FutureWriteIntrinsics<T>,
    default: fn() -> T,
    value: UnsafeCell<MaybeUninit<T>>,
    area: Area<T>,
    /// How many ends point here.
    owners: Cell<u8>,
}

/// The part of an operation that runs code of users. It is left for when the state is whole.
#[must_use = "it is run last"]
pub(super) struct Last<T> {
    woken: Option<Wake>,
    /// A value that the other side has taken, or that nobody wants.
    dropped: Option<Leftover<T>>,
}

impl<T> Last<T> {
    const NOTHING: Last<T> = Last { woken: None, dropped: None };

    /// Wakes the waker, then drops the value.
    pub(super) fn run(self) {
        if let Some(woken) = self.woken {
            woken.wake();
        }
        drop(self.dropped);
    }
}

impl<T: 'static> Pair<T> {
    /// Returns a pair with two owners.
    pub(super) fn new(writing: &'static FutureWriteIntrinsics<T>, default: fn() -> T) -> *mut Pair<T> {
        Box::into_raw(Box::new(Pair {
            writer: Pending::new(NO_HANDLE),
            reader: Pending::new(NO_HANDLE),
            reader_open: Cell::new(true),
            state: Cell::new(Value::Unwritten),
            writing,
            default,
            value: UnsafeCell::new(MaybeUninit::uninit()),
            area: Area::new(),
            owners: Cell::new(2),
        }))
    }

    /// Takes one owner away. The last one frees the pair.
    ///
    /// # Safety
    /// The caller was an owner, and does not use the pair afterwards.
    unsafe fn release(this: *const Pair<T>) {
        // SAFETY: owners keep the pair live, and the caller is one. The last one has the only pointer left, to what
        // `new` made a box of.
        unsafe {
            let owners = (*this).owners.get() - 1;
            (*this).owners.set(owners);
            if owners == 0 {
                drop(Box::from_raw(this.cast_mut()));
            }
        }
    }

    fn put(&self, value: T) {
        // SAFETY: no reference into the cell outlives a function of this type.
        unsafe { (*self.value.get()).write(value) };
    }

    /// Takes the value out of the pair.
    ///
    /// # Safety
    /// There is a value, and the state says so no more when this is done.
    unsafe fn take_value(&self) -> T {
        // SAFETY: the caller promises that it is there, and that nobody takes it again.
        unsafe { (*self.value.get()).assume_init_read() }
    }

    /// Tells a reader that waits here to look again. Returns its waker.
    fn tell_reader(&self) -> Option<Wake> {
        (self.reader.state.get() == CopyState::Local).then(|| self.reader.set_outcome(COMPLETED))
    }
}
