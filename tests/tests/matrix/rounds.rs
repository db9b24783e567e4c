//! The rounds that all four pairs go.

use super::values::{self, Value};
use super::{ours, peer};
use anyhow::{Context, Result};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use wasmtime::component::Component;
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, traced};

/// So many values go each way.
const ROUNDS: usize = 64;

/// A host, whichever side's.
pub(crate) trait Host: Sized {
    async fn new(component: &Component) -> Result<Self>;

    /// Sends values in every way there is, and checks that they come back.
    async fn round(&mut self, one: &Value, other: &Value) -> Result<()>;
}

#[tokio::test]
async fn our_guest_in_our_host() -> Result<()> {
    rounds::<ours::Host>(Side::Ours).await
}

#[tokio::test]
async fn the_peers_guest_in_our_host() -> Result<()> {
    rounds::<ours::Host>(Side::Peer).await
}

#[tokio::test]
async fn our_guest_in_the_peers_host() -> Result<()> {
    rounds::<peer::Host>(Side::Ours).await
}

#[tokio::test]
async fn the_peers_guest_in_the_peers_host() -> Result<()> {
    rounds::<peer::Host>(Side::Peer).await
}

async fn rounds<H: Host>(guest: Side) -> Result<()> {
    let package = match guest {
        Side::Ours => "wasp-test-guests",
        Side::Peer => "peer-guest",
    };
    let guests = build::guests(guest, package, BARE, &["--example=matrix"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let component = traced(Component::new(engine(), component::encode(&module, None)?))?;
    let mut host = H::new(&component).await?;
    // The same values in each run, and for each pair.
    let mut runner = TestRunner::deterministic();
    let mut value = || values::value().new_tree(&mut runner).map(|tree| tree.current());
    for round in 0..ROUNDS {
        let (one, other) = (value().map_err(anyhow::Error::msg)?, value().map_err(anyhow::Error::msg)?);
        host.round(&one, &other).await.with_context(|| format!("round {round}: {one:?}"))?;
    }
    Ok(())
}

/// Both look the same. A value is not the same as another when it is not a number.
pub(crate) fn same<T: std::fmt::Debug>(way: &str, received: &T, sent: &T) -> Result<()> {
    let (received, sent) = (format!("{received:?}"), format!("{sent:?}"));
    anyhow::ensure!(received == sent, "{way}:\n{received}, but this was sent:\n{sent}");
    Ok(())
}
