//! Runs the peer's suites in full and prints what passed: `suites [--peer] [runtime | codegen [COLUMN] | wasi | host] [--only NAME]`.

use anyhow::{Result, bail};
use std::process::ExitCode;
use wasp_tests::build::Side;
use wasp_tests::report::Report;
use wasp_tests::suites::{codegen, host, runtime, wasi};

struct Wanted {
    side: Side,
    suite: Option<String>,
    column: Option<String>,
    only: String,
}

fn main() -> Result<ExitCode> {
    let wanted = arguments()?;
    let runs = |suite: &str| wanted.suite.as_deref().is_none_or(|name| name == suite);
    let mut surprises = 0;
    let mut show = |report: Report| {
        print!("{report}");
        surprises += report.surprises().len();
    };
    if runs("runtime") {
        show(runtime::suite(wanted.side, &wanted.only)?);
    }
    if runs("codegen") {
        for column in codegen::COLUMNS {
            if wanted.side == Side::Peer && column.name == codegen::BORROWED.name {
                continue;
            }
            if wanted.column.as_deref().is_none_or(|name| name == column.name) {
                show(codegen::suite(wanted.side, *column, &wanted.only)?);
            }
        }
    }
    if runs("wasi") {
        show(wasi::suite(wanted.side)?);
        println!("all imports of WASI 0.3: {}", wasi::size(wanted.side)?);
    }
    if runs("host") {
        show(match wanted.side {
            Side::Ours => host::ours(&wanted.only)?,
            Side::Peer => host::peer(&wanted.only)?,
        });
    }
    Ok(if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn arguments() -> Result<Wanted> {
    let mut wanted = Wanted { side: Side::Ours, suite: None, column: None, only: String::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--peer" => wanted.side = Side::Peer,
            "--only" => wanted.only = arguments.next().unwrap_or_default(),
            "runtime" | "codegen" | "wasi" | "host" if wanted.suite.is_none() => wanted.suite = Some(argument),
            name if codegen::COLUMNS.iter().any(|column| column.name == name) => {
                wanted.column = Some(argument);
            }
            other => bail!(
                "unknown argument `{other}`\nhelp: suites [--peer] [runtime | codegen [COLUMN] | wasi | host] [--only NAME]"
            ),
        }
    }
    Ok(wanted)
}
