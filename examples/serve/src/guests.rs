//! From a guest's crate to a component.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use wasp_bindgen_cli::{Componentize, componentize};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds the guest of the given package of this workspace and makes it a component.
///
/// # Errors
///
/// When the target cannot be installed, the guest does not compile, or it does not do what its world says.
pub fn guest(package: &str) -> Result<Vec<u8>> {
    install_target()?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // A target folder of its own, so that this works while cargo runs this very program.
    let target = workspace.join("target/guests");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--target", TARGET, "--package", package, "--target-dir"])
        .arg(&target)
        .current_dir(&workspace)
        .status()
        .context("cannot start cargo")?;
    if !built.success() {
        bail!("cannot build the guest `{package}`");
    }
    let file = target.join(TARGET).join("release").join(package.replace('-', "_") + ".wasm");
    let module = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    componentize(&module, &Componentize::default()).with_context(|| format!("cannot make `{package}` a component"))
}

fn install_target() -> Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot start rustc")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if !added.is_ok_and(|status| status.success()) {
        bail!("the toolchain lacks the target `{TARGET}`\nhelp: run `rustup target add {TARGET}`");
    }
    Ok(())
}
