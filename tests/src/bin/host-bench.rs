//! Prints what hosts cost beside `bindgen!` and code written by hand: `host-bench [--json FILE] [--only NAME]`.

use anyhow::{Context, Result, bail};
use wasp_tests::host_bench::{Counting, Table, measure};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut json, mut only) = (None, String::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("`{argument}` needs a value"))?;
        match argument.as_str() {
            "--json" => json = Some(value),
            "--only" => only = value,
            _ => bail!("`{argument}` is not known\nusage: host-bench [--json FILE] [--only NAME]"),
        }
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: this is a debug build; `--release` is what hosts are built with");
    }
    let table = Table(measure(&only, 5).await?);
    println!("{table}");
    if let Some(file) = json {
        std::fs::write(&file, serde_json::to_string_pretty(&table.json())? + "\n")
            .with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}
