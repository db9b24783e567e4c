//! The build script of the guests: finds the WIT of WASI 0.3 in the published crates that implement it, so that no
//! copy of it lies about here. A program with its own `wit` folder needs none of this.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let metadata = metadata()?;
    for (variable, package) in [("WASI_WIT", "wasmtime-wasi"), ("WASI_HTTP_WIT", "wasmtime-wasi-http")] {
        let wit = package_dir(&metadata, package)
            .ok_or_else(|| format!("cargo metadata names no package `{package}`"))?
            .join("src/p3/wit");
        println!("cargo::rustc-env={variable}={}", wit.display());
    }
    println!("cargo::rerun-if-changed=../find_wasi.rs");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    Ok(())
}

fn metadata() -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--filter-platform"])
        .arg(env::var("HOST")?)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The folder that the package's sources lie in: `NAME-VERSION` in cargo's cache, `NAME` where they are vendored.
fn package_dir(metadata: &str, package: &str) -> Option<PathBuf> {
    let manifests = metadata.split("\"manifest_path\":\"").skip(1);
    let mut folders = manifests.filter_map(|rest| {
        let path = rest.split('"').next()?.replace("\\\\", "\\");
        Some(Path::new(&path).parent()?.to_path_buf())
    });
    folders.find(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(package).is_some_and(|rest| match rest.strip_prefix('-') {
            Some(version) => version.starts_with(|first: char| first.is_ascii_digit()),
            None => rest.is_empty(),
        })
    })
}
