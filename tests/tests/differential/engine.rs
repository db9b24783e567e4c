//! Plays a program in wasmtime, on one thread and without a clock: whatever is outside acts only when nothing inside can.

use crate::instrument::What;
use crate::outside::{BLOCKED, Command, Outside, is_ready};
use crate::program::Program;
use anyhow::{Context as _, Result};
use futures::channel::oneshot;
use std::cell::Cell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use wasmtime::Store;
use wasmtime::component::{Accessor, Component, ComponentNamedList, Instance, InstancePre, Lift, Linker, Lower};
use wasp_tests::engine::{engine, store, traced};

/// Why a program did not come to an end, when the engine has panicked.
pub(crate) const PANICKED: &str = "the engine panicked";

/// What a program did.
pub(crate) struct Record {
    pub(crate) trace: Vec<String>,
    /// What came of the copies outside.
    pub(crate) outside: Vec<String>,
    /// Whose callback was called, each time: the number of its start.
    pub(crate) callbacks: Vec<usize>,
    /// Why it trapped.
    pub(crate) trap: Option<String>,
}

/// What the host knows.
struct Host {
    reports: Arc<Vec<What>>,
    program: Program,
    trace: Vec<String>,
    outside: Vec<String>,
    tasks: Tasks,
    /// The calls of imports that were not answered. Whoever was cancelled listens no more.
    open: Vec<oneshot::Sender<()>>,
}

/// Which task is running, as its context tells.
#[derive(Default)]
struct Tasks {
    starts: usize,
    by_context: HashMap<u32, usize>,
    is_called_back: bool,
    callbacks: Vec<usize>,
}

impl Tasks {
    fn told(&mut self, what: &What, is_over: bool, a: u32) {
        match what {
            What::Start if !is_over => self.starts += 1,
            What::Callback => self.is_called_back = !is_over,
            What::BuiltIn { name, .. } if name == "context.set" => _ = self.by_context.insert(a, self.starts - 1),
            What::BuiltIn { name, .. } if name == "context.get" && is_over && self.is_called_back => {
                self.is_called_back = false;
                self.callbacks.push(self.by_context[&a]);
            }
            _ => {}
        }
    }
}

/// The component, ready to be instantiated.
pub(crate) struct Engine {
    component: InstancePre<Host>,
    reports: Arc<Vec<What>>,
}

impl Host {
    fn told(&mut self, what: u32, a: u32, b: u32, c: u32) {
        if what >= super::play::LOG {
            return self.trace.push(format!("log {what} {a} {b} {c}"));
        }
        let is_over = what % 2 == 1;
        self.tasks.told(&self.reports[what as usize / 2], is_over, a);
        let line = match (&self.reports[what as usize / 2], is_over) {
            (What::BuiltIn { name, shown: 0, .. }, false) => name.clone(),
            (What::BuiltIn { name, shown: 1, .. }, false) => format!("{name} {a}"),
            (What::BuiltIn { name, shown: 2, .. }, false) => format!("{name} {a} {b}"),
            (What::BuiltIn { name, .. }, false) => format!("{name} {a} {c}"),
            (What::BuiltIn { has_result: false, .. }, true) => return,
            (What::BuiltIn { name, .. }, true) if name == "context.get" => return,
            (What::BuiltIn { name, .. }, true) if name.ends_with(".new") && name != "waitable-set.new" => {
                format!("{name} = {}", u64::from(b) << 32 | u64::from(a))
            }
            (What::BuiltIn { name, .. }, true) => {
                if name.ends_with("set.wait") || name.ends_with("set.poll") {
                    self.trace.push(format!("event = {}", u64::from(b) << 32 | u64::from(c)));
                }
                format!("{name} = {a}")
            }
            (What::Import(name), true) => format!("import {name} = {a}"),
            (What::Import(_) | What::Start, false) => return,
            (What::Callback, false) => format!("callback {a} {b} {c}"),
            (What::Callback | What::Start, true) => match a & 15 {
                0 => "EXIT".to_owned(),
                1 => "YIELD".to_owned(),
                _ => format!("WAIT {}", a >> 4),
            },
        };
        self.trace.push(line);
    }

    fn call(&mut self) -> oneshot::Receiver<()> {
        let (answer, answered) = oneshot::channel();
        self.open.push(answer);
        answered
    }
}

impl Engine {
    pub(crate) fn new(component: &[u8], reports: Vec<What>) -> Result<Engine> {
        let component = traced(Component::new(engine(), component))?;
        let mut linker = Linker::<Host>::new(engine());
        traced(link(&mut linker))?;
        Ok(Engine { component: traced(linker.instantiate_pre(&component))?, reports: Arc::new(reports) })
    }

