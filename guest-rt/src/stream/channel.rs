//! What the ends of a stream share, without the type of the items.
//!
//! A pair that was made here is *local*: items move from the buffer of the writer to that of the reader as they are,
//! by the rules that an engine follows. When the reader is lowered the pair is *promoted* to a stream of the engine, and
//! what the writer has pending goes on there. A reader that was lifted has a channel of its own once it is read.

use super::buf::{RawBuf, allocate};
use crate::abi::Scratch;
use crate::builtins::BLOCKED;
use crate::copy::{self, CANCELLED, COMPLETED, DROPPED, Flight, MAX_COUNT, NO_HANDLE, Pending, Wake};
use crate::payload::{Items, Reading, Writing};
use alloc::alloc::{Layout, dealloc};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};

/// So many items that have no size in Rust, but have one in the canonical ABI, are read at a time.
const MAX_WEIGHTLESS: usize = 1024;

/// One end of a stream.
pub(crate) struct End {
    pub(crate) pending: Pending,
    /// It exists, in this component.
    pub(crate) open: Cell<bool>,
    /// It knows that the other end is gone.
    pub(crate) finished: Cell<bool>,
    /// The buffer of the copy that is in flight.
    pub(crate) buf: Cell<RawBuf>,
    /// The window of a local copy: its items or its room, and how much of that is done.
    at: Cell<*mut u8>,
    count: Cell<usize>,
    done: Cell<usize>,
    /// The other end may still move items through the window.
    live: Cell<bool>,
}

/// The state of a stream.
pub(crate) struct Channel {
    pub(crate) reader: End,
    pub(crate) writer: End,
    pub(crate) items: Items,
    /// For a reader that was lifted.
    reading: Option<&'static Reading>,
    /// For a pair that was made here.
    pub(crate) writing: Option<&'static Writing>,
    /// Items that were read and that nobody has asked for yet.
    pub(crate) own: Cell<RawBuf>,
    /// The read in flight fills `own`.
    pub(crate) into_own: Cell<bool>,
    /// How many items to read ahead next time.
    pub(crate) ahead: Cell<usize>,
    /// Canonical values on their way in or out.
    area: Cell<*mut u8>,
    area_size: Cell<usize>,
    /// Whose items the area holds (see `stamp`), and which of them is the first there.
    stamp: Cell<u64>,
    area_first: Cell<usize>,
    scratch: UnsafeCell<Scratch>,
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
    fn is_waiting(&self) -> bool {
        self.pending.flight.get() == Flight::Local && self.live.get()
    }

    fn rest(&self) -> usize {
        self.count.get() - self.done.get()
    }

    fn wait(&self, at: *mut u8, count: usize, cx: &Context<'_>) {
        self.at.set(at);
        self.count.set(count);
        self.done.set(0);
        self.live.set(true);
        self.pending.wait_locally(cx);
    }

    /// The waiting copy is over.
    fn settle(&self, result: u32) -> Wake<'_> {
        self.live.set(false);
        self.pending.settle(copy::code(result, self.done.get()))
    }

    /// Where the next items of the window go, or come from.
    fn next(&self, items: &Items) -> *mut u8 {
        self.at.get().wrapping_add(self.done.get() * items.size)
    }

    /// Items were moved through the window. It stays open until its owner hears of it.
    fn advance(&self, count: usize) {
        self.done.set(self.done.get() + count);
        self.pending.settle(copy::code(COMPLETED, self.done.get())).wake();
    }
}

impl Channel {
    fn new(reader: End, writer: End, items: Items, owners: u8) -> Channel {
        Channel {
            reader,
            writer,
            items,
            reading: None,
            writing: None,
            own: Cell::new(RawBuf::EMPTY),
            into_own: Cell::new(false),
            ahead: Cell::new(1),
            area: Cell::new(ptr::null_mut()),
            area_size: Cell::new(0),
            stamp: Cell::new(0),
            area_first: Cell::new(0),
            scratch: UnsafeCell::new(Scratch::new()),
            owners: Cell::new(owners),
        }
    }

    /// A local pair, which has two owners.
    #[inline(never)]
    pub(crate) fn pair(items: Items, writing: &'static Writing) -> *mut Channel {
        let mut channel = Self::new(End::new(NO_HANDLE, true), End::new(NO_HANDLE, true), items, 2);
        channel.writing = Some(writing);
        Box::into_raw(Box::new(channel))
    }

