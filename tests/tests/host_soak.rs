//! What a host could forget: its memory and the engine's tables stay as they were.

#[path = "host/embedder.rs"]
#[allow(dead_code, reason = "shared with the tests of hosts")]
mod embedder;

use anyhow::Result;
use embedder::{Flows, Host, instance};
use futures::FutureExt;
use futures::stream::StreamExt;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use wasp_host_rt::{Handle, InStream};
use wasp_tests::engine::traced;

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// More than one call has, and a hundred that were given up.
const HANDLES: usize = 1000;

/// One test at a time: all of the program's memory is counted.
#[test]
fn a_hundred_thousand_of_each_leave_nothing_behind() -> Result<()> {
    soak(100_000)
}

#[test]
#[ignore = "takes minutes"]
fn a_million_of_each_leave_nothing_behind() -> Result<()> {
    soak(1_000_000)
}

fn soak(rounds: u32) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        calls(rounds).await?;
        resources(rounds).await?;
        streams(rounds).await?;
        cancelled(rounds).await
    })
}

/// What is called so often.
struct Soaked {
    handle: Handle<Host>,
    flows: Flows,
    /// How many calls of a slow import are not over.
    late: Arc<AtomicU32>,
}

/// Does something often, and checks that no more is allocated afterwards than after a few times. The engine refuses to
/// go on when more than a few handles are open.
async fn stays_flat(what: &str, rounds: u32, one: impl AsyncFn(&Soaked, u32) -> wasmtime::Result<()>) -> Result<()> {
    let (mut store, flows) = instance().await?;
    store.set_max_component_handles(HANDLES);
    store.set_epoch_deadline(u64::MAX / 2);
    let late = store.data().late.clone();
    let (handle, driver) = Handle::new(store);
    let driver = tokio::spawn(driver);
    let soaked = Soaked { handle, flows, late };
    let warm = rounds / 10;
    for round in 0..warm {
        traced(one(&soaked, round).await)?;
    }
    let before = LIVE.load(Relaxed);
    for round in 0..rounds {
        traced(one(&soaked, round).await)?;
    }
    let more = LIVE.load(Relaxed) - before;
    // Buffers grow by doubling, and are not given back.
    assert!(more < 16 * 1024, "{more} bytes more after {rounds} {what}");
    println!("{what}: {more} bytes more after {rounds}");
    drop(soaked);
    let mut store = traced(driver.await?)?;
    // The table of resources has as many places as were used at a time.
    let place: wasp_host_rt::Res<()> = store.data_mut().resources.push(());
    assert!(place.rep() < 8, "resources are left");
    Ok(())
}

async fn calls(rounds: u32) -> Result<()> {
    stays_flat("calls", rounds, async |Soaked { handle, flows, .. }, round| {
        let text = flows.echo_concurrent(handle, round.to_string()).await?;
        assert_eq!(text, round.to_string());
        Ok(())
    })
    .await
}

async fn resources(rounds: u32) -> Result<()> {
    stays_flat("resources, a hundred times", rounds / 100, async |Soaked { handle, flows, .. }, _| {
        assert_eq!(flows.conns_concurrent(handle, 100).await?, 4950);
        Ok(())
    })
    .await
}

async fn streams(rounds: u32) -> Result<()> {
    stays_flat("streams", rounds, async |Soaked { handle, flows, .. }, round| {
        match round % 4 {
            // Read to the end, dropped early, sent, and dropped unread.
            0 => assert_eq!(flows.numbers_concurrent(handle, 3).await?.collect::<Vec<_>>().await, [0, 1, 2]),
            1 => assert_eq!(flows.numbers_concurrent(handle, 3).await?.next().await, Some(0)),
            2 => assert_eq!(flows.sum_concurrent(handle, InStream::from_iter(0..3)).await?, 3),
            _ => drop(flows.back_concurrent(handle, InStream::from_iter(0..3)).await?),
        }
        Ok(())
    })
    .await
}

/// Calls that are given up after a while, and then return.
async fn cancelled(rounds: u32) -> Result<()> {
    stays_flat("cancelled calls", rounds, async |Soaked { handle, flows, late }, round| {
        let mut call = Box::pin(flows.waits_concurrent(handle, round));
        for _ in 0..round % 8 {
            if call.as_mut().now_or_never().is_some() {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        if round % 100 == 99 {
            // Others find the instance as it was. What was given up goes on, and is over a little later.
            assert_eq!(flows.echo_concurrent(handle, "a".into()).await?, "a");
            while late.load(Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(flows.echo_concurrent(handle, "b".into()).await?, "b");
        }
        Ok(())
    })
    .await
}
