//! Streams and futures between their two ends, whoever has those.
//!
//! Each end belongs to the component, which knows it by a handle, or to the other side, which the test plays. Both sides
//! follow the same rules; the test's [`Remote`](super::Remote) is told of events by being asked.

use super::rules::{Kept, allowed, rule};
use super::table::{self, Event};
use crate::builtins::BLOCKED;
use crate::copy::{CANCELLED, COMPLETED, DROPPED, MAX_COUNT, code, count};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::any::TypeId;
use core::cell::RefCell;

/// What is known of an item.
#[derive(Clone, Copy)]
pub struct Items {
    pub(super) size: usize,
    /// It is nothing, or a number: those are copied inside one component as well.
    is_number: bool,
    /// The runtime has made it, to wake tasks.
    is_signal: bool,
}

impl Items {
    /// Returns what is known of `T`.
    pub fn of<W, T: crate::abi::Abi<W> + 'static>() -> Items {
        macro_rules! is_one_of {
            ($($ty:ty)*) => { $(TypeId::of::<T>() == TypeId::of::<$ty>() ||)* false };
        }
        Items { size: T::SHAPE.size, is_number: is_one_of!(() u8 u16 u32 u64 i8 i16 i32 i64 f32 f64), is_signal: false }
    }

    /// The items of what wakes tasks: nothing.
    pub(super) const SIGNAL: Items = Items { size: 0, is_number: true, is_signal: true };
}

/// Which end of a stream or future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Read,
    Write,
}

impl Side {
    fn other(self) -> Side {
        if self == Side::Read { Side::Write } else { Side::Read }
    }
}

/// What the owner of an end may do with it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum State {
    /// There is no copy.
    #[default]
    Idle,
    /// There is a copy whose end was not delivered.
    Busy,
    /// It was told that the other end is gone.
    Done,
}

/// What is left of a copy that waits for the other end.
struct Ready {
    at: *mut u8,
    count: usize,
}

#[derive(Default)]
pub(super) struct End {
    /// The handle, when the component has it.
    pub(super) handle: Option<u32>,
    pub(super) state: State,
    ready: Option<Ready>,
    dropped: bool,
    /// What happened and was not delivered, when the other side has the end.
    event: Option<Event>,
    /// The memory of the other side's last copy.
    pub(super) memory: Vec<u64>,
}

pub(super) struct Transmit {
    pub(super) items: Items,
    pub(super) is_future: bool,
    /// It is a future whose value was copied, or will never be.
    spent: bool,
    ends: [End; 2],
}

/// All streams and futures, and the handles of their ends.
pub(super) struct All {
    transmits: BTreeMap<usize, Transmit>,
    pub(super) handles: BTreeMap<u32, (usize, Side)>,
    next: usize,
}

std::thread_local! {
    static ALL: RefCell<All> =
        const { RefCell::new(All { transmits: BTreeMap::new(), handles: BTreeMap::new(), next: 0 }) };
}

pub(super) fn with<T>(f: impl FnOnce(&mut All) -> T) -> T {
    ALL.with_borrow_mut(f)
}

impl All {
    pub(super) fn add(&mut self, items: Items, is_future: bool) -> usize {
        self.next += 1;
        let transmit = Transmit { items, is_future, spent: false, ends: Default::default() };
        self.transmits.insert(self.next, transmit);
        self.next
    }

    pub(super) fn get(&mut self, id: usize) -> Kept<&mut Transmit> {
        self.transmits.get_mut(&id).ok_or("there is no such stream")
    }

    /// Returns the stream or future that `handle` is an end of, and which.
    pub(super) fn of_handle(&mut self, handle: u32, is_future: bool) -> Kept<(usize, Side, &mut Transmit)> {
        const WRONG: &str = "the handle is not an end of a stream or future of this type";
        let &(id, side) = self.handles.get(&handle).ok_or(WRONG)?;
        let transmit = self.get(id)?;
        rule(transmit.is_future == is_future, WRONG)?;
        Ok((id, side, transmit))
    }

