//! Runs the cases.

use super::guests::{Guest, Opt};
use crate::engine::traced;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime::component::{
    Accessor, Component, ComponentNamedList, ComponentType, Destination, Instance, Lift, Linker, Lower, Source,
    StreamConsumer, StreamProducer, StreamReader, StreamResult, TypedFunc,
};
use wasmtime::{Config, Engine, Store, StoreContextMut};

const FUEL: u64 = u64::MAX / 2;
const PIECE: usize = 64 * 1024;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is done.
    pub name: &'static str,
    /// How often in one call of the export (0: the export does it once, and is called often).
    inside: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    String,
    Points,
    Wake,
    Ready,
    Later,
    Sum,
    Join,
    Poll,
    ReadBytes,
    WriteBytes,
    ReadPoints,
}

/// All rows.
pub const CASES: &[Case] = &[
    case("async export (u32, u32) -> u32, ready at once", 0, Kind::Add),
    case("async export string -> string, 30 bytes", 0, Kind::String),
    case("async export list<point>, 100 there and back", 0, Kind::Points),
    case("async import u32 -> u32, ready at once", 1000, Kind::Ready),
    case("async import u32 -> u32, pending once", 1000, Kind::Later),
    case("async import, list<u8> of 64 KiB that is kept", 100, Kind::Sum),
    case("join of 1,000 pending imports, all polled, each", 1000, Kind::Poll),
    case("the same with join_all of futures, each", 1000, Kind::Join),
    case("wake from another task", 1000, Kind::Wake),
    // 512 MiB.
    case("stream<u8>, read in 64 KiB, a piece", 8192, Kind::ReadBytes),
    case("stream<u8>, written in 64 KiB, a piece", 8192, Kind::WriteBytes),
    case("stream<point>, next(), an item", 1_000_000, Kind::ReadPoints),
];

const fn case(name: &'static str, inside: u32, kind: Kind) -> Case {
    Case { name, inside, kind }
}

/// What one operation costs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Figures {
    /// Instructions of the guest.
    pub fuel: f64,
    /// Blocks allocated or moved.
    pub allocations: f64,
    /// Calls of built-ins.
    pub built_ins: f64,
    /// Time, in nanoseconds: only comparable within one run.
    #[serde(skip)]
    pub wall: f64,
}

/// The figures of one guest; a case it does not have, or fails at, has none.
#[derive(Debug)]
pub struct Measured {
    /// The guest.
    pub guest: Guest,
    /// One for each of [`CASES`].
    pub figures: Vec<Option<Figures>>,
}

impl Measured {
    /// The figures of the case that is called so.
    ///
    /// # Errors
    ///
    /// When there is no such case, or the guest has none for it.
    pub fn of(&self, case: &str) -> Result<Figures> {
        let row = CASES.iter().position(|known| known.name == case).with_context(|| format!("no case `{case}`"))?;
        self.figures[row].with_context(|| format!("{} has no figures for `{case}`", self.guest.name()))
    }
}

/// Measures all guests, alternately as far as time goes.
///
/// # Errors
///
/// When a guest does not build, or ours fails at a case.
pub async fn measure(guests: &[Guest], opt: Opt) -> Result<Vec<Measured>> {
    let mut config = Config::new();
    config.wasm_component_model_async(true).consume_fuel(true);
    let engine = traced(Engine::new(&config))?;
    let mut columns = Vec::new();
    for &guest in guests {
        let plain = Bench::new(&engine, &guest.component(opt, false)?).context(guest.name())?;
        let counted = Bench::new(&engine, &guest.component(opt, true)?).context(guest.name())?;
        columns.push((guest, plain, counted));
    }
    let mut measured: Vec<_> =
        columns.iter().map(|(guest, ..)| Measured { guest: *guest, figures: Vec::new() }).collect();
    for case in CASES {
        let mut row: Vec<Option<Figures>> = vec![None; columns.len()];
        // What the machine does meanwhile is shared by all of them.
        for round in 0..3 {
            for ((guest, plain, counted), figures) in columns.iter().zip(&mut row) {
                if round > 0 && figures.is_none() {
                    continue;
                }
                match run(plain, counted, case).await {
                    Ok(new) => {
                        let wall = figures.map_or(f64::INFINITY, |old| old.wall).min(new.wall);
                        *figures = Some(Figures { wall, ..new });
                    }
                    Err(error) if *guest == Guest::Ours => return Err(error.context(case.name)),
                    Err(_) => {}
                }
            }
        }
        for (column, figures) in measured.iter_mut().zip(row) {
            column.figures.push(figures);
        }
    }
    Ok(measured)
}

