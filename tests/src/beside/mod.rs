//! Other runtimes in one module with ours: the object that links them, and guests that have several.

pub mod guests;
pub mod object;
pub mod workspace;

use crate::places::workspace;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The folder of the archive that the runtime's build script links.
pub fn folder() -> PathBuf {
    workspace().join("guest-rt/beside")
}

/// Writes the archive for this version of the runtime, in place of those of other versions.
///
/// # Errors
///
/// When the folder cannot be made or written to.
pub fn write(folder: &Path, version: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for entry in std::fs::read_dir(folder)? {
        std::fs::remove_file(entry?.path())?;
    }
    Ok(std::fs::write(folder.join(object::file_name(version)), object::archive(version))?)
}

/// Checks that the folder has the archive for this version of the runtime, and nothing else.
///
/// # Errors
///
/// When it has not.
pub fn check(folder: &Path, version: &str) -> Result<()> {
    let help = "help: run `cargo run -p wasp-tests --bin write-beside`";
    let wanted = object::file_name(version);
    let path = folder.join(&wanted);
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}\n{help}", path.display()))?;
    ensure!(bytes == object::archive(version), "{} is not what is written today\n{help}", path.display());
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        ensure!(name == *wanted, "{} belongs to no version\n{help}", folder.join(name).display());
    }
    Ok(())
}
