//! Crates written for the peer move over by their manifest alone: the published `wasip3`, whose bindings the peer's
//! generator has printed into it, with the one line changed that says which runtime it depends on.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi::p3::bindings::Command;
use wasp_tests::build::{self, WASI};
use wasp_tests::engine::{Host, engine, store, traced};
use wasp_tests::places::{self, cargo, run, workspace};

/// The releases, which come from the peer's 0.62 and 0.63.
const RELEASES: [&str; 2] = ["0.9", "0.10"];

#[test]
fn wasip3_compiles_on_this_runtime() -> Result<()> {
    build::ensure_target(WASI)?;
    for release in RELEASES {
        let Some(copy) = moved(release)? else { return Ok(()) };
        for target in [&places::host()?, WASI] {
            checked(&copy, &["check", "--all-features", "--target", target])?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_command_of_wasip3_prints_on_this_runtime() -> Result<()> {
    build::ensure_target(WASI)?;
    for release in RELEASES {
        let Some(copy) = moved(release)? else { return Ok(()) };
        checked(&copy, &["build", "--example=cli-command", "--target", WASI])?;
        let component = target()?.join(WASI).join("debug/examples/cli_command.wasm");
        assert_eq!(printed(&component).await?, "Hello, WASI!", "wasip3 {release}");
    }
    Ok(())
}

/// What a command prints.
async fn printed(component: &Path) -> Result<String> {
    let bytes = std::fs::read(component).with_context(|| format!("there is no {}", component.display()))?;
    let component = traced(Component::new(engine(), bytes))?;
    let mut linker = Linker::<Host>::new(engine());
    traced(wasmtime_wasi::p2::add_to_linker_async(&mut linker))?;
    traced(wasmtime_wasi::p3::add_to_linker(&mut linker))?;
    let mut store = store(Host::default());
    let command = traced(Command::instantiate_async(&mut store, &component, &linker).await)?;
    let ran = store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await).await;
    ensure!(traced(ran.and_then(|ran| ran))?.is_ok(), "the command fails");
    Ok(store.data().printed())
}

/// A copy of a release of `wasip3` that depends on this runtime; `None` where it cannot be had.
fn moved(release: &'static str) -> Result<Option<PathBuf>> {
    // Once for all tests, which run at the same time.
    static MOVED: Mutex<BTreeMap<&str, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut moved = MOVED.lock().map_err(|_| anyhow::anyhow!("another test has failed at this"))?;
    if let Some(copy) = moved.get(release) {
        return Ok(copy.clone());
    }
    let copy = fresh_copy(release)?;
    moved.insert(release, copy.clone());
    Ok(copy)
}

fn fresh_copy(release: &str) -> Result<Option<PathBuf>> {
    let work = places::work_dir(&format!("moving-over-{release}"))?;
    let source = match source(release, &work) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("SKIPPED: wasip3 {release} cannot be had, and so is not compiled: {error:#}");
            return Ok(None);
        }
    };
    let copy = work.join("wasip3");
    if copy.exists() {
        std::fs::remove_dir_all(&copy)?;
    }
    copy_all(&source, &copy)?;
    let manifest = copy.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    std::fs::write(&manifest, renamed(&text)?)?;
    Ok(Some(copy))
}

/// The manifest with the dependency renamed; what its lines say otherwise stays.
fn renamed(manifest: &str) -> Result<String> {
    let runtime = workspace().join("guest-rt");
    let dependency = format!("package = \"wasp-guest-rt\"\npath = {:?}", runtime.to_string_lossy());
    let (mut text, mut within, mut changed) = (String::new(), false, 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies.wit-bindgen]");
        }
        if within && line.starts_with("version = ") {
            text.push_str(&dependency);
            changed += 1;
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    ensure!(changed > 0, "the manifest has no dependency on wit-bindgen");
    // It lies below the workspace, and is none of it.
    text.push_str("\n[workspace]\n");
    Ok(text)
}

/// Where cargo keeps the sources of a release.
fn source(release: &str, work: &Path) -> Result<PathBuf> {
    let probe = work.join("probe");
    std::fs::create_dir_all(probe.join("src"))?;
    std::fs::write(probe.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nwasip3 = \"{release}\"\n[workspace]\n"
    );
    std::fs::write(probe.join("Cargo.toml"), manifest)?;
    let arguments = ["metadata", "--format-version=1", "--manifest-path"];
    let json = run(cargo().args(arguments).arg(probe.join("Cargo.toml")))?;
    let metadata: serde_json::Value = serde_json::from_str(&json)?;
    let packages = metadata["packages"].as_array().context("there are no packages")?;
    let package = packages.iter().find(|package| package["name"] == "wasip3").context("it is not among them")?;
    let path = package["manifest_path"].as_str().context("it has no manifest")?;
    Ok(Path::new(path).parent().context("the manifest is nowhere")?.to_owned())
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

fn checked(copy: &Path, arguments: &[&str]) -> Result<()> {
    let manifest = copy.join("Cargo.toml");
    let mut command = cargo();
    command.args(arguments).arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target()?);
    run(&mut command).map(drop)
}

/// One target directory for all copies, which have their dependencies in common.
fn target() -> Result<PathBuf> {
    Ok(places::work_dir("moving-over")?.join("target"))
}