async fn run(plain: &Bench, counted: &Bench, case: &Case) -> Result<Figures> {
    let Figures { fuel, wall, .. } = plain.run(case).await?;
    Ok(Figures { fuel, wall, ..counted.run(case).await? })
}

/// A record of both sides.
#[derive(Clone, ComponentType, Lift, Lower)]
#[component(record)]
struct Point {
    x: u32,
    y: u32,
    name: String,
}

impl Point {
    fn new(x: u32) -> Point {
        Point { x, y: 2, name: "a name".to_owned() }
    }
}

struct Bench {
    engine: Engine,
    component: Component,
    linker: Linker<()>,
}

impl Bench {
    fn new(engine: &Engine, component: &[u8]) -> Result<Bench> {
        let component = traced(Component::new(engine, component))?;
        let mut linker = Linker::new(engine);
        traced(backend(&mut linker))?;
        Ok(Bench { engine: engine.clone(), component, linker })
    }

    /// One case, in an instance of its own.
    async fn run(&self, case: &Case) -> Result<Figures> {
        let mut store = Store::new(&self.engine, ());
        traced(store.set_fuel(FUEL))?;
        let instance = traced(self.linker.instantiate_async(&mut store, &self.component).await)?;
        let mut running = Running { store, instance };
        match case.kind {
            Kind::Add => running.calls::<_, (u32,)>("add", 1000, || (1_u32, 2_u32)).await,
            Kind::String => running.calls::<_, (String,)>("echo-string", 1000, || ("x".repeat(30),)).await,
            Kind::Points => {
                let points: Vec<_> = (0..100).map(Point::new).collect();
                running.calls::<_, (Vec<Point>,)>("echo-points", 50, || (points.clone(),)).await
            }
            Kind::Ready => running.inside::<u32>("call-ready", case.inside).await,
            Kind::Later => running.inside::<u32>("call-later", case.inside).await,
            Kind::Sum => running.inside::<u64>("call-sum", case.inside).await,
            Kind::Join => running.inside::<u32>("join-later", case.inside).await,
            Kind::Poll => running.inside::<u32>("poll-later", case.inside).await,
            Kind::Wake => running.wake(case.inside).await,
            Kind::WriteBytes => running.inside::<u64>("write-bytes", case.inside).await,
            Kind::ReadBytes => {
                running.stream("read-bytes", case.inside, |store, pieces| StreamReader::new(store, Bytes(pieces))).await
            }
            Kind::ReadPoints => {
                running.stream("read-points", case.inside, |store, items| StreamReader::new(store, Points(items))).await
            }
        }
    }
}

struct Running {
    store: Store<()>,
    instance: Instance,
}

struct Mark {
    fuel: u64,
    allocations: u64,
    built_ins: u64,
    wall: Instant,
}

