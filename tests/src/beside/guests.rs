//! A component with several runtimes in one module, and what calls them all.

use super::workspace;
use crate::build::{self, BARE, Side, WASI};
use crate::component;
use crate::places::{cargo, guest_target, run};
use anyhow::{Context, Result};

/// How the module is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As while it is written, and for WASI, whose libc has a `cabi_realloc` as well.
    Debug,
    /// As it is shipped, with all of it optimised together, and for no system.
    Release,
}

impl Kind {
    fn target(self) -> &'static str {
        match self {
            Kind::Debug => WASI,
            Kind::Release => BARE,
        }
    }
}

/// Builds the component. Returns `None`, and says so, when the peers' packages cannot be had.
///
/// # Errors
///
/// When something does not build.
pub fn component(kind: Kind) -> Result<Option<Vec<u8>>> {
    let manifest = workspace::make()?;
    if let Err(error) = run(cargo().args(["fetch", "--manifest-path"]).arg(&manifest)) {
        eprintln!("SKIPPED: the peers' packages cannot be had, so nothing was tried beside them\n{error:#}");
        return Ok(None);
    }
    build::ensure_target(kind.target())?;
    let target = guest_target()?;
    let mut cargo = cargo();
    cargo.args(["build", "--target", kind.target(), "--manifest-path"]).arg(&manifest);
    cargo.arg("--target-dir").arg(&target).env_remove("CARGO_TARGET_DIR");
    if kind == Kind::Release {
        // The same profile with other settings: so the peers' generators, which take the most time, are built once.
        for (name, value) in [
            ("OPT_LEVEL", "s"),
            ("LTO", "true"),
            ("CODEGEN_UNITS", "1"),
            ("PANIC", "abort"),
            ("DEBUG_ASSERTIONS", "false"),
        ] {
            cargo.env(format!("CARGO_PROFILE_DEV_{name}"), value);
        }
    }
    run(&mut cargo).context("cannot build the guest with several runtimes")?;
    let module = std::fs::read(target.join(kind.target()).join("debug/beside.wasm"))?;
    // The linker of WASI's target makes components itself.
    let several = if wasmparser::Parser::is_component(&module) { module } else { component::encode(&module, None)? };

    let drivers = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example=beside-driver"])?;
    let (_, driver) = drivers.first().context("the driver was not built")?;
    let folder = tempfile::tempdir()?;
    let paths = ["driver", "several", "composed"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], component::encode(&std::fs::read(driver)?, None)?)?;
    std::fs::write(&paths[1], several)?;
    component::compose(&paths[0], &paths[1..2], &paths[2]).map(Some)
}
