//! The `wasp-bindgen` command.

mod command;
mod report;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            report.print();
            ExitCode::FAILURE
        }
    }
}
