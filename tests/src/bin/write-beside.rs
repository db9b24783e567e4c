//! Writes the object that links the runtime with other runtimes in the same module: `write-beside [--check]`.
//!
//! Its name has the runtime's version in it, and so has what it defines: run this when the version changes.

use anyhow::{Context, Result, bail};
use wasp_tests::beside::{check, folder, write};

fn main() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    match std::env::args().nth(1).as_deref() {
        None => write(&folder(), version).context("cannot write the archive"),
        Some("--check") => check(&folder(), version),
        Some(argument) => bail!("`{argument}` is not known\nusage: write-beside [--check]"),
    }
}
