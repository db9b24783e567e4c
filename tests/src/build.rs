//! Guests: their targets, their crates, and the libraries that `rustc` links single files with.

use crate::places::{cargo, guest_target, peers_manifest, run, rustc, workspace};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A module that leaves WASI to whoever makes it a component; it has no standard streams.
pub const BARE: &str = "wasm32-unknown-unknown";
/// A module whose standard library speaks WASI.
pub const WASI: &str = "wasm32-wasip2";

/// Whose generator and runtime a guest is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This project's.
    Ours,
    /// The peer's published crates.
    Peer,
}

/// The crates a guest's single source file is linked with.
#[derive(Debug)]
pub struct Libraries {
    externs: Vec<(String, PathBuf)>,
    search: BTreeSet<PathBuf>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    linked_paths: Vec<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Adds a target to the installed toolchain if it is missing.
///
/// # Errors
///
/// When the target's standard library is missing and `rustup` does not bring it.
pub fn ensure_target(target: &str) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let installed = || -> Result<bool> {
        let libraries = run(rustc().args(["--print", "target-libdir", "--target", target]))?;
        Ok(Path::new(libraries.trim()).is_dir())
    };
    if installed()? {
        return Ok(());
    }
    let added = run(Command::new("rustup").args(["target", "add", target]).current_dir(workspace()));
    if added.is_ok() && installed()? {
        return Ok(());
    }
    let reason = added.err().map_or_else(String::new, |error| format!("{error:#}\n"));
    bail!(
        "{reason}the toolchain lacks the target `{target}`\nhelp: run `rustup target add {target}`, or install rust-std for it the way this toolchain was installed"
    )
}

/// Builds a package for a wasm target in one cargo invocation and hands back the wasm files it made, by target name.
///
/// # Errors
///
/// When the target is missing or the build fails; the error carries what cargo printed.
pub fn guests(side: Side, package: &str, target: &str, arguments: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    let messages = build(side, package, target, arguments)?;
    Ok(messages
        .into_iter()
        .filter_map(|message| {
            let name = message.target?.name;
            let is_wasm = |file: &PathBuf| file.extension().is_some_and(|kind| kind == "wasm");
            Some((name, message.filenames.into_iter().find(is_wasm)?))
        })
        .collect())
}

/// Builds the runtime (and `futures`) for a wasm target, for guests that are compiled by [`Libraries::rustc`].
///
/// # Errors
///
/// When the target is missing or the build fails.
pub fn libraries(side: Side, target: &str) -> Result<Libraries> {
    let (package, wanted) = match side {
        Side::Ours => ("wasp-test-guests", ["wasp_guest_rt", "futures"]),
        Side::Peer => ("peer-guest", ["wit_bindgen", "futures"]),
    };
    let mut libraries = Libraries { externs: Vec::new(), search: BTreeSet::new() };
    for message in build(side, package, target, &["--lib"])? {
        for path in &message.linked_paths {
            let path = path.split_once('=').map_or(path.as_str(), |(_, path)| path);
            libraries.search.insert(path.into());
        }
        let Some(Target { name }) = message.target else {
            continue;
        };
        for file in message.filenames {
            if let Some(folder) = file.parent() {
                libraries.search.insert(folder.to_path_buf());
            }
            let is_library = file.extension().is_some_and(|kind| kind == "rlib");
            if is_library && wanted.contains(&name.as_str()) {
                if name == "wasp_guest_rt" {
                    // What the suites' sources call the runtime.
                    libraries.externs.push(("wit_bindgen".into(), file.clone()));
                }
                libraries.externs.push((name.clone(), file));
            }
        }
    }
    Ok(libraries)
}

/// The runtime of hosts and the engine, as these tests are linked with them.
///
/// # Errors
///
/// When the build fails.
pub fn host_libraries() -> Result<Libraries> {
    let mut cargo = cargo();
    cargo.args(["build", "--message-format=json-render-diagnostics", "-p", "wasp-tests", "--lib"]);
    let json = run(&mut cargo).context("cannot build what hosts are linked with")?;
    let mut libraries = Libraries { externs: Vec::new(), search: BTreeSet::new() };
    for message in artifacts(&json)? {
        let Some(Target { name }) = message.target else { continue };
        for file in message.filenames {
            if let Some(folder) = file.parent() {
                libraries.search.insert(folder.to_path_buf());
            }
            let is_library = file.extension().is_some_and(|kind| kind == "rlib");
            if is_library && ["wasp_host_rt", "wasmtime"].contains(&name.as_str()) {
                libraries.externs.push((name.clone(), file));
            }
        }
    }
    Ok(libraries)
}

impl Libraries {
    /// A compiler that finds these libraries.
    pub fn rustc(&self, target: &str, edition: &str) -> Command {
        let mut rustc = rustc();
        rustc.args(["--target", target, "--edition", edition, "-Dwarnings"]);
        for folder in &self.search {
            rustc.arg(format!("-Ldependency={}", folder.display()));
            rustc.arg(format!("-Lnative={}", folder.display()));
        }
        for (name, file) in &self.externs {
            rustc.arg(format!("--extern={name}={}", file.display()));
        }
        rustc
    }
}

fn build(side: Side, package: &str, target: &str, arguments: &[&str]) -> Result<Vec<Message>> {
    ensure_target(target)?;
    let mut cargo = cargo();
    cargo
        .args(["build", "--message-format=json-render-diagnostics", "--target", target])
        .args(["-p", package])
        .args(arguments)
        .arg("--target-dir")
        .arg(guest_target()?)
        .env_remove("CARGO_TARGET_DIR");
    if side == Side::Peer {
        cargo.arg("--manifest-path").arg(peers_manifest());
    }
    let json = run(&mut cargo).with_context(|| format!("cannot build `{package}` for {target}"))?;
    artifacts(&json)
}

fn artifacts(json: &str) -> Result<Vec<Message>> {
    (json.lines())
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).context("cannot read a message of cargo's"))
        .filter(|message: &Result<Message>| {
            (message.as_ref()).map_or(true, |message| {
                matches!(message.reason.as_str(), "compiler-artifact" | "build-script-executed")
            })
        })
        .collect()
}
