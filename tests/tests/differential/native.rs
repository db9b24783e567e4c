//! Plays a program natively, against the stand-in for the engine.

use super::play;
use crate::engine::Record;
use crate::imports::{Late, Open, World};
use crate::outside::{BLOCKED, Command, Outside};
use crate::program::{Program, Step};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasp_guest_rt::__rt::{self, Pool};
use wasp_guest_rt::native::{self, Next, Remote, TaskId};

/// What is around the guest.
#[derive(Default)]
pub(crate) struct Around {
    pub(crate) program: Program,
    actions: VecDeque<Step>,
    outside: Outside,
    pub(crate) open: Vec<Open>,
    pub(crate) late: Vec<Late>,
    pub(crate) pressed: bool,
    /// Calls that the guest has cancelled, in order: a host stops them at its next turn.
    pub(crate) aborted: VecDeque<u32>,
    tasks: Vec<Option<TaskId>>,
    /// Those that have started, in order.
    started: Vec<TaskId>,
    /// How often a callback was called.
    callbacks: usize,
    ids: Vec<(TaskId, u32)>,
    remotes: Vec<Option<Remote>>,
    written: u32,
    settled: Vec<String>,
}

thread_local! {
    static AROUND: RefCell<Around> = RefCell::default();
}

pub(crate) fn with<T>(f: impl FnOnce(&mut Around) -> T) -> T {
    AROUND.with_borrow_mut(f)
}

/// What the threads are called that programs are played on.
pub(crate) const THREAD: &str = "native";

/// Plays a program on a thread of its own, and so in an instance of its own. Where the engine may choose, it does what
/// the other run has done, if the stand-in allows that.
pub(crate) fn run(program: &Program, other: &Record) -> Record {
    let (program, trace, callbacks) = (program.clone(), other.trace.clone(), other.callbacks.clone());
    let thread = std::thread::Builder::new().name(THREAD.to_owned());
    let played = thread.spawn(move || play(program, trace, callbacks)).expect("there are threads").join();
    played.unwrap_or_else(|_| Record {
        trace: Vec::new(),
        outside: Vec::new(),
        callbacks: Vec::new(),
        trap: Some("the run itself failed".to_owned()),
    })
}

fn play(program: Program, other: Vec<String>, callbacks: Vec<usize>) -> Record {
    native::record_results();
    native::guide(Some(Box::new(move |options| choose(options, other.get(native::recorded()), &callbacks))));
    with(|around| {
        around.actions = program.actions.iter().copied().collect();
        around.program = program;
    });
    native::when_idle(next);
    let result = catch_unwind(AssertUnwindSafe(|| {
        loop {
            abort();
            if !native::step() {
                break;
            }
        }
    }));
    let trap = result.err().map(|panic| match panic.downcast::<String>() {
        Ok(why) => *why,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(String::new, |why| (*why).to_owned()),
    });
    // An engine whose host does nothing more just waits.
    let trap = trap.filter(|why| !why.contains("everybody waits"));
    let mut trace = native::trace();
    // Natively a trap drops what the guest has, which calls built-ins: in an engine the guest is no more.
    let end = trace.iter().position(|line| line.starts_with("trap: ")).unwrap_or(trace.len());
    trace.truncate(end);
    // What is left calls a runtime and a stand-in that may be gone when the thread ends.
    let mut around = with(std::mem::take);
    let outside = std::mem::take(&mut around.settled);
    std::mem::forget(around);
    play::forget();
    Record { trace, outside, callbacks: Vec::new(), trap }
}

/// Chooses what the other run did next.
fn choose(options: &[Next], expected: Option<&String>, callbacks: &[usize]) -> usize {
    let Some(expected) = expected else { return 0 };
    let task = |task: TaskId| {
        with(|around| {
            let expected = callbacks.get(around.callbacks);
            expected.is_none_or(|expected| around.started.get(*expected) == Some(&task))
        })
    };
    let fits = |option: &Next| match *option {
        Next::Event([_, waitable, code]) => {
            *expected == format!("event = {}", u64::from(waitable) << 32 | u64::from(code))
        }
        Next::Callback(id, [event, waitable, code]) => {
            *expected == format!("callback {event} {waitable} {code}") && task(id)
        }
        Next::Continue(id) => expected == "callback 0 0 0" && task(id),
        Next::Cancelled(id) => expected == "callback 6 0 0" && task(id),
        Next::Start(task) => {
            let id = with(|around| around.ids.iter().find(|(known, _)| *known == task).map(|(_, id)| *id));
            id.is_some_and(|id| *expected == format!("log {} {id} 0 0", play::RUN))
        }
    };
    let choice = options.iter().position(fits).unwrap_or(0);
    if matches!(options.get(choice), Some(Next::Callback(..) | Next::Continue(_) | Next::Cancelled(_))) {
        with(|around| around.callbacks += 1);
    }
    choice
}

/// Stops the calls that were cancelled.
fn abort() -> bool {
    let mut any = false;
    while let Some(subtask) = with(|around| around.aborted.pop_front()) {
        native::cancelled(subtask);
        any = true;
    }
    any
}

/// Does the next thing outside, when nothing inside can happen.
fn next() {
    // What is done may block, and then this is called again.
    if abort() {
        return native::when_idle(next);
    }
    let Some(action) = with(|around| around.actions.pop_front()) else { return collect() };
    native::when_idle(next);
    collect();
    act(action);
}

fn collect() {
    with(|around| {
        for call in around.outside.open_calls() {
            if around.tasks[call].is_some_and(native::resolved) {
                around.outside.call_ends(call);
            }
        }
        for end in around.outside.busy_ends() {
            if let Some((result, count)) = around.remotes[end].as_ref().and_then(Remote::outcome) {
                around.settle(end, result | (count as u32) << 4);
            }
        }
    });
}

