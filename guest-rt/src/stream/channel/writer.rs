//! The writer's half of a channel: copies from its buffer, by the engine or to the reader.

use super::Channel;
use super::buf::RawBuf;
use super::canonical::next_stamp;
use crate::builtins::BLOCKED;
use crate::copy::{self, COMPLETED, CopyState, DROPPED, MAX_COUNT, NO_HANDLE, Wake};
use crate::later;
use crate::payload::{EndFn, Stored, WriteIntrinsics};
use crate::task::current;

impl Channel {
    /// Starts to write what is in `buf` to a reader that is not in this component. Returns the code, unless the copy has to
    /// wait: then it has the buffer, and `poll_write` gives it back, and `wake` is parked. The caller calls
    /// [`later::settle`], and drops what was taken, see `drop_taken`.
    #[inline]
    pub(crate) fn write_away(&self, buf: &mut RawBuf, stamp: &mut u64, wake: &mut Wake) -> Option<u32> {
        if self.writer.pending.handle.get() == NO_HANDLE {
            self.note_dropped(DROPPED);
            return Some(DROPPED);
        }
        let code = self.write_remotely(buf, stamp);
        if code != BLOCKED {
            self.taken(buf, code);
            return Some(code);
        }
        self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
        // SAFETY: the engine has just answered so. Channels stay in place, and are not freed while an end copies.
        unsafe { self.writer.pending.wait(core::mem::replace(wake, Wake::nobody())) }
        None
    }

    /// The same while the reader is in this component, or was when `wake` was made. Also returns whom to wake; what `wake` is
    /// afterwards is to be dropped last.
    #[inline(never)]
    pub(crate) fn write_here(&self, buf: &mut RawBuf, stamp: &mut u64, wake: &mut Wake) -> (Option<u32>, Wake) {
        if self.writer.pending.handle.get() == NO_HANDLE {
            return self.write_locally(buf, wake);
        }
        let code = self.write_remotely(buf, stamp);
        if code != BLOCKED {
            self.taken(buf, code);
            return (Some(code), Wake::nobody());
        }
        self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
        // The reader may come back, and so the waker is parked as well.
        // SAFETY: as in `write_away`.
        *wake = unsafe { self.writer.pending.wait_parked(core::mem::replace(wake, Wake::nobody())) };
        (None, Wake::nobody())
    }

    fn write_locally(&self, buf: &mut RawBuf, wake: &mut Wake) -> (Option<u32>, Wake) {
        let (reader, count) = (&self.reader, buf.rest().min(MAX_COUNT));
        self.writer.engine.set(false);
        if !reader.open.get() {
            self.note_dropped(DROPPED);
            return (Some(DROPPED), Wake::nobody());
        }
        let mut ready = Wake::nobody();
        if reader.is_waiting() {
            let room = reader.rest();
            if room > 0 {
                let count = self.give_to_reader(buf, room);
                if count > 0 {
                    ready = reader.advance(count);
                }
                return (Some(copy::code(COMPLETED, count)), ready);
            }
            if count == 0 && reader.count.get() == 0 {
                return (Some(COMPLETED), ready);
            }
            ready = reader.finish_copy(COMPLETED);
        }
        self.writer.wait(buf.first(&self.items), count, wake);
        self.writer.buf.set(core::mem::replace(buf, RawBuf::EMPTY));
        (None, ready)
    }

    /// Moves items from `buf` through the window of the reader. Returns how many.
    fn give_to_reader(&self, buf: &mut RawBuf, room: usize) -> usize {
        let (reader, rest, into_own) = (&self.reader, buf.rest(), self.into_own.get());
        let mut empty = self.reader_slot().get();
        if reader.done.get() == 0
            && rest <= MAX_COUNT
            && self.has_room_for(rest, room, into_own)
            && RawBuf::exchange(buf, &mut empty, &self.items, into_own)
        {
            empty.len = 0;
            self.reader_slot().set(empty);
            reader.at.set(empty.ptr);
            if into_own {
                // The window is as wide as that.
                reader.count.set(rest);
            }
            return rest;
        }
        let count = rest.min(room);
        self.copy_to_reader(buf.first(&self.items), count);
        buf.head += count;
        count
    }

    /// Copies items into the window of the reader, whose they are now.
    fn copy_to_reader(&self, first: *const u8, count: usize) {
        // SAFETY: this many items are there, and the reader has room for them in its window, which is in a buffer of its
        // own.
        unsafe { self.reader.next(&self.items).copy_from_nonoverlapping(first, count * self.items.size) }
    }

