//! Prints what guests cost beside the peer and a hand-written floor: `bench [--json FILE] [--svg FILE]`; `bench pipes`
//! prints only what pipes of bytes cost.

use anyhow::{Context, Result, bail};
use wasp_tests::bench::{Guest, Opt, Table, measure, pipes};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let (mut json, mut svg) = (None, None);
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|argument| argument == "pipes") {
        return print_pipes().await;
    }
    while let Some(argument) = arguments.next() {
        let file = match argument.as_str() {
            "--json" => &mut json,
            "--svg" => &mut svg,
            _ => bail!("`{argument}` is not known\nusage: bench [pipes | --json FILE | --svg FILE]..."),
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
    print_pipes().await?;
    if let Some(file) = json {
        std::fs::write(&file, serde_json::to_string_pretty(&values)? + "\n")
            .with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

async fn print_pipes() -> Result<()> {
    println!("a copier of stream<u8> in 64 KiB: fuel / time, each for one MiB");
    for (name, pipe) in ["in one component", "in a component of its own"].into_iter().zip(pipes().await?) {
        println!("{name:50}  {:.0} / {:.1} us", pipe.fuel, pipe.time);
    }
    Ok(())
}
