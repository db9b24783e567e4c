//! Waitable sets: made when a task first has to wait, kept with its block while the instance is busy, and given back when
//! it is at rest.

use super::{Task, TaskRef};
use crate::builtins;
use crate::instance::local;
use core::cell::Cell;

local! {
    /// The blocks that have a set, linked by `Task::holds`.
    static HOLDERS: Cell<Option<TaskRef>> = Cell::new(None);
}

impl TaskRef {
    /// Returns the waitable set, which is made when it is first needed.
    #[inline(always)]
    pub(crate) fn set(self) -> u32 {
        match self.set.get() {
            0 => self.make_set(),
            set => set,
        }
    }

    #[cold]
    #[inline(never)]
    fn make_set(self) -> u32 {
        let set = builtins::waitable_set_new();
        self.set.set(set);
        self.wait.set(builtins::code::WAIT | set << 4);
        self.holds.set(HOLDERS.replace(Some(self)));
        set
    }

    /// Returns what tells the engine to wait for an event in the set.
    pub(crate) fn wait(self) -> u32 {
        self.set();
        self.wait.get()
    }
}

impl Task {
    /// Returns what tells the engine to wait for an event in the set, which there is.
    #[inline(always)]
    pub(crate) fn wait_again(&self) -> u32 {
        self.wait.get()
    }
}

/// Returns whether there is a set.
#[inline(always)]
pub(crate) fn any() -> bool {
    HOLDERS.get().is_some()
}

/// Calls `f` with each set that nothing is registered in.
pub(crate) fn each_unused(mut f: impl FnMut(u32)) {
    let mut next = HOLDERS.get();
    while let Some(task) = next {
        next = task.holds.get();
        if task.pending() == 0 {
            f(task.set.get());
        }
    }
}

/// Drops the sets that nothing is in. Nobody waits on any.
pub(crate) fn give_back() {
    let mut next = HOLDERS.take();
    while let Some(task) = next {
        next = task.holds.take();
        if task.members() == 0 {
            builtins::waitable_set_drop(task.set.replace(0));
            task.wait.set(0);
        } else {
            task.holds.set(HOLDERS.replace(Some(task)));
        }
    }
}
