//! How long the embedders are.

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use wasp_tests::places::{run, workspace};

/// Examples with a module `ours` and a module `peer`.
const EMBEDDERS: [&str; 2] = ["plugin-host", "pipeline"];

/// Lines that are neither blank nor nothing but a comment, of a formatted file.
fn lines(file: &str) -> Result<usize> {
    let file = workspace().join(file);
    run(Command::new("rustfmt").args(["--edition", "2024", "--check"]).arg(&file))
        .context("the file is not formatted")?;
    let source = fs::read_to_string(&file)?;
    ensure!(!source.contains("/*"), "comments are by the line here");
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    Ok(source.lines().filter(is_code).count())
}

#[test]
fn embedders_are_shorter_with_these_bindings() -> Result<()> {
    let mut table = "| lines of code | `generate!` | `bindgen!` | saved |\n|---|---|---|---|\n".to_string();
    for example in EMBEDDERS {
        let [ours, peer] = ["ours", "peer"].map(|side| lines(&format!("examples/{example}/src/{side}.rs")));
        let (ours, peer) = (ours?, peer?);
        writeln!(table, "| {example} | {ours} | {peer} | {:.0} % |", 100.0 - 100.0 * ours as f64 / peer as f64)?;
        ensure!(ours < peer, "{example} takes {ours} lines, and {peer} with the engine's bindings");
    }
    println!("{table}");
    Ok(())
}