    /// Gives an end to the component: returns its handle.
    pub(super) fn give(&mut self, id: usize, side: Side) -> Kept<u32> {
        let transmit = self.get(id)?;
        let handle = table::new_waitable(match (transmit.is_future, side) {
            (false, Side::Read) => "readable end of a stream",
            (false, Side::Write) => "writable end of a stream",
            (true, Side::Read) => "readable end of a future",
            (true, Side::Write) => "writable end of a future",
        });
        transmit.end(side).handle = Some(handle);
        self.handles.insert(handle, (id, side));
        Ok(handle)
    }

    /// Drops an end. The last one takes the stream or future along.
    pub(super) fn drop_end(&mut self, id: usize, side: Side) -> Kept<()> {
        if self.get(id)?.drop_end(side)? {
            self.transmits.remove(&id);
        }
        Ok(())
    }
}

impl Transmit {
    pub(super) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    fn code(&self, result: u32, count: usize) -> u32 {
        if self.is_future { result } else { code(result, count) }
    }

    /// Something has happened at an end.
    fn post(&mut self, side: Side, code: u32, solicited: bool) {
        let kind = 2 + 2 * u32::from(self.is_future) + u32::from(side == Side::Write);
        let event = Event { kind, code, solicited };
        match self.end(side).handle {
            Some(handle) => table::post(handle, event),
            // Hosts are not told what they did not ask.
            None if !solicited => {}
            None => self.end(side).event = Some(event),
        }
    }

    fn take_event(&mut self, side: Side) -> Option<Event> {
        match self.end(side).handle {
            Some(handle) => table::take_event(handle),
            None => self.end(side).event.take(),
        }
    }

    /// Starts a read or write: returns its code, or `BLOCKED`.
    ///
    /// # Safety
    /// Until the copy has ended, `at` is valid for reads, or writes, of as many items.
    pub(super) unsafe fn copy(&mut self, side: Side, at: *mut u8, count: usize) -> Kept<u32> {
        rule(count <= MAX_COUNT, "the copy is for too many items")?;
        match self.end(side).state {
            State::Idle => {}
            State::Busy => return Err("another copy of this end is in progress"),
            State::Done => return Err("this end was told that the other one is dropped"),
        }
        rule(!self.spent, "a future has one value")?;
        // SAFETY: the caller promises of `at` what `meet` asks for.
        let code = unsafe { self.meet(side, at, count) }?;
        self.end(side).state = match code & 15 {
            _ if code == BLOCKED => State::Busy,
            DROPPED if side == Side::Write || !self.is_future => State::Done,
            _ => State::Idle,
        };
        Ok(code)
    }

    /// Meets the copy that waits at the other end, or waits for one.
    ///
    /// # Safety
    /// As for `copy`.
    unsafe fn meet(&mut self, side: Side, at: *mut u8, count: usize) -> Kept<u32> {
        let other = side.other();
        if self.end(other).dropped {
            self.spent |= self.is_future && side == Side::Write;
            return Ok(self.code(DROPPED, 0));
        }
        let mut mine_ends = false;
        let mut moved = 0;
        if let Some(theirs) = self.end(other).ready.take() {
            let is_inner = self.ends.iter().all(|end| end.handle.is_some());
            rule(!is_inner || self.items.is_number, "inside one component only numbers are copied")?;
            self.spent |= self.is_future;
            moved = count.min(theirs.count);
            let size = moved * self.items.size;
            // SAFETY: whoever started a copy promised that its memory is valid until the copy has ended, and neither
            // has. Both are for at least `moved` items. One component may have both ends, and so they may overlap.
            unsafe {
                let (from, to) = if side == Side::Write { (at, theirs.at) } else { (theirs.at, at) };
                to.copy_from(from, size);
            }
            // A copy of nothing asks whether the other end is ready, and leaves a real one waiting. Of two such copies
            // only the write ends.
            let (read, written) = if side == Side::Read { (count, theirs.count) } else { (theirs.count, count) };
            let (read_ends, write_ends) = (written > 0, written == 0 || read > 0);
            let theirs_ends = if side == Side::Read { write_ends } else { read_ends };
            mine_ends = if side == Side::Read { read_ends } else { write_ends };
            if theirs_ends {
                self.has_moved(other, moved);
            }
            if theirs.count > moved || !theirs_ends {
                // SAFETY: that is at most the end of the memory.
                let at = unsafe { theirs.at.add(size) };
                self.end(other).ready = Some(Ready { at, count: theirs.count - moved });
            }
        }
        if mine_ends {
            return Ok(self.code(COMPLETED, moved));
        }
        self.end(side).ready = Some(Ready { at, count });
        Ok(BLOCKED)
    }

