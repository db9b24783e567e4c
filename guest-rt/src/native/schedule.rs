//! Who is next.
//!
//! Whatever an engine may choose is chosen here. Unless the test decides, it is as engines do it: what was ready first
//! goes first, and who has yielded goes when nobody else is ready.

use super::frames::{self, Kind};
use super::tasks::{self, State, Task, TaskId};
use super::{rules, table};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Something that the engine may do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It starts a call.
    Start(TaskId),
    /// It calls the callback of a task that has yielded.
    Continue(TaskId),
    /// It tells a task that it is cancelled.
    Cancelled(TaskId),
    /// It calls the callback of a task with this event: what kind, of which waitable, with which code.
    Callback(TaskId, [u32; 3]),
    /// It answers `waitable-set.wait` or `waitable-set.poll` with this event.
    Event([u32; 3]),
}

type Action = Box<dyn FnOnce()>;
type Chooser = Box<dyn FnMut(usize) -> usize>;
/// What decides everything that the engine may choose: it returns the number of one of the options.
pub type Guide = Box<dyn FnMut(&[Next]) -> usize>;

std::thread_local! {
    static LATER: RefCell<VecDeque<Action>> = const { RefCell::new(VecDeque::new()) };
    static IDLE: RefCell<VecDeque<Action>> = const { RefCell::new(VecDeque::new()) };
    static CHOOSER: RefCell<Option<Chooser>> = const { RefCell::new(None) };
    static GUIDE: RefCell<Option<Guide>> = const { RefCell::new(None) };
}

/// Decides which of so many tasks that could run does. The one that waits the longest, unless this is called.
pub fn choose(chooser: impl FnMut(usize) -> usize + 'static) {
    CHOOSER.with_borrow_mut(|slot| *slot = Some(Box::new(chooser)));
}

/// Decides everything that the engine may choose, or does so no longer. Comes before [`choose()`].
pub fn guide(guide: Option<Guide>) {
    let old = GUIDE.with_borrow_mut(|slot| core::mem::replace(slot, guide));
    drop(old);
}

/// Asks the guide, if there is one. It is code of the test's: nothing is borrowed while it runs.
fn ask(options: impl FnOnce() -> Vec<Next>) -> Option<Next> {
    let mut guide = GUIDE.with_borrow_mut(Option::take)?;
    let options = options();
    let choice = options.get(guide(&options)).copied();
    GUIDE.with_borrow_mut(|slot| _ = slot.get_or_insert(guide));
    choice
}

/// Does something later, when the engine has nothing else to do, or the component blocks or gives way.
pub fn later(action: impl FnOnce() + 'static) {
    LATER.with_borrow_mut(|later| later.push_back(Box::new(action)));
}

/// Does something when nothing else can happen: as [`later`], but not because the component gives way.
pub fn when_idle(action: impl FnOnce() + 'static) {
    IDLE.with_borrow_mut(|idle| idle.push_back(Box::new(action)));
}

/// Returns whether the engine still does something. While a thread unwinds it does not: a component that has trapped runs
/// no more, and so nobody answers what its destructors call.
fn goes_on() -> bool {
    !std::thread::panicking()
}

/// Does the next of what was put off to later: whether there was something.
pub(super) fn act() -> bool {
    goes_on()
        && perform(LATER.with_borrow_mut(VecDeque::pop_front).or_else(|| IDLE.with_borrow_mut(VecDeque::pop_front)))
}

/// As `act`, but the component only gives way.
pub(super) fn act_beside() {
    if goes_on() {
        perform(LATER.with_borrow_mut(VecDeque::pop_front));
    }
}

fn perform(action: Option<Action>) -> bool {
    let _entered = frames::enter(Kind::Outside);
    action.map(|action| action()).is_some()
}

/// Returns since when a task could go on, and whether it lets others go first.
fn ready_since(task: &Task) -> Option<(bool, u64)> {
    let since = match task.state {
        State::Running => return None,
        State::Starting(_) => tasks::may_start().then_some(task.since)?,
        _ if !tasks::may_enter() => return None,
        State::Yielded => return Some((true, task.since)),
        State::Waiting(_) if task.cancel => task.since,
        State::Waiting(set) => table::event_since(set)?.max(task.since),
    };
    Some((false, since))
}

