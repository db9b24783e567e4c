//! What the ends of a stream share, without the type of the items.
//!
//! A pair that was made here is *local*: items move from the buffer of the writer to that of the reader as they are,
//! by the rules that an engine follows. When the reader is lowered the pair is *promoted* to a stream of the engine, and
//! what the writer has pending goes on there. A reader that was lifted has a channel of its own once it is read.
//!
//! # An end, while it copies
//!
//! ```text
//!           read_locally, write_locally             read_remotely, write_away, write_here
//!   Local ◄───────────────────────────── Idle ──────────────────────────────────────────► Engine
//!    │ │ ▲                               ▲ ▲ ▲                                             │ │ ▲
//!    │ │ │  poll_read, cancel_read,      │ │ │      poll_read, cancel_read,                │ │ │
//!    │ │ │  poll_write, cancel_write     │ │ │      poll_write, cancel_write               │ │ │
//!    │ ├─┼───────────────────────────────┘ │ └─────────────────────────────────────────────┘ │ │
//!    │ │ │  the writer is gone:            │                                                 │ │
//!    │ │ │  close_left, take_left          │                                                 │ │
//!    │ └─┼─────────────────────────────────┘                                                 │ │
//!    │   └──────────────────────────── demote: the reader was lowered, but stayed ───────────┘ │
//!    └──────────────────────────────── promote: the reader is lowered ─────────────────────────┘
//! ```
//!
//! What an end is abandoned with goes on, where it cannot be cancelled or was accepted: a read fills what is read ahead
//! (`abandon_read`, `leave_read`); a write stays for the reader, if that is here (`close_writer`), and otherwise a spawned
//! future finishes it (`RawWriter::finish_left`).
//!
//! The state is `End::pending.state`. A local copy has a *window*: its items or its room, `count` from `at`, of which
//! `done` were moved. The window is open (`live`) until the end hears what came of the copy.
//!
//! # When code of users runs
//!
//! Wakers and destructors of items may do anything: poll or drop the other end, write to it, or panic. So functions of
//! the channel do not run them, but return whom to wake (a [`Wake`]) and what to drop (a [`RawBuf`]), for the caller to
//! use up last. Who polls makes a [`Wake`] before anything is read, and lends it: if it is parked, it is afterwards who was
//! parked before, to be dropped last. What an end has read ahead is its own, which nobody else can reach while it is
//! used. Items that are lowered put code of users off: see [`later`](crate::later).

pub(crate) mod buf;
mod canonical;
mod promote;
mod read_ahead;
mod reader;
mod writer;

use self::buf::RawBuf;
use crate::abi::Scratch;
use crate::copy::{self, COMPLETED, CopyState, NO_HANDLE, Pending, Wake};
use crate::owner::Owner;
use crate::payload::{Items, ReadIntrinsics, WriteIntrinsics};
use crate::task::current;
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// One end of a stream.
pub(crate) struct End {
    pub(crate) pending: Pending,
    /// It exists, in this component.
    pub(crate) open: Cell<bool>,
    /// It knows that the other end is gone.
    pub(crate) finished: Cell<bool>,
    /// The buffer of the copy.
    buf: Cell<RawBuf>,
    /// The window of a local copy.
    at: Cell<*mut u8>,
    count: Cell<usize>,
    done: Cell<usize>,
    /// The other end may still move items through the window.
    live: Cell<bool>,
    /// Its copy is, or was, one of the engine.
    engine: Cell<bool>,
}

/// The state of a stream.
pub(crate) struct Channel {
    pub(crate) reader: End,
    pub(crate) writer: End,
    pub(crate) items: Items,
    pub(crate) owner: Owner,
    /// For a reader that was lifted.
    pub(crate) reading: Option<&'static ReadIntrinsics>,
    /// For a pair that was made here.
    pub(crate) writing: Option<&'static WriteIntrinsics>,
    /// Items that were read and that nobody has asked for yet.
    pub(crate) own: Cell<RawBuf>,
    /// The read that goes on fills `own`.
    into_own: Cell<bool>,
    /// How many items to read ahead next time.
    pub(crate) ahead: Cell<usize>,
    /// Canonical values on their way in or out.
    area: Cell<*mut u8>,
    area_size: Cell<usize>,
    /// Whose items the area holds (see `next_stamp`), and which of them is the first there.
    stamp: Cell<u64>,
    area_first: Cell<usize>,
    scratch: UnsafeCell<Scratch>,
    /// The writer is gone, but for what it has left, which somebody finishes.
    pub(crate) left: Cell<bool>,
    /// What comes after the write that goes on, when the writer is gone.
    pub(crate) last: Cell<RawBuf>,
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
            engine: Cell::new(false),
        }
    }

    /// A copy was started, and the end has not heard what came of it.
    pub(crate) fn is_copying(&self) -> bool {
        self.pending.state.get() != CopyState::Idle
    }

    /// The copy, if there is one, can be cancelled here: it is not one of the engine, or those may be.
    pub(crate) fn can_cancel(&self) -> bool {
        self.pending.state.get() != CopyState::Engine || current::may_block()
    }

    /// A local copy is waiting, and the other end can still move items.
    fn is_waiting(&self) -> bool {
        self.pending.state.get() == CopyState::Local && self.live.get()
    }

    fn rest(&self) -> usize {
        self.count.get() - self.done.get()
    }

    /// Starts to wait for the other end. What `wake` is afterwards is to be dropped last.
    fn wait(&self, at: *mut u8, count: usize, wake: &mut Wake) {
        self.open_window(at, count);
        *wake = self.pending.wait_locally(core::mem::replace(wake, Wake::nobody()));
    }

    fn open_window(&self, at: *mut u8, count: usize) {
        self.at.set(at);
        self.count.set(count);
        self.done.set(0);
        self.live.set(true);
        self.engine.set(false);
    }

    /// Ends the waiting copy. Returns whom to wake.
    fn finish_copy(&self, result: u32) -> Wake {
        self.live.set(false);
        self.pending.set_outcome(copy::code(result, self.done.get()))
    }

    /// Returns where the next items of the window go, or come from.
    fn next(&self, items: &Items) -> *mut u8 {
        self.at.get().wrapping_add(self.done.get() * items.size)
    }

    /// Notes that items were moved through the window, which stays open until its owner hears of it. Returns whom to
    /// wake.
    fn advance(&self, count: usize) -> Wake {
        self.done.set(self.done.get() + count);
        self.pending.set_outcome(copy::code(COMPLETED, self.done.get()))
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
            left: Cell::new(false),
            last: Cell::new(RawBuf::EMPTY),
            owners: Cell::new(1 + u8::from(local)),
        }))
    }

    /// Makes a local pair, which has two owners.
    pub(crate) fn pair(items: Items, writing: &'static WriteIntrinsics) -> *mut Channel {
        Self::make(items, None, Some(writing), NO_HANDLE)
    }

    /// Makes the channel of a reader that was lifted.
    pub(crate) fn lifted(items: Items, reading: &'static ReadIntrinsics, handle: u32) -> *mut Channel {
        Self::make(items, Some(reading), None, handle)
    }

    /// Counts one owner less.
    ///
    /// # Safety
    /// The caller was an owner, and no buffer of its end holds items.
    #[inline(never)]
    pub(crate) unsafe fn release(this: *mut Channel) {
        // SAFETY: the channel is live as long as it has owners, and the caller was one. The last one is the only one who
        // can reach it, and may free it: it was boxed.
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
