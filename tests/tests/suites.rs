//! The peer's suites pass with this project's generator and runtime. `cargo run -p wasp-tests --bin suites` runs them
//! with every option, and with `--peer` against the peer itself.

use anyhow::Result;
use wasp_tests::build::Side;
use wasp_tests::report::Report;
use wasp_tests::suites::{codegen, corpus, host, runtime, wasi};

#[test]
fn the_peers_runtime_suite_passes() -> Result<()> {
    check(&runtime::suite(Side::Ours, "")?);
    Ok(())
}

#[test]
fn the_peers_codegen_suite_compiles_without_warnings() -> Result<()> {
    check(&codegen::suite(Side::Ours, codegen::DEFAULT, "")?);
    Ok(())
}

#[test]
fn every_world_of_wasi_compiles_without_warnings() -> Result<()> {
    check(&wasi::suite(Side::Ours)?);
    Ok(())
}

#[test]
fn wasi_takes_little_more_than_a_third_of_the_peers_text() -> Result<()> {
    let (ours, peer) = (wasi::size(Side::Ours)?, wasi::PEER_SIZE);
    println!("all imports of WASI 0.3: {ours}; the peer: {peer}");
    assert!(3 * ours.bytes <= peer.bytes, "{ours} is more than a third of {peer}");
    // Payload traits by type, as the peer has them, took a third of the lines to 34.6 %.
    assert!(20 * ours.lines <= 7 * peer.lines, "{ours} is more than 35 % of the lines of {peer}");
    Ok(())
}

#[test]
fn all_of_it_compiles_as_hosts_without_warnings() -> Result<()> {
    let (ours, peer) = (host::ours("")?, host::peer("")?);
    println!("{peer}");
    check(&ours);
    // The other column is not made up.
    assert!(peer.passed() > peer.outcomes.len() / 2, "`bindgen!` is not called as it should be");
    Ok(())
}

#[test]
fn every_world_of_our_own_texts_compiles_on_both_sides_without_warnings() -> Result<()> {
    for column in [codegen::DEFAULT, codegen::EVERYTHING, codegen::EVERYTHING_BORROWED] {
        check(&corpus::guests(column, "")?);
    }
    check(&corpus::hosts("")?);
    Ok(())
}

fn check(report: &Report) {
    println!("{report}");
    assert!(!report.outcomes.is_empty(), "the suite has not been found");
    let surprises = report.surprises();
    assert!(surprises.is_empty(), "{}\n{}", report, surprises.join("\n\n"));
}
