//! An instance at rest owns nothing: no set, no pair of unit streams, no handle that was put off.

use super::table::{self, Entry};
use super::{current, sets, wake};
use crate::builtins::{self, event};
use crate::instance::local;
use core::cell::Cell;

local! {
    /// What else is to be done at rest. Whoever needs this sets it, so that others do not link it.
    static MORE: Cell<Option<fn()>> = Cell::new(None);
}

/// Has `more` called when the instance is next at rest.
pub(crate) fn then(more: fn()) {
    MORE.set(Some(more));
}

/// Gives back what only a busy instance needs, if no call of this instance is under way.
#[inline(always)]
pub(crate) fn if_idle() {
    if sets::any() || MORE.get().is_some() {
        give_back();
    }
}

#[cold]
#[inline(never)]
fn give_back() {
    if !current::is_idle() {
        return;
    }
    if wake::in_flight() {
        sets::each_unused(deliver_signals);
    }
    if wake::in_flight() {
        return;
    }
    wake::give_back();
    sets::give_back();
    if let Some(more) = MORE.take() {
        more();
    }
}

/// Takes the events of signals whose sleeper ended before it got them, and those of operations that were forgotten.
fn deliver_signals(set: u32) {
    let mut payload = [0; 2];
    while builtins::waitable_set_poll(set, &mut payload) != event::NONE {
        let [handle, _] = payload;
        if let Entry::Signal(number) = table::get(handle) {
            table::set(handle, Entry::Nothing);
            wake::recycle(number);
        }
    }
}
