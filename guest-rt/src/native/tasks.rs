//! The tasks of the instance, and what becomes of them.

use super::frames::{self, Kind};
use super::rules::{Kept, allowed, builtin_unit, rule};
use super::{builtins, schedule, table, trace};
use crate::builtins::{code, event};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::cell::{Cell, RefCell};
use core::ptr;

/// A call of an async export.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TaskId(pub(super) usize);

type Export = Box<dyn FnOnce() -> u32>;

pub(super) enum State {
    /// It waits to start: the instance is busy, or does not want calls.
    Starting(Option<Export>),
    Running,
    Yielded,
    Waiting(u32),
}

pub(super) struct Task {
    pub(super) state: State,
    /// When it came into that state.
    pub(super) since: u64,
    /// It has returned, or was cancelled.
    resolved: bool,
    /// It is to be told that its caller has cancelled it. Engines do so even if it has returned meanwhile.
    pub(super) cancel: bool,
    /// It was told so.
    cancel_told: bool,
    context: *mut u8,
}

impl Task {
    /// Takes the request to cancel it: it counts as told.
    fn take_cancel(&mut self) -> bool {
        self.cancel_told |= self.cancel;
        core::mem::take(&mut self.cancel)
    }
}

std::thread_local! {
    /// Those that have not ended.
    static TASKS: RefCell<BTreeMap<usize, Task>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<usize> = const { Cell::new(0) };
    static BACKPRESSURE: Cell<u32> = const { Cell::new(0) };
    /// A task is running or blocks: no other one runs.
    static EXCLUSIVE: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn all<T>(f: impl FnOnce(&mut BTreeMap<usize, Task>) -> T) -> T {
    TASKS.with_borrow_mut(f)
}

fn with<T>(id: usize, f: impl FnOnce(&mut Task) -> T) -> Kept<T> {
    all(|tasks| tasks.get_mut(&id).map(f)).ok_or("the task is over")
}

fn with_current<T>(f: impl FnOnce(&mut Task) -> T) -> Kept<T> {
    match frames::current() {
        Kind::Async(id) => with(id, f),
        _ => Err("the call that is running is not of an `async` export"),
    }
}

/// A task is running until this is dropped. If that is by a panic, the task is no more.
struct Running(usize);

impl Drop for Running {
    fn drop(&mut self) {
        EXCLUSIVE.set(false);
        if std::thread::panicking() {
            let ended = all(|tasks| tasks.remove(&self.0));
            drop(ended);
        }
    }
}

/// Runs a part of a task, and does what it answers.
fn run_part(id: usize, part: impl FnOnce() -> u32) {
    EXCLUSIVE.set(true);
    let running = Running(id);
    let answer = {
        let _entered = frames::enter(Kind::Async(id));
        part()
    };
    drop(running);
    allowed("a task goes back to the engine", settle(id, answer));
}

fn new(state: State) -> usize {
    let id = NEXT.replace(NEXT.get() + 1);
    let task = Task {
        state,
        since: table::now(),
        resolved: false,
        cancel: false,
        cancel_told: false,
        context: ptr::null_mut(),
    };
    all(|tasks| tasks.insert(id, task));
    id
}

/// Calls an async export: `export` makes the call of `start`.
///
/// # Panics
/// If the call would have to wait: see [`offer`].
#[track_caller]
pub fn call(export: impl FnOnce() -> u32) -> TaskId {
    allowed("an export is called", rule(!EXCLUSIVE.get(), "a task is running or blocks, and so calls wait"));
    allowed("an export is called", rule(BACKPRESSURE.get() == 0, "there is back-pressure, and so calls wait"));
    let id = new(State::Running);
    run_part(id, export);
    TaskId(id)
}

/// Calls an async export, which waits to start while the instance is kept by a task that blocks, or by back-pressure.
pub fn offer(export: impl FnOnce() -> u32 + 'static) -> TaskId {
    if may_start() {
        return call(export);
    }
    trace::note("STARTING");
    TaskId(new(State::Starting(Some(Box::new(export)))))
}

/// Returns whether a call could start now.
pub(super) fn may_start() -> bool {
    !EXCLUSIVE.get() && BACKPRESSURE.get() == 0
}

/// Returns whether a task that waits could go on now.
pub(super) fn may_enter() -> bool {
    !EXCLUSIVE.get()
}

/// Returns the task that is running.
pub fn current() -> Option<TaskId> {
    match frames::current() {
        Kind::Async(id) => Some(TaskId(id)),
        _ => None,
    }
}

/// Returns whether a call waits to start.
pub fn starting(task: TaskId) -> bool {
    with(task.0, |task| matches!(task.state, State::Starting(_))).unwrap_or(false)
}

fn settle(id: usize, answer: u32) -> Kept<()> {
    let state = match answer & 15 {
        code::EXIT => {
            let resolved = with(id, |task| task.resolved)?;
            all(|tasks| tasks.remove(&id));
            trace::note("EXIT");
            return rule(resolved, "the task is over, but has neither returned nor been cancelled");
        }
        code::YIELD => {
            trace::note("YIELD");
            State::Yielded
        }
        code::WAIT => {
            table::wait_on(answer >> 4, true)?;
            trace::mark(format_args!("WAIT {}", answer >> 4));
            State::Waiting(answer >> 4)
        }
        _ => return Err("the answer is none of EXIT, YIELD and WAIT"),
    };
    with(id, |task| {
        task.state = state;
        task.since = table::now();
    })
}

/// Calls `task.return`, the one built-in for the exports of all types.
pub fn task_return() {
    builtin_unit("task.return", &[], || {
        with_current(|task| {
            rule(!task.resolved, "the task has returned, or was cancelled, before")?;
            task.resolved = true;
            Ok(())
        })?
    });
}

pub(super) fn resolve_cancelled() -> Kept<()> {
    with_current(|task| {
        rule(!task.resolved, "the task has returned, or was cancelled, before")?;
        rule(task.cancel_told, "the task was not told that it is cancelled")?;
        task.resolved = true;
        Ok(())
    })?
}

/// The caller of a task cancels it. One that has not started never does; others are told at their next turn.
pub fn cancel(task: TaskId) {
    let starting = starting(task);
    // What a call would have run with is dropped when nothing is borrowed.
    let ended = all(|tasks| match tasks.get_mut(&task.0) {
        Some(_) if starting => tasks.remove(&task.0),
        Some(task) if !task.resolved && !task.cancel_told => {
            task.cancel = true;
            task.since = task.since.max(table::now());
            None
        }
        _ => None,
    });
    drop(ended);
}

/// Returns whether the task is over.
pub fn exited(task: TaskId) -> bool {
    all(|tasks| !tasks.contains_key(&task.0))
}

/// Returns whether the task has returned, or was cancelled; it may still be running.
pub fn resolved(task: TaskId) -> bool {
    with(task.0, |task| task.resolved).unwrap_or(true)
}

/// Returns how often calls are kept from starting.
pub fn backpressure() -> u32 {
    BACKPRESSURE.get()
}

pub(super) fn add_backpressure(more: i32) -> Kept<()> {
    let now = BACKPRESSURE.get().checked_add_signed(more).ok_or("the back-pressure falls below zero")?;
    rule(now <= u32::from(u16::MAX), "the back-pressure rises above 65535")?;
    BACKPRESSURE.set(now);
    Ok(())
}

pub(super) fn context(new: Option<*mut u8>) -> Kept<*mut u8> {
    match frames::current() {
        Kind::Async(id) => with(id, |task| {
            let old = task.context;
            task.context = new.unwrap_or(old);
            old
        }),
        _ => frames::context(new),
    }
}

/// Takes the request to cancel the running task, if there is one.
pub(super) fn take_cancel() -> bool {
    with_current(Task::take_cancel).unwrap_or(false)
}

/// Continues a task: starts it, or calls its callback with the event of `waitable`, or of whichever is first.
pub(super) fn continue_task(id: usize, waitable: Option<u32>) {
    let was = with(id, |task| {
        let was = core::mem::replace(&mut task.state, State::Running);
        (was, task.take_cancel())
    });
    let Ok((state, cancelled)) = was else { return };
    let set = match state {
        State::Starting(Some(export)) => return run_part(id, export),
        State::Waiting(set) => {
            allowed("a task goes on", table::wait_on(set, false));
            Some(set)
        }
        _ => None,
    };
    let [event, waitable, code] = match set {
        _ if cancelled => [event::CANCELLED, 0, 0],
        Some(set) => waitable.or_else(|| table::oldest(set)).map_or([event::NONE, 0, 0], builtins::deliver),
        None => [event::NONE, 0, 0],
    };
    trace::mark(format_args!("callback {event} {waitable} {code}"));
    // SAFETY: this is the engine, and the task told it to go on.
    run_part(id, || unsafe { crate::task::executor::callback(event, waitable, code) });
}

/// The running call blocks until something is so. Its task keeps the others of the instance from running.
pub(super) fn block(mut until: impl FnMut() -> bool) -> Kept<()> {
    while !until() {
        rule(schedule::act(), "everybody waits: nothing will ever end this")?;
    }
    Ok(())
}

/// The running call gives way to others, for a turn.
///
/// Where a task is running, those are not of this instance. Beside a synchronous export, tasks do run.
pub(super) fn give_way() {
    if may_enter() {
        schedule::run_ready();
    }
    schedule::act_beside();
}
