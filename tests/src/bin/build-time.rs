//! Prints what building a guest costs beside the peer, in processor seconds: `build-time [ROUNDS]`, of which the least count.

use anyhow::{Context, Result};
use wasp_tests::build_time::{check_after_an_edit, clean_build};

fn main() -> Result<()> {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse().context("usage: build-time [ROUNDS]")?,
        None => 2,
    };
    println!("clean build of a guest: {} (aim 0.30)", clean_build(rounds)?);
    println!("check after an edit, WASI's HTTP service: {} (aim 0.60)", check_after_an_edit(rounds.max(3))?);
    Ok(())
}
