//! Where things are: the workspace, its target directory, and the sources of published packages.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The release of the peer that the suites compare with.
pub const PEER_VERSION: &str = "0.63.0";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

/// The root of this repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a member of the workspace")
}

/// The folder of guests' build products, below the workspace's target directory.
///
/// # Errors
///
/// When `cargo metadata` fails.
pub fn guest_target() -> Result<PathBuf> {
    Ok(metadata()?.target_directory.join("guests"))
}

/// The folder of what a suite writes, below the workspace's target directory.
///
/// # Errors
///
/// When `cargo metadata` fails or the folder cannot be made.
pub fn work_dir(suite: &str) -> Result<PathBuf> {
    let dir = metadata()?.target_directory.join("suites").join(suite);
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}

/// The sources of a package that the workspace depends on.
///
/// # Errors
///
/// When `cargo metadata` fails or nothing in the workspace depends on `name`.
pub fn source_of(name: &str) -> Result<PathBuf> {
    let package = (metadata()?.packages.iter())
        .filter(|package| package.name == name)
        .max_by_key(|package| package.version.clone())
        .with_context(|| format!("nothing in the workspace depends on `{name}`"))?;
    Ok(parent(&package.manifest_path))
}

/// The `tests` folder of the peer's published command line: its `codegen` and `runtime` suites.
///
/// # Errors
///
/// When the package is not in cargo's cache and cannot be downloaded.
pub fn peer_suites() -> Result<PathBuf> {
    static SUITES: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = SUITES.get_or_init(|| find_peer_suites().map_err(|error| format!("{error:#}")));
    found.clone().map_err(anyhow::Error::msg)
}

fn find_peer_suites() -> Result<PathBuf> {
    let manifest = peers_manifest();
    run(cargo().args(["fetch", "--locked", "--manifest-path"]).arg(&manifest))
        .context("cannot fetch the peer's sources")?;
    // The package has no library, so that metadata leaves it out: it lies beside the crates of the same release.
    let listing = read_metadata(&manifest)?;
    let beside = (listing.packages.iter())
        .find(|package| package.name == "wit-bindgen-rust")
        .context("the peer's generator is not among its own dependencies")?;
    let sources = parent(&parent(&beside.manifest_path));
    for folder in [format!("wit-bindgen-cli-{PEER_VERSION}"), "wit-bindgen-cli".into()] {
        let tests = sources.join(folder).join("tests");
        if tests.is_dir() {
            return Ok(tests);
        }
    }
    bail!(
        "wit-bindgen-cli {PEER_VERSION} is not in {}\nhelp: run `cargo fetch --manifest-path tests/peers/Cargo.toml` with network access",
        sources.display()
    )
}

/// The manifest of the peers' own workspace.
pub fn peers_manifest() -> PathBuf {
    workspace().join("tests/peers/Cargo.toml")
}

/// The cargo that runs this program, or the one on the path.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    cargo
}

/// The compiler that cargo uses.
pub fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Runs a command to its end and hands back what it printed.
///
/// # Errors
///
/// When it cannot be started or fails; the error carries its output.
pub fn run(command: &mut Command) -> Result<String> {
    let output = (command.output()).with_context(|| format!("cannot start {command:?}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    bail!(
        "{}\n{}{}",
        String::from_utf8_lossy(&output.stderr).trim_end(),
        String::from_utf8_lossy(&output.stdout),
        format_args!("({} of {command:?})", output.status),
    )
}

fn metadata() -> Result<&'static Metadata> {
    static METADATA: OnceLock<Result<Metadata, String>> = OnceLock::new();
    METADATA
        .get_or_init(|| read_metadata(&workspace().join("Cargo.toml")).map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))
}

/// The target that programs run on here.
///
/// # Errors
///
/// When the compiler does not say.
pub fn host() -> Result<String> {
    let version = run(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

fn read_metadata(manifest: &Path) -> Result<Metadata> {
    let host = host()?;
    let json = run(cargo()
        .args(["metadata", "--format-version=1", "--filter-platform", &host])
        .arg("--manifest-path")
        .arg(manifest))
    .context("`cargo metadata` failed")?;
    serde_json::from_str(&json).context("cannot read what `cargo metadata` printed")
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_path_buf()
}
