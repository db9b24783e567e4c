//! The table of handles: waitables, the sets they are in, and their events.

use super::rules::{Kept, allowed, rule};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Something that has happened to a waitable and was not delivered.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) kind: u32,
    pub(super) code: u32,
    /// There is a copy, or a call, that it is about. An end that has none is told when the other one is dropped: the
    /// canonical ABI does not say so, but engines do it.
    pub(super) solicited: bool,
}

/// A waitable.
struct Waitable {
    kind: &'static str,
    set: u32,
    event: Option<Event>,
    /// When the event happened.
    at: u64,
    /// Somebody waits for it, and for nothing else.
    has_sync_waiter: bool,
}

/// What a handle is of.
enum Handle {
    Free,
    Set { waiting: u32, members: u32 },
    Waitable(Waitable),
    Other(&'static str),
}

struct Table {
    handles: Vec<Handle>,
    free: Vec<u32>,
    /// The waitables that have an event, the oldest first.
    ready: VecDeque<u32>,
    /// How much has happened.
    clock: u64,
}

std::thread_local! {
    static TABLE: RefCell<Table> =
        const { RefCell::new(Table { handles: Vec::new(), free: Vec::new(), ready: VecDeque::new(), clock: 0 }) };
}

fn with<T>(f: impl FnOnce(&mut Table) -> T) -> T {
    TABLE.with_borrow_mut(f)
}

const UNKNOWN: &str = "unknown handle";
const NOT_A_SET: &str = "the handle is not a waitable set";
const NOT_A_WAITABLE: &str = "the handle is not a waitable";

impl Table {
    fn add(&mut self, handle: Handle) -> u32 {
        if self.handles.is_empty() {
            self.handles.push(Handle::Free);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.handles.push(Handle::Free);
            self.handles.len() as u32 - 1
        });
        self.handles[index as usize] = handle;
        index
    }

    fn get(&mut self, index: u32) -> Kept<&mut Handle> {
        match self.handles.get_mut(index as usize) {
            Some(Handle::Free) | None => Err(UNKNOWN),
            Some(handle) => Ok(handle),
        }
    }

    fn remove(&mut self, index: u32) -> Kept<()> {
        *self.get(index)? = Handle::Free;
        self.free.push(index);
        Ok(())
    }

    fn waitable(&mut self, index: u32) -> Kept<&mut Waitable> {
        match self.get(index)? {
            Handle::Waitable(waitable) => Ok(waitable),
            _ => Err(NOT_A_WAITABLE),
        }
    }

    fn set(&mut self, index: u32) -> Kept<(&mut u32, &mut u32)> {
        match self.get(index)? {
            Handle::Set { waiting, members } => Ok((waiting, members)),
            _ => Err(NOT_A_SET),
        }
    }

    /// The waitables of a set that have an event, the oldest first.
    fn ready_in(&self, set: u32) -> impl Iterator<Item = (u32, &Waitable)> {
        self.ready.iter().filter_map(move |index| match &self.handles[*index as usize] {
            Handle::Waitable(waitable) if waitable.set == set => Some((*index, waitable)),
            _ => None,
        })
    }

    fn join(&mut self, waitable: u32, set: u32) -> Kept<()> {
        let old = self.waitable(waitable)?.set;
        if set != 0 {
            *self.set(set)?.1 += 1;
        }
        if old != 0 {
            *self.set(old)?.1 -= 1;
        }
        self.waitable(waitable)?.set = set;
        Ok(())
    }
}

/// Returns how many handles are in use.
pub fn handles() -> usize {
    with(|table| table.handles.iter().filter(|handle| !matches!(handle, Handle::Free)).count())
}

/// Returns the handles in use, each with what it is of.
pub(super) fn all() -> Vec<(u32, &'static str)> {
    with(|table| {
        let kind = |handle: &Handle| match handle {
            Handle::Free => None,
            Handle::Set { .. } => Some("waitable set"),
            Handle::Waitable(waitable) => Some(waitable.kind),
            Handle::Other(kind) => Some(*kind),
        };
        (0..).zip(&table.handles).filter_map(|(index, handle)| Some((index, kind(handle)?))).collect()
    })
}

/// Returns a time after all that has happened.
pub(super) fn now() -> u64 {
    with(|table| {
        table.clock += 1;
        table.clock
    })
}

pub(super) fn new_set() -> u32 {
    with(|table| table.add(Handle::Set { waiting: 0, members: 0 }))
}

