//! Where work goes that no task is there for.
//!
//! Operations and spawned futures belong to the current task. Where none is current, they go to a task that sleeps. When
//! there is none either, they go to the *background*, a task that nobody calls: the next call of an async export takes
//! them over. The background is then the current task, so that such a call notices.

use crate::builtins::{self, code, event};
use crate::instance::{Instance, instance};
use crate::task::executor::arrive;
use crate::task::waitable;
use crate::task::{Task, Vtable};
use alloc::boxed::Box;
use core::ptr;

/// The task that what is made now belongs to.
#[inline(always)]
pub(crate) fn home(instance: &Instance) -> *mut Task {
    let task = instance.current.get();
    if task.is_null() { elsewhere(instance) } else { task }
}

#[cold]
#[inline(never)]
fn elsewhere(instance: &Instance) -> *mut Task {
    let asleep = instance.asleep.get();
    if !asleep.is_null() {
        return asleep;
    }
    let background = background(instance);
    instance.current.set(background);
    background
}

fn background(instance: &Instance) -> *mut Task {
    // It has no root: its node is never live.
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_| {} };
    if instance.background.get().is_null() {
        let block = Box::into_raw(Box::<Task>::new_uninit()).cast::<Task>();
        // SAFETY: the memory is fresh and fits.
        unsafe { block.write(Task::new(block, &NOTHING, None)) };
        instance.background.set(block);
    }
    instance.background.get()
}

/// `task` is the background, and not null.
#[inline(always)]
pub(crate) fn is(instance: &Instance, task: *mut Task) -> bool {
    !task.is_null() && task == instance.background.get()
}

/// The background has work for a task.
fn is_busy(instance: &Instance) -> bool {
    let background = instance.background.get();
    // SAFETY: tasks are live for ever.
    !background.is_null() && unsafe { (*background).pending.get() > 0 || !(*background).head.get().is_null() }
}

/// A task stops running, which ran while `previous` was current.
pub(crate) fn leave(instance: &Instance, previous: *mut Task) {
    let now = if !previous.is_null() && !is(instance, previous) {
        previous
    } else if is_busy(instance) {
        instance.background.get()
    } else {
        ptr::null_mut()
    };
    instance.current.set(now);
}

/// A task goes to sleep for the first time.
pub(crate) fn sleep(instance: &Instance, task: *mut Task) {
    // SAFETY: tasks are live for ever.
    unsafe {
        let after = instance.asleep.replace(task);
        (*task).slept.set(true);
        (*task).before.set(ptr::null_mut());
        (*task).after.set(after);
        if !after.is_null() {
            (*after).before.set(task);
        }
    }
}

/// A task that had gone to sleep will not do so again.
pub(crate) fn awake(instance: &Instance, task: *mut Task) {
    // SAFETY: tasks are live for ever.
    unsafe {
        let (before, after) = ((*task).before.get(), (*task).after.get());
        (*task).slept.set(false);
        if before.is_null() {
            instance.asleep.set(after);
        } else {
            (*before).after.set(after);
        }
        if !after.is_null() {
            (*after).before.set(before);
        }
    }
}

/// Moves the futures spawned in the background to `task`. None of them was polled yet, so all of them are queued.
#[cold]
#[inline(never)]
pub(crate) fn adopt_nodes(instance: &Instance, task: *mut Task) {
    let background = instance.background.get();
    // SAFETY: tasks and nodes are live for ever.
    unsafe {
        loop {
            let node = (*background).pop();
            if node.is_null() {
                break;
            }
            (*node).task.set(task);
            (*task).push(node);
        }
        (*task).spawned.set((*task).spawned.get() + (*background).spawned.replace(0));
    }
}

/// Moves the operations of the background to `task`, unless that has ended; then it just looks which are finished.
#[cold]
#[inline(never)]
pub(crate) fn adopt_operations(instance: &Instance, task: *mut Task, answer: u32) {
    if answer == code::EXIT {
        sweep();
    } else {
        // SAFETY: it is the background.
        unsafe { waitable::hand_on(instance, instance.background.get(), task) }
    }
}

/// Delivers what has happened in the background.
#[cold]
#[inline(never)]
pub(crate) fn sweep() {
    let instance = instance();
    let background = instance.background.get();
    let mut payload = [0; 2];
    // SAFETY: tasks and nodes are live for ever. Operations in its set have made one.
    unsafe {
        while !background.is_null() && (*background).pending.get() > 0 {
            let event = builtins::waitable_set_poll((*background).set.get(), &mut payload);
            if event == event::NONE {
                break;
            }
            arrive(instance, event, payload);
        }
    }
}

/// Hands on the operations that a task leaves behind: to `heir`, or if that is null to another task or the background.
///
/// # Safety
/// The task is over, and not among those asleep.
#[cold]
#[inline(never)]
pub(crate) unsafe fn bequeath(instance: &Instance, task: *mut Task, heir: *mut Task) {
    let asleep = instance.asleep.get();
    let heir = match (heir.is_null(), asleep.is_null()) {
        (false, _) => heir,
        (true, false) => asleep,
        (true, true) => background(instance),
    };
    // SAFETY: the caller's promise.
    unsafe {
        waitable::hand_on(instance, task, heir);
        (*task).pending.set(0);
    }
}
