//! Who runs, who sleeps, who may block, and who gets work that is made where no task is current.
//!
//! Operations and spawned futures belong to the current task. Where none is current (a synchronous export, a destructor
//! of a resource, `main`), they go to a task that sleeps. When there is none either, they go to the *background*, a task
//! that nobody calls: the next call of an async export takes them over. While the background has such work it is what
//! [`get`] returns where no task runs, so that `start` notices.

use super::node::{NodeRef, Vtable};
use super::word::{WORD, Word};
use super::{Task, TaskRef, foreign};
use crate::instance::local;
use crate::trap::trap;
use core::alloc::Layout;
use core::cell::Cell;
use core::task::Waker;

struct State {
    /// The tasks that have returned to the engine, or block, linked by `Task::after`.
    asleep: Cell<Option<TaskRef>>,
    /// Made when it is first needed.
    background: Cell<Option<TaskRef>>,
    /// As above.
    adrift: Cell<Option<TaskRef>>,
    /// Code is running that is no task's.
    outside: Cell<bool>,
    /// The last such code is of a world that has no async exports.
    without_tasks: Cell<bool>,
    /// What was current when that began, or went on.
    under: Cell<Word>,
    /// A call of an async export was seen.
    called: Cell<bool>,
}

local! {
    static STATE: State = State {
        asleep: Cell::new(None),
        background: Cell::new(None),
        adrift: Cell::new(None),
        outside: Cell::new(false),
        without_tasks: Cell::new(false),
        under: Cell::new(Word::NOTHING),
        called: Cell::new(false),
    };
}

/// Returns the current task, unless it is one of another runtime. Where none runs, this is the background if that has work.
#[inline(always)]
pub(crate) fn get() -> Option<TaskRef> {
    WORD.get().own()
}

/// As [`get`], for where that is called often.
#[inline(always)]
pub(crate) fn own() -> Option<TaskRef> {
    WORD.get().own_inline()
}

/// What was current before a task was entered.
#[derive(Clone, Copy)]
pub(crate) struct Previous(Word);

impl Previous {
    /// Returns whether nothing was current, and the background has no work.
    #[inline(always)]
    pub(crate) fn is_nothing(self) -> bool {
        self.0.is_nothing()
    }

    /// Returns whether the background was current, and so has work for the task that was entered.
    pub(crate) fn is_background(self) -> bool {
        is_word_of_background(self.0)
    }

    /// Returns the task that was current and still runs, under the one that was entered.
    pub(crate) fn task(self) -> Option<TaskRef> {
        self.0.own().filter(|task| !is_background(*task))
    }

    /// Returns who takes over what the task that was entered leaves behind: the task that runs under it, or else one that
    /// sleeps, or the background.
    pub(crate) fn heir(self) -> TaskRef {
        if let Some(other) = self.0.foreign() {
            // SAFETY: it was in the word and will be again, so it is still valid.
            return unsafe { foreign::stand_in(other, None) };
        }
        self.task().or_else(asleep).unwrap_or_else(background)
    }

    /// Makes current again what was.
    #[inline(always)]
    pub(crate) fn restore(self) {
        WORD.set(self.0);
    }
}

/// Makes `task` the current one. Returns what was.
#[inline(always)]
pub(crate) fn enter(task: TaskRef) -> Previous {
    Previous(WORD.replace(Word::of(task)))
}

/// The task that the engine has called stops running. Whoever else is under way in this instance is in the middle of a
/// call, and makes itself current when it goes on: see [`calling`].
pub(crate) fn leave(previous: Previous) {
    // A task of another runtime does not make itself current.
    WORD.set(or_background(if previous.0.foreign().is_some() { previous.0 } else { Word::NOTHING }));
}

/// Returns the task that runs, if one does.
pub(crate) fn running() -> Option<TaskRef> {
    get().filter(|task| !is_background(*task))
}

/// Returns whether the word says who runs, if it is not the background.
#[cfg(feature = "beside")]
pub(super) fn is_told() -> bool {
    !WORD.get().is_nothing()
}

/// Returns the task that runs, if one does and is known here: one of another runtime by its stand-in.
pub(crate) fn known() -> Option<TaskRef> {
    // SAFETY: it is in the word.
    running().or_else(|| unsafe { foreign::last(WORD.get().foreign()?) })
}

/// Returns whether `task` will look into its queue without being called.
#[inline(always)]
pub(crate) fn will_run(task: TaskRef) -> bool {
    WORD.get() == Word::of(task) || will_run_later(task)
}

fn will_run_later(task: TaskRef) -> bool {
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
    match own() {
        Some(task) => task,
        None => elsewhere(),
    }
}

/// Returns the task that a future belongs to which is spawned now. Traps where none will come that could run it.
pub(crate) fn for_spawned() -> TaskRef {
    let task = for_new_work();
    if is_background(task) && STATE.without_tasks.get() && !STATE.called.get() {
        trap(
            "a future was spawned, or a stream passed on that is still written here, in a component without async \
             exports: nothing would ever run that. Export an `async func`, or finish it before the export returns",
        );
    }
    task
}

/// A call of an async export was seen.
pub(super) fn note_call() {
    STATE.called.set(true);
}

/// Returns the task that what is made now belongs to, where no task of ours is current.
#[cold]
#[inline(never)]
pub(crate) fn elsewhere() -> TaskRef {
    if let Some(other) = WORD.get().foreign() {
        // SAFETY: it is in the word.
        return unsafe { foreign::stand_in(other, None) };
    }
    sleeper()
}

