//! What a task takes over from the background, and what a blocked call leaves to others.

use super::current::{self, Previous};
use super::{TaskRef, rest, waitable};
use crate::builtins::{self, event};

/// Moves the operations of the background to `task`.
#[cold]
#[inline(never)]
pub(crate) fn adopt_operations(task: TaskRef) {
    if let Some(background) = current::background_if(current::is_busy) {
        waitable::move_all(background, task);
    }
}

/// Delivers what has happened in the background, so that an instance that never waits does not heap up operations.
#[cold]
#[inline(never)]
pub(crate) fn sweep() {
    let mut payload = [0; 2];
    while let Some(background) = current::background_if(|task| task.pending() > 0) {
        let event = builtins::waitable_set_poll(background.set(), &mut payload);
        if event == event::NONE {
            break;
        }
        waitable::arrive_adrift(event, payload, current::adrift());
    }
    rest::if_idle();
}

/// Hands over the operations that a blocked call leaves behind: to the task that runs under it, or else to one that
/// sleeps, or the background.
#[cold]
#[inline(never)]
pub(crate) fn bequeath(task: TaskRef, previous: Previous) {
    waitable::move_all(task, previous.heir());
}

/// The task that the engine has called stops running. When it was the last one, the instance is at rest.
#[inline]
pub(crate) fn leave(previous: Previous) {
    current::leave(previous);
    if current::asleep().is_none() {
        rest::if_idle();
    }
}
