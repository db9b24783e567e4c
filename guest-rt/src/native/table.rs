//! The table of handles: waitables, and the sets they are in.

use super::trap;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;

/// What a handle is of.
enum Handle {
    Free,
    Set { waiting: u32 },
    Waitable { kind: &'static str, set: u32, event: Option<(u32, u32)> },
}

struct Table {
    handles: Vec<Handle>,
    free: Vec<u32>,
    /// The waitables that have an event, the oldest first.
    ready: VecDeque<u32>,
}

std::thread_local! {
    static TABLE: RefCell<Table> =
        const { RefCell::new(Table { handles: Vec::new(), free: Vec::new(), ready: VecDeque::new() }) };
}

fn with<T>(f: impl FnOnce(&mut Table) -> T) -> T {
    TABLE.with_borrow_mut(f)
}

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

    fn get(&mut self, index: u32) -> &mut Handle {
        match self.handles.get_mut(index as usize) {
            Some(Handle::Free) | None => trap("unknown handle"),
            Some(handle) => handle,
        }
    }

    fn remove(&mut self, index: u32) {
        *self.get(index) = Handle::Free;
        self.free.push(index);
    }

    fn waitable(&mut self, index: u32) -> (&mut u32, &mut Option<(u32, u32)>) {
        match self.get(index) {
            Handle::Waitable { set, event, .. } => (set, event),
            _ => trap("not a waitable"),
        }
    }

    fn waiting(&mut self, index: u32) -> &mut u32 {
        match self.get(index) {
            Handle::Set { waiting } => waiting,
            _ => trap("not a waitable set"),
        }
    }

    fn ready_in(&mut self, set: u32) -> Option<u32> {
        let index = (0..self.ready.len()).find(|i| *self.waitable(self.ready[*i]).0 == set)?;
        Some(self.ready[index])
    }
}

/// How many handles are in use.
pub fn handles() -> usize {
    with(|table| table.handles.iter().filter(|handle| !matches!(handle, Handle::Free)).count())
}

pub(crate) fn new_set() -> u32 {
    with(|table| table.add(Handle::Set { waiting: 0 }))
}

/// Somebody starts (or stops) to wait on a set.
pub(crate) fn wait_on(set: u32, more: bool) {
    with(|table| {
        let waiting = table.waiting(set);
        *waiting = if more { *waiting + 1 } else { *waiting - 1 };
    });
}

pub(crate) fn has_event(set: u32) -> bool {
    with(|table| {
        table.waiting(set);
        table.ready_in(set).is_some()
    })
}

/// The oldest event of a set: what kind, of which waitable, with which code.
pub(crate) fn next_event(set: u32) -> Option<(u32, u32, u32)> {
    let waitable = with(|table| {
        table.waiting(set);
        table.ready_in(set)
    })?;
    let (event, code) = take_event(waitable)?;
    Some((event, waitable, code))
}

/// A new waitable, in no set. `kind` is what it is of.
pub(crate) fn new_waitable(kind: &'static str) -> u32 {
    with(|table| table.add(Handle::Waitable { kind, set: 0, event: None }))
}

/// Traps unless the handle is a waitable of this kind.
pub(crate) fn expect(waitable: u32, kind: &str) {
    with(|table| match table.get(waitable) {
        Handle::Waitable { kind: actual, .. } if *actual == kind => {}
        _ => trap(kind),
    })
}

pub(crate) fn join(waitable: u32, set: u32) {
    with(|table| {
        if set != 0 {
            table.waiting(set);
        }
        *table.waitable(waitable).0 = set;
    });
}

pub(crate) fn is_in_set(waitable: u32) -> bool {
    with(|table| *table.waitable(waitable).0 != 0)
}

/// Something has happened to a waitable: the event takes the place of one that was not delivered.
pub(crate) fn post(waitable: u32, event: u32, code: u32) {
    with(|table| {
        if table.waitable(waitable).1.replace((event, code)).is_none() {
            table.ready.push_back(waitable);
        }
    });
}

/// Takes the event of a waitable.
pub(crate) fn take_event(waitable: u32) -> Option<(u32, u32)> {
    with(|table| {
        table.ready.retain(|ready| *ready != waitable);
        table.waitable(waitable).1.take()
    })
}

/// Drops a waitable set.
pub(crate) fn remove_set(set: u32) {
    with(|table| {
        if *table.waiting(set) > 0 {
            trap("waitable-set.drop: somebody waits on the set");
        }
        let is_member = |handle: &Handle| matches!(handle, Handle::Waitable { set: of, .. } if *of == set);
        if table.handles.iter().any(is_member) {
            trap("waitable-set.drop: a waitable is in the set");
        }
        table.remove(set);
    });
}

/// Drops a waitable, which leaves its set.
pub(crate) fn remove(waitable: u32) {
    with(|table| {
        if table.waitable(waitable).1.is_some() {
            trap("dropped with an event that was not delivered");
        }
        table.remove(waitable);
    });
}