/// As [`for_new_work`], for what nobody polls. Where a task of another runtime is current that would forget that when it is
/// cancelled, it is none of its.
#[cold]
pub(crate) fn for_left_work() -> TaskRef {
    match WORD.get().foreign() {
        // SAFETY: it is in the word.
        Some(other) if !unsafe { foreign::keeps(other) } => sleeper(),
        _ => for_new_work(),
    }
}

/// Returns the task that polls what is in `joined` now. For one of another runtime that is a stand-in, which the caller has
/// to use.
#[cfg_attr(feature = "beside", inline(never))]
#[cfg_attr(not(feature = "beside"), inline(always))]
pub(crate) fn polling(joined: Option<TaskRef>) -> Option<TaskRef> {
    match get() {
        None => WORD.get().foreign().map(|other| {
            // SAFETY: it is in the word.
            unsafe { foreign::stand_in(other, joined) }
        }),
        task => task,
    }
}

/// Returns a task that sleeps, or else the background, of which the next call of an async export is told.
#[inline(never)]
fn sleeper() -> TaskRef {
    asleep_in_async_export().unwrap_or_else(announced)
}

/// Returns the background. Where nothing is current it is now, so that the next call of an async export notices.
fn announced() -> TaskRef {
    let background = background();
    if WORD.get().is_nothing() {
        WORD.set(Word::of(background));
    }
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
#[inline(never)]
pub(crate) fn may_block() -> bool {
    match get() {
        Some(task) if task.pool.is_some() => true,
        Some(task) => is_under_async_export(task),
        // Another runtime calls what it got from us in its own exports, or where it waits itself.
        None => WORD.get().foreign().is_some(),
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
    announced()
}

/// Calls an import.
///
/// Before a callee in another component has started or returned, engines may run other code of this instance: not only
/// inside of the call, but also up to a point where that code waits in turn. Tasks exclude each other; code that is
/// [outside](step_out) of them does not, and so puts things as they were while it is in a call.
#[inline(always)]
pub(crate) fn calling<T>(import: impl FnOnce() -> T) -> T {
    let outside = STATE.outside.get();
    let aside = if outside { step_aside() } else { Word::NOTHING };
    let result = import();
    if outside {
        step_back(aside);
    }
    result
}

/// Returns what was current to code outside of tasks.
#[cold]
#[inline(never)]
fn step_aside() -> Word {
    STATE.outside.set(false);
    WORD.replace(or_background(STATE.under.get()))
}

#[cold]
#[inline(never)]
fn step_back(aside: Word) {
    STATE.outside.set(true);
    STATE.under.set(WORD.replace(or_background(aside)));
}

/// Returns the same, or where that is no task, the background if it has work by now.
fn or_background(word: Word) -> Word {
    if word.is_nothing() || is_word_of_background(word) {
        return background_if(is_busy).map_or(Word::NOTHING, Word::of);
    }
    word
}

/// What was so before code outside of tasks began.
#[derive(Clone, Copy)]
pub(super) struct Under {
    word: Word,
    outside: bool,
    without_tasks: bool,
}

/// Enters code that is no task's: none is current to it. Returns what [`step_in`] needs.
#[inline]
pub(super) fn step_out(without_tasks: bool) -> Under {
    let current = WORD.replace(or_background(Word::NOTHING));
    Under {
        word: STATE.under.replace(current),
        outside: STATE.outside.replace(true),
        without_tasks: STATE.without_tasks.replace(without_tasks),
    }
}

/// Ends such code. What is current again is what is so by now, if it is in the middle of a call.
#[inline]
pub(super) fn step_in(under: Under) {
    WORD.set(or_background(STATE.under.replace(under.word)));
    STATE.outside.set(under.outside);
    STATE.without_tasks.set(under.without_tasks);
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
    WORD.set(or_background(Word::NOTHING));
    Awake { task: Some(task), sleeps }
}

impl Drop for Awake {
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(task) = self.task {
            if self.sleeps {
                awake(task);
            }
            WORD.set(Word::of(task));
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

/// Returns whether no task runs, and none sleeps: no call of this instance is under way that could be called again. Of
/// tasks of other runtimes those count in which something of ours is.
pub(crate) fn is_idle() -> bool {
    running().is_none() && asleep().is_none() && !foreign::any()
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
    // SAFETY: it is the layout of a task.
    let task = unsafe { TaskRef::allocate(Layout::new::<Task>(), &NOTHING, None, |_| Waker::noop().clone()) };
    slot.set(Some(task));
    task
}

/// Returns whether `task` is the background.
#[inline(always)]
pub(crate) fn is_background(task: TaskRef) -> bool {
    Some(task) == STATE.background.get()
}

/// Returns whether this is what the word holds while the background is current.
fn is_word_of_background(word: Word) -> bool {
    STATE.background.get().is_some_and(|background| Word::of(background) == word)
}

/// Returns the background, if there is one of which this is true.
pub(crate) fn background_if(is: impl FnOnce(TaskRef) -> bool) -> Option<TaskRef> {
    STATE.background.get().filter(|task| is(*task))
}

/// Returns whether the background has work for a task.
pub(crate) fn is_busy(background: TaskRef) -> bool {
    background.pending() > 0 || background.is_ready()
}

/// Moves the futures spawned in the background to `task`. None of them was polled yet, so all of them are queued.
#[cold]
#[inline(never)]
pub(crate) fn adopt_nodes(task: TaskRef) {
    let Some(background) = background_if(is_busy) else { return };
    while let Some(node) = background.pop() {
        node.task.set(Some(task));
        task.push(node);
    }
    task.spawned.set(task.spawned.get() + background.spawned.replace(0));
}