/// Returns the tasks that could go on, in order.
fn ready() -> Vec<usize> {
    let mut ready: Vec<_> =
        tasks::all(|tasks| tasks.iter().filter_map(|(id, task)| Some((ready_since(task)?, *id))).collect());
    ready.sort_unstable();
    ready.into_iter().map(|(_, id)| id).collect()
}

fn first() -> Option<usize> {
    let tasks = |tasks: &mut alloc::collections::BTreeMap<usize, Task>| {
        tasks.iter().filter_map(|(id, task)| Some((ready_since(task)?, *id))).min()
    };
    tasks::all(tasks).map(|(_, id)| id)
}

/// Returns all that could be done with a task that is ready.
fn options_of(id: usize) -> Vec<Next> {
    let option = |task: &Task| match task.state {
        State::Starting(_) => Ok(Next::Start(TaskId(id))),
        _ if task.cancel => Ok(Next::Cancelled(TaskId(id))),
        State::Waiting(set) => Err(set),
        _ => Ok(Next::Continue(TaskId(id))),
    };
    match tasks::all(|tasks| tasks.get(&id).map(option)) {
        None => Vec::new(),
        Some(Ok(option)) => [option].into(),
        Some(Err(set)) => table::events(set).into_iter().map(|event| Next::Callback(TaskId(id), event)).collect(),
    }
}

/// Returns the waitable of a set whose event is delivered.
pub(super) fn choose_event(set: u32) -> Option<u32> {
    let oldest = table::oldest(set)?;
    match ask(|| table::events(set).into_iter().map(Next::Event).collect()) {
        Some(Next::Event([_, waitable, _])) => Some(waitable),
        _ => Some(oldest),
    }
}

/// Returns how many tasks could run now.
pub fn runnable() -> usize {
    tasks::all(|tasks| tasks.values().filter(|task| ready_since(task).is_some()).count())
}

/// Runs whatever can run, until nothing can.
pub fn run() {
    while step() {}
}

/// Gives one task a turn, or does the next of what was put off to later: whether there was something to do.
pub fn step() -> bool {
    crate::task::wake::abroad::receive();
    crate::task::wake::abroad::receive();
    step_task() || act()
}

/// Gives one task a turn: whether there was one.
pub(super) fn step_task() -> bool {
    let Some(first) = first().filter(|_| goes_on()) else { return false };
    let asked = ask(|| ready().into_iter().flat_map(options_of).collect());
    let (id, waitable) = match asked {
        Some(Next::Callback(TaskId(id), [_, waitable, _])) => (id, Some(waitable)),
        Some(Next::Start(TaskId(id)) | Next::Continue(TaskId(id)) | Next::Cancelled(TaskId(id))) => (id, None),
        _ => (choose_task(first), None),
    };
    tasks::continue_task(id, waitable);
    true
}

fn choose_task(first: usize) -> usize {
    let Some(mut chooser) = CHOOSER.with_borrow_mut(Option::take) else { return first };
    let ready = ready();
    let choice = if ready.len() > 1 { chooser(ready.len()) } else { 0 };
    CHOOSER.with_borrow_mut(|slot| _ = slot.get_or_insert(chooser));
    let chosen = ready.get(choice).copied().ok_or("there are not so many tasks to choose from");
    rules::allowed("the test chooses a task", chosen)
}

/// Gives each task that is ready a turn.
pub(super) fn run_ready() {
    for _ in 0..runnable() {
        step_task();
    }
}

/// Lets the engine do what it does while a callee starts that is in another component: it suspends the caller, and so
/// tasks that are ready have their turn in the middle of a synchronous export. Those that have yielded go on waiting.
pub fn callee_starts() {
    let queued = |tasks: &mut alloc::collections::BTreeMap<usize, Task>| {
        tasks.values().filter_map(ready_since).filter(|(yields, _)| !yields).count()
    };
    for _ in 0..tasks::all(queued) {
        step_task();
    }
}
