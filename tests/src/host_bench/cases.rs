//! What is measured.

use super::{allocations, ours, peer, wide};
use crate::build::{self, BARE, Side};
use crate::component;
use crate::engine::traced;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::time::Instant;
use wasmtime::Engine;
use wasmtime::component::Component;

/// What one operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A call of a synchronous export, with numbers.
    Call,
    /// A call of an async export beside others.
    CallAsync,
    /// A call of a synchronous import.
    Import,
    /// A call of an async import that is ready.
    ImportAsync,
    /// So many bytes as a parameter of an import that does not read them.
    BytesIn(u32),
    /// The same as text.
    TextIn(u32),
    /// So many bytes as a parameter of an export.
    BytesOut(u32),
    /// The same as text.
    TextOut(u32),
    /// A list of so many plain records as a parameter of an import.
    PointsIn(u32),
    /// A list of so many records with strings.
    ItemsIn(u32),
    /// A list of so many plain records as a parameter of an export.
    PointsOut(u32),
    /// A list of so many records with strings.
    ItemsOut(u32),
    /// A stream of so many records to the guest.
    PointStreamOut(u32),
    /// A stream of so many records to the host.
    PointStreamIn(u32),
    /// So many pieces of 64 KiB to the guest, from an `AsyncRead`; written by hand: a direct producer.
    ReaderOut(u32),
    /// The same from a stream of `Bytes`.
    ChunksOut(u32),
    /// So many pieces to the host, as `Bytes`; written by hand: a direct consumer.
    ChunksIn(u32),
    /// The same, shown in place.
    InPlaceIn(u32),
    /// So many pieces of `Bytes` to the guest, which come back as such.
    Pass(u32),
    /// The same, and what comes back is shown in place.
    PassInPlace(u32),
    /// So many calls at a time that wait, each from a task of its own through a handle; by hand: all in one
    /// `FuturesUnordered`.
    Together(u32),
    /// An instance of a world with 200 exports.
    Instantiate,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What is done.
    pub name: &'static str,
    /// What is wanted of the ratio.
    pub aim: &'static str,
    case: Case,
    /// How many operations are measured at a time, and how many parts one has that figures are of.
    times: u32,
    parts: u32,
}

const KIB: u32 = 1024;

const fn row(name: &'static str, aim: &'static str, case: Case, times: u32) -> Row {
    Row { name, aim, case, times, parts: 1 }
}

const fn parts(name: &'static str, aim: &'static str, case: Case, parts: u32) -> Row {
    Row { name, aim, case, times: 1, parts }
}

const ROWS: &[Row] = &[
    row("export (u32, u32) -> u32", "parity", Case::Call, 5000),
    row("async export (u32, u32) -> u32", "parity", Case::CallAsync, 2000),
    row("import u32 -> u32", "parity", Case::Import, 20_000),
    row("async import u32 -> u32, ready", "parity", Case::ImportAsync, 10_000),
    row("import of list<u8>, 1 KiB", "-", Case::BytesIn(KIB), 5000),
    row("import of list<u8>, 64 KiB", ">= 5x", Case::BytesIn(64 * KIB), 1000),
    row("import of list<u8>, 1 MiB", ">= 50x", Case::BytesIn(KIB * KIB), 200),
    row("import of string, 1 KiB", "as measured", Case::TextIn(KIB), 5000),
    row("import of string, 64 KiB", "as measured", Case::TextIn(64 * KIB), 1000),
    row("import of string, 1 MiB", "as measured", Case::TextIn(KIB * KIB), 100),
    row("export of list<u8>, 1 KiB", "-", Case::BytesOut(KIB), 2000),
    row("export of list<u8>, 64 KiB", "-", Case::BytesOut(64 * KIB), 500),
    row("export of list<u8>, 1 MiB", "-", Case::BytesOut(KIB * KIB), 50),
    row("export of string, 1 KiB", "-", Case::TextOut(KIB), 2000),
    row("export of string, 64 KiB", "-", Case::TextOut(64 * KIB), 500),
    row("export of string, 1 MiB", "-", Case::TextOut(KIB * KIB), 50),
    row("lift list<point>, 10,000", ">= 10x", Case::PointsIn(10_000), 50),
    row("lower list<point>, 10,000", ">= 30x", Case::PointsOut(10_000), 50),
    row("lift list<item>, 10,000 with strings", "parity or better", Case::ItemsIn(10_000), 10),
    row("lower list<item>, 10,000 with strings", "parity or better", Case::ItemsOut(10_000), 10),
    parts("stream<point> to the guest, an item; an `Option` buffer", ">= 50x", Case::PointStreamOut(20_000), 20_000),
    parts(
        "stream<point> to the host, an item; a consumer with a Vec",
        "as measured",
        Case::PointStreamIn(200_000),
        200_000,
    ),
    parts("stream<u8> from an AsyncRead, 64 KiB; by hand, direct", "<= 1.3x time", Case::ReaderOut(1024), 1024),
    parts("stream<u8> from Bytes, 64 KiB; by hand, direct", "<= 1.3x time", Case::ChunksOut(1024), 1024),
    parts("stream<u8> to Bytes, 64 KiB; by hand, direct", "<= 2x time", Case::ChunksIn(1024), 1024),
    parts("stream<u8> in place, 64 KiB; by hand, direct", "<= 1.2x time", Case::InPlaceIn(1024), 1024),
    parts("host to guest to host, Bytes, 64 KiB; by hand, direct", "<= 2x time", Case::Pass(1024), 1024),
    parts("host to guest to host, in place, 64 KiB; by hand, direct", "<= 1.2x time", Case::PassInPlace(1024), 1024),
    parts("1,000 calls at a time, a task each; by hand, one loop", "<= 1.5x time", Case::Together(1000), 1000),
    parts("10,000 calls at a time, a task each; by hand, one loop", "<= 1.5x time", Case::Together(10_000), 10_000),
    row("instantiation, 200 exports", "as measured", Case::Instantiate, 200),
];