impl Running {
    /// Calls an export often.
    async fn calls<P, R>(&mut self, export: &str, times: u32, params: impl Fn() -> P) -> Result<Figures>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = self.function::<P, R>(export)?;
        // What is kept for reuse is made in the first calls.
        for _ in 0..3 {
            traced(function.call_async(&mut self.store, params()).await)?;
        }
        let before = self.mark().await?;
        for _ in 0..times {
            traced(function.call_async(&mut self.store, params()).await)?;
        }
        self.since(before, times).await
    }

    /// Calls an export that does something often.
    async fn inside<R>(&mut self, export: &str, times: u32) -> Result<Figures>
    where
        (R,): ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let function = self.function::<(u32,), (R,)>(export)?;
        traced(function.call_async(&mut self.store, (times,)).await)?;
        let before = self.mark().await?;
        traced(function.call_async(&mut self.store, (times,)).await)?;
        self.since(before, times).await
    }

    /// Two calls at a time: one sleeps, the other wakes it, so often.
    async fn wake(&mut self, times: u32) -> Result<Figures> {
        let function = self.function::<(u32, bool), (u32,)>("wake")?;
        let both = async |store: &mut Store<()>, times| {
            let called = store.run_concurrent(async |accessor| {
                let sleeps = function.call_concurrent(accessor, (times, false));
                let wakes = function.call_concurrent(accessor, (times, true));
                futures::future::try_join(sleeps, wakes).await
            });
            traced(called.await.and_then(|called| called))
        };
        both(&mut self.store, 10).await?;
        let before = self.mark().await?;
        let ((slept,), (woke,)) = both(&mut self.store, times).await?;
        anyhow::ensure!((slept, woke) == (times, times), "{slept} of {woke} wakes arrived");
        self.since(before, times).await
    }

    /// Calls an export that reads a stream.
    async fn stream<T: 'static>(
        &mut self,
        export: &str,
        items: u32,
        stream: impl Fn(&mut Store<()>, u32) -> wasmtime::Result<StreamReader<T>>,
    ) -> Result<Figures>
    where
        StreamReader<T>: ComponentType + Lower + Send + Sync,
    {
        let function = self.function::<(StreamReader<T>,), (u64,)>(export)?;
        let warm = traced(stream(&mut self.store, items.min(1000)))?;
        traced(function.call_async(&mut self.store, (warm,)).await)?;
        let before = self.mark().await?;
        let read = traced(stream(&mut self.store, items))?;
        traced(function.call_async(&mut self.store, (read,)).await)?;
        self.since(before, items).await
    }

    fn function<P, R>(&mut self, export: &str) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let store = &mut self.store;
        let interface = self.instance.get_export_index(&mut *store, None, "wasp:bench/api").context("no api")?;
        let index = self.instance.get_export_index(&mut *store, Some(&interface), export).context("no such export")?;
        traced(self.instance.get_typed_func(&mut *store, index))
    }

    async fn mark(&mut self) -> Result<Mark> {
        let (allocations, built_ins) = (self.count("allocations").await?, self.count("built-ins").await?);
        Ok(Mark { fuel: traced(self.store.get_fuel())?, allocations, built_ins, wall: Instant::now() })
    }

    async fn since(&mut self, before: Mark, times: u32) -> Result<Figures> {
        let wall: Duration = before.wall.elapsed();
        let fuel = before.fuel - traced(self.store.get_fuel())?;
        let (allocations, built_ins) = (self.count("allocations").await?, self.count("built-ins").await?);
        let each = |count: u64| count as f64 / f64::from(times);
        Ok(Figures {
            fuel: each(fuel),
            allocations: each(allocations - before.allocations),
            built_ins: each(built_ins - before.built_ins),
            wall: each(wall.as_nanos() as u64),
        })
    }

    async fn count(&mut self, export: &str) -> Result<u64> {
        let function = self.function::<(), (u64,)>(export)?;
        Ok(traced(function.call_async(&mut self.store, ()).await)?.0)
    }
}

fn backend(linker: &mut Linker<()>) -> wasmtime::Result<()> {
    let mut backend = linker.instance("wasp:bench/backend")?;
    backend.func_wrap_concurrent("ready", |_, (x,): (u32,)| Box::pin(async move { Ok((x,)) }))?;
    backend.func_wrap_concurrent("later", |_, (x,): (u32,)| {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok((x,))
        })
    })?;
    backend.func_wrap_concurrent("sum", |_, (bytes,): (Vec<u8>,)| {
        Box::pin(async move { Ok((bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>(),)) })
    })?;
    backend.func_wrap_concurrent("take", |store: &Accessor<()>, (bytes,): (StreamReader<u8>,)| {
        Box::pin(async move {
            let (done, ended) = tokio::sync::oneshot::channel();
            store.with(|store| bytes.pipe(store, Taken { bytes: 0, done: Some(done) }))?;
            Ok((ended.await?,))
        })
    })?;
    Ok(())
}

/// Pieces of bytes, as many as are left.
struct Bytes(u32);

impl<D> StreamProducer<D> for Bytes {
    type Item = u8;
    type Buffer = wasmtime::component::VecBuffer<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        destination: Destination<'a, u8, Self::Buffer>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.0 == 0 {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        let mut direct = destination.as_direct(store, PIECE);
        let room = direct.remaining().len().min(PIECE);
        direct.mark_written(room);
        self.0 -= 1;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Items, as many as are left, a thousand at a time.
struct Points(u32);

impl<D> StreamProducer<D> for Points {
    type Item = Point;
    type Buffer = wasmtime::component::VecBuffer<Point>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Point, Self::Buffer>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let batch = self.0.min(1000);
        if batch == 0 {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        self.0 -= batch;
        destination.set_buffer((0..batch).map(Point::new).collect::<Vec<_>>().into());
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Counts bytes to the end.
struct Taken {
    bytes: u64,
    done: Option<tokio::sync::oneshot::Sender<u64>>,
}

impl<D> StreamConsumer<D> for Taken {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut direct = source.as_direct(store);
        let bytes = direct.remaining().len();
        direct.mark_read(bytes);
        self.bytes += bytes as u64;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            // Nobody waits for it when the store is gone.
            _ = done.send(self.bytes);
        }
    }
}