    /// The channel of a reader that was lifted.
    #[cold]
    #[inline(never)]
    pub(crate) fn lifted(items: Items, reading: &'static Reading, handle: u32) -> *mut Channel {
        let mut channel = Self::new(End::new(handle, true), End::new(NO_HANDLE, false), items, 1);
        channel.reading = Some(reading);
        Box::into_raw(Box::new(channel))
    }

    /// One owner less. All buffers of the end that goes are empty.
    ///
    /// # Safety
    /// The caller was an owner.
    #[inline(never)]
    pub(crate) unsafe fn release(this: *mut Channel) {
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

    // Reading.

    /// Starts to read into the room of `buf`, at most so many items. The code, unless that has to wait: then the buffer
    /// is in flight.
    pub(crate) fn read(&self, buf: &mut RawBuf, most: usize, into_own: bool, cx: &mut Context<'_>) -> Option<u32> {
        self.demote();
        let mut room = buf.room().min(most).min(MAX_COUNT);
        if self.items.size == 0 && matches!(self.reading, Some(Reading { load: Some(_), .. })) {
            // Items without size: there is room for all the items in the world, but not for their canonical values.
            room = room.min(MAX_WEIGHTLESS);
        }
        let at = buf.end(&self.items);
        let code = match self.reading {
            Some(reading) => {
                let to = match reading.load {
                    Some(_) => self.area_for(room, reading.size, reading.align),
                    None => at,
                };
                let handle = self.reader.pending.handle.get();
                // SAFETY: there is room, which stays until the read has ended: it is in the buffer or the area.
                unsafe { (reading.read)(handle, to, room) }
            }
            None => self.read_locally(at, room, cx),
        };
        if code != BLOCKED {
            self.landed(buf, code);
            return Some(code);
        }
        if self.reading.is_some() {
            // SAFETY: channels stay in place, and are there as long as a copy is in flight.
            unsafe { self.reader.pending.wait(cx) }
        }
        self.into_own.set(into_own);
        let slot = if into_own { &self.own } else { &self.reader.buf };
        slot.set(core::mem::replace(buf, RawBuf::EMPTY));
        None
    }

    /// The items of a read are there.
    pub(crate) fn landed(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        if let Some(Reading { load: Some(load), .. }) = self.reading {
            // SAFETY: so many canonical values are in the area, and nobody else takes them; the room was there.
            unsafe { load(self.area.get(), buf.end(&self.items), count) }
        }
        buf.len += count;
        if code & 15 == DROPPED {
            self.reader.finished.set(true);
        }
    }

    /// Waits for the read in flight: its code, and its buffer with what it has read.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>) -> Option<(u32, RawBuf)> {
        let code = self.reader.pending.poll(cx)?;
        Some((code, self.take_landed(code)))
    }

    /// Gives up the read in flight: its code, and its buffer with what it has read.
    pub(crate) fn cancel_read(&self) -> (u32, RawBuf) {
        self.reader.live.set(false);
        let cancel = |handle| match self.reading {
            // SAFETY: a read is in flight, and its handle has left its set.
            Some(reading) => unsafe { (reading.cancel)(handle) },
            None => CANCELLED,
        };
        // SAFETY: that is the built-in.
        let code = unsafe { self.reader.pending.cancel(cancel) };
        (code, self.take_landed(code))
    }

    fn take_landed(&self, code: u32) -> RawBuf {
        self.reader.live.set(false);
        let slot = if self.into_own.get() { &self.own } else { &self.reader.buf };
        let mut buf = slot.replace(RawBuf::EMPTY);
        self.landed(&mut buf, code);
        buf
    }

    fn read_locally(&self, at: *mut u8, room: usize, cx: &Context<'_>) -> u32 {
        let writer = &self.writer;
        if !writer.open.get() {
            return DROPPED;
        }
        let mut wake = None;
        if writer.is_waiting() {
            let rest = writer.rest();
            if rest > 0 {
                let count = rest.min(room);
                if count > 0 {
                    // SAFETY: the writer has so many items there, and there is room for them. They are ours now.
                    unsafe { at.copy_from_nonoverlapping(writer.next(&self.items), count * self.items.size) }
                    writer.advance(count);
                }
                return copy::code(COMPLETED, count);
            }
            wake = Some(writer.settle(COMPLETED));
        }
        self.reader.wait(at, room, cx);
        // Only now: a waker may be anybody's code, and come back here.
        if let Some(wake) = wake {
            wake.wake();
        }
        BLOCKED
    }

