//! Calls of imports, whose callee is the test.

use super::{table, trap};
use crate::builtins::{event, subtask};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;

struct Subtask {
    state: u32,
    resolve_delivered: bool,
    on_cancel: Option<Box<dyn FnOnce() -> u32>>,
}

std::thread_local! {
    static SUBTASKS: RefCell<BTreeMap<u32, Subtask>> = const { RefCell::new(BTreeMap::new()) };
}

fn with<T>(handle: u32, f: impl FnOnce(&mut Subtask) -> T) -> T {
    table::expect(handle, "subtask");
    SUBTASKS.with_borrow_mut(|subtasks| match subtasks.get_mut(&handle) {
        Some(subtask) => f(subtask),
        None => trap("not a subtask"),
    })
}

fn new(state: u32) -> u32 {
    let handle = table::new_waitable("subtask");
    let subtask = Subtask { state, resolve_delivered: false, on_cancel: None };
    SUBTASKS.with_borrow_mut(|subtasks| subtasks.insert(handle, subtask));
    handle << 4 | state
}

/// What an async-lowered import returns when its callee cannot start yet; the subtask is in the bits from 4.
pub fn subtask_starting() -> u32 {
    new(subtask::STARTING)
}

/// What an async-lowered import returns when its callee has started; the subtask is in the bits from 4.
pub fn subtask_started() -> u32 {
    new(subtask::STARTED)
}

/// The callee starts: it has read its parameters.
pub fn started(handle: u32) {
    progress(handle, subtask::STARTED);
}

/// The callee returns: it has written its result.
pub fn returned(handle: u32) {
    progress(handle, subtask::RETURNED);
}

/// The subtasks whose callee has not returned, and whether it has started.
pub fn open_subtasks() -> Vec<(u32, bool)> {
    SUBTASKS.with_borrow(|subtasks| {
        let open = subtasks.iter().filter(|(_, subtask)| subtask.state < subtask::RETURNED);
        open.map(|(handle, subtask)| (*handle, subtask.state == subtask::STARTED)).collect()
    })
}

fn progress(handle: u32, state: u32) {
    with(handle, |subtask| {
        if subtask.state >= subtask::RETURNED {
            trap("the subtask is resolved");
        }
        subtask.state = state;
    });
    table::post(handle, event::SUBTASK, state);
}

/// What the callee does when it is cancelled: the state it then has. Unless this is said, it stops at once.
pub fn on_cancel(handle: u32, callee: impl FnOnce() -> u32 + 'static) {
    with(handle, |subtask| subtask.on_cancel = Some(Box::new(callee)));
}

/// An event gets to the component.
pub(super) fn delivered(event: u32, handle: u32, code: u32) {
    if event == event::SUBTASK && code >= subtask::RETURNED {
        with(handle, |subtask| subtask.resolve_delivered = true);
    }
}

pub(super) fn cancel(handle: u32) -> u32 {
    let (state, delivered) = with(handle, |subtask| (subtask.state, subtask.resolve_delivered));
    if delivered {
        trap("the subtask is resolved");
    }
    if table::is_in_set(handle) {
        trap("cancelled while in a set");
    }
    table::take_event(handle);
    if state < subtask::RETURNED {
        let on_cancel = with(handle, |subtask| subtask.on_cancel.take());
        let state = match on_cancel {
            Some(callee) => callee(),
            None => state + subtask::CANCELLED_BEFORE_STARTED,
        };
        table::take_event(handle);
        with(handle, |subtask| subtask.state = state);
    }
    with(handle, |subtask| {
        subtask.resolve_delivered = true;
        subtask.state
    })
}

pub(super) fn drop(handle: u32) {
    if !with(handle, |subtask| subtask.resolve_delivered) {
        trap("dropped before it was resolved");
    }
    SUBTASKS.with_borrow_mut(|subtasks| subtasks.remove(&handle));
    table::remove(handle);
}