    /// Plays a program.
    pub(crate) fn play(&self, program: &Program) -> Result<Record> {
        catch_unwind(AssertUnwindSafe(|| self.play_here(program))).unwrap_or_else(|_| {
            Ok(Record {
                trace: Vec::new(),
                outside: Vec::new(),
                callbacks: Vec::new(),
                trap: Some(PANICKED.to_owned()),
            })
        })
    }

    fn play_here(&self, program: &Program) -> Result<Record> {
        let host = Host {
            reports: self.reports.clone(),
            program: program.clone(),
            trace: Vec::new(),
            outside: Vec::new(),
            tasks: Tasks::default(),
            open: Vec::new(),
        };
        let mut store = store(host);
        let idle = Idle::default();
        let result = run(&idle, async {
            let instance = traced(self.component.instantiate_async(&mut store).await)?;
            let driver = Driver::of(&mut store, instance)?;
            let idle = &idle;
            let played = store.run_concurrent(async move |store| driver.play(store, idle).await).await;
            traced(played)?
        });
        let trap = result.err().map(|error| format!("{error:#}"));
        let host = store.data_mut();
        let (trace, outside) = (std::mem::take(&mut host.trace), std::mem::take(&mut host.outside));
        Ok(Record { trace, outside, callbacks: std::mem::take(&mut host.tasks.callbacks), trap })
    }
}

fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut host = linker.instance("wasp:differential/host")?;
    host.func_wrap("trace", |mut store, (what, a, b, c): (u32, u32, u32, u32)| {
        store.data_mut().told(what, a, b, c);
        Ok(())
    })?;
    host.func_wrap("routine", |store, (id,): (u32,)| Ok((store.data().program.routine(id),)))?;
    host.func_wrap_concurrent("number", |store: &Accessor<Host>, (id,): (u32,)| {
        let answered = store.with(|mut store| store.get().call());
        Box::pin(async move {
            if !is_ready(id) {
                answered.await?;
            }
            Ok((id + 100,))
        })
    })?;
    host.func_wrap_concurrent("text", |store: &Accessor<Host>, (_, text): (u32, String)| {
        let answered = store.with(|mut store| store.get().call());
        Box::pin(async move {
            answered.await?;
            Ok((text + ", answered",))
        })
    })
}

/// When nothing more can happen inside.
#[derive(Default)]
struct Idle {
    awaited: Cell<bool>,
    reached: Cell<bool>,
}

impl Idle {
    async fn reached(&self) {
        self.awaited.set(true);
        poll_fn(|_| if self.reached.replace(false) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn run<T>(idle: &Idle, future: impl Future<Output = Result<T>>) -> Result<T> {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut future = pin!(future);
    loop {
        while woken.0.swap(false, Ordering::Relaxed) {
            if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return result;
            }
        }
        anyhow::ensure!(idle.awaited.replace(false), "the driver waits for ever");
        idle.reached.set(true);
        woken.0.store(true, Ordering::Relaxed);
    }
}

type Function<P, R> = wasmtime::component::TypedFunc<P, R>;

struct Driver {
    start: Function<(u32,), (u32,)>,
    cancel: Function<(u32,), (u32,)>,
    drop_subtask: Function<(u32,), ()>,
    poke: Function<(u32,), ()>,
    give: Function<(u32, u32), (u32,)>,
    take: Function<(u32, u32), (u32,)>,
    read: Function<(u32, u32, u32), (u32,)>,
    write: Function<(u32, u32, u32), (u32,)>,
    cancel_read: Function<(u32, u32), (u32,)>,
    cancel_write: Function<(u32, u32), (u32,)>,
    drop_reader: Function<(u32, u32), ()>,
    drop_writer: Function<(u32, u32), ()>,
    poll: Function<(), ((u32, u32, u32),)>,
    sum: Function<(u32, u32), (u32,)>,
    press: Function<(u32,), ()>,
    answer_late: Function<(u32,), ()>,
}

async fn call<P, R>(store: &Accessor<Host>, function: &Function<P, R>, params: P) -> Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    traced(function.call_concurrent(store, params).await)
}

impl Driver {
    fn of(store: &mut Store<Host>, instance: Instance) -> Result<Driver> {
        let driver = instance.get_export_index(&mut *store, None, "wasp:differential/driver");
        let driver = driver.context("there is no driver")?;
        macro_rules! driver {
            ($($name:ident: $export:literal),* $(,)?) => {
                Driver {$($name: {
                    let index = instance.get_export_index(&mut *store, Some(&driver), $export);
                    traced(instance.get_typed_func(&mut *store, index.context($export)?))?
                },)*}
            };
        }
        Ok(driver! {
            start: "start", cancel: "cancel", drop_subtask: "drop-subtask", poke: "poke", give: "give", take: "take",
            read: "read", write: "write", cancel_read: "cancel-read", cancel_write: "cancel-write",
            drop_reader: "drop-reader", drop_writer: "drop-writer", poll: "poll", sum: "sum",
            press: "press", answer_late: "answer-late",
        })
    }

