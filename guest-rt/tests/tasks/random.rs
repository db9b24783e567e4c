//! Random programs under random schedules: whatever happens, no rule of the engine is broken, and all tasks end.

use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::Poll;
use std::collections::BTreeMap;
use std::rc::Rc;
use wasp_guest_rt::__rt::{self, Pool};
use wasp_guest_rt::{block_on, spawn_local, yield_async};

/// Repeatable chance.
#[derive(Clone)]
struct Chance(Rc<Cell<u64>>);

impl Chance {
    fn below(&self, limit: usize) -> usize {
        let mut state = self.0.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        (state >> 33) as usize % limit
    }
}

/// What the tasks of one run share.
#[derive(Clone)]
struct Shared {
    chance: Chance,
    /// Where the results of open calls go.
    results: Rc<RefCell<BTreeMap<u32, usize>>>,
    flags: Rc<Vec<RefCell<Flag>>>,
    /// Futures that change hands between tasks.
    passed_on: Rc<RefCell<Vec<Program>>>,
    /// Futures that were made and not dropped.
    alive: Rc<Cell<isize>>,
}

type Program = Pin<Box<dyn Future<Output = ()>>>;

struct Alive(Rc<Cell<isize>>);

impl Alive {
    fn new(shared: &Shared) -> Alive {
        shared.alive.set(shared.alive.get() + 1);
        Alive(shared.alive.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Shared {
    fn call(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.clone();
        let text = String::from("a parameter of some length");
        // SAFETY: the stand-in answers as such an import does.
        let call = unsafe {
            __rt::async_call::<World, _, u32, 2, 1>((text,), move |_, result| {
                let status = match shared.chance.below(3) {
                    0 => native::subtask_starting(),
                    1 => native::subtask_started(),
                    _ => {
                        core::ptr::with_exposed_provenance_mut::<u32>(result).write(7);
                        return 2;
                    }
                };
                shared.results.borrow_mut().insert(status >> 4, result);
                status
            })
        };
        async { assert_eq!(call.await, 7) }
    }

    fn flag(&self) -> Flag {
        let flags = &self.flags;
        flags[self.chance.below(flags.len())].borrow().clone()
    }

    /// Raises a flag, and puts a new one in its place.
    fn raise(&self) {
        self.raise_one(self.chance.below(self.flags.len()));
    }

    fn raise_one(&self, number: usize) {
        let flag = self.flags[number].replace(Flag::default());
        flag.raise();
    }

    fn program(&self, depth: usize) -> Program {
        let shared = self.clone();
        let alive = Alive::new(self);
        Box::pin(async move {
            let _alive = alive;
            for _ in 0..shared.chance.below(4) {
                shared.step(depth).await;
            }
        })
    }

    async fn step(&self, depth: usize) {
        let inner = |depth: usize| self.program(depth.saturating_sub(1));
        match self.chance.below(if depth == 0 { 5 } else { 12 }) {
            0 | 1 => self.call().await,
            2 => self.flag().await,
            3 => yield_async().await,
            4 => self.raise(),
            5 => _ = join(inner(depth), inner(depth)).await,
            6 => either(inner(depth), inner(depth)).await,
            7 => _ = spawn_local(inner(depth)).await,
            8 => drop(spawn_local(inner(depth))),
            9 => {
                let mut handle = spawn_local(inner(depth));
                self.call().await;
                handle.cancel();
                handle.await;
            }
            10 => {
                let mut program = inner(depth);
                // Starts here, and may go on elsewhere.
                let started = core::future::poll_fn(|cx| Poll::Ready(program.as_mut().poll(cx))).await;
                if started.is_pending() {
                    self.passed_on.borrow_mut().push(program);
                }
            }
            _ => {
                let program = self.passed_on.borrow_mut().pop();
                if let Some(program) = program {
                    either(program, self.flag()).await;
                }
            }
        }
    }

    /// Something happens outside.
    fn happen(&self) {
        let open = native::open_subtasks();
        match self.chance.below(6) {
            0 | 1 if !open.is_empty() => {
                let (handle, started) = open[self.chance.below(open.len())];
                if started || self.chance.below(2) == 0 {
                    self.answer(handle, started);
                } else {
                    native::started(handle);
                }
            }
            2 => native::sync_export(|| self.raise()),
            3 => native::sync_export(|| drop(self.passed_on.borrow_mut().pop())),
            4 if self.chance.below(4) == 0 => native::sync_export(|| drop(spawn_local(self.program(1)))),
            _ => _ = native::step(),
        }
    }

    fn answer(&self, handle: u32, started: bool) {
        if !started {
            native::started(handle);
        }
        let result = self.results.borrow()[&handle];
        // SAFETY: the subtask is open, so that its caller keeps the place.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(result).write(7) }
        native::returned(handle);
    }

    /// Answers and raises everything, until nothing is left to do.
    fn finish(&self) {
        loop {
            self.passed_on.borrow_mut().clear();
            for (handle, started) in native::open_subtasks() {
                self.answer(handle, started);
            }
            (0..self.flags.len()).for_each(|number| native::sync_export(|| self.raise_one(number)));
            let mut steps = 0;
            while native::step() {
                steps += 1;
            }
            if steps == 0 && native::open_subtasks().is_empty() {
                break;
            }
        }
    }
}

fn play(seed: u64) {
    let chance = Chance(Rc::new(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)));
    let shared = Shared {
        chance: chance.clone(),
        results: Rc::default(),
        flags: Rc::new((0..6).map(|_| RefCell::default()).collect()),
        passed_on: Rc::default(),
        alive: Rc::default(),
    };
    native::choose(move |count| chance.below(count));
    let mut tasks = Vec::new();
    for _ in 0..60 {
        if tasks.len() < 12 && shared.chance.below(4) == 0 {
            let program = shared.program(3);
            tasks.push(start(program));
        }
        shared.happen();
        if !tasks.is_empty() && shared.chance.below(20) == 0 {
            native::cancel(tasks[shared.chance.below(tasks.len())]);
        }
    }
    // What was spawned while there was no task runs with this one.
    tasks.push(start(shared.program(0)));
    shared.finish();
    for task in tasks {
        assert!(exited(task), "seed {seed}");
    }
    assert_eq!(shared.alive.get(), 0, "seed {seed}");
    assert_eq!(native::open_subtasks(), [], "seed {seed}");
}

fn start(program: Program) -> TaskId {
    static POOL: Pool = Pool::new();
    export(&POOL, program)
}

#[test]
fn all_tasks_end_and_nothing_is_left() {
    let seeds = if cfg!(miri) { 5 } else { 3000 };
    for seed in 1..=seeds {
        play(seed);
    }
    // Sets and pairs of signals are kept, as many as were needed at once.
    assert!(handles() < 300, "{}", handles());
}

#[test]
fn blocking_waits_for_any_program() {
    let shared = Shared {
        chance: Chance(Rc::new(Cell::new(99))),
        results: Rc::default(),
        flags: Rc::new((0..3).map(|_| RefCell::default()).collect()),
        passed_on: Rc::default(),
        alive: Rc::default(),
    };
    for _ in 0..if cfg!(miri) { 4 } else { 500 } {
        for _ in 0..200 {
            let world = shared.clone();
            later(move || {
                for (handle, started) in native::open_subtasks() {
                    world.answer(handle, started);
                }
                (0..6).for_each(|_| native::sync_export(|| world.raise()));
            });
        }
        block_on(shared.program(2));
        native::run();
        shared.passed_on.borrow_mut().clear();
        assert_eq!(shared.alive.get(), 0);
    }
}