impl Around {
    fn settle(&mut self, end: usize, code: u32) {
        let of = &self.outside.ends[end];
        let count = match of.kind {
            0 => code >> 4,
            2 if code == 0 => 1,
            _ => 0,
        };
        let sum = match &self.remotes[end] {
            // SAFETY: the items of these kinds are numbers.
            Some(remote) if of.reads && code != BLOCKED => unsafe {
                remote.items::<u32>(count as usize).iter().sum::<u32>()
            },
            _ => 0,
        };
        let line = self.outside.settle(end, code, sum);
        self.settled.push(line);
    }

    /// Starts a copy of an end, and notes what that comes to at once.
    fn copies(&mut self, end: usize, copy: impl FnOnce(&Remote)) {
        let Some(remote) = &self.remotes[end] else { return };
        copy(remote);
        let code = remote.outcome().map_or(BLOCKED, |(result, count)| result | (count as u32) << 4);
        self.settle(end, code);
    }

    fn write(&mut self, end: usize, count: u32) {
        let kind = self.outside.ends[end].kind;
        let count = if kind >= 2 { 1 } else { count };
        let first = self.written + 1;
        if kind.is_multiple_of(2) {
            // The driver fills its whole area.
            self.written += 8;
            let numbers: Vec<u32> = (first..first + count).collect();
            self.copies(end, |remote| remote.write(&numbers));
        } else {
            let text = |len: u32| {
                let text = String::from(&"abcdefgh"[..len as usize]).into_boxed_str();
                let text = Box::leak(text);
                [text.as_ptr().expose_provenance(), text.len()]
            };
            let texts: Vec<[usize; 2]> = (1..=count).map(text).collect();
            self.copies(end, |remote| remote.write(&texts));
        }
    }
}

fn act(action: Step) {
    let command = with(|around| around.outside.command(action));
    native::note(format!("outside: {command:?}"));
    match command {
        Command::Nothing => {}
        Command::Start { routine } => start(routine),
        Command::Poke { routine } => native::sync_export(|| play::poke(routine)),
        Command::Cancel { call } => {
            if let Some(task) = with(|around| {
                around.outside.call_ends(call);
                around.tasks[call]
            }) {
                native::cancel(task);
            }
        }
        Command::Give { kind, slot } => give(kind, slot),
        Command::Take { kind, slot } => take(kind, slot),
        Command::Read { end, count } => with(|around| {
            let count = if around.outside.ends[end].kind >= 2 { 1 } else { count as usize };
            around.copies(end, |remote| remote.read(count));
        }),
        Command::Write { end, count } => with(|around| around.write(end, count)),
        Command::CancelCopy { end } => with(|around| {
            if let Some(remote) = &around.remotes[end] {
                let (result, count) = remote.cancel();
                around.settle(end, result | (count as u32) << 4);
            }
        }),
        Command::Drop { end } => {
            let remote = with(|around| {
                around.outside.drop_end(end);
                around.remotes[end].take()
            });
            drop(remote);
        }
        Command::Press { on } => with(|around| around.press(on == 1)),
        Command::AnswerLate { number } => with(|around| around.answer_late(number)),
        Command::Answer { number } => with(|around| around.answer(number)),
    }
}

fn start(routine: u32) {
    static POOL: Pool = Pool::new();
    let index = with(|around| {
        around.outside.add_call(0, false);
        around.tasks.push(None);
        around.tasks.len() - 1
    });
    let export = move || {
        // It may block before the driver is told which task it is.
        with(|around| {
            around.tasks[index] = native::current();
            around.started.extend(native::current());
        });
        // SAFETY: the pool is for this call alone.
        unsafe {
            __rt::start(
                &POOL,
                || play::run(routine),
                |result: u32| {
                    __rt::task_return::<World, _, 1>(result, |_| native::task_return());
                },
            )
        }
    };
    let task = native::offer(export);
    with(|around| {
        around.tasks[index] = Some(task);
        around.ids.push((task, routine));
        if native::resolved(task) {
            around.outside.call_ends(index);
        }
    });
}

fn give(kind: u32, slot: u32) {
    /// Lifts what the component is passed.
    fn lift<T: __rt::Lift<World>>(handle: u32) -> T {
        // SAFETY: the handle is of such an end.
        unsafe { __rt::lift_params::<World, (T,), 1>([u64::from(handle)]) }.0
    }
    let (remote, handle) = match kind {
        0 => Remote::stream::<u32>(),
        1 => Remote::stream::<String>(),
        2 => Remote::future::<u32>(),
        _ => Remote::future::<String>(),
    };
    native::sync_export(|| match kind {
        0 => play::give_numbers(slot, lift(handle)),
        1 => play::give_texts(slot, lift(handle)),
        2 => play::give_number(slot, lift(handle)),
        _ => play::give_text(slot, lift(handle)),
    });
    with(|around| {
        around.outside.add_end(kind, false, 0);
        around.remotes.push(Some(remote));
    });
}

fn take(kind: u32, slot: u32) {
    let handle = native::sync_export(|| match kind {
        0 => __rt::return_flat::<World, _>(play::take_numbers(slot)),
        1 => __rt::return_flat::<World, _>(play::take_texts(slot)),
        2 => __rt::return_flat::<World, _>(play::take_number(slot)),
        _ => __rt::return_flat::<World, _>(play::take_text(slot)),
    });
    let remote = Remote::lift(handle as u32);
    with(|around| {
        around.outside.add_end(kind, true, 0);
        around.remotes.push(Some(remote));
    });
}