    /// Writes what the other side takes of `count` items at once, and does not wait. Returns the code, and whom to wake;
    /// no code if this cannot be done here.
    ///
    /// # Safety
    /// The items lie at `first`. They are of the channel's type, and have no destructor.
    pub(crate) unsafe fn write_at_once(&self, first: *const u8, count: usize) -> (u32, Wake) {
        let reader = &self.reader;
        let handle = self.writer.pending.handle.get();
        if handle == NO_HANDLE {
            let count = if reader.is_waiting() { count.min(reader.rest()) } else { 0 };
            if !reader.open.get() || count == 0 {
                let code = if reader.open.get() { COMPLETED } else { DROPPED };
                self.note_dropped(code);
                return (code, Wake::nobody());
            }
            self.copy_to_reader(first, count);
            return (copy::code(COMPLETED, count), reader.advance(count));
        }
        let Some(writing) = self.writing.filter(|writing| writing.store.is_none() && current::may_block()) else {
            return (COMPLETED, Wake::nobody());
        };
        // SAFETY: the handle is the writer's. The canonical values are the items themselves, since nothing stores them,
        // and the caller lends them until this returns: a write that would wait is cancelled here.
        let mut code = unsafe { (writing.write)(handle, first, count.min(MAX_COUNT)) };
        if code == BLOCKED {
            self.writer.pending.leave_set();
            // SAFETY: the write is pending, and its handle is in no set.
            code = unsafe { copy::cancel_now(writing.cancel, handle) };
        }
        self.note_dropped(code);
        (code, Wake::nobody())
    }

    /// Calls the built-in, for the items in `buf`.
    pub(super) fn write_remotely(&self, buf: &RawBuf, stamp: &mut u64) -> u32 {
        let Some(writing) = self.writing else { return DROPPED };
        self.writer.engine.set(true);
        let count = buf.rest().min(MAX_COUNT);
        let from = match writing.store {
            None => buf.first(&self.items),
            Some(store) => {
                if *stamp == 0 || self.stamp.get() != *stamp {
                    *stamp = next_stamp();
                    self.clear_area();
                    let to = self.area_for(buf.rest(), writing.size, writing.align);
                    // SAFETY: the items are there, and the area has room for them. Nobody else uses the scratch: what is
                    // lowered may make streams, but puts off code of users, and so does not come back to this one.
                    later::writing(|| unsafe {
                        store(writing, buf.first(&self.items), to, buf.rest(), &mut *self.scratch.get());
                    });
                    self.stamp.set(*stamp);
                    self.area_first.set(buf.head);
                }
                self.area_of(buf.head, writing)
            }
        };
        // SAFETY: the handle is the writer's. This many canonical values are there, and stay until the write has ended:
        // in the buffer or the area, both of which the channel has.
        unsafe { (writing.write)(self.writer.pending.handle.get(), from, count) }
    }

    /// Returns where the canonical value of an item of the buffer is that was stored.
    fn area_of(&self, item: usize, writing: &WriteIntrinsics) -> *mut u8 {
        self.area.get().wrapping_add((item - self.area_first.get()) * writing.size)
    }

    /// Takes the items out of the buffer that the engine has taken. They own nothing but memory any more, and lie in front of
    /// the others, or their canonical values do so in the area.
    #[inline(never)]
    fn taken(&self, buf: &mut RawBuf, code: u32) {
        let count = copy::count(code);
        let stored = self.end_stored(buf, count);
        buf.head += count;
        if buf.rest() == 0 {
            self.clear_area();
        }
        self.note_dropped(code);
        if stored && self.items.drop.is_none() {
            // No code of users comes of that.
            // SAFETY: the write has just ended.
            unsafe { self.free_taken(buf, count) };
        }
    }

    /// Ends what storing the items of a buffer began, of which the other side has accepted `count`. Returns whether there
    /// was something to end.
    #[inline(always)]
    pub(super) fn end_stored(&self, buf: &RawBuf, count: usize) -> bool {
        match self.writing {
            Some(writing @ WriteIntrinsics { end: Some(end), .. }) if buf.rest() > 0 => {
                self.end_with(writing, *end, buf, count);
                true
            }
            _ => false,
        }
    }

    #[inline(never)]
    fn end_with(&self, writing: &WriteIntrinsics, end: EndFn, buf: &RawBuf, count: usize) {
        let stored = Stored {
            items: buf.first(&self.items),
            area: self.area_of(buf.head, writing),
            accepted: count,
            rest: buf.rest() - count,
        };
        // SAFETY: the items that are left in the buffer were stored in the area. Those that were accepted are only dropped
        // from now on, or their canonical values freed. The others are stored again before they are written, if they were
        // moved.
        unsafe { end(writing, stored) }
        if writing.free.is_some() {
            self.clear_area();
        }
    }