pub(super) fn drop_set(set: u32) -> Kept<()> {
    with(|table| {
        let (waiting, members) = table.set(set)?;
        rule(*waiting == 0, "somebody waits on the set")?;
        rule(*members == 0, "there are waitables in the set")?;
        table.remove(set)
    })
}

/// Somebody starts (or stops) to wait on a set.
pub(super) fn wait_on(set: u32, more: bool) -> Kept<()> {
    with(|table| {
        let (waiting, _) = table.set(set)?;
        *waiting = if more { *waiting + 1 } else { *waiting - 1 };
        Ok(())
    })
}

pub(super) fn check_set(set: u32) -> Kept<()> {
    with(|table| table.set(set).map(|_| ()))
}

/// Returns when the oldest event of a set happened.
pub(super) fn event_since(set: u32) -> Option<u64> {
    with(|table| table.ready_in(set).next().map(|(_, waitable)| waitable.at))
}

/// Returns the events of a set, the oldest first: what kind, of which waitable, with which code.
pub(super) fn events(set: u32) -> Vec<[u32; 3]> {
    with(|table| {
        let events = table.ready_in(set).filter_map(|(index, waitable)| waitable.event.map(|event| (index, event)));
        events.map(|(index, event)| [event.kind, index, event.code]).collect()
    })
}

/// Returns the waitable of a set whose event is the oldest.
pub(super) fn oldest(set: u32) -> Option<u32> {
    with(|table| table.ready_in(set).next().map(|(index, _)| index))
}

/// A new waitable, in no set. `kind` is what it is of.
pub(super) fn new_waitable(kind: &'static str) -> u32 {
    let waitable = Waitable { kind, set: 0, event: None, at: 0, has_sync_waiter: false };
    with(|table| table.add(Handle::Waitable(waitable)))
}

/// A new handle of something that is not a waitable.
pub(super) fn new_other(kind: &'static str) -> u32 {
    with(|table| table.add(Handle::Other(kind)))
}

/// Checks that the handle is of this kind; `rule` says so.
pub(super) fn expect(handle: u32, kind: &str, rule: &'static str) -> Kept<()> {
    with(|table| match table.get(handle)? {
        Handle::Waitable(waitable) if waitable.kind == kind => Ok(()),
        Handle::Other(actual) if *actual == kind => Ok(()),
        _ => Err(rule),
    })
}

pub(super) fn join(waitable: u32, set: u32) -> Kept<()> {
    with(|table| {
        rule(!table.waitable(waitable)?.has_sync_waiter, "somebody waits for this waitable alone")?;
        table.join(waitable, set)
    })
}

/// Checks that a waitable is in no set, and that nobody waits for it: then somebody can do so synchronously.
pub(super) fn check_unwatched(waitable: u32) -> Kept<()> {
    with(|table| {
        let waitable = table.waitable(waitable)?;
        rule(waitable.set == 0, "the waitable is in a set, and so must not be cancelled synchronously")?;
        rule(!waitable.has_sync_waiter, "somebody waits for this waitable alone")
    })
}

/// Somebody starts (or stops) to wait for a waitable and nothing else.
pub(super) fn wait_alone(waitable: u32, waits: bool) -> Kept<()> {
    with(|table| {
        table.waitable(waitable)?.has_sync_waiter = waits;
        Ok(())
    })
}

/// Something has happened to a waitable: the event takes the place of one that was not delivered.
pub(super) fn post(waitable: u32, event: Event) {
    allowed(
        "an event is posted",
        with(|table| {
            table.clock += 1;
            let now = table.clock;
            let entry = table.waitable(waitable)?;
            if entry.event.replace(event).is_none() {
                entry.at = now;
                table.ready.push_back(waitable);
            }
            Ok(())
        }),
    );
}

/// Takes the event of a waitable.
pub(super) fn take_event(waitable: u32) -> Option<Event> {
    with(|table| {
        let event = table.waitable(waitable).ok()?.event.take();
        if event.is_some() {
            table.ready.retain(|ready| *ready != waitable);
        }
        event
    })
}

/// Drops a handle; a waitable leaves its set, and its event is lost.
pub(super) fn remove(handle: u32) -> Kept<()> {
    take_event(handle);
    with(|table| {
        if table.waitable(handle).is_ok() {
            table.join(handle, 0)?;
        }
        table.remove(handle)
    })
}
