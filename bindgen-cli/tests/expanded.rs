//! How the bindings of small worlds read. Changes of the emitter show here, small enough to be reviewed.

use std::path::{Path, PathBuf};
use wasp_bindgen_cli::{Guest, Host};

fn wit(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit").join(name)
}

fn generate(wit: &Path) -> String {
    let out = tempfile::tempdir().expect("there is room for files");
    let bindings = Guest::new().path(wit).generate_to(out.path()).expect("the world is bound");
    std::fs::read_to_string(bindings.file).expect("the file was written")
}

/// The text without the bytes of the section, which are compared elsewhere.
fn readable(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("= *b\"") {
        Some((start, _)) => format!("{start}= *b\"…\";"),
        None => line.to_string(),
    });
    let mut readable: Vec<String> = lines.collect();
    readable.push(String::new());
    readable.join("\n")
}

macro_rules! expanded {
    ($($name:ident: $file:literal;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(readable(&generate(&wit($file))));
        }
    )*};
}

expanded! {
    records: "records.wit";
    variants: "variants.wit";
    async_functions: "async-func.wit";
    streams: "streams.wit";
    world_imports: "world-imports.wit";
}

#[test]
fn the_same_wit_gives_the_same_bytes_wherever_it_lies() {
    let elsewhere = tempfile::tempdir().expect("there is room for files");
    for name in ["records.wit", "streams.wit", "resources.wit"] {
        let copy = elsewhere.path().join(name);
        std::fs::copy(wit(name), &copy).expect("the file is copied");
        let (here, there) = (generate(&wit(name)), generate(&copy));
        assert_eq!(here, there, "{name}");
        let folder = elsewhere.path().to_string_lossy().into_owned();
        assert!(!there.contains(&folder), "{name} has a path of this machine in its bindings");
    }
}

/// The bindings of a host of a world that is small enough to be read.
fn host(world: &str) -> String {
    let text = format!("package example:small; {world}");
    let host = Host::new().configure(|options| options.inline = Some(text.clone()));
    host.generate().expect("the world is bound").1
}

#[test]
fn a_host_of_an_import() {
    insta::assert_snapshot!(host(
        "world greeter { /// Says so.\n import log: func(text: string); import ask: async func() -> option<string>; }"
    ));
}

#[test]
fn a_host_of_an_export() {
    insta::assert_snapshot!(host(
        "world greeter { record name { first: string, age: u8 } export greet: async func(name: name) -> string; }"
    ));
}

#[test]
fn a_host_of_a_resource() {
    insta::assert_snapshot!(host(
        "interface files { resource file { open: static func(path: string) -> file; read: func() -> stream<u8>; } }
        world files-of-a-host { import files; }"
    ));
}
