//! Pipes of bytes: what a copier in the same component costs beside one in a component of its own.

use super::guests::Opt;
use crate::build::{self, BARE, Side};
use crate::component;
use crate::engine::traced;
use anyhow::{Context as _, Result, ensure};
use std::time::Instant;
use wasmtime::component::{Component, ComponentNamedList, Instance, Lift, Linker, Lower, StreamReader};
use wasmtime::{Config, Engine, Store};

/// 16 MiB, in pieces of 64 KiB.
const PIECES: u32 = 256;
const COPIES: u32 = 7;

/// What one copier costs, for each MiB that it passes on.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// Instructions of guests.
    pub fuel: f64,
    /// Time in microseconds.
    pub time: f64,
}

/// Measures copiers in one component, and each in a component of its own.
///
/// # Errors
///
/// When the guest does not build, or loses bytes.
pub async fn pipes() -> Result<[Pipe; 2]> {
    let mut config = Config::new();
    config.wasm_component_model_async(true).consume_fuel(true);
    let engine = traced(Engine::new(&config))?;
    let arguments = Opt::Speed.arguments("bench-pipes");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &arguments)?;
    let (_, module) = guests.first().context("no guest was built")?;
    let guest = traced(Component::new(&engine, component::encode(&std::fs::read(module)?, None)?))?;
    let mut pipes = [[(f64::INFINITY, 0); 2]; 2];
    // The least of some rounds, one after the other: what the machine does meanwhile is shared by all of them.
    for _ in 0..6 {
        for (composed, row) in pipes.iter_mut().enumerate() {
            for (copies, best) in [0, COPIES].into_iter().zip(row) {
                let mut store = Store::new(&engine, ());
                let (time, fuel) = run(&mut store, &guest, copies, composed == 1).await?;
                *best = (best.0.min(time), fuel);
            }
        }
    }
    Ok(pipes.map(|[none, all]| {
        let each = f64::from(COPIES * (PIECES / 16));
        Pipe { fuel: (all.1 as f64 - none.1 as f64) / each, time: (all.0 - none.0) / each }
    }))
}

/// The time, in microseconds, and the fuel of one pipe.
async fn run(store: &mut Store<()>, guest: &Component, copies: u32, composed: bool) -> Result<(f64, u64)> {
    traced(store.set_fuel(u64::MAX))?;
    let linker = Linker::new(guest.engine());
    let mut instances = Vec::new();
    for _ in 0..if composed { copies + 2 } else { 1 } {
        instances.push(traced(linker.instantiate_async(&mut *store, guest).await)?);
    }
    let (mut best, mut fuel) = (f64::INFINITY, 0);
    // The first time, memory is made.
    for _ in 0..3 {
        let before = (Instant::now(), traced(store.get_fuel())?);
        let sum = if let [first, middle @ .., last] = &instances[..] {
            let (mut bytes,): (StreamReader<u8>,) = call(store, first, "source", (PIECES,)).await?;
            for copier in middle {
                (bytes,) = call(store, copier, "copy", (bytes,)).await?;
            }
            call::<_, (u64,)>(store, last, "drain", (bytes,)).await?.0
        } else {
            call::<_, (u64,)>(store, &instances[0], "pipe", (PIECES, copies)).await?.0
        };
        ensure!(sum == u64::from(PIECES) * 64 * 1024, "{sum} bytes arrived");
        best = f64::min(best, before.0.elapsed().as_nanos() as f64 / 1000.0);
        fuel = before.1 - traced(store.get_fuel())?;
    }
    Ok((best, fuel))
}

async fn call<P, R>(store: &mut Store<()>, instance: &Instance, export: &str, params: P) -> Result<R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    let function = traced(instance.get_typed_func::<P, R>(&mut *store, export))?;
    traced(function.call_async(&mut *store, params).await)
}
