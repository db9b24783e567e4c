//! What is outside of a program: the callees of its calls, the other ends of its streams, and who cancels it. Each of
//! them is an actor that does one thing after the other; which of them is next, or the component, is chosen.

use crate::explore::{Decisions, Findings};
use crate::support::{self, Token, native};
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use wasp_guest_rt::__rt::{self, Pool};
use wasp_guest_rt::native::{Remote, TaskId};
use wasp_guest_rt::{FutureReader, StreamReader};

pub(crate) type Program = Pin<Box<dyn Future<Output = ()>>>;

type Action = Box<dyn FnOnce()>;

pub(crate) struct World {
    decisions: Rc<RefCell<Decisions>>,
    actors: RefCell<Vec<VecDeque<Action>>>,
    next_token: Cell<u32>,
    /// Tokens that were sent to the component.
    owed: RefCell<Vec<u32>>,
    /// Tokens that the others took from the component.
    taken: RefCell<BTreeSet<u32>>,
    waited: RefCell<BTreeSet<&'static str>>,
    dropped: RefCell<BTreeSet<&'static str>>,
}

impl World {
    pub(crate) fn new(decisions: Rc<RefCell<Decisions>>) -> Rc<World> {
        Rc::new(World {
            decisions,
            actors: RefCell::default(),
            next_token: Cell::new(1),
            owed: RefCell::default(),
            taken: RefCell::default(),
            waited: RefCell::default(),
            dropped: RefCell::default(),
        })
    }

    pub(crate) fn start(self: &Rc<World>, program: fn(Rc<World>) -> Program) -> TaskId {
        static POOL: Pool = Pool::new();
        support::export_in(&POOL, program(self.clone()))
    }

    /// A call of an export that does nothing.
    pub(crate) fn another_call(&self) {
        static POOL: Pool = Pool::new();
        support::export_in(&POOL, async {});
        native::run();
    }

    pub(crate) fn canceller(&self, task: TaskId) {
        self.actor([Box::new(move || native::cancel(task)) as Action]);
    }

    fn actor(&self, actions: impl IntoIterator<Item = Action>) {
        self.actors.borrow_mut().push(actions.into_iter().collect());
    }

    /// Somebody does something: the component, or an actor.
    pub(crate) fn step(&self) -> bool {
        let busy: Vec<usize> = {
            let actors = self.actors.borrow();
            (0..actors.len()).filter(|index| !actors[*index].is_empty()).collect()
        };
        let runnable = native::runnable();
        if runnable + busy.len() == 0 {
            return false;
        }
        let choice = self.decisions.borrow_mut().choose(usize::from(runnable > 0) + busy.len());
        if runnable > 0 && choice == 0 {
            return native::step();
        }
        let actor = busy[choice - usize::from(runnable > 0)];
        let action = self.actors.borrow_mut()[actor].pop_front();
        if let Some(action) = action {
            action();
        }
        true
    }

    pub(crate) fn report(&self, findings: &mut Findings) {
        findings.waited.extend(self.waited.take());
        findings.dropped.extend(self.dropped.take());
    }

    pub(crate) fn owed(&self) -> Vec<u32> {
        self.owed.take()
    }

    pub(crate) fn taken(&self) -> BTreeSet<u32> {
        self.taken.take()
    }

    fn takes(&self, token: u32) {
        assert!(self.taken.borrow_mut().insert(token), "{token} is taken twice");
    }

    fn id(&self) -> u32 {
        self.next_token.replace(self.next_token.get() + 1)
    }

    /// Something of the component's own.
    pub(crate) fn token(&self) -> Token {
        Token::new(self.id())
    }

    /// A place where the program awaits something.
    pub(crate) fn at<F: Future>(self: &Rc<World>, name: &'static str, future: F) -> At<F> {
        At { world: self.clone(), name, waits: false, future: Box::pin(future) }
    }

    /// Calls an async import, `(token) -> token`, whose callee starts at once or is started later.
    pub(crate) fn call(self: &Rc<World>, starts_at_once: bool) -> impl Future<Output = Token> + use<> {
        let (world, token) = (self.clone(), self.token());
        // SAFETY: the stand-in answers as such an import does.
        unsafe {
            __rt::async_call::<support::World, _, Token, 1, 1>((token,), move |args: [u64; 1], result| {
                let status = if starts_at_once { native::subtask_started() } else { native::subtask_starting() };
                world.callee(status >> 4, args[0] as u32, result, starts_at_once);
                status
            })
        }
    }

