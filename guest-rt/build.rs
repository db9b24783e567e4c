//! Links the symbols that stable Rust cannot make: see `beside/`, which `cargo run -p wasp-tests --bin write-beside` writes.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    if is_wasm && env::var_os("CARGO_FEATURE_BESIDE").is_some() {
        println!("cargo::rerun-if-changed=beside");
        println!("cargo::rustc-link-search=native={}/beside", env!("CARGO_MANIFEST_DIR"));
        println!("cargo::rustc-link-lib=static=wasp_beside_{}", env!("CARGO_PKG_VERSION"));
    }
}
