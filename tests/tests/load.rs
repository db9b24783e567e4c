//! Many races between a read and a timer, and many calls at a time.

use anyhow::{Context as _, Result, ensure};
use futures::stream::{FuturesUnordered, StreamExt};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use wasmtime::component::{
    Component, ComponentType, Destination, Instance, Lift, Linker, StreamProducer, StreamReader, StreamResult,
    VecBuffer,
};
use wasmtime::{Store, StoreContextMut};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, store, traced};

const ROUNDS: u32 = 100_000;
const CALLS: u32 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lift)]
#[component(record)]
struct Outcome {
    got: u32,
    #[component(name = "out-of-order")]
    out_of_order: u32,
    ticks: u32,
}

#[tokio::test]
async fn races_between_a_read_and_a_timer_lose_no_item() -> Result<()> {
    let outcome = race(Side::Ours).await?;
    ensure!(outcome.out_of_order == 0 && outcome.got == ROUNDS, "{outcome:?}");
    // Both won often.
    ensure!((ROUNDS / 10..ROUNDS * 9 / 10).contains(&outcome.ticks), "{outcome:?}");
    Ok(())
}

/// Builds the peer, which is held to the other half of the statement.
#[tokio::test]
#[ignore = "about the peer"]
async fn the_peer_loses_items_or_fails() -> Result<()> {
    match race(Side::Peer).await {
        Err(error) => println!("wit-bindgen fails: {error:#}"),
        Ok(outcome) => {
            println!("wit-bindgen, of {ROUNDS} items: {outcome:?}");
            ensure!(outcome.got < ROUNDS, "the peer loses nothing");
        }
    }
    Ok(())
}

/// What comes of so many races, while as many items are sent.
async fn race(side: Side) -> Result<Outcome> {
    let (mut store, instance) = instantiate(side, 1).await?;
    let race = traced(instance.get_typed_func::<(StreamReader<u32>, u32), (Outcome,)>(&mut store, "race"))?;
    let items = traced(StreamReader::new(&mut store, Items { next: 0, end: ROUNDS, wait: 0, slow: true }))?;
    let called = race.call_async(&mut store, (items, ROUNDS));
    let called = tokio::time::timeout(Duration::from_secs(100), called).await;
    Ok(traced(called.context("the guest waits for something that never happens")?)?.0)
}

#[tokio::test]
async fn ten_thousand_calls_in_flight_are_all_answered_and_leave_nothing() -> Result<()> {
    let (mut store, instance) = instantiate(Side::Ours, CALLS).await?;
    let live = traced(instance.get_typed_func::<(), (u32,)>(&mut store, "live"))?;
    let fresh = traced(live.call_async(&mut store, ()).await)?.0;
    wave(&mut store, &instance).await?;
    let first = traced(live.call_async(&mut store, ()).await)?.0;
    wave(&mut store, &instance).await?;
    let second = traced(live.call_async(&mut store, ()).await)?.0;
    println!("{} bytes a call are kept for the next ones", f64::from(first - fresh) / f64::from(CALLS));
    assert_eq!(second, first, "bytes are lost");
    // A block of each call is kept for later calls, and a place in the table of waitables; nothing else.
    ensure!(first - fresh <= CALLS * 600, "{} bytes are kept", first - fresh);
    Ok(())
}

/// As many calls at a time as there are; none is answered before all have been made.
async fn wave(store: &mut Store<Waves>, instance: &Instance) -> Result<()> {
    let sum = traced(instance.get_typed_func::<(u32, StreamReader<u32>), (u64,)>(&mut *store, "sum"))?;
    store.data_mut().0.send_replace(0);
    let results = store.run_concurrent(async |accessor| -> wasmtime::Result<Vec<(u32, u64)>> {
        let mut calls = FuturesUnordered::new();
        for n in 0..CALLS {
            let items =
                accessor.with(|store| StreamReader::new(store, Items { next: n, end: n + 3, wait: 0, slow: false }))?;
            let call = sum.call_concurrent(accessor, (n, items));
            calls.push(async move { (n, call.await) });
        }
        let mut results = Vec::new();
        while let Some((n, result)) = calls.next().await {
            results.push((n, result?.0));
        }
        Ok(results)
    });
    let results = tokio::time::timeout(Duration::from_secs(100), results);
    let results = traced(traced(results.await.context("calls are stuck")?)?)?;
    assert_eq!(results.len(), CALLS as usize);
    for (n, sum) in results {
        assert_eq!(sum, 4 * u64::from(n) + 3, "the sum of call {n}");
    }
    Ok(())
}

/// How many calls wait for their answer.
struct Waves(watch::Sender<u32>);

async fn instantiate(side: Side, calls: u32) -> Result<(Store<Waves>, Instance)> {
    let (package, mut options) = match side {
        Side::Ours => ("wasp-test-guests", Vec::new()),
        Side::Peer => ("peer-guest", vec!["--no-default-features", "--features=spawn"]),
    };
    options.extend(["--release", "--example=load"]);
    let guests = build::guests(side, package, BARE, &options)?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut linker = Linker::<Waves>::new(engine());
    let host = linker.instance("wasp:load/host");
    let ticks = AtomicU32::new(0);
    traced(host.and_then(|mut host| {
        host.func_wrap_concurrent("tick", move |_, ()| {
            let turns = ticks.fetch_add(1, Ordering::Relaxed) % 4;
            Box::pin(async move {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                Ok(())
            })
        })?;
        host.func_wrap_concurrent("answer", move |accessor, (n,): (u32,)| {
            Box::pin(async move {
                let mut waiting = accessor.with(|mut store| {
                    store.get().0.send_modify(|waiting| *waiting += 1);
                    store.get().0.subscribe()
                });
                waiting.wait_for(|waiting| *waiting >= calls).await?;
                Ok((n,))
            })
        })
    }))?;
    let mut store = store(Waves(watch::Sender::new(0)));
    let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
    Ok((store, instance))
}

/// Numbers, one at a time.
struct Items {
    next: u32,
    end: u32,
    /// So many turns pass before the next one.
    wait: u32,
    slow: bool,
}

impl<D> StreamProducer<D> for Items {
    type Item = u32;
    type Buffer = VecBuffer<u32>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, u32, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.wait > 0 {
            if finish {
                return Poll::Ready(Ok(StreamResult::Cancelled));
            }
            self.wait -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.next == self.end {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        destination.set_buffer(vec![self.next].into());
        self.next += 1;
        if self.slow {
            self.wait = self.next % 3;
        }
        Poll::Ready(Ok(StreamResult::Completed))
    }
}
