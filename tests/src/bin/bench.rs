//! Prints what guests cost beside the peer and a hand-written floor: `bench [--json FILE] [--svg FILE]`.

use anyhow::{Context, Result, bail};
use wasp_tests::bench::{Guest, Opt, Table, measure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut json, mut svg) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let file = match argument.as_str() {
            "--json" => &mut json,
            "--svg" => &mut svg,
            _ => bail!("`{argument}` is not known\nusage: bench [--json FILE] [--svg FILE]"),
        };
        *file = Some(arguments.next().with_context(|| format!("`{argument}` needs a file"))?);
    }
    let mut values = Vec::new();
    for (opt, title) in [(Opt::Speed, "opt-level 3"), (Opt::Size, "opt-level s")] {
        let columns = measure(&Guest::ALL, opt).await?;
        let table = Table { title, columns: &columns };
        println!("{table}");
        values.push(table.json());
        if let (Opt::Speed, Some(file)) = (opt, &svg) {
            std::fs::write(file, table.svg()).with_context(|| format!("cannot write {file}"))?;
        }
    }
    if let Some(file) = json {
        std::fs::write(&file, serde_json::to_string_pretty(&values)? + "\n")
            .with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}
