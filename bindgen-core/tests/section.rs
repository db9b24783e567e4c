//! The section writer's bytes are those of `wit-component`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use wasp_bindgen_core::section;
use wit_component::StringEncoding;
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

/// The published packages whose WIT is compared, where cargo has unpacked them.
const PUBLISHED: &[&str] = &["wit-parser", "wit-component", "wasmtime-wasi", "wasmtime-wasi-http"];

/// What came of the worlds that were looked at.
#[derive(Debug, Default)]
struct Tally {
    equal: usize,
    /// Neither encoder takes them.
    refused: usize,
    /// They can't be freed of attributes, so that there is nothing to compare with.
    skipped: usize,
    /// What differs, with the place.
    different: Vec<String>,
}

impl Tally {
    fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Tally {
        let mut tally = Tally::default();
        paths.into_iter().for_each(|path| tally.path(path));
        tally
    }

    /// Compares the worlds of a file or a folder, with and without what is gated, if it can be parsed on its own.
    fn path(&mut self, path: &Path) {
        for all_features in [false, true] {
            let mut resolve = Resolve { all_features, ..Resolve::default() };
            if resolve.push_path(path).is_ok() {
                for (id, world) in &resolve.worlds {
                    self.world(&resolve, id, &format!("world `{}` of {}", world.name, path.display()));
                }
            }
        }
    }

    fn world(&mut self, resolve: &Resolve, world: WorldId, place: &str) {
        let Some(plain) = without_attributes(resolve, world) else {
            self.skipped += 1;
            return;
        };
        // Some worlds are too much for the other encoder's assertions: then there is nothing to be equal to.
        let theirs = catch_unwind(AssertUnwindSafe(|| {
            wit_component::metadata::encode(&plain, world, StringEncoding::UTF8, None).ok()
        }));
        let ours = section::encode(resolve, world, &[("processed-by", "wit-component", "0.254.2")]);
        match (theirs.ok().flatten(), ours) {
            (Some(theirs), Ok(ours)) if theirs == ours => self.equal += 1,
            (None, Err(_)) => self.refused += 1,
            (Some(_), Ok(_)) => self.different.push(format!("{place}: other bytes")),
            (Some(_), Err(error)) => self.different.push(format!("{place}: it has {error}")),
            (None, Ok(_)) => self.different.push(format!("{place}: only `wit-component` refuses it")),
        }
    }

    /// Everything that could be compared is equal, and that was not too little.
    fn assert_at_least(&self, floor: usize) {
        println!("{} equal, {} refused by both, {} skipped", self.equal, self.refused, self.skipped);
        assert!(self.different.is_empty(), "{} differ:\n{}", self.different.len(), self.different.join("\n"));
        assert!(self.equal >= floor, "only {} worlds were compared, there should be {floor}", self.equal);
    }
}

/// The same without what our encoder leaves out. `None` if a world has an interface by its own name and by another one.
fn without_attributes(resolve: &Resolve, world: WorldId) -> Option<Resolve> {
    let mut plain = resolve.clone();
    plain.types.iter_mut().for_each(|(_, ty)| ty.external_id = None);
    for (_, interface) in plain.interfaces.iter_mut() {
        interface.functions.values_mut().for_each(|function| function.external_id = None);
    }
    let Resolve { worlds, interfaces, .. } = &mut plain;
    let world = &mut worlds[world];
    let keeps_name =
        |id| [&world.imports, &world.exports].into_iter().any(|items| items.contains_key(&WorldKey::Interface(id)));
    for (key, item) in world.imports.iter().chain(&world.exports) {
        // Where an interface has no name of its own, there is none to implement.
        if let (WorldKey::Name(_), WorldItem::Interface { id, .. }) = (key, item)
            && interfaces[*id].name.is_some()
        {
            if keeps_name(*id) {
                return None;
            }
            interfaces[*id].name = None;
        }
    }
    for item in world.imports.values_mut().chain(world.exports.values_mut()) {
        match item {
            WorldItem::Interface { external_id, .. } => *external_id = None,
            WorldItem::Function(function) => function.external_id = None,
            WorldItem::Type { .. } => {}
        }
    }
    Some(plain)
}

