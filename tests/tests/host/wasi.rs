//! Bindings of the engine's crates are plugged in.

use anyhow::{Context, Result};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io::poll::Pollable;
use wasp_host_rt::Res;
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({
    path: "guests/clocked/clocked.wit",
    world: "clocked",
    with: {
        "wasi:io/poll@0.2.12": wasmtime_wasi_io::bindings::wasi::io::poll,
        "wasi:clocks/monotonic-clock@0.2.12": wasmtime_wasi::p2::bindings::clocks::monotonic_clock,
        "wasi:clocks/monotonic-clock@0.3.0": wasmtime_wasi::p3::bindings::clocks::monotonic_clock,
        "wasi:clocks/types@0.3.0": wasmtime_wasi::p3::bindings::clocks::types,
    },
});

#[derive(Default)]
struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    kept: u32,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wasp::clocked::ours::Host for Host {
    fn is_ready(&mut self, p: Res<Pollable>) -> bool {
        self.table.get(&p).is_ok()
    }

    fn keep(&mut self, p: Res<Pollable>) {
        self.kept += u32::from(self.table.delete(p).is_ok());
    }

    fn longer(&mut self, how_long: u64) -> u64 {
        how_long * 1000
    }
}

#[tokio::test]
async fn wasi_of_both_generations_is_plugged_in() -> Result<()> {
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example=clocked"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut linker = Linker::<Host>::new(engine());
    traced(wasmtime_wasi::p2::add_to_linker_async(&mut linker))?;
    traced(wasmtime_wasi::p3::add_to_linker(&mut linker))?;
    traced(Clocked::add_to_linker(&mut linker, |host: &mut Host| host))?;
    let mut store = store(Host::default());
    let clocked = traced(Clocked::instantiate_async(&mut store, &component, &linker).await)?;
    assert_eq!(traced(clocked.run(&mut store).await)?, 1000);
    assert_eq!(store.data().kept, 1);
    Ok(())
}
