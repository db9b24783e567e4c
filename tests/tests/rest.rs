//! An instance at rest owns nothing: after every kind of work the engine's tables are empty. And while one call is given
//! up, others of the same instance are answered.

use anyhow::{Context as _, Result, ensure};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;
use wasmtime::component::{
    Accessor, AccessorTask, Component, Destination, FutureConsumer, FutureReader, HasSelf, Instance, Linker, Source,
    StreamConsumer, StreamProducer, StreamReader, StreamResult, VecBuffer,
};
use wasmtime::{AsContextMut, Store, StoreContextMut};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, store, traced};

/// All that the guest's async export can do.
const KINDS: [&str; 13] = [
    "call",
    "calls",
    "cancelled calls",
    "stubborn callee",
    "readers",
    "writers",
    "futures",
    "futures of others",
    "spawned",
    "spawned and cancelled",
    "scope",
    "block_on",
    "wakes",
];

/// All that the synchronous one can.
const AT_ONCE: [&str; 4] = ["dropped call", "dropped reader", "dropped reader in block_on", "dropped writer"];

#[tokio::test]
async fn nothing_is_left_after_any_kind_of_work() -> Result<()> {
    for cancel in [Cancel::Blocking, Cancel::Async] {
        for kind in KINDS {
            let (mut store, instance) = instantiate(cancel).await?;
            work(&mut store, &instance, kind).await.context(kind)?;
            rests(&mut store, kind).await?;
            // And once more, in the same instance.
            work(&mut store, &instance, kind).await.context(kind)?;
            rests(&mut store, kind).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_of_what_is_dropped_where_nothing_may_wait() -> Result<()> {
    for cancel in [Cancel::Blocking, Cancel::Async] {
        for kind in AT_ONCE {
            let (mut store, instance) = instantiate(cancel).await?;
            let work = traced(instance.get_typed_func::<(&str,), ()>(&mut store, "work-at-once"))?;
            traced(work.call_async(&mut store, (kind,)).await).context(kind)?;
            // Whatever had to be put off is done by the next task.
            let ping = traced(instance.get_typed_func::<(u32,), (u32,)>(&mut store, "ping"))?;
            traced(ping.call_async(&mut store, (3,)).await).context(kind)?;
            rests(&mut store, kind).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_left_after_ten_thousand_calls_at_once() -> Result<()> {
    const CALLS: u32 = 10_000;
    let (mut store, instance) = instantiate(Cancel::Blocking).await?;
    let ping = traced(instance.get_typed_func::<(u32,), (u32,)>(&mut store, "ping"))?;
    let answers = store.run_concurrent(async |accessor| {
        let calls = (0..CALLS).map(|n| ping.call_concurrent(accessor, (n % 50,)));
        futures::future::try_join_all(calls).await
    });
    assert_eq!(traced(traced(within(answers).await?)?)?.len(), CALLS as usize);
    rests(&mut store, "ten thousand calls").await
}

#[tokio::test]
async fn a_callee_that_does_not_stop_keeps_nobody_waiting() -> Result<()> {
    let (mut store, instance) = instantiate(Cancel::Async).await?;
    let work = traced(instance.get_typed_func::<(&str,), ()>(&mut store, "work"))?;
    let ping = traced(instance.get_typed_func::<(u32,), (u32,)>(&mut store, "ping"))?;
    let order = store.run_concurrent(async |accessor| -> wasmtime::Result<Vec<&str>> {
        let order = std::sync::Mutex::new(Vec::new());
        let note = |what| order.lock().expect("nobody panics").push(what);
        let given_up = async {
            work.call_concurrent(accessor, ("stubborn callee",)).await?;
            note("the caller has returned");
            Ok::<(), wasmtime::Error>(())
        };
        let pings = async {
            // Long after the time-out, long before the callee stops.
            ping.call_concurrent(accessor, (20,)).await?;
            note("another call was answered");
            Ok::<(), wasmtime::Error>(())
        };
        futures::future::try_join(given_up, pings).await?;
        note("both");
        Ok(order.into_inner()?)
    });
    let order = traced(traced(within(order).await?)?)?;
    assert_eq!(order, ["the caller has returned", "another call was answered", "both"]);
    let turns = store.data().turns;
    ensure!(turns < 200, "the callee has stopped after {turns} turns, so somebody has waited for it");
    rests(&mut store, "stubborn callee").await
}

#[tokio::test]
async fn a_callee_that_wants_more_before_it_stops_gets_it() -> Result<()> {
    let (mut store, instance) = instantiate(Cancel::Async).await?;
    work(&mut store, &instance, "callee that drains").await?;
    rests(&mut store, "callee that drains").await
}

async fn work(store: &mut Store<Turns>, instance: &Instance, kind: &str) -> Result<()> {
    let work = traced(instance.get_typed_func::<(&str,), ()>(&mut *store, "work"))?;
    traced(within(work.call_async(store, (kind,))).await?)
}

/// Lets everything come to its end, and asks the engine what is left.
async fn rests(store: &mut Store<Turns>, kind: &str) -> Result<()> {
    for _ in 0..100 {
        if store.concurrent_state_table_size() == 0 {
            break;
        }
        let turns = store.run_concurrent(async |_| {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        });
        traced(within(turns).await?)?;
    }
    println!("{kind}: {} left", store.concurrent_state_table_size());
    // It panics where there is something.
    store.assert_concurrent_state_empty();
    Ok(())
}

async fn within<T>(future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(Duration::from_secs(60), future).await.context("it waits for something that never happens")
}

/// How calls are cancelled that are dropped.
#[derive(Clone, Copy)]
enum Cancel {
    Blocking,
    Async,
}

/// The turns that callees of the host have waited in all.
#[derive(Default)]
struct Turns {
    turns: u32,
}

async fn instantiate(cancel: Cancel) -> Result<(Store<Turns>, Instance)> {
    static COMPONENTS: [OnceLock<Component>; 2] = [OnceLock::new(), OnceLock::new()];
    let slot = &COMPONENTS[cancel as usize];
    let component = match slot.get() {
        Some(component) => component,
        None => {
            let mut options = vec!["--example=rest-driver", "--example=rest-answerer"];
            if let Cancel::Async = cancel {
                options.push("--features=async-cancel");
            }
            let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &options)?;
            let composed = component::pair(&guests, ["rest-driver", "rest-answerer"])?;
            let component = traced(Component::new(engine(), composed))?;
            slot.get_or_init(|| component)
        }
    };
    let mut linker = Linker::<Turns>::new(engine());
    traced(linker.instance("wasp:rest/host").and_then(|mut host| {
        host.func_wrap_concurrent("later", |accessor, (turns,): (u32,)| {
            Box::pin(async move {
                wait(accessor, turns).await;
                Ok((turns,))
            })
        })?;
        host.func_wrap_concurrent("never", |_, ()| Box::pin(std::future::pending::<wasmtime::Result<()>>()))?;
        host.func_wrap("bytes", |store, ()| Ok((StreamReader::new(store, Bytes { left: 20, wait: 1 })?,)))?;
        host.func_wrap("silent", |store, ()| Ok((StreamReader::new(store, Bytes { left: 1, wait: u32::MAX })?,)))?;
        host.func_wrap("value", |mut store, (turns,): (u32,)| {
            Ok((FutureReader::new(&mut store, async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                Ok::<u32, wasmtime::Error>(turns)
            })?,))
        })?;
        host.func_wrap("sip", |store, (turns, bytes): (u32, StreamReader<u8>)| bytes.pipe(store, Sip(turns)))?;
        host.func_wrap("await-later", |store, (turns, value): (u32, FutureReader<String>)| {
            value.pipe(store, Sip(turns))
        })?;
        host.func_wrap("drop-later", |mut store, (turns, value): (u32, FutureReader<String>)| {
            store.as_context_mut().spawn(Drops(turns, value))?;
            Ok(())
        })
    }))?;
    let mut store = store(Turns::default());
    let instance = traced(linker.instantiate_async(&mut store, component).await)?;
    Ok((store, instance))
}

async fn wait(accessor: &Accessor<Turns>, turns: u32) {
    for _ in 0..turns {
        tokio::task::yield_now().await;
        accessor.with(|mut store| store.get().turns += 1);
    }
}

/// Bytes, each after so many turns.
struct Bytes {
    left: u32,
    wait: u32,
}

impl<D> StreamProducer<D> for Bytes {
    type Item = u8;
    type Buffer = VecBuffer<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, u8, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.wait > 0 {
            if finish {
                return Poll::Ready(Ok(StreamResult::Cancelled));
            }
            if self.wait < u32::MAX {
                self.wait -= 1;
                cx.waker().wake_by_ref();
            }
            return Poll::Pending;
        }
        if self.left == 0 {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        destination.set_buffer(vec![7].into());
        self.left -= 1;
        self.wait = 1;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// Takes one item after so many turns.
struct Sip(u32);

impl Sip {
    fn waits(&mut self, cx: &Context<'_>) -> bool {
        let waits = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        if waits {
            cx.waker().wake_by_ref();
        }
        waits
    }
}

impl<D> StreamConsumer<D> for Sip {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<'_, u8>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.waits(cx) {
            return if finish { Poll::Ready(Ok(StreamResult::Cancelled)) } else { Poll::Pending };
        }
        let mut byte = Vec::with_capacity(1);
        source.read(store, &mut byte)?;
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<D> FutureConsumer<D> for Sip {
    type Item = String;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<'_, String>,
        _: bool,
    ) -> Poll<wasmtime::Result<()>> {
        if self.waits(cx) {
            return Poll::Pending;
        }
        let mut value: Option<String> = None;
        source.read(store, &mut value)?;
        Poll::Ready(Ok(()))
    }
}

/// Drops a future after so many turns.
struct Drops(u32, FutureReader<String>);

impl AccessorTask<Turns, HasSelf<Turns>> for Drops {
    async fn run(mut self, accessor: &Accessor<Turns>) -> wasmtime::Result<()> {
        wait(accessor, self.0).await;
        accessor.with(|store| self.1.close(store))
    }
}
