//! What the ends of a stream share, without the type of the items.
//!
//! A pair that was made here is *local*: items move from the buffer of the writer to that of the reader as they are,
//! by the rules that an engine follows. When the reader is lowered the pair is *promoted* to a stream of the engine, and
//! what the writer has pending goes on there. A reader that was lifted has a channel of its own once it is read.

use super::buf::RawBuf;
use crate::abi::Scratch;
use crate::copy::{self, COMPLETED, Flight, NO_HANDLE, Pending, Wake};
use crate::owner::Owner;
use crate::payload::{Items, ReadIntrinsics, WriteIntrinsics};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::ptr;
use core::task::Context;

/// One end of a stream.
pub(super) struct End {
    pub(super) pending: Pending,
    /// It exists, in this component.
    pub(super) open: Cell<bool>,
    /// It knows that the other end is gone.
    pub(super) finished: Cell<bool>,
    /// The buffer of the copy that is in flight.
    pub(super) buf: Cell<RawBuf>,
    /// The window of a local copy: its items or its room, and how much of that is done.
    pub(super) at: Cell<*mut u8>,
    pub(super) count: Cell<usize>,
    pub(super) done: Cell<usize>,
    /// The other end may still move items through the window.
    pub(super) live: Cell<bool>,
}

/// The state of a stream.
pub(super) struct Channel {
    pub(super) reader: End,
    pub(super) writer: End,
    pub(super) items: Items,
    /// For a reader that was lifted.
    pub(super) owner: Owner,
    pub(super) reading: Option<&'static ReadIntrinsics>,
    /// For a pair that was made here.
    pub(super) writing: Option<&'static WriteIntrinsics>,
    /// Items that were read and that nobody has asked for yet.
    pub(super) own: Cell<RawBuf>,
    /// The read in flight fills `own`.
    pub(super) into_own: Cell<bool>,
    /// How many items to read ahead next time.
    pub(super) ahead: Cell<usize>,
    /// Canonical values on their way in or out.
    pub(super) area: Cell<*mut u8>,
    pub(super) area_size: Cell<usize>,
    /// Whose items the area holds (see `stamp`), and which of them is the first there.
    pub(super) stamp: Cell<u64>,
    pub(super) area_first: Cell<usize>,
    pub(super) scratch: UnsafeCell<Scratch>,
    /// How many ends point here.
    owners: Cell<u8>,
}

impl End {
    fn new(handle: u32, open: bool) -> End {
        End {
            pending: Pending::new(handle),
            open: Cell::new(open),
            finished: Cell::new(false),
            buf: Cell::new(RawBuf::EMPTY),
            at: Cell::new(ptr::null_mut()),
            count: Cell::new(0),
            done: Cell::new(0),
            live: Cell::new(false),
        }
    }

    /// A local copy is waiting, and the other end can still move items.
    pub(super) fn is_waiting(&self) -> bool {
        self.pending.flight.get() == Flight::Local && self.live.get()
    }

    pub(super) fn rest(&self) -> usize {
        self.count.get() - self.done.get()
    }

    pub(super) fn wait(&self, at: *mut u8, count: usize, cx: &Context<'_>) {
        self.at.set(at);
        self.count.set(count);
        self.done.set(0);
        self.live.set(true);
        self.pending.wait_locally(cx);
    }

    /// The waiting copy is over.
    pub(super) fn settle(&self, result: u32) -> Wake<'_> {
        self.live.set(false);
        self.pending.settle(copy::code(result, self.done.get()))
    }

    /// Where the next items of the window go, or come from.
    pub(super) fn next(&self, items: &Items) -> *mut u8 {
        self.at.get().wrapping_add(self.done.get() * items.size)
    }

    /// Items were moved through the window. It stays open until its owner hears of it.
    pub(super) fn advance(&self, count: usize) {
        self.done.set(self.done.get() + count);
        self.pending.settle(copy::code(COMPLETED, self.done.get())).wake();
    }
}

impl Channel {
    #[cold]
    #[inline(never)]
    fn make(
        items: Items,
        reading: Option<&'static ReadIntrinsics>,
        writing: Option<&'static WriteIntrinsics>,
        handle: u32,
    ) -> *mut Channel {
        let local = writing.is_some();
        Box::into_raw(Box::new(Channel {
            reader: End::new(handle, true),
            writer: End::new(NO_HANDLE, local),
            items,
            owner: Owner::here(),
            reading,
            writing,
            own: Cell::new(RawBuf::EMPTY),
            into_own: Cell::new(false),
            ahead: Cell::new(1),
            area: Cell::new(ptr::null_mut()),
            area_size: Cell::new(0),
            stamp: Cell::new(0),
            area_first: Cell::new(0),
            scratch: UnsafeCell::new(Scratch::new()),
            owners: Cell::new(1 + u8::from(local)),
        }))
    }

    /// A local pair, which has two owners.
    pub(super) fn pair(items: Items, writing: &'static WriteIntrinsics) -> *mut Channel {
        Self::make(items, None, Some(writing), NO_HANDLE)
    }

    /// The channel of a reader that was lifted.
    pub(super) fn lifted(items: Items, reading: &'static ReadIntrinsics, handle: u32) -> *mut Channel {
        Self::make(items, Some(reading), None, handle)
    }

    /// One owner less. All buffers of the end that goes are empty.
    ///
    /// # Safety
    /// The caller was an owner.
    #[inline(never)]
    pub(super) unsafe fn release(this: *mut Channel) {
        // SAFETY: the caller's promise.
        unsafe {
            let owners = (*this).owners.get() - 1;
            (*this).owners.set(owners);
            if owners == 0 {
                (*this).free_area();
                drop(Box::from_raw(this));
            }
        }
    }
}
