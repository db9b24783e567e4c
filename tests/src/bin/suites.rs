//! Runs the peer's suites in full and prints what passed.

use anyhow::Result;
use std::process::ExitCode;
use wasp_tests::build::Side;
use wasp_tests::suites;

fn main() -> Result<ExitCode> {
    let mut side = Side::Ours;
    let mut filter = String::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--peer" => side = Side::Peer,
            word => filter = word.into(),
        }
    }
    let report = suites::runtime::suite(side, &filter)?;
    print!("{report}");
    let surprises = report.surprises();
    Ok(if surprises.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