    /// The reader is dropped, or given away: `handle` is what it has become there.
    pub(crate) fn close_reader(&self, given: bool) {
        self.reader.open.set(false);
        if given {
            self.reader.pending.forget_handle();
            return;
        }
        let handle = self.reader.pending.forget_handle();
        if let Some(reading) = self.reading {
            // SAFETY: the end is ours, and no read is in flight.
            unsafe { (reading.drop)(handle) }
        } else if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: as above.
            unsafe { (writing.drop_readable)(handle) }
        } else if self.writer.is_waiting() {
            self.writer.settle(DROPPED).wake();
        }
    }

    // Reading ahead.

    /// So many items are read ahead at most: about a page, but not too few.
    pub(super) fn most_ahead(&self) -> usize {
        (4096 / self.items.size.max(1)).max(16)
    }

    /// Items were read that nobody has asked for yet.
    pub(super) fn has_items(&self) -> bool {
        self.own.get().rest() > 0
    }

    /// Sees to it that there are such items. False after the last one.
    #[inline(never)]
    pub(super) fn fill(&self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            if self.has_items() {
                return Poll::Ready(true);
            }
            let (code, own) = if self.reader.pending.flight.get() != Flight::Idle {
                self.adopt_flight();
                match self.poll_read(cx) {
                    Some(landed) => landed,
                    None => return Poll::Pending,
                }
            } else if self.reader.finished.get() {
                return Poll::Ready(false);
            } else {
                let mut own = self.cleared();
                match self.read(&mut own, self.ahead.get(), true, cx) {
                    Some(code) => (code, own),
                    None => return Poll::Pending,
                }
            };
            self.own.set(own);
            if copy::count(code) >= self.ahead.get() {
                self.ahead.set((self.ahead.get() * 2).min(self.most_ahead()));
            }
        }
    }

    /// The buffer of items to read ahead, which is empty, with as much room as shall be read.
    fn cleared(&self) -> RawBuf {
        let mut own = self.own.replace(RawBuf::EMPTY);
        let ahead = self.ahead.get();
        if own.cap < ahead {
            // SAFETY: the items are of the channel's type.
            unsafe { own.free(&self.items) }
            own = RawBuf::with_capacity(ahead, &self.items);
        }
        own.head = 0;
        own.len = 0;
        own
    }

    /// The read in flight is one of the reader itself from now on, if it was one of a future that was forgotten, or
    /// could not be cancelled.
    fn adopt_flight(&self) {
        if !self.into_own.replace(true) {
            let mut buf = self.reader.buf.replace(RawBuf::EMPTY);
            // These belonged to the future.
            buf.head = buf.len;
            let old = self.own.replace(buf);
            // SAFETY: the items are of the channel's type.
            unsafe { old.free(&self.items) }
        }
    }

    /// Ends a read that is in flight; what it brings stays with the reader.
    #[inline(never)]
    pub(super) fn settle(&self) {
        if self.reader.pending.flight.get() != Flight::Idle {
            self.adopt_flight();
            let (_, own) = self.cancel_read();
            self.own.set(own);
        }
    }

    /// The future of a read in flight is dropped: what has arrived stays with the reader.
    ///
    /// # Safety
    /// The buffer is one of that future.
    pub(super) unsafe fn abandon_read(&self) {
        // SAFETY: the items are of the channel's type. Those that were in the buffer before go with the future.
        unsafe {
            if self.reader.pending.flight.get() == Flight::Remote && !copy::may_cancel() {
                // It goes on, for the reader, and fills what is behind them.
                let mut buf = self.reader.buf.get();
                buf.drop_first(buf.len, &self.items);
                return;
            }
            let (code, mut buf) = self.cancel_read();
            buf.drop_first(buf.len - copy::count(code), &self.items);
            self.own.replace(buf).free(&self.items);
        }
    }

    // Writing.

    /// Starts to write what is in `buf`. The code, unless that has to wait: then the buffer is in flight.
    pub(crate) fn write(&self, buf: &mut RawBuf, stamp: &mut u64, cx: &mut Context<'_>) -> Option<u32> {
        if self.writer.pending.handle.get() == NO_HANDLE {
            let code = self.write_locally(buf, cx);
            if code == BLOCKED {
                self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
                return None;
            }
            buf.head += copy::count(code);
            self.note_dropped(code);
            return Some(code);
        }
        let code = self.write_remotely(buf, stamp);
        if code != BLOCKED {
            self.taken(buf, code);
            return Some(code);
        }
        if self.reader.open.get() {
            // The reader may come back.
            self.writer.pending.park(cx);
        }
        // SAFETY: channels stay in place, and are there as long as a copy is in flight.
        unsafe { self.writer.pending.wait(cx) }
        self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
        None
    }

    fn write_locally(&self, buf: &RawBuf, cx: &Context<'_>) -> u32 {
        let (reader, at, count) = (&self.reader, buf.first(&self.items), buf.rest().min(MAX_COUNT));
        if !reader.open.get() {
            return DROPPED;
        }
        let mut wake = None;
        if reader.is_waiting() {
            let room = reader.rest();
            if room > 0 {
                let count = count.min(room);
                if count > 0 {
                    // SAFETY: the reader has so much room there, and there are as many items. They are its own now.
                    unsafe { reader.next(&self.items).copy_from_nonoverlapping(at, count * self.items.size) }
                    reader.advance(count);
                }
                return copy::code(COMPLETED, count);
            }
            if count == 0 && reader.count.get() == 0 {
                return COMPLETED;
            }
            wake = Some(reader.settle(COMPLETED));
        }
        self.writer.wait(at, count, cx);
        if let Some(wake) = wake {
            wake.wake();
        }
        BLOCKED
    }

    /// Calls the built-in.
    fn write_remotely(&self, buf: &RawBuf, stamp: &mut u64) -> u32 {
        let Some(writing) = self.writing else { return DROPPED };
        let count = buf.rest().min(MAX_COUNT);
        let from = match writing.store {
            None => buf.first(&self.items),
            Some(store) => {
                if *stamp == 0 || self.stamp.get() != *stamp {
                    *stamp = next_stamp();
                    self.clear_area();
                    let to = self.area_for(buf.rest(), writing.size, writing.align);
                    // SAFETY: the items are there, and the area has room for them. Nobody else uses the scratch; what
                    // is lowered may make streams, but not use this one.
                    unsafe { store(buf.first(&self.items), to, buf.rest(), &mut *self.scratch.get()) }
                    self.stamp.set(*stamp);
                    self.area_first.set(buf.head);
                }
                self.area.get().wrapping_add((buf.head - self.area_first.get()) * writing.size)
            }
        };
        // SAFETY: so many canonical values are there, and stay until the write has ended: in the buffer or the area.
        unsafe { (writing.write)(self.writer.pending.handle.get(), from, count) }
    }

    /// The engine has taken items.
    fn taken(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        // SAFETY: the first items were taken, which leaves nothing of them to us but memory.
        unsafe {
            if let Some(Writing { disown: Some(disown), .. }) = self.writing {
                disown(buf.first(&self.items), count);
            }
            buf.drop_first(count, &self.items);
        }
        if buf.rest() == 0 {
            self.clear_area();
        }
        self.note_dropped(code);
    }

    fn note_dropped(&self, code: u32) {
        if code & 15 == DROPPED {
            self.writer.finished.set(true);
        }
    }

    /// Waits for the write in flight: its code, and its buffer with what was not taken.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>) -> Option<(u32, RawBuf)> {
        let flight = self.writer.pending.flight.get();
        if flight == Flight::Remote && self.reader.open.get() {
            self.writer.pending.park(cx);
        }
        let code = self.writer.pending.poll(cx)?;
        Some((code, self.take_rest(flight, code)))
    }

    /// Gives up the write in flight: its code, and its buffer with what was not taken.
    pub(crate) fn cancel_write(&self) -> (u32, RawBuf) {
        let flight = self.writer.pending.flight.get();
        self.writer.live.set(false);
        let cancel = |handle| match self.writing {
            // SAFETY: a write is in flight, and its handle has left its set.
            Some(writing) => unsafe { (writing.cancel)(handle) },
            None => CANCELLED,
        };
        // SAFETY: that is the built-in.
        let code = unsafe { self.writer.pending.cancel(cancel) };
        (code, self.take_rest(flight, code))
    }

    fn take_rest(&self, flight: Flight, code: u32) -> RawBuf {
        self.writer.live.set(false);
        let mut buf = self.writer.buf.replace(RawBuf::EMPTY);
        if flight == Flight::Remote {
            self.taken(&mut buf, code);
        } else {
            buf.head += copy::count(code);
            self.note_dropped(code);
        }
        buf
    }

    /// Ends the write of a future that was forgotten, or could not be cancelled.
    pub(super) fn drop_forgotten_write(&self) {
        if self.writer.pending.flight.get() != Flight::Idle {
            let (_, rest) = self.cancel_write();
            // SAFETY: the items are of the channel's type.
            unsafe { rest.free(&self.items) }
        }
    }

    /// The writer is dropped; nothing of it is in flight.
    pub(crate) fn close_writer(&self) {
        self.writer.open.set(false);
        self.clear_area();
        let handle = self.writer.pending.forget_handle();
        if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: the end is ours, and no write is in flight.
            unsafe { (writing.drop)(handle) }
        } else if self.reader.is_waiting() {
            self.reader.settle(DROPPED).wake();
        }
    }

    // From local to remote and back.

    /// The handle of the readable end of a stream of the engine that this pair has become.
    ///
    /// The reader is open and reads nothing.
    pub(crate) fn promote(&self, writing: &'static Writing) -> u32 {
        if self.reader.pending.handle.get() != NO_HANDLE {
            return self.given_handle();
        }
        // SAFETY: this may be called at any time.
        let ends = unsafe { (writing.new)() };
        let (reader, writer) = (ends as u32, (ends >> 32) as u32);
        self.reader.pending.handle.set(reader);
        if !self.writer.open.get() {
            // SAFETY: the end is new.
            unsafe { (writing.drop)(writer) }
            return reader;
        }
        self.writer.pending.handle.set(writer);
        // A write that has come to something is over; its writer hears of that next.
        if self.writer.is_waiting() && self.writer.done.get() == 0 {
            self.writer.live.set(false);
            let buf = self.writer.buf.get();
            let mut stamp = 0;
            if self.write_remotely(&buf, &mut stamp) == BLOCKED {
                // SAFETY: as in `write`.
                unsafe { self.writer.pending.wait_as_parked() }
            }
        }
        self.writer.live.set(false);
        reader
    }

    /// The handle of the reader, in no set.
    pub(crate) fn given_handle(&self) -> u32 {
        self.reader.pending.leave_set();
        self.reader.pending.handle.get()
    }

    /// The reader was lowered, but stayed: it reads, and so the pair is local again.
    fn demote(&self) {
        let handle = self.reader.pending.handle.get();
        if handle == NO_HANDLE || self.reading.is_some() {
            return;
        }
        let Some(writing) = self.writing else { return };
        if self.writer.pending.flight.get() == Flight::Remote {
            // SAFETY: a write is in flight, which nobody can have read from.
            unsafe { self.writer.pending.cancel(|handle| (writing.cancel)(handle)) };
            let buf = self.writer.buf.get();
            self.writer.at.set(buf.first(&self.items));
            self.writer.count.set(buf.rest().min(MAX_COUNT));
            self.writer.done.set(0);
            self.writer.live.set(true);
            self.writer.pending.flight.set(Flight::Local);
            self.clear_area();
        }
        // SAFETY: both ends are ours and idle.
        unsafe {
            if self.writer.open.get() {
                (writing.drop)(self.writer.pending.forget_handle());
            }
            (writing.drop_readable)(self.reader.pending.forget_handle());
        }
    }

    // The area.

    /// Room for `count` canonical values.
    fn area_for(&self, count: usize, size: usize, align: usize) -> *mut u8 {
        let needed = count.saturating_mul(size);
        if needed > self.area_size.get() {
            self.free_area();
            self.area.set(allocate(count, size, align));
            self.area_size.set(needed);
        } else if self.area.get().is_null() {
            return ptr::without_provenance_mut(align);
        }
        self.area.get()
    }

    fn free_area(&self) {
        let size = self.area_size.replace(0);
        let align = match (self.reading, self.writing) {
            (Some(reading), _) => reading.align,
            (None, Some(writing)) => writing.align,
            (None, None) => 1,
        };
        if size != 0 {
            // SAFETY: that is how it was allocated.
            unsafe { dealloc(self.area.replace(ptr::null_mut()), Layout::from_size_align_unchecked(size, align)) }
        }
    }

    /// Nothing of the area is needed any more.
    fn clear_area(&self) {
        self.stamp.set(0);
        // SAFETY: nobody else uses the scratch.
        unsafe { (*self.scratch.get()).clear() }
    }
}

/// A number that no buffer of items had before: what the area of a channel holds is found again by it, when the rest of
/// a buffer is written. Addresses would not do, since they are used again.
fn next_stamp() -> u64 {
    static STAMP: AtomicU64 = AtomicU64::new(1);
    STAMP.fetch_add(1, Ordering::Relaxed)
}