    /// Frees what the canonical values of items that were accepted still own, if they were moved into the area.
    ///
    /// # Safety
    /// `buf` is the buffer of a write that has ended, of which the engine has taken `count` items. Nothing was stored since.
    #[inline(never)]
    unsafe fn free_taken(&self, buf: &RawBuf, count: usize) -> bool {
        let Some(writing @ WriteIntrinsics { free: Some(free), .. }) = self.writing else { return false };
        if count > 0 {
            // SAFETY: they were stored in the area, before the items that are left, and nobody uses them any more.
            unsafe { free(writing, self.area_of(buf.head - count, writing), count) }
        }
        true
    }

    /// Drops what the engine has taken by a write that has ended with `code`: last, since it runs code of users. What a
    /// reader in this component took was moved, and is not dropped.
    ///
    /// # Safety
    /// `buf` is the buffer of that write, and nothing else was done with it.
    #[inline(always)]
    pub(crate) unsafe fn drop_taken(&self, buf: &RawBuf, code: u32) {
        if self.items.drop.is_some() && self.writer.engine.get() {
            let count = copy::count(code);
            // SAFETY: these lie in front of the others, and were not dropped, unless they were moved into the area.
            unsafe {
                if !self.free_taken(buf, count) {
                    self.items.drop_many(buf.first(&self.items).wrapping_sub(count * self.items.size), count);
                }
            }
        }
    }

    fn note_dropped(&self, code: u32) {
        if code & 15 == DROPPED {
            self.writer.finished.set(true);
        }
    }

    /// Waits for the write that goes on. Returns its code, and its buffer with what was not taken. The caller drops what
    /// was taken, see `drop_taken`. What `wake` is afterwards is to be dropped last.
    #[inline]
    pub(crate) fn poll_write(&self, wake: &mut Wake) -> Option<(u32, RawBuf)> {
        let code = self.writer.pending.poll(wake)?;
        Some((code, self.take_rest(code)))
    }

    /// Cancels the write that goes on. Returns its code, its buffer with what was not taken, and who waited, to be dropped
    /// last. The caller drops what was taken, see `drop_taken`.
    #[inline(never)]
    pub(crate) fn cancel_write(&self) -> (u32, RawBuf, [Wake; 2]) {
        let parked = self.writer.pending.unpark();
        self.writer.live.set(false);
        let local = self.writer.pending.state.get() == CopyState::Local;
        // SAFETY: a write of the engine is one of a pair that was made here, and its table has the built-in.
        let (code, waited) = unsafe { self.writer.pending.cancel(self.writing.map(|writing| writing.cancel)) };
        let buf = self.take_rest(code);
        (if local { copy::cancelled(code) } else { code }, buf, [parked, waited])
    }

    #[inline(never)]
    fn take_rest(&self, code: u32) -> RawBuf {
        self.writer.live.set(false);
        let mut buf = self.writer.buf.replace(RawBuf::EMPTY);
        if self.writer.engine.get() {
            self.taken(&mut buf, code);
        } else {
            // Storage that was exchanged has none of the items.
            buf.head = buf.len.min(buf.head + copy::count(code));
            self.note_dropped(code);
        }
        buf
    }

    /// Closes the writer, of which the engine copies nothing. What it holds stays, for a reader that is here. Returns
    /// whom to wake, and what to drop last.
    #[inline(never)]
    pub(crate) fn close_writer(&self) -> (Wake, Wake, RawBuf) {
        let mut rest = RawBuf::EMPTY;
        if !self.writer.open.replace(false) {
            return (Wake::nobody(), Wake::nobody(), rest);
        }
        let displaced = self.writer.pending.unpark();
        if !(self.writer.is_waiting() && self.writer.rest() > 0) {
            self.writer.live.set(false);
            // SAFETY: it is not in the engine, by which alone it could be cancelled.
            let (code, _nobody) = unsafe { self.writer.pending.cancel(None) };
            rest = self.take_rest(code);
        }
        self.clear_area();
        let handle = self.writer.pending.forget_handle();
        if handle != NO_HANDLE
            && let Some(writing) = self.writing
        {
            // SAFETY: the end is ours, and no write is in progress.
            unsafe { (writing.drop)(handle) }
        } else if self.reader.is_waiting() {
            return (self.reader.finish_copy(DROPPED), displaced, rest);
        }
        (Wake::nobody(), displaced, rest)
    }

    /// Ends what a writer that is gone has left, when all of it was read.
    pub(super) fn close_left(&self) {
        if !self.writer.open.get() && self.writer.rest() == 0 {
            let rest = self.take_left();
            // SAFETY: only storage is left, of items of this type.
            unsafe { rest.free(&self.items) }
        }
    }

    /// Takes what a writer that is gone has left to a reader that is here.
    pub(super) fn take_left(&self) -> RawBuf {
        // SAFETY: it is not in the engine, by which alone it could be cancelled.
        let (code, _nobody) = unsafe { self.writer.pending.cancel(None) };
        self.take_rest(code)
    }
}