    async fn play(&self, store: &Accessor<Host>, idle: &Idle) -> Result<()> {
        let mut outside = Outside::default();
        let actions = store.with(|mut store| store.get().program.actions.clone());
        for action in actions {
            idle.reached().await;
            self.collect(store, &mut outside).await?;
            self.act(store, &mut outside, action).await?;
        }
        idle.reached().await;
        self.collect(store, &mut outside).await
    }

    /// Notes what has happened to the ends and the calls that are outside.
    async fn collect(&self, store: &Accessor<Host>, outside: &mut Outside) -> Result<()> {
        let mut codes = Vec::new();
        loop {
            let ((kind, handle, code),) = call(store, &self.poll, ()).await?;
            if kind == 0 {
                break;
            }
            if kind == 1 && code >= 2 {
                let open = outside.open_calls();
                if let Some(ended) = open.into_iter().find(|open| outside.calls[*open].handle == handle) {
                    outside.call_ends(ended);
                    call(store, &self.drop_subtask, (handle,)).await?;
                }
            }
            let busy = outside.busy_ends();
            if let Some(end) = busy.into_iter().find(|end| kind > 1 && outside.ends[*end].handle == handle) {
                codes.push((end, code));
            }
        }
        codes.sort_unstable();
        for (end, code) in codes {
            self.settle(store, outside, end, code).await?;
        }
        Ok(())
    }

    async fn settle(&self, store: &Accessor<Host>, outside: &mut Outside, end: usize, code: u32) -> Result<()> {
        let of = &outside.ends[end];
        let count = match of.kind {
            0 => code >> 4,
            2 if code == 0 => 1,
            _ => 0,
        };
        let sum = match code {
            BLOCKED => 0,
            _ if of.reads => call(store, &self.sum, (of.handle, count)).await?.0,
            _ => 0,
        };
        let line = outside.settle(end, code, sum);
        store.with(|mut store| store.get().outside.push(line));
        Ok(())
    }

    async fn act(&self, store: &Accessor<Host>, outside: &mut Outside, action: [u8; 4]) -> Result<()> {
        let command = outside.command(action);
        store.with(|mut store| store.get().trace.push(format!("outside: {command:?}")));
        let end_of = |end: usize| (outside.ends[end].kind, outside.ends[end].handle, outside.ends[end].reads);
        match command {
            Command::Nothing => {}
            Command::Start { routine } => {
                let (status,) = call(store, &self.start, (routine,)).await?;
                if status & 15 == 0 {
                    store.with(|mut store| store.get().trace.push("STARTING".to_owned()));
                }
                outside.add_call(status >> 4, status >> 4 == 0);
            }
            Command::Poke { routine } => call(store, &self.poke, (routine,)).await?,
            Command::Cancel { call: number } => {
                let handle = outside.calls[number].handle;
                let (state,) = call(store, &self.cancel, (handle,)).await?;
                if state != BLOCKED {
                    call(store, &self.drop_subtask, (handle,)).await?;
                }
                // It must not be cancelled again.
                outside.call_ends(number);
            }
            Command::Give { kind, slot } => {
                let (handle,) = call(store, &self.give, (kind, slot)).await?;
                outside.add_end(kind, false, handle);
            }
            Command::Take { kind, slot } => {
                let (handle,) = call(store, &self.take, (kind, slot)).await?;
                outside.add_end(kind, true, handle);
            }
            Command::Read { end, count } => {
                let (kind, handle, _) = end_of(end);
                let (code,) = call(store, &self.read, (kind, handle, count)).await?;
                self.settle(store, outside, end, code).await?;
            }
            Command::Write { end, count } => {
                let (kind, handle, _) = end_of(end);
                let (code,) = call(store, &self.write, (kind, handle, count)).await?;
                self.settle(store, outside, end, code).await?;
            }
            Command::CancelCopy { end } => {
                let (kind, handle, reads) = end_of(end);
                let cancel = if reads { &self.cancel_read } else { &self.cancel_write };
                let (code,) = call(store, cancel, (kind, handle)).await?;
                self.settle(store, outside, end, code).await?;
            }
            Command::Drop { end } => {
                let (kind, handle, reads) = end_of(end);
                let drop = if reads { &self.drop_reader } else { &self.drop_writer };
                call(store, drop, (kind, handle)).await?;
                outside.drop_end(end);
            }
            Command::Press { on } => call(store, &self.press, (on,)).await?,
            Command::AnswerLate { number } => call(store, &self.answer_late, (number,)).await?,
            Command::Answer { number } => store.with(|mut store| {
                let open = &mut store.get().open;
                open.retain(|answer| !answer.is_canceled());
                if !open.is_empty() {
                    let answer = open.remove(number % open.len());
                    _ = answer.send(());
                }
            }),
        }
        Ok(())
    }
}
