//! How large components are. What is printed is what is checked: `cargo test -p wasp-tests --test sizes -- --nocapture`.

use anyhow::{Context, Result, ensure};
use wasmparser::{Validator, WasmFeatures};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;

#[test]
fn a_world_of_thirteen_functions_is_small() -> Result<()> {
    // The aims are 50,000 and 42,000 at opt-level 3: this keeps what there is.
    for (opt, most, most_small) in [("3", 66_600, 58_500), ("'s'", 59_900, 52_600)] {
        let ours = size("size-thirteen", opt, &["--features=beside"])?;
        let small = size("size-thirteen", opt, &["--features=beside,small"])?;
        println!("thirteen functions, opt-level {opt}: {ours} bytes, with the small allocator {small}");
        let alone = size("size-thirteen", opt, &[])?;
        let small_alone = size("size-thirteen", opt, &["--features=small"])?;
        println!("  without the feature `beside`: {alone} bytes, {small_alone}");
        ensure!(ours <= most, "{ours} bytes, more than {most}");
        ensure!(small <= most_small, "{small} bytes with the small allocator, more than {most_small}");
    }
    Ok(())
}

#[test]
fn a_function_more_adds_little() -> Result<()> {
    for opt in ["3", "'s'"] {
        let few = size("size-few", opt, &[])?;
        // The aim is 400 for both.
        for (more, most) in [("size-imports", 540), ("size-exports", 550)] {
            let each = (size(more, opt, &[])? - few) / 10;
            println!("{more}, opt-level {opt}: {each} bytes each, besides the {few} of the first two");
            ensure!(each <= most, "{each} bytes, more than {most}");
        }
    }
    Ok(())
}

/// The bytes of a stripped component, with LTO.
fn size(example: &str, opt: &str, options: &[&str]) -> Result<usize> {
    let profile = if opt == "3" { "size-3" } else { "size-s" };
    let mut arguments = vec![format!("--example={example}"), format!("--profile={profile}")];
    for setting in [
        "inherits='release'".to_owned(),
        format!("opt-level={opt}"),
        "lto=true".to_owned(),
        "codegen-units=1".to_owned(),
        "panic='abort'".to_owned(),
        "strip=true".to_owned(),
    ] {
        arguments.push(format!("--config=profile.{profile}.{setting}"));
    }
    let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--no-default-features", "--features=borrowed"]);
    arguments.extend(options);
    let guests = build::guests(Side::Ours, "wasp-test-guests", BARE, &arguments)?;
    let (_, module) = guests.iter().find(|(name, _)| name == example).context("no guest was built")?;
    let stripped = component::strip(&component::encode(&std::fs::read(module)?, None)?)?;
    Validator::new_with_features(WasmFeatures::all()).validate_all(&stripped)?;
    Ok(stripped.len())
}