/// What one operation costs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Figures {
    /// Blocks that the host allocates.
    pub allocations: f64,
    /// Time, in nanoseconds: only comparable within one run.
    pub wall: f64,
}

/// Measures all rows that have `filter` in their names: ours, and what it is compared with, alternately.
///
/// # Errors
///
/// When the guest does not build, or one side fails.
pub async fn measure(filter: &str, rounds: u32) -> Result<Vec<(Row, Figures, Figures)>> {
    let engine = traced(wasp_host_rt::engine())?;
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--release", "--example=host-bench"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(&engine, component::encode(&module, None)?))?;
    let mut rows = Vec::new();
    for row in ROWS.iter().filter(|row| row.name.contains(filter)) {
        let (mut ours, mut peer) = (None, None);
        for _ in 0..rounds {
            let figures = of_ours(&engine, &component, row).await.with_context(|| format!("{}, ours", row.name))?;
            keep(&mut ours, figures);
            let figures = of_peer(&engine, &component, row).await.with_context(|| format!("{}, theirs", row.name))?;
            keep(&mut peer, figures);
        }
        rows.push((*row, ours.unwrap_or_default(), peer.unwrap_or_default()));
    }
    Ok(rows)
}

/// The least of several runs.
fn keep(best: &mut Option<Figures>, new: Figures) {
    let old = best.unwrap_or(new);
    *best = Some(Figures { allocations: new.allocations.min(old.allocations), wall: new.wall.min(old.wall) });
}

async fn of_ours(engine: &Engine, component: &Component, row: &Row) -> Result<Figures> {
    if row.case == Case::Instantiate {
        let mut wide = wide::Ours::new(engine)?;
        wide.run(3).await?;
        return figures(row, async || wide.run(row.times).await).await;
    }
    let mut embedder = ours::Embedder::new(engine, component).await?;
    embedder = traced(embedder.run(row.case, row.times.div_ceil(10)).await)?;
    let mut embedder = Some(embedder);
    figures(row, async || {
        if let Some(taken) = embedder.take() {
            embedder = Some(traced(taken.run(row.case, row.times).await)?);
        }
        Ok(())
    })
    .await
}

async fn of_peer(engine: &Engine, component: &Component, row: &Row) -> Result<Figures> {
    if row.case == Case::Instantiate {
        let mut wide = wide::Peer::new(engine)?;
        wide.run(3).await?;
        return figures(row, async || wide.run(row.times).await).await;
    }
    let mut embedder = peer::Embedder::new(engine, component).await?;
    traced(embedder.run(row.case, row.times.div_ceil(10)).await)?;
    figures(row, async || traced(embedder.run(row.case, row.times).await)).await
}

async fn figures(row: &Row, run: impl AsyncFnOnce() -> Result<()>) -> Result<Figures> {
    let (allocated, start) = (allocations(), Instant::now());
    run().await?;
    let (wall, allocated) = (start.elapsed(), allocations() - allocated);
    let operations = f64::from(row.times) * f64::from(row.parts);
    Ok(Figures { allocations: allocated as f64 / operations, wall: wall.as_nanos() as f64 / operations })
}
