//! Mistakes of the peer's runtime and generator that this project does not make. The guests are the same on both sides;
//! with `--ignored`, the peer's release is held to the other half of the statement.

use anyhow::{Result, bail};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wasmtime::component::{Component, Linker, Val};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{call, engine, store, traced};

/// The exports of the guest.
const CASES: [&str; 6] = [
    "wide-parameters",
    "cancel-a-sleeper",
    "pass-an-error",
    "abandon-a-writer",
    "abandon-a-writer-in-a-destructor",
    "block-on-a-busy-future",
];

#[test]
fn parameters_in_memory_are_freed() -> Result<()> {
    run(Side::Ours, "wide-parameters")
}

#[test]
fn sleeping_exports_can_be_cancelled() -> Result<()> {
    run(Side::Ours, "cancel-a-sleeper")
}

#[test]
fn error_contexts_reach_the_callee() -> Result<()> {
    run(Side::Ours, "pass-an-error")
}

#[test]
fn writers_can_be_dropped_in_synchronous_exports() -> Result<()> {
    run(Side::Ours, "abandon-a-writer")
}

#[test]
fn writers_can_be_dropped_in_destructors() -> Result<()> {
    run(Side::Ours, "abandon-a-writer-in-a-destructor")
}

#[test]
fn blocking_on_a_busy_future_lets_the_host_work() -> Result<()> {
    run(Side::Ours, "block-on-a-busy-future")
}

#[test]
fn arrays_of_strings_are_passed_on() -> Result<()> {
    arrays(Side::Ours)
}

/// Builds the peer; the list of what it fails at is kept true by this.
#[test]
#[ignore = "about the peer"]
fn the_peer_fails_at_all_of_these() {
    let mut failures: Vec<_> = CASES.map(|case| (case, run(Side::Peer, case))).into();
    failures.push(("arrays", arrays(Side::Peer)));
    for (case, result) in failures {
        match result {
            Ok(()) => panic!("the peer passes {case}"),
            Err(error) => println!("{case}: {error:#}\n"),
        }
    }
}

fn run(side: Side, case: &str) -> Result<()> {
    let guests = guests(side, &["--example=bugs-driver", "--example=bugs-answerer"])?;
    let composed = component::pair(&guests, ["bugs-driver", "bugs-answerer"])?;
    let component = traced(Component::new(engine(), composed))?;
    let mut linker = Linker::new(engine());
    let done = Arc::new(AtomicBool::new(false));
    let answer = done.clone();
    let host = linker.instance("wasp:bugs/host");
    traced(host.and_then(|mut host| {
        host.func_wrap("done", move |_, ()| Ok((answer.load(Ordering::Relaxed),)))?;
        host.func_wrap_concurrent("never", |_, ()| Box::pin(std::future::pending::<wasmtime::Result<()>>()))
    }))?;
    block_on(async {
        let mut store = store(());
        store.set_epoch_deadline(5);
        let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
        // Something else for the host to do while the guest is busy.
        let work = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            done.store(true, Ordering::Relaxed);
        };
        let (called, ()) = tokio::join!(call(&mut store, &instance, case, &[]), work);
        called.map(|_| ())
    })
}

/// Sends two strings there and back, many times, through every way to pass them.
fn arrays(side: Side) -> Result<()> {
    let guests = guests(side, &["--example=arrays"])?;
    let module = std::fs::read(&guests[0].1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut linker = Linker::new(engine());
    let partner = linker.instance("partner");
    traced(partner.and_then(|mut partner| {
        partner.func_new("swap", |_, _, arguments, results| {
            results[0] = swapped(&arguments[0]);
            Ok(())
        })
    }))?;
    block_on(async {
        let mut store = store(());
        let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
        let sent = Val::FixedLengthList(vec![Val::String("one".into()), Val::String("two".into())]);
        for export in ["swap", "swap-async"] {
            let received = call(&mut store, &instance, export, std::slice::from_ref(&sent)).await?;
            assert_eq!(received, Some(swapped(&sent)), "{export}");
        }
        Ok(())
    })
}

fn swapped(list: &Val) -> Val {
    match list {
        Val::FixedLengthList(items) => Val::FixedLengthList(items.iter().rev().cloned().collect()),
        other => other.clone(),
    }
}

fn guests(side: Side, examples: &[&str]) -> Result<Vec<(String, std::path::PathBuf)>> {
    let (package, mut options) = match side {
        Side::Ours => ("wasp-test-guests", Vec::new()),
        // As most people build it: what is not a default feature is left out.
        Side::Peer => ("peer-guest", vec!["--no-default-features", "--features=spawn"]),
    };
    options.extend(examples);
    let guests = build::guests(side, package, BARE, &options)?;
    if guests.len() != examples.len() {
        bail!("cargo built {guests:?}");
    }
    Ok(guests)
}

fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match tokio::time::timeout(Duration::from_secs(90), future).await {
            Ok(result) => result,
            Err(_) => bail!("the guest waits for something that never happens"),
        }
    })
}