    fn callee(self: &Rc<World>, subtask: u32, param: u32, result: usize, started: bool) {
        if started {
            self.takes(param);
        }
        let (world, open) = (self.clone(), Rc::new(Cell::new(true)));
        let has_started = Rc::new(Cell::new(started));
        let returns = move |world: &World| {
            let id = world.id();
            world.owed.borrow_mut().push(id);
            // SAFETY: the engine may write to the result area while the subtask is not resolved.
            unsafe { core::ptr::with_exposed_provenance_mut::<u32>(result).write(id) }
        };
        let (still_open, starts, starter) = (open.clone(), has_started.clone(), world.clone());
        let start = Box::new(move || {
            if still_open.get() {
                starts.set(true);
                starter.takes(param);
                native::started(subtask);
            }
        }) as Action;
        let (still_open, finisher) = (open.clone(), world.clone());
        let finish = Box::new(move || {
            if still_open.replace(false) {
                returns(&finisher);
                native::returned(subtask);
            }
        }) as Action;
        if started {
            self.actor([finish]);
        } else {
            self.actor([start, finish]);
        }
        native::on_cancel(subtask, move || {
            if !open.replace(false) {
                return 2;
            }
            if !has_started.get() {
                return 3;
            }
            // A callee may return although it is cancelled.
            let choice = world.decisions.borrow_mut().choose(2);
            if choice == 0 {
                return 4;
            }
            returns(&world);
            2
        });
    }

    /// A stream that somebody writes pages of so many tokens to, and then drops.
    pub(crate) fn stream(self: &Rc<World>, pages: &[usize]) -> StreamReader<Token> {
        let (remote, handle) = Remote::stream::<Token>();
        self.writer(remote, false, pages);
        support::lift(handle)
    }

    /// A future that somebody writes.
    pub(crate) fn future(self: &Rc<World>) -> FutureReader<Token> {
        let (remote, handle) = Remote::future::<Token>();
        self.writer(remote, true, &[1]);
        support::lift(handle)
    }

    fn writer(self: &Rc<World>, remote: Remote, is_future: bool, pages: &[usize]) {
        self.far(remote, false, is_future, pages, |world, far, count| {
            let ids: Vec<u32> = (0..count).map(|_| world.id()).collect();
            far.remote.write(&ids);
            *far.sent.borrow_mut() = ids;
        });
    }

    /// Somebody reads so many items at a time, and then drops the reader.
    pub(crate) fn reader(self: &Rc<World>, reader: StreamReader<Token>, pages: &[usize]) {
        self.far(support::give(reader), true, false, pages, |_, far, count| far.remote.read(count));
    }

    /// Somebody reads the value, and then drops the reader.
    pub(crate) fn future_reader(self: &Rc<World>, reader: FutureReader<Token>) {
        self.far(support::give(reader), true, true, &[1], |_, far, count| far.remote.read(count));
    }

    fn far(
        self: &Rc<World>,
        remote: Remote,
        reads: bool,
        is_future: bool,
        pages: &[usize],
        copy: fn(&Rc<World>, &Far, usize),
    ) {
        let far = Rc::new(Far { remote, reads, is_future, over: Cell::new(false), sent: RefCell::default() });
        let mut actions = Vec::new();
        for count in pages.iter().copied() {
            let (world, far) = (self.clone(), far.clone());
            actions.push(Box::new(move || {
                far.settle(&world);
                if !far.over.get() {
                    copy(&world, &far, count);
                }
            }) as Action);
        }
        let world = self.clone();
        actions.push(Box::new(move || far.settle(&world)) as Action);
        self.actor(actions);
    }
}

/// The other end of a stream or a future, and what was written to it last.
struct Far {
    remote: Remote,
    reads: bool,
    is_future: bool,
    /// The other end is gone, as it was told, or the value was copied.
    over: Cell<bool>,
    sent: RefCell<Vec<u32>>,
}

impl Far {
    /// Ends the last copy. What was taken must have been lifted in the end.
    fn settle(&self, world: &World) {
        let (result, count) = self.remote.cancel();
        let count = if self.is_future { usize::from(result == 0) } else { count };
        self.over.set(self.over.get() || result == 1);
        if self.reads {
            // SAFETY: only tokens are sent, which are numbers.
            unsafe { self.remote.items::<u32>(count) }.into_iter().for_each(|token| world.takes(token));
        }
        world.owed.borrow_mut().extend(self.sent.take().into_iter().take(count));
    }
}

/// A place where a program awaits something.
pub(crate) struct At<F> {
    world: Rc<World>,
    name: &'static str,
    waits: bool,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for At<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let poll = self.future.as_mut().poll(cx);
        self.waits = poll.is_pending();
        if self.waits {
            self.world.waited.borrow_mut().insert(self.name);
        }
        poll
    }
}

impl<F> Drop for At<F> {
    fn drop(&mut self) {
        if self.waits {
            self.world.dropped.borrow_mut().insert(self.name);
        }
    }
}
