//! What a runtime could forget, a hundred thousand times: the guests' memory stays as it was.

use anyhow::{Context, Result};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker, Val};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{call, engine, store, traced};

const ROUNDS: u32 = 100_000;

#[tokio::test]
async fn spawned_tasks_leave_nothing_behind() -> Result<()> {
    soak("spawn").await
}

#[tokio::test]
async fn dropped_calls_and_the_exports_they_cancel_leave_nothing_behind() -> Result<()> {
    soak("drop-call").await
}

#[tokio::test]
async fn dropped_stream_ends_leave_nothing_behind() -> Result<()> {
    soak("drop-stream").await
}

#[tokio::test]
async fn wakes_from_other_tasks_leave_nothing_behind() -> Result<()> {
    soak("wake").await
}

async fn soak(export: &str) -> Result<()> {
    let options = ["--release", "--example=soak-driver", "--example=soak-answerer"];
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &options)?;
    let composed = component::pair(&guests, ["soak-driver", "soak-answerer"])?;
    let component = traced(Component::new(engine(), composed))?;
    let mut store = store(());
    let instance = traced(Linker::new(engine()).instantiate_async(&mut store, &component).await)?;
    // What is kept for reuse is allocated in the first rounds.
    call(&mut store, &instance, export, &[Val::U32(100)]).await?;
    let before = number(&mut store, &instance, "live").await?;
    call(&mut store, &instance, export, &[Val::U32(ROUNDS)]).await?;
    let after = number(&mut store, &instance, "live").await?;
    assert_eq!(after, before, "bytes allocated after {ROUNDS} rounds of `{export}`");
    let cancelled = number(&mut store, &instance, "cancelled").await?;
    assert_eq!(cancelled, if export == "drop-call" { ROUNDS + 100 } else { 0 });
    Ok(())
}

async fn number(store: &mut Store<()>, instance: &Instance, export: &str) -> Result<u32> {
    match call(store, instance, export, &[]).await? {
        Some(Val::U32(number)) => Ok(number),
        other => Err(anyhow::anyhow!("`{export}` returns {other:?}")).context("not a number"),
    }
}
