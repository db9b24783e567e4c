//! Who runs, who sleeps, who may block, and who gets work that is made where no task is current.
//!
//! Operations and spawned futures belong to the current task. Where none is current (a synchronous export, a destructor
//! of a resource, `main`), they go to a task that sleeps. When there is none either, they go to the *background*, a task
//! that nobody calls: the next call of an async export takes them over. While the background has such work it is what
//! [`get`] returns where no task runs, so that `start` notices.

use super::node::{NodeRef, Vtable};
use super::{Task, TaskRef};
use crate::instance::local;
use alloc::boxed::Box;
use core::cell::Cell;
use core::ptr::NonNull;
use core::task::Waker;

struct State {
    /// The task that runs. While none does: none, or the background when that has work.
    current: Cell<Option<TaskRef>>,
    /// The tasks that have returned to the engine, or block, linked by `Task::after`.
    asleep: Cell<Option<TaskRef>>,
    /// Made when it is first needed.
    background: Cell<Option<TaskRef>>,
    /// As above.
    adrift: Cell<Option<TaskRef>>,
    /// Code is running that is no task's.
    outside: Cell<bool>,
    /// What was current when that began, or went on.
    under: Cell<Option<TaskRef>>,
}

local! {
    static STATE: State = State {
        current: Cell::new(None),
        asleep: Cell::new(None),
        background: Cell::new(None),
        adrift: Cell::new(None),
        outside: Cell::new(false),
        under: Cell::new(None),
    };
}

/// Returns the current task. Where none runs, this is the background if that has work.
#[inline(always)]
pub(crate) fn get() -> Option<TaskRef> {
    STATE.current.get()
}

/// What was current before a task was entered.
#[derive(Clone, Copy)]
pub(crate) struct Previous(Option<TaskRef>);

impl Previous {
    /// Returns whether nothing was current, and the background has no work.
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.0.is_none()
    }

    /// Returns whether the background was current, and so has work for the task that was entered.
    pub(crate) fn is_background(self) -> bool {
        self.0.is_some_and(is_background)
    }

    /// Returns the task that was current and still runs, under the one that was entered.
    pub(crate) fn task(self) -> Option<TaskRef> {
        self.0.filter(|task| !is_background(*task))
    }

    /// Makes current again what was.
    #[inline(always)]
    pub(crate) fn restore(self) {
        STATE.current.set(self.0);
    }
}

/// Makes `task` the current one. Returns what was.
#[inline(always)]
pub(crate) fn enter(task: TaskRef) -> Previous {
    Previous(STATE.current.replace(Some(task)))
}

/// The task that the engine has called stops running. Whoever else is under way in this instance is in the middle of a
/// call, and makes itself current when it goes on: see [`calling`].
pub(crate) fn leave() {
    STATE.current.set(or_background(None));
}

/// Returns the task that runs, if one does.
pub(crate) fn running() -> Option<TaskRef> {
    get().filter(|task| !is_background(*task))
}

/// Returns whether `task` will look into its queue without being called.
#[inline(always)]
pub(crate) fn will_run(task: TaskRef) -> bool {
    let mut current = get();
    while let Some(running) = current {
        if running == task {
            return true;
        }
        current = running.outer.get();
    }
    // The background is never called; its work waits.
    is_background(task)
}

/// Returns the task that what is made now belongs to.
#[inline(always)]
pub(crate) fn for_new_work() -> TaskRef {
    match get() {
        Some(task) => task,
        None => elsewhere(),
    }
}

#[cold]
#[inline(never)]
fn elsewhere() -> TaskRef {
    if let Some(task) = asleep_in_async_export() {
        return task;
    }
    let background = background();
    STATE.current.set(Some(background));
    background
}

/// Returns a call of an async export that has gone to sleep, or blocks. Not the `block_on` in which it does: that ends when
/// all it spawned is done, which must not depend on others.
fn asleep_in_async_export() -> Option<TaskRef> {
    let mut next = STATE.asleep.get();
    while let Some(task) = next {
        let call = task.outermost();
        if call.pool.is_some() {
            return Some(call);
        }
        next = task.after.get();
    }
    None
}

/// Returns whether the current function may call a built-in that waits: it runs in a call of an async export.
///
/// This is the one answer to that question. Engines trap in calls of synchronous exports even where there is nothing to
/// wait for, so whatever would cancel or wait asks first.
#[inline(always)]
pub(crate) fn may_block() -> bool {
    match get() {
        Some(task) if task.pool.is_some() => true,
        Some(task) => is_under_async_export(task),
        None => false,
    }
}

#[cold]
#[inline(never)]
fn is_under_async_export(task: TaskRef) -> bool {
    task.outermost().pool.is_some()
}

/// Returns a task that may block, or else the background, whose work the next call of an async export takes over.
pub(crate) fn for_blocking_work() -> TaskRef {
    let mut next = running();
    while let Some(task) = next {
        if task.pool.is_some() {
            return task;
        }
        next = task.outer.get();
    }
    if let Some(task) = asleep_in_async_export() {
        return task;
    }
    let background = background();
    if get().is_none() {
        STATE.current.set(Some(background));
    }
    background
}