    /// So many more items of a copy were moved.
    fn has_moved(&mut self, side: Side, moved: usize) {
        let before = self.take_event(side).filter(|event| event.solicited).map_or(0, |event| count(event.code));
        self.post(side, self.code(COMPLETED, before + moved), true);
    }

    /// The owner of an end is told what happened.
    pub(super) fn delivered(&mut self, side: Side, code: u32) {
        let is_future = self.is_future;
        let end = self.end(side);
        end.state = if code & 15 == DROPPED { State::Done } else { State::Idle };
        if !is_future {
            // What is left of the copy is not wanted any more.
            end.ready = None;
        }
    }

    /// Takes the outcome of a copy that the other side has started.
    pub(super) fn outcome(&mut self, side: Side) -> Option<u32> {
        let event = self.take_event(side)?;
        self.delivered(side, event.code);
        Some(event.code)
    }

    /// It is a future that was read or written before.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// Checks that there is a copy to cancel.
    pub(super) fn check_busy(&mut self, side: Side) -> Kept<()> {
        rule(self.end(side).state == State::Busy, "there is no copy to cancel")
    }

    /// Ends a copy early: its code, which may tell that it has ended before.
    pub(super) fn cancel(&mut self, side: Side) -> Kept<u32> {
        self.check_busy(side)?;
        let code = match self.take_event(side) {
            Some(event) => {
                self.delivered(side, event.code);
                if event.code & 15 == COMPLETED && !self.is_future {
                    self.code(CANCELLED, count(event.code))
                } else {
                    event.code
                }
            }
            None => self.code(CANCELLED, 0),
        };
        let end = self.end(side);
        end.ready = None;
        if end.state == State::Busy {
            end.state = State::Idle;
        }
        Ok(code)
    }

    /// Drops an end: whether it was the last.
    fn drop_end(&mut self, side: Side) -> Kept<bool> {
        let owned = self.end(side).handle.is_some();
        let state = self.end(side).state;
        rule(state != State::Busy, "an end is dropped while a copy of it is in progress")?;
        let is_unwritten = owned && self.is_future && side == Side::Write && !self.spent && state != State::Done;
        rule(!is_unwritten, "the writable end of a future is dropped without a write")?;
        let other = side.other();
        self.end(side).dropped = true;
        if self.end(other).dropped {
            return Ok(true);
        }
        let copies = self.end(other).ready.take().is_some();
        let (code, solicited) = match self.take_event(other) {
            Some(event) if self.is_future => (event.code, event.solicited),
            Some(event) => (self.code(DROPPED, count(event.code)), event.solicited || copies),
            None => (self.code(DROPPED, 0), copies),
        };
        self.post(other, code, solicited);
        Ok(false)
    }
}

/// Returns how many streams and futures there are, without those that the runtime has made to wake tasks.
pub fn streams() -> usize {
    with(|all| all.transmits.values().filter(|transmit| !transmit.items.is_signal).count())
}

/// An event gets to the component.
pub(super) fn delivered(handle: u32, event: &Event) {
    if event.solicited && (2..=5).contains(&event.kind) {
        allowed(
            "an event is delivered",
            with(|all| {
                if let Some(&(id, side)) = all.handles.get(&handle) {
                    all.get(id)?.delivered(side, event.code);
                }
                Ok(())
            }),
        );
    }
}
