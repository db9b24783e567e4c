//! The README's examples are these files, and they work.

use anyhow::{Context, Result};
use wasmtime::component::Component;
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::engine::traced;
use wasp_tests::{component, places};

#[path = "readme/host.rs"]
#[allow(unreachable_pub, reason = "it is what an embedder would have in a library")]
mod host;

#[tokio::test]
async fn the_examples_of_the_readme_work_together() -> Result<()> {
    let readme = std::fs::read_to_string(places::workspace().join("README.md"))?;
    for example in [include_str!("readme/guest.rs"), include_str!("readme/host.rs")] {
        assert!(readme.contains(&format!("```rust\n{example}```")), "the README does not have:\n{example}");
    }
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example=readme"])?;
    let module = std::fs::read(&guests.first().context("no guest was built")?.1)?;
    let engine = traced(wasp_host_rt::engine())?;
    let component = traced(Component::new(&engine, component::encode(&module, None)?))?;
    traced(host::run(&component).await)
}