/// Files and folders below `folder` that may be WIT.
fn wit_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            wit_below(&path, found);
            found.push(path);
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            found.push(path);
        }
    }
}

/// The folders of the packages that the workspace depends on, as far as cargo knows them without a network.
fn package_folders() -> BTreeMap<String, PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--offline", "--manifest-path"]);
    let output = cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).output().expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some((package["name"].as_str()?.to_string(), manifest.parent()?.to_path_buf()))
        })
        .collect()
}

#[test]
fn every_world_of_published_packages_is_encoded_byte_for_byte_as_by_wit_component() {
    let folders = package_folders();
    let mut paths = Vec::new();
    for name in PUBLISHED {
        let Some(folder) = folders.get(*name) else {
            println!("the sources of {name} are not here, its worlds are not compared");
            return;
        };
        wit_below(folder, &mut paths);
    }
    println!("{} files and folders of published packages:", paths.len());
    Tally::of(&paths).assert_at_least(1000);
}

#[test]
fn every_world_of_our_own_examples_is_encoded_byte_for_byte_as_by_wit_component() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let entries = std::fs::read_dir(&folder).expect("the examples are there").flatten();
    let files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    println!("{} examples:", files.len());
    let tally = Tally::of(&files);
    tally.assert_at_least(2 * files.len());
    assert_eq!((tally.refused, tally.skipped), (0, 0));
}

/// The section of the only world of a text.
fn encode_text(wit: &str) -> (Resolve, WorldId, Result<Vec<u8>, String>) {
    let mut resolve = Resolve::default();
    resolve.push_str("a.wit", wit).expect("it is WIT");
    let (world, _) = resolve.worlds.iter().next().expect("there is a world");
    let bytes = section::encode(&resolve, world, &[]);
    (resolve, world, bytes)
}

#[test]
fn attributes_of_names_are_left_out() {
    let with = "package a:b;
        interface i { f: func(); @external-id(\"g\") g: func(); @external-id(\"t\") type t = u8; }
        world w { import one: i; @external-id(\"two\") import i; @external-id(\"x\") export x: func(); }";
    let without = "package a:b;
        interface i { f: func(); g: func(); type t = u8; }
        world w { import one: interface { f: func(); g: func(); type t = u8; } import i; export x: func(); }";
    let (_, _, with) = encode_text(with);
    let (_, _, without) = encode_text(without);
    assert!(with.is_ok());
    assert_eq!(with, without);
}

#[test]
fn types_that_build_on_thousands_of_others_are_encoded() {
    let chain: String = (1..5000).rev().map(|n| format!("type t{n} = option<t{}>;\n", n - 1)).collect();
    let text = format!("package a:b; interface i {{ {chain} type t0 = u8; }} world w {{ import i; }}");
    let (resolve, world, bytes) = encode_text(&text);
    let mut tally = Tally::default();
    tally.world(&resolve, world, "the chain");
    tally.assert_at_least(1);
    assert!(bytes.is_ok());
}

#[test]
fn types_without_a_name_that_two_packages_bring_into_one_world_are_declared_once() {
    // Each package has its own `list<u8>`: only what it is tells that it is the same.
    let (resolve, ..) = encode_text(
        "package a:b;
        package c:d { world base { import f: func(bytes: list<u8>); } }
        world w { include c:d/base; import g: func(others: list<u8>); }",
    );
    let mut tally = Tally::default();
    for (id, world) in &resolve.worlds {
        tally.world(&resolve, id, &world.name);
    }
    tally.assert_at_least(2);
}

#[test]
fn producers_of_one_field_are_written_together() {
    let (resolve, world, _) = encode_text("package a:b; world w { }");
    let mut extra = wasm_metadata::Producers::empty();
    extra.add("language", "Rust", "2024");
    extra.add("processed-by", "wasp-bindgen", "1.2.3");
    let theirs = wit_component::metadata::encode(&resolve, world, StringEncoding::UTF8, Some(&extra)).expect("encodes");
    let ours = [
        ("processed-by", "wit-component", "0.254.2"),
        ("language", "Rust", "2024"),
        ("processed-by", "wasp-bindgen", "1.2.3"),
    ];
    assert_eq!(section::encode(&resolve, world, &ours), Ok(theirs));
}
