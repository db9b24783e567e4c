//! The section writer's bytes are those of `wit-component`.

use std::path::{Path, PathBuf};
use std::process::Command;
use wasp_bindgen_core::section;
use wit_component::StringEncoding;
use wit_parser::{PackageId, Resolve};

/// Both encoders over every world of the packages; how many worlds were equal.
fn compare(resolve: &Resolve, packages: impl Iterator<Item = PackageId>, source: &Path) -> usize {
    let mut equal = 0;
    for package in packages {
        for world in resolve.packages[package].worlds.values() {
            let has_attributes = resolve.worlds[*world]
                .imports
                .iter()
                .chain(&resolve.worlds[*world].exports)
                .any(|(key, item)| {
                    resolve.implements_value(key, item).is_some() || resolve.external_id_value(key, item).is_some()
                });
            if has_attributes {
                continue; // left out on purpose, see `section`
            }
            let theirs = wit_component::metadata::encode(resolve, *world, StringEncoding::UTF8, None);
            let ours = section::encode(resolve, *world, &[("processed-by", "wit-component", "0.254.2")]);
            if let Ok(theirs) = theirs {
                let name = &resolve.worlds[*world].name;
                assert!(ours.as_ref() == Ok(&theirs), "world `{name}` of {} differs: {ours:?}", source.display());
                equal += 1;
            }
        }
    }
    equal
}

/// Compares what can be parsed of a file or a folder; the number of equal worlds.
fn compare_path(path: &Path) -> usize {
    let mut equal = 0;
    for all_features in [false, true] {
        let mut resolve = Resolve { all_features, ..Resolve::default() };
        if resolve.push_path(path).is_ok() {
            let packages: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
            equal += compare(&resolve, packages.into_iter(), path);
        }
    }
    equal
}

/// Files and folders below `folder` that may be WIT.
fn wit_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.push(path.clone());
            wit_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            found.push(path);
        }
    }
}

/// The folders of packages that cargo has unpacked for this workspace.
fn package_folders(names: &[&str]) -> Vec<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1"])
        .output()
        .expect("cargo metadata runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let manifests = text.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let folders = manifests.filter_map(|manifest| Path::new(manifest).parent());
    folders
        .filter(|folder| {
            let folder = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            names.iter().any(|name| folder.strip_prefix(name).is_some_and(|rest| rest.starts_with("-0") || rest.starts_with("-4")))
        })
        .map(Path::to_path_buf)
        .collect()
}

#[test]
fn every_world_of_published_packages_is_encoded_byte_for_byte_as_by_wit_component() {
    let mut paths = Vec::new();
    let folders = package_folders(&["wit-parser", "wit-component", "wasmtime-wasi", "wasmtime-wasi-http"]);
    assert!(folders.len() >= 3, "the packages to compare are not unpacked: {folders:?}");
    for folder in &folders {
        wit_below(folder, &mut paths);
    }
    let equal: usize = paths.iter().map(|path| compare_path(path)).sum();
    println!("{equal} worlds of {} files and folders are equal", paths.len());
    assert!(equal > 300, "only {equal} worlds were compared");
}

#[test]
fn every_world_of_our_own_examples_is_encoded_byte_for_byte_as_by_wit_component() {
    let mut paths = Vec::new();
    wit_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit"), &mut paths);
    let equal: usize = paths.iter().map(|path| compare_path(path)).sum();
    println!("{equal} worlds of {} files are equal", paths.len());
}

#[test]
fn producers_of_one_field_are_written_together() {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("a.wit", "package a:b; world w { }").expect("it is WIT");
    let world = resolve.packages[package].worlds["w"];
    let mut extra = wasm_metadata::Producers::empty();
    extra.add("processed-by", "wasp-bindgen", "1.2.3");
    let theirs = wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, Some(&extra)).expect("encodes");
    let producers = [("processed-by", "wit-component", "0.254.2"), ("processed-by", "wasp-bindgen", "1.2.3")];
    assert_eq!(section::encode(&resolve, world, &producers), Ok(theirs));
}
