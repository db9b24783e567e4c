//! Calls of imports, whose callee is the test.

use super::rules::{Kept, allowed, rule};
use super::{frames, table, tasks};
use crate::builtins::{BLOCKED, event, subtask};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;

type Callee = Box<dyn FnOnce() -> u32>;

struct Subtask {
    state: u32,
    resolve_delivered: bool,
    cancel_requested: bool,
    on_cancel: Option<Callee>,
}

std::thread_local! {
    static SUBTASKS: RefCell<BTreeMap<u32, Subtask>> = const { RefCell::new(BTreeMap::new()) };
}

const KIND: &str = "subtask";

fn with<T>(handle: u32, f: impl FnOnce(&mut Subtask) -> T) -> Kept<T> {
    SUBTASKS
        .with_borrow_mut(|subtasks| subtasks.get_mut(&handle).map(f))
        .ok_or_else(|| table::expect(handle, KIND, "the handle is not a subtask").err().unwrap_or("no such subtask"))
}

fn new(state: u32) -> u32 {
    let handle = table::new_waitable(KIND);
    let subtask = Subtask { state, resolve_delivered: false, cancel_requested: false, on_cancel: None };
    SUBTASKS.with_borrow_mut(|subtasks| subtasks.insert(handle, subtask));
    handle << 4 | state
}

/// Returns what an async-lowered import does when its callee cannot start yet; the subtask is in the bits from 4.
pub fn subtask_starting() -> u32 {
    new(subtask::STARTING)
}

/// Returns what an async-lowered import does when its callee has started; the subtask is in the bits from 4.
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

/// The callee, which was asked to, gives up.
pub fn cancelled(handle: u32) {
    let requested = with(handle, |subtask| subtask.cancel_requested);
    allowed("a callee gives up", requested.and_then(|requested| rule(requested, "nobody has cancelled the call")));
    progress(handle, subtask::CANCELLED_BEFORE_STARTED + subtask::STARTED);
}

/// Returns the subtasks whose callee has not returned, and whether it has started.
pub fn open_subtasks() -> Vec<(u32, bool)> {
    SUBTASKS.with_borrow(|subtasks| {
        let open = subtasks.iter().filter(|(_, subtask)| subtask.state < subtask::RETURNED);
        open.map(|(handle, subtask)| (*handle, subtask.state == subtask::STARTED)).collect()
    })
}

fn progress(handle: u32, state: u32) {
    let progress = with(handle, |subtask| {
        rule(subtask.state < subtask::RETURNED, "the subtask is resolved")?;
        rule(subtask.state < state, "the subtask has started")?;
        subtask.state = state;
        Ok(())
    });
    allowed("a callee moves on", progress.and_then(|progress| progress));
    table::post(handle, table::Event { kind: event::SUBTASK, code: state, solicited: true });
}

/// Says what a callee does when it is cancelled: the state it then has, or `u32::MAX` if it goes on for now. Unless this
/// is called, it gives up at once. One that has not started can do nothing else.
pub fn on_cancel(handle: u32, callee: impl FnOnce() -> u32 + 'static) {
    allowed("a callee is described", with(handle, |subtask| subtask.on_cancel = Some(Box::new(callee))));
}

/// The callee goes on when it is cancelled, until [`cancelled`] or [`returned`] is called. Hosts always do.
pub fn goes_on_when_cancelled(handle: u32) {
    on_cancel(handle, || BLOCKED);
}

/// An event gets to the component.
pub(super) fn delivered(event: u32, handle: u32, code: u32) {
    if event == event::SUBTASK && code >= subtask::RETURNED {
        allowed("an event is delivered", with(handle, |subtask| subtask.resolve_delivered = true));
    }
}

pub(super) fn cancel(handle: u32, waits: bool) -> Kept<u32> {
    if waits {
        frames::check_blocking()?;
    }
    let state = with(handle, |subtask| {
        rule(!subtask.resolve_delivered, "the end of the subtask was delivered: there is nothing to cancel")?;
        rule(!subtask.cancel_requested, "the subtask was cancelled before")?;
        Ok(subtask.state)
    })??;
    if waits {
        table::check_unwatched(handle)?;
    }
    if state < subtask::RETURNED {
        let callee = with(handle, |subtask| {
            subtask.cancel_requested = true;
            subtask.on_cancel.take()
        })?;
        let gives_up = state + subtask::CANCELLED_BEFORE_STARTED;
        // This is code of the test's: nothing is borrowed.
        let answer = callee.map_or(gives_up, |callee| callee());
        rule(state == subtask::STARTED || answer == gives_up, "a callee that has not started never does")?;
        let resolved = with(handle, |subtask| subtask.state >= subtask::RETURNED)?;
        match (resolved, answer) {
            (true, _) => {}
            (false, BLOCKED) if !waits => return Ok(BLOCKED),
            (false, BLOCKED) => {
                table::take_event(handle);
                table::wait_alone(handle, true)?;
                let waited =
                    tasks::block(|| with(handle, |subtask| subtask.state >= subtask::RETURNED).unwrap_or(true));
                table::wait_alone(handle, false)?;
                if waited.is_err() && std::thread::panicking() {
                    // The callee must not write its result later: nobody knows of this call any more.
                    with(handle, |subtask| subtask.state = gives_up)?;
                } else {
                    waited?;
                }
            }
            (false, state) => with(handle, |subtask| subtask.state = state)?,
        }
    }
    table::take_event(handle);
    with(handle, |subtask| {
        subtask.resolve_delivered = true;
        subtask.state
    })
}

pub(super) fn drop(handle: u32) -> Kept<()> {
    let delivered = with(handle, |subtask| subtask.resolve_delivered)?;
    rule(delivered, "the subtask is dropped before its end was delivered")?;
    let subtask = SUBTASKS.with_borrow_mut(|subtasks| subtasks.remove(&handle));
    // It may hold what the test has captured.
    core::mem::drop(subtask);
    table::remove(handle)
}
