//! `wasp-bindgen componentize`, run as a user runs it, on modules of a few bytes.

mod support;

use std::fs;
use support::{Run, folder, wasp_bindgen};
use tempfile::TempDir;

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// A section of a module; everything here is short enough for lengths of a byte.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id, content.len() as u8], content].concat()
}

fn name(name: &str) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes()].concat()
}

/// `(module (import MODULE NAME (func)))`
fn importing(module: &str, function: &str) -> Vec<u8> {
    let import = [&[1], name(module).as_slice(), &name(function), &[0, 0]].concat();
    [HEADER, &section(1, &[1, 0x60, 0, 0]), &section(2, &import)].concat()
}

/// `(module (func (export NAME) (result RESULT) …))`: 42 as `i64` (0x7e) or `i32` (0x7f).
fn exporting(function: &str, result: u8) -> Vec<u8> {
    let export = [&[1], name(function).as_slice(), &[0, 0]].concat();
    let constant = if result == 0x7e { 0x42 } else { 0x41 };
    [
        HEADER,
        &section(1, &[1, 0x60, 0, 1, result]),
        &section(3, &[1, 0]),
        &section(7, &export),
        &section(10, &[1, 4, 0, constant, 42, 0x0b]),
    ]
    .concat()
}

fn componentize(folder: &TempDir, module: &[u8], wit: Option<&str>, arguments: &[&str]) -> Run {
    fs::write(folder.path().join("core.wasm"), module).unwrap();
    let mut all = vec!["componentize", "core.wasm", "-o", "out/component.wasm"];
    if let Some(wit) = wit {
        fs::write(folder.path().join("world.wit"), wit).unwrap();
        all.extend(["--wit", "world.wit"]);
    }
    all.extend(arguments);
    wasp_bindgen(folder, &all)
}

fn refused(module: &[u8], wit: Option<&str>, arguments: &[&str]) -> String {
    let folder = folder();
    let run = componentize(&folder, module, wit, arguments);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(!folder.path().join("out").exists(), "nothing is written");
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains("\nhelp: "), "{}", run.stderr);
    run.stderr
}

fn refused_with(module: &[u8], wit: Option<&str>, arguments: &[&str], message: &str, help: &str) {
    let stderr = refused(module, wit, arguments);
    let (before, after) = stderr.split_once("\nhelp: ").unwrap();
    assert!(before.contains(message), "{stderr}");
    assert!(after.contains(help), "{stderr}");
}

const NOW: &str = "package my:clock; world clock { export now: func() -> u64; }";

#[test]
fn a_module_becomes_a_component_of_the_world_that_is_given() {
    let folder = folder();
    let run = componentize(&folder, &exporting("now", 0x7e), Some(NOW), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("wrote out/component.wasm ("), "{}", run.stdout);
    let component = fs::read(folder.path().join("out/component.wasm")).unwrap();
    assert!(component.starts_with(b"\0asm\x0d\0\x01\0"), "the header of a component");
    let again = componentize(&folder, &exporting("now", 0x7e), Some(NOW), &[]);
    assert_eq!(again.stdout, "out/component.wasm is up to date\n");
}

#[test]
fn what_is_no_module_is_refused() {
    refused_with(b"", None, &[], "is no WebAssembly module", "give the `.wasm` file");
    refused_with(b"fn main() {}", None, &[], "is no WebAssembly module", "give the `.wasm` file");
    refused_with(&exporting("now", 0x7e)[..20], None, &[], "is no WebAssembly module", "give the `.wasm` file");
    let run = wasp_bindgen(&folder(), &["componentize", "nowhere.wasm", "-o", "out.wasm"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: `nowhere.wasm` can't be read"), "{}", run.stderr);
}

#[test]
fn a_component_is_refused() {
    refused_with(b"\0asm\x0d\0\x01\0", None, &[], "is a component already", "wasm32-wasip2");
}

#[test]
fn a_module_that_does_not_say_what_it_is_is_refused() {
    refused_with(HEADER, None, &[], "no section `component-type`", "--wit");
}

#[test]
fn an_import_of_preview_1_needs_an_adapter() {
    let module = importing("wasi_snapshot_preview1", "fd_write");
    let world = Some("package my:none; world none {}");
    refused_with(&module, world, &[], "imports `fd_write`", "--adapt wasi_snapshot_preview1=FILE");
    let folder = folder();
    fs::write(folder.path().join("wasi_snapshot_preview1.reactor.wasm"), b"no adapter").unwrap();
    let run = componentize(&folder, &module, world, &["--adapt", "wasi_snapshot_preview1.reactor.wasm"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("the adapter `wasi_snapshot_preview1` can't be used"), "{}", run.stderr);
}

#[test]
fn an_import_that_is_not_in_the_world_is_refused() {
    let world = Some("package my:none; world none {}");
    refused_with(
        &importing("my:other/things", "go"),
        world,
        &[],
        "my:other/things",
        "imports what its world does not have",
    );
    refused_with(&importing("$root", "go"), world, &[], "go", "imports what its world does not have");
}

#[test]
fn an_export_that_is_missing_is_named() {
    refused_with(HEADER, Some(NOW), &[], "`now`", "exports nothing of the world: call `export!(Type)`");
    refused_with(&exporting("then", 0x7e), Some(NOW), &[], "`now`", "lacks an export of its world");
}

#[test]
fn an_export_of_another_type_is_refused() {
    refused_with(&exporting("now", 0x7f), Some(NOW), &[], "type mismatch", "different versions of the WIT");
}

#[test]
fn a_world_that_cannot_be_chosen_is_refused() {
    let two = "package my:two; world a {} world b {}";
    refused_with(HEADER, Some(two), &[], "no world can be chosen", "--world");
    let folder = folder();
    assert_eq!(componentize(&folder, HEADER, Some(two), &["--world", "b"]).code, 0);
    refused_with(HEADER, Some("package my:two; world {}"), &[], "can't be read", "wasp-bindgen guest");
}