/// Calls an import.
///
/// Before a callee in another component has started or returned, engines may run other code of this instance: not only
/// inside of the call, but also up to a point where that code waits in turn. Tasks exclude each other; code that is
/// [outside](step_out) of them does not, and so puts things as they were while it is in a call.
#[inline(always)]
pub(crate) fn calling<T>(import: impl FnOnce() -> T) -> T {
    let outside = STATE.outside.get();
    let aside = if outside { step_aside() } else { None };
    let result = import();
    if outside {
        step_back(aside);
    }
    result
}

/// Returns what was current to code outside of tasks.
#[cold]
#[inline(never)]
fn step_aside() -> Option<TaskRef> {
    STATE.outside.set(false);
    STATE.current.replace(or_background(STATE.under.get()))
}

#[cold]
#[inline(never)]
fn step_back(aside: Option<TaskRef>) {
    STATE.outside.set(true);
    STATE.under.set(STATE.current.replace(or_background(aside)));
}

/// Returns the task, or where it is none, the background if that has work by now.
fn or_background(task: Option<TaskRef>) -> Option<TaskRef> {
    task.filter(|task| !is_background(*task)).or_else(|| background_if(is_busy))
}

/// Enters code that is no task's: none is current to it. Returns what [`step_in`] needs.
#[inline]
pub(super) fn step_out() -> (Option<TaskRef>, bool) {
    let current = STATE.current.replace(or_background(None));
    (STATE.under.replace(current), STATE.outside.replace(true))
}

/// Ends such code. What is current again is what is so by now, if it is in the middle of a call.
#[inline]
pub(super) fn step_in((under, outside): (Option<TaskRef>, bool)) {
    STATE.current.set(or_background(STATE.under.replace(under)));
    STATE.outside.set(outside);
}

/// Calls a built-in that may wait. Meanwhile others of this instance can run, and no task is current to them.
#[inline(always)]
pub(crate) fn blocking<T>(builtin: impl FnOnce() -> T) -> T {
    let _awake = fall_asleep();
    builtin()
}

/// Makes a task current again that blocked, also when the stand-in for an engine traps.
struct Awake {
    task: Option<TaskRef>,
    sleeps: bool,
}

#[inline(never)]
fn fall_asleep() -> Awake {
    let Some(task) = running() else { return Awake { task: None, sleeps: false } };
    let sleeps = !task.slept.get();
    if sleeps {
        sleep(task);
    }
    STATE.current.set(background_if(is_busy));
    Awake { task: Some(task), sleeps }
}

impl Drop for Awake {
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(task) = self.task {
            if self.sleeps {
                awake(task);
            }
            STATE.current.set(Some(task));
        }
    }
}

/// A task goes to sleep that was not asleep.
pub(crate) fn sleep(task: TaskRef) {
    let after = STATE.asleep.replace(Some(task));
    task.slept.set(true);
    task.before.set(None);
    task.after.set(after);
    if let Some(after) = after {
        after.before.set(Some(task));
    }
}

/// A task that had gone to sleep will not do so again.
pub(crate) fn awake(task: TaskRef) {
    let (before, after) = (task.before.get(), task.after.get());
    task.slept.set(false);
    match before {
        None => STATE.asleep.set(after),
        Some(before) => before.after.set(after),
    }
    if let Some(after) = after {
        after.before.set(before);
    }
}

/// Returns a task that sleeps, if one does.
pub(crate) fn asleep() -> Option<TaskRef> {
    STATE.asleep.get()
}

/// Returns whether no task runs, and none sleeps: no call of this instance is under way that could be called again.
pub(crate) fn is_idle() -> bool {
    running().is_none() && asleep().is_none()
}

/// Returns the background, which is made when it is first needed.
pub(crate) fn background() -> TaskRef {
    without_root(&STATE.background)
}

/// Returns a task that never runs and has no set. It counts the waitables that have left the background's set with their
/// event.
pub(crate) fn adrift() -> TaskRef {
    without_root(&STATE.adrift)
}

/// Returns a task that nobody calls, which is made when it is first needed.
#[cold]
#[inline(never)]
fn without_root(slot: &Cell<Option<TaskRef>>) -> TaskRef {
    // Its root's node is never live.
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_: NodeRef| {} };
    if let Some(task) = slot.get() {
        return task;
    }
    let block = NonNull::from(Box::leak(Box::<Task>::new_uninit())).cast();
    // SAFETY: the memory is fresh, fits a task, and is leaked.
    let task = unsafe { TaskRef::create(block, &NOTHING, None, |_| Waker::noop().clone()) };
    slot.set(Some(task));
    task
}

/// Returns whether `task` is the background.
#[inline(always)]
pub(crate) fn is_background(task: TaskRef) -> bool {
    Some(task) == STATE.background.get()
}

/// Returns the background, if there is one of which this is true.
pub(crate) fn background_if(is: impl FnOnce(TaskRef) -> bool) -> Option<TaskRef> {
    STATE.background.get().filter(|task| is(*task))
}

/// Returns whether the background has work for a task.
pub(crate) fn is_busy(background: TaskRef) -> bool {
    background.pending() > 0 || background.is_ready()
}
