//! The tasks of the instance, and who runs when.

use super::{streams, subtasks, table, trace, trap};
use crate::builtins::{code, event};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use core::cell::{Cell, RefCell};
use core::ptr;

/// A call of an async export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskId(usize);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Yielded,
    Waiting(u32),
    Exited,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    CancelRequested,
    CancelDelivered,
    Resolved,
}

struct Task {
    state: State,
    outcome: Outcome,
    context: *mut u8,
}

type Action = Box<dyn FnOnce()>;
type Chooser = Box<dyn FnMut(usize) -> usize>;

std::thread_local! {
    /// Those that have not ended.
    static TASKS: RefCell<BTreeMap<usize, Task>> = const { RefCell::new(BTreeMap::new()) };
    static NEXT: Cell<usize> = const { Cell::new(0) };
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
    static LATER: RefCell<VecDeque<Action>> = const { RefCell::new(VecDeque::new()) };
    static BACKPRESSURE: Cell<i32> = const { Cell::new(0) };
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
}

fn with<T>(id: usize, f: impl FnOnce(&mut Task) -> T) -> T {
    TASKS.with_borrow_mut(|tasks| match tasks.get_mut(&id) {
        Some(task) => f(task),
        None => trap("no such task"),
    })
}

fn with_current<T>(f: impl FnOnce(&mut Task) -> T) -> T {
    match CURRENT.get() {
        Some(id) => with(id, f),
        None => trap("no task is running"),
    }
}

/// Runs the component's code as part of a task, or of none.
fn enter<T>(task: Option<usize>, code: impl FnOnce() -> T) -> T {
    let outer = CURRENT.replace(task);
    let result = code();
    CURRENT.set(outer);
    result
}

/// Calls an async export: `export` makes the call of `start`.
pub fn call(export: impl FnOnce() -> u32) -> TaskId {
    let id = NEXT.replace(NEXT.get() + 1);
    let task = Task { state: State::Running, outcome: Outcome::Open, context: ptr::null_mut() };
    TASKS.with_borrow_mut(|tasks| tasks.insert(id, task));
    let answer = enter(Some(id), export);
    settle(id, answer);
    TaskId(id)
}

/// Calls a synchronous export, a destructor of a resource, or anything else that is not part of a task.
pub fn sync_export<T>(export: impl FnOnce() -> T) -> T {
    enter(None, export)
}

fn settle(id: usize, answer: u32) {
    let state = match answer & 15 {
        code::EXIT => State::Exited,
        code::YIELD => State::Yielded,
        code::WAIT => {
            table::wait_on(answer >> 4, true);
            State::Waiting(answer >> 4)
        }
        _ => trap("not an answer"),
    };
    with(id, |task| {
        if state == State::Exited && task.outcome != Outcome::Resolved {
            trap("the task is over, but has neither returned nor been cancelled");
        }
        task.state = state;
    });
    match state {
        State::Exited => {
            TASKS.with_borrow_mut(|tasks| tasks.remove(&id));
            trace::note("EXIT");
        }
        State::Yielded => trace::note("YIELD"),
        _ => trace::mark(format_args!("WAIT {}", answer >> 4)),
    }
}

/// The built-in `task.return` of all exports.
pub fn task_return() {
    trace::builtin("task.return", &[]);
    with_current(|task| {
        if task.outcome == Outcome::Resolved {
            trap("the task has returned before");
        }
        task.outcome = Outcome::Resolved;
    });
}

pub(super) fn resolve_cancelled() {
    with_current(|task| {
        if task.outcome != Outcome::CancelDelivered {
            trap("nobody has cancelled the task");
        }
        task.outcome = Outcome::Resolved;
    });
}

/// The caller of a task cancels it, which it is told at its next turn.
pub fn cancel(task: TaskId) {
    TASKS.with_borrow_mut(|tasks| {
        if let Some(task) = tasks.get_mut(&task.0)
            && task.outcome == Outcome::Open
        {
            task.outcome = Outcome::CancelRequested;
        }
    });
}

