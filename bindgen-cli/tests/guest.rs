//! `wasp-bindgen guest`, run as a user runs it.

mod support;

use std::fs;
use support::{Run, folder, wasp_bindgen};

const CLOCK: &str = "package my:clock@1.0.0;

interface types {
    record moment { seconds: u64 }
    enum zone { utc, local }
    flags parts { date, time }
    resource watch {
        start: func();
    }
    now: func() -> moment;
    later: async func(at: moment) -> zone;
}

world my-clock {
    import types;
    export tick: func();
}
";

fn clock() -> tempfile::TempDir {
    let folder = folder();
    fs::create_dir(folder.path().join("wit")).unwrap();
    fs::write(folder.path().join("wit/clock.wit"), CLOCK).unwrap();
    folder
}

fn guest(folder: &tempfile::TempDir, arguments: &[&str]) -> Run {
    wasp_bindgen(folder, &[&["guest", "wit", "--out-dir", "out"], arguments].concat())
}

#[test]
fn bindings_are_written_into_a_file_named_after_the_world() {
    let folder = clock();
    let run = guest(&folder, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "wrote out/my_clock.rs\n"), "{}", run.stderr);
    let text = fs::read_to_string(folder.path().join("out/my_clock.rs")).unwrap();
    assert!(text.contains("pub fn now() -> Moment"), "{text}");
    assert!(!text.contains(folder.path().to_str().unwrap()));
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn a_file_that_would_not_change_keeps_its_time() {
    let folder = clock();
    guest(&folder, &[]);
    let file = folder.path().join("out/my_clock.rs");
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(guest(&folder, &[]).stdout, "out/my_clock.rs is up to date\n");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), long_ago);
    assert_eq!(guest(&folder, &["--stubs"]).stdout, "wrote out/my_clock.rs\n");
    assert_ne!(fs::metadata(&file).unwrap().modified().unwrap(), long_ago);
}

