//! The generators' command lines.

use crate::build::Side;
use crate::places::{cargo, peers_manifest, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A generator that has been built.
#[derive(Clone, Debug)]
pub struct Generator {
    program: PathBuf,
    subcommand: Option<&'static str>,
}

/// Builds a side's generator.
///
/// # Errors
///
/// When the build fails; the error carries what cargo printed.
pub fn generator(side: Side) -> Result<Generator> {
    let (package, binary, subcommand) = match side {
        Side::Ours => ("wasp-bindgen-cli", "wasp-bindgen", Some("guest")),
        Side::Peer => ("peer-generator", "peer-generator", None),
    };
    let mut cargo = cargo();
    cargo.args(["build", "--message-format=json-render-diagnostics", "-p", package, "--bin", binary]);
    if side == Side::Peer {
        cargo.arg("--manifest-path").arg(peers_manifest());
        cargo.arg("--target-dir").arg(crate::places::guest_target()?);
    }
    let json = run(&mut cargo).with_context(|| format!("cannot build `{package}`"))?;
    let program = (json.lines())
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
        .with_context(|| format!("cargo names no executable of `{package}`"))?;
    Ok(Generator { program, subcommand })
}

/// Builds this project's generator of hosts.
///
/// # Errors
///
/// As [`generator`].
pub fn host_generator() -> Result<Generator> {
    Ok(Generator { subcommand: Some("host"), ..generator(Side::Ours)? })
}

impl Generator {
    /// Writes the bindings of a world (the only one, if none is named) into an emptied folder and hands back the file.
    ///
    /// # Errors
    ///
    /// When the generator refuses, or writes anything but one Rust file.
    pub fn run(&self, wit: &Path, world: Option<&str>, options: &[String], folder: &Path) -> Result<PathBuf> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        run(Command::new(&self.program)
            .args(self.subcommand)
            .arg(wit)
            .args(world.into_iter().flat_map(|world| ["--world", world]))
            .arg("--out-dir")
            .arg(folder)
            .args(options))
        .context("the generator failed")?;
        let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
        match files.len() {
            1 => Ok(files.remove(0)),
            count => anyhow::bail!("the generator wrote {count} Rust files instead of one"),
        }
    }
}