/// The task is over.
pub fn exited(task: TaskId) -> bool {
    TASKS.with_borrow(|tasks| !tasks.contains_key(&task.0))
}

/// Does something later, when the engine has nothing else to do, or the component blocks.
pub fn later(action: impl FnOnce() + 'static) {
    LATER.with_borrow_mut(|later| later.push_back(Box::new(action)));
}

/// Decides which of so many tasks that could run does. The first, unless this is called.
pub fn choose(chooser: impl FnMut(usize) -> usize + 'static) {
    CHOOSER.with_borrow_mut(|slot| *slot = Some(Box::new(chooser)));
}

/// How often calls are kept from starting.
pub fn backpressure() -> i32 {
    BACKPRESSURE.get()
}

pub(super) fn add_backpressure(more: i32) {
    BACKPRESSURE.set(BACKPRESSURE.get() + more);
    if BACKPRESSURE.get() < 0 {
        trap("backpressure below zero");
    }
}

pub(super) fn context(new: Option<*mut u8>) -> *mut u8 {
    with_current(|task| {
        let old = task.context;
        task.context = new.unwrap_or(old);
        old
    })
}

/// Runs whatever can run, until nothing can.
pub fn run() {
    while step() {}
}

/// How many tasks could run now.
pub fn runnable() -> usize {
    ready(|ready| ready.count())
}

/// Gives one task a turn, or does the next of what was put off to later. Whether there was something to do.
pub fn step() -> bool {
    crate::task::wake::abroad::receive();
    let choice = match runnable() {
        0 => return act(),
        1 => 0,
        count => CHOOSER.with_borrow_mut(|chooser| chooser.as_mut().map_or(0, |choose| choose(count))),
    };
    if let Some(id) = ready(|ready| ready.nth(choice)) {
        turn_of(id);
    }
    true
}

/// The tasks that could run.
fn ready<T>(f: impl FnOnce(&mut dyn Iterator<Item = usize>) -> T) -> T {
    TASKS.with_borrow(|tasks| {
        let is_ready = |task: &Task| match task.state {
            State::Waiting(set) => task.outcome == Outcome::CancelRequested || table::has_event(set),
            state => state == State::Yielded,
        };
        f(&mut tasks.iter().filter(|(_, task)| is_ready(task)).map(|(id, _)| *id))
    })
}

fn turn_of(id: usize) {
    let (state, cancelled) = with(id, |task| {
        let cancelled = task.outcome == Outcome::CancelRequested;
        if cancelled {
            task.outcome = Outcome::CancelDelivered;
        }
        (core::mem::replace(&mut task.state, State::Running), cancelled)
    });
    let mut event = (event::NONE, 0, 0);
    if let State::Waiting(set) = state {
        table::wait_on(set, false);
        if !cancelled {
            event = table::next_event(set).unwrap_or(event);
        }
    }
    if cancelled {
        event = (event::CANCELLED, 0, 0);
    }
    let (event, waitable, code) = event;
    subtasks::delivered(event, waitable, code);
    streams::delivered(event, waitable, code);
    trace::mark(format_args!("callback {event} {waitable} {code}"));
    // SAFETY: this is the engine; the task did not end.
    let answer = enter(Some(id), || unsafe { crate::task::executor::callback(event, waitable, code) });
    settle(id, answer);
}

/// The component blocks until something is so. Its tasks do not run meanwhile.
pub(super) fn block(mut until: impl FnMut() -> bool) {
    while !until() {
        if !act() {
            trap("deadlock");
        }
    }
}

/// The component blocks for a turn of others.
pub(super) fn turn() {
    act();
}

fn act() -> bool {
    let action = LATER.with_borrow_mut(VecDeque::pop_front);
    action.map(|action| enter(None, action)).is_some()
}