#[test]
fn check_tells_what_differs_and_writes_nothing() {
    let folder = clock();
    let missing = guest(&folder, &["--check"]);
    assert_eq!(missing.code, 1);
    assert!(missing.stderr.contains("`out/my_clock.rs` can't be read"), "{}", missing.stderr);
    guest(&folder, &[]);
    assert_eq!(guest(&folder, &["--check"]).code, 0);

    let file = folder.path().join("out/my_clock.rs");
    let text = fs::read_to_string(&file).unwrap();
    let edited = text.replacen("pub fn now() -> Moment", "pub fn then() -> Moment", 1);
    fs::write(&file, &edited).unwrap();
    let run = guest(&folder, &["--check"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: `out/my_clock.rs` is not up to date\n  @ line "), "{}", run.stderr);
    assert!(run.stderr.contains("pub fn then() -> Moment"), "{}", run.stderr);
    assert!(run.stderr.contains("pub fn now() -> Moment"), "{}", run.stderr);
    assert!(run.stderr.ends_with("help: run the same command without `--check`\n"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), edited);

    fs::write(&file, text.replace('\n', "\r\n")).unwrap();
    assert!(guest(&folder, &["--check"]).stderr.contains("differs only in how its lines end"));
}

#[test]
fn every_flag_is_accepted() {
    let folder = clock();
    let run = guest(
        &folder,
        &[
            "--world",
            "my-clock",
            "--features",
            "a,b c",
            "--all-features",
            "--format",
            "--std-feature",
            "--raw-strings",
            "--skip",
            "now",
            "--stubs",
            "--export-prefix",
            "p",
            "--ownership",
            "borrowing-duplicate-if-necessary",
            "--runtime-path",
            "crate::rt",
            "--map-type",
            "crate::Map",
            "--bitflags-path",
            "crate::bitflags",
            "-d",
            "Hash",
            "--additional-derive-attributes",
            "PartialEq",
            "--additional-derive-ignore",
            "moment",
            "--additional-type-attributes",
            "my:clock/types@1.0.0/moment=#[cfg(all())]",
            "--additional-member-attributes",
            "my:clock/types@1.0.0/moment.seconds=#[cfg(all())]",
            "--with",
            "my:clock/types@1.0.0=generate",
            "--generate-all",
            "--type-section-suffix",
            "s",
            "--disable-run-ctors-once-workaround",
            "--default-bindings-module",
            "crate::b",
            "--export-macro-name",
            "e",
            "--pub-export-macro",
            "--generate-unused-types",
            "--disable-custom-section-link-helpers",
            "--sync",
            "import:my:clock/types@1.0.0#later",
            "--chainable-methods",
            "&my:clock/types@1.0.0#watch,all",
            "--merge-structurally-equal-types=true",
        ],
    );
    assert_eq!(run.code, 0, "{}", run.stderr);
    let text = fs::read_to_string(folder.path().join("out/my_clock.rs")).unwrap();
    assert!(text.contains("macro_rules! __export_") && text.contains(" as e;"), "{text}");
    assert!(text.contains("crate::rt::__rt") && text.contains("Hash") && text.contains("cfg(all())"), "{text}");
    assert!(text.contains("struct Stub") && !text.contains("async fn later"), "{text}");
}

#[test]
fn refusals_have_a_place_and_a_hint_and_no_colours_in_a_file() {
    let folder = clock();
    fs::write(folder.path().join("wit/clock.wit"), CLOCK.replace("-> moment;", "-> momnt;")).unwrap();
    let run = guest(&folder, &[]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("--> wit/clock.wit:10:20\n"), "{}", run.stderr);
    assert!(run.stderr.contains("10 |     now: func() -> momnt;\n"), "{}", run.stderr);
    assert!(run.stderr.contains("\nhelp: "), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn colours_are_there_where_they_are_asked_for() {
    let folder = clock();
    let output = support::command(&folder, &["guest", "nowhere"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("\u{1b}[1m\u{1b}[31merror"), "{output:?}");
}

#[test]
fn what_is_no_command_has_a_code_of_its_own() {
    let folder = folder();
    for arguments in [
        &["guest"] as &[&str],
        &["guest", "wit", "--no-such-flag"],
        &["guest", "wit", "--with", "no-equals-sign"],
        &["guest", "wit", "--ownership", "rented"],
        &["guest", "wit", "--additional-type-attributes", "a:b/c="],
        &["componentize", "a.wasm"],
        &["componentize", "a.wasm", "-o", "b.wasm", "--adapt", "=x"],
        &["no-such-command"],
        &[],
    ] {
        let run = wasp_bindgen(&folder, arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
    }
    assert!(wasp_bindgen(&folder, &["guest", "wit", "--generat-all"]).stderr.contains("'--generate-all'"));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = clock();
    fs::write(folder.path().join("out"), "a file").unwrap();
    let run = guest(&folder, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.starts_with("error: `out/my_clock.rs` can't be written: "), "{}", run.stderr);
}

/// `UPDATE_HELP=1` writes the files.
#[test]
fn help_is_as_it_was_agreed_on() {
    let folder = folder();
    for (name, arguments) in [
        ("wasp-bindgen", &["--help"] as &[&str]),
        ("guest", &["guest", "-h"]),
        ("componentize", &["componentize", "--help"]),
    ] {
        let run = wasp_bindgen(&folder, arguments);
        assert_eq!(run.code, 0);
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{name}.txt"));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&file, &run.stdout).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap_or_default(), run.stdout, "{}", file.display());
    }
}

#[test]
fn the_library_writes_the_same_and_knows_what_it_read() {
    let folder = clock();
    fs::create_dir(folder.path().join("wit/deps")).unwrap();
    fs::write(folder.path().join("wit/deps/other.wit"), "package my:other;").unwrap();
    guest(&folder, &[]);
    let wit = folder.path().join("wit");
    let bindings = wasp_bindgen_cli::Guest::new().path(&wit).generate_to(&folder.path().join("lib")).unwrap();
    assert_eq!(
        fs::read(&bindings.file).unwrap(),
        fs::read(folder.path().join("out/my_clock.rs")).unwrap(),
        "the same bytes, from another folder"
    );
    assert_eq!(bindings.files, [wit.join("clock.wit"), wit.join("deps/other.wit")]);
    assert_eq!(bindings.directories, [wit.clone(), wit.join("deps")]);
}

#[test]
fn a_package_that_two_paths_have_is_refused() {
    let folder = clock();
    let run = wasp_bindgen(&folder, &["guest", "wit", "wit/clock.wit"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("the package `my:clock@1.0.0` in `wit/clock.wit` has been read"), "{}", run.stderr);
}
