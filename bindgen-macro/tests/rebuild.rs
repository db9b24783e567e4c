//! Cargo builds a crate anew when what its bindings were made from has changed, and only then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate of its own, whose dependencies stay built from run to run.
struct Probe {
    folder: PathBuf,
    variables: Vec<(&'static str, &'static str)>,
}

impl Probe {
    fn new() -> Probe {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild");
        for old in ["src", "wit", "build.rs"].map(|name| folder.join(name)) {
            let _ = if old.is_dir() { fs::remove_dir_all(old) } else { fs::remove_file(old) };
        }
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let runtime = workspace.join("guest-rt");
        let probe = Probe { folder, variables: vec![("PROBE_WIT", "wit")] };
        probe.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"probe\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
                 [dependencies]\nwit-bindgen = {{ package = \"wasp-guest-rt\", path = {runtime:?} }}\n"
            ),
        );
        fs::copy(workspace.join("Cargo.lock"), probe.folder.join("Cargo.lock")).unwrap();
        probe.write("wit/world.wit", "package my:app; world w { import my:dep/things; }");
        probe.write("wit/deps/dep/things.wit", "package my:dep; interface things { go: func(); }");
        probe.write("wit/deps/dep/unused.wit", "package my:dep; interface unused {}");
        probe.write("src/lib.rs", "wit_bindgen::generate!({ path: env!(\"PROBE_WIT\"), generate_all });");
        probe
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Whether the crate had to be compiled.
    fn is_rebuilt(&self) -> bool {
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--target-dir", "target"])
            .current_dir(&self.folder)
            .env_remove("WASP_BINDGEN_DEBUG")
            .env_remove("WIT_BINDGEN_DEBUG")
            .envs(self.variables.iter().copied())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        stderr.contains("Checking probe") || stderr.contains("Compiling probe")
    }

    fn assert_rebuilt_once(&self, after: &str) {
        assert!(self.is_rebuilt(), "{after}");
        assert!(!self.is_rebuilt(), "nothing after {after}");
    }
}

#[test]
fn what_bindings_were_made_from_is_watched() {
    let mut probe = Probe::new();
    probe.assert_rebuilt_once("the first build");

    probe.write("wit/deps/dep/things.wit", "package my:dep; interface things { go: func(); stop: func(); }");
    probe.assert_rebuilt_once("an edited file");

    fs::remove_file(probe.folder.join("wit/deps/dep/unused.wit")).unwrap();
    probe.assert_rebuilt_once("a removed file");

    probe.write("wit/new.wit", "package my:app; interface new { go: func(); }");
    probe.write("wit/world.wit", "package my:app; world w { import new; }");
    probe.assert_rebuilt_once("a new file and one that refers to it");

    probe.write("build.rs", "fn main() { println!(\"cargo::rerun-if-changed=wit\"); }");
    probe.assert_rebuilt_once("a new build script");
    probe.write("wit/another.wit", "package my:app; interface another {}");
    probe.assert_rebuilt_once("a new file, with a build script that watches the folder");

    probe.variables[0].1 = "wit/../wit";
    probe.assert_rebuilt_once("another value of a variable");

    probe.variables.push(("WASP_BINDGEN_DEBUG", "1"));
    probe.assert_rebuilt_once("asking for a file of bindings");
}
