//! Streams and futures between two components in an engine.

use anyhow::{Result, bail};
use std::time::Duration;
use wasmtime::component::{Component, Linker};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{call, engine, store, traced};

#[test]
fn strings_are_read_where_they_were_written() -> Result<()> {
    run("strings-stay")
}

#[test]
fn strings_travel_there_and_back() -> Result<()> {
    run("strings-travel")
}

#[test]
fn what_was_read_ahead_is_passed_on_with_the_reader() -> Result<()> {
    run("items-read-ahead-are-passed-on")
}

#[test]
fn what_was_read_ahead_comes_back_with_the_reader() -> Result<()> {
    run("items-read-ahead-come-back")
}

#[test]
fn no_item_is_lost_when_reads_are_given_up() -> Result<()> {
    run("reads-are-given-up")
}

#[test]
fn no_item_is_lost_when_writes_are_given_up() -> Result<()> {
    run("writes-are-given-up")
}

#[test]
fn readers_with_a_read_in_flight_are_dropped_in_synchronous_exports() -> Result<()> {
    run("readers-are-dropped-in-synchronous-exports")
}

#[test]
fn writers_with_a_write_in_flight_are_dropped_in_synchronous_exports() -> Result<()> {
    run("writers-are-dropped-in-synchronous-exports")
}

#[test]
fn what_a_writer_has_accepted_is_read_when_it_is_gone() -> Result<()> {
    run("accepted-items-are-left")
}

#[test]
fn readers_that_were_refused_are_read_where_they_were_written() -> Result<()> {
    run("refused-readers-are-read-here")
}

#[test]
fn streams_that_are_dropped_early_leave_no_memory() -> Result<()> {
    run("memory-stays-flat")
}

fn run(case: &str) -> Result<()> {
    let guests = build::guests(
        Side::Ours,
        "wasp-test-guests",
        BARE,
        &["--example=streams-driver", "--example=streams-answerer"],
    )?;
    let composed = component::pair(&guests, ["streams-driver", "streams-answerer"])?;
    let component = traced(Component::new(engine(), composed))?;
    let linker = Linker::new(engine());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut store = store(());
        store.set_epoch_deadline(5);
        let instance = traced(linker.instantiate_async(&mut store, &component).await)?;
        let called = call(&mut store, &instance, case, &[]);
        match tokio::time::timeout(Duration::from_secs(60), called).await {
            Ok(called) => called.map(|_| ()),
            Err(_) => bail!("the guest waits for something that never happens"),
        }
    })
}
