//! A workspace in the target folder: another version of the runtime, made of the sources of this one, and a guest that is
//! built with both and with the peers.

use crate::beside::{folder, object};
use crate::places::{work_dir, workspace};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The version of the runtime in this workspace.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The crates that a guest of ours needs.
const CRATES: [&str; 3] = ["guest-rt", "bindgen-macro", "bindgen-core"];

/// The version that the copy is given: the next minor one.
///
/// # Errors
///
/// When this version is not one of numbers.
pub fn another_version() -> Result<String> {
    let mut numbers = VERSION.split('.');
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else { anyhow::bail!("`{VERSION}`") };
    let minor: u32 = minor.parse().with_context(|| format!("`{VERSION}` has no minor version"))?;
    Ok(format!("{major}.{}.0", minor + 1))
}

/// Makes the workspace; its manifest.
///
/// # Errors
///
/// When files cannot be read or written.
pub fn make() -> Result<PathBuf> {
    let root = work_dir("beside")?;
    let another = root.join("another");
    copy_runtime(&another, &another_version()?)?;
    let guest = root.join("guest");
    let sources = workspace().join("tests/guests/beside");
    for entry in std::fs::read_dir(&sources)? {
        let file = entry?.file_name();
        let text = std::fs::read_to_string(sources.join(&file))?;
        match file.to_str() {
            Some("manifest.toml") => {
                let text = (text.replace("{ours}", &slashes(&workspace().join("guest-rt"))))
                    .replace("{another}", &slashes(&another.join("guest-rt")));
                write(&guest.join("Cargo.toml"), text.as_bytes())?;
            }
            // Cargo may note another version of ours in it.
            Some("Cargo.lock") if guest.join("Cargo.lock").exists() => {}
            _ => write(&guest.join(&file), text.as_bytes())?,
        }
    }
    Ok(guest.join("Cargo.toml"))
}

/// Copies the runtime and its generator to a workspace of their own, where they have another version.
fn copy_runtime(to: &Path, version: &str) -> Result<()> {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml"))?;
    let mut lines = Vec::new();
    let mut is_list = false;
    for line in manifest.lines() {
        // Of the workspace's lists of packages, nothing stays.
        if ["members =", "default-members =", "exclude ="].iter().any(|list| line.starts_with(list)) {
            is_list = !line.ends_with(']');
            continue;
        }
        if is_list {
            is_list = line != "]";
            continue;
        }
        lines.push(match line {
            "[workspace]" => format!("{line}\nmembers = {CRATES:?}"),
            _ if line.starts_with("version =") || line.starts_with("wasp-") => line.replace(VERSION, version),
            _ => line.to_owned(),
        });
    }
    let manifest = lines.join("\n") + "\n";
    ensure!(manifest.contains(version), "the workspace's manifest has no version {VERSION}");
    write(&to.join("Cargo.toml"), manifest.as_bytes())?;
    for name in CRATES {
        copy(&workspace().join(name), &to.join(name))?;
    }
    write(&to.join("guest-rt/beside").join(object::file_name(version)), &object::archive(version))
}

/// Makes a folder like another, without tests.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if name == "tests" || path == folder() {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&path, &to.join(&name))?;
        } else {
            write(&to.join(&name), &std::fs::read(&path)?)?;
        }
        names.push(name);
    }
    // A module that has moved would be there twice.
    for entry in std::fs::read_dir(to)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            match entry.file_type()?.is_dir() {
                true => std::fs::remove_dir_all(entry.path())?,
                false => std::fs::remove_file(entry.path())?,
            }
        }
    }
    Ok(())
}

/// Writes what is not there yet: what cargo finds unchanged it does not build again.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == contents) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, contents).with_context(|| format!("cannot write {}", path.display()))
}

/// A path as it is written in a manifest.
fn slashes(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}
