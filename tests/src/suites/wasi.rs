//! Every world of the WASI packages that the engine's crates ship, of both generations; and how much text they take.

use crate::build::{self, Libraries, Side, WASI};
use crate::generate::{self, Generator};
use crate::parallel;
use crate::places::{self, run};
use crate::report::{Outcome, Report};
use anyhow::{Context, Result};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the engine's crates keep WIT.
const FOLDERS: &[(&str, &str)] = &[
    ("wasmtime-wasi", "src/p2/wit"),
    ("wasmtime-wasi", "src/p3/wit"),
    ("wasmtime-wasi-http", "wit"),
    ("wasmtime-wasi-http", "src/p3/wit"),
];

/// All imports of WASI 0.3.
const EVERYTHING: &str = "package wasp:measured;

world everything {
    include wasi:cli/imports@0.3.0;
    import wasi:http/types@0.3.0;
    import wasi:http/client@0.3.0;
}
";

/// How long a generated file is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Lines of formatted text.
    pub lines: usize,
    /// Bytes of formatted text.
    pub bytes: usize,
}

/// What the peer's generator writes for all imports of WASI 0.3; `suites --peer wasi` measures it anew.
pub const PEER_SIZE: Size = Size { lines: 21_071, bytes: 1_208_717 };

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, {} bytes", self.lines, self.bytes)
    }
}

/// Generates and compiles the bindings of every world.
///
/// # Errors
///
/// When WIT cannot be found, or the generator or the runtime cannot be built.
pub fn suite(side: Side) -> Result<Report> {
    let worlds = worlds()?;
    let generator = generate::generator(side)?;
    let libraries = build::libraries(side, WASI)?;
    let work = places::work_dir(&format!("wasi-{side:?}").to_lowercase())?;
    let outcomes = parallel::map(&worlds, |(title, wit, world)| {
        let folder = work.join(title.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        Outcome::new(title, check(&generator, &libraries, wit, world, &folder))
    });
    Ok(Report { title: format!("worlds of WASI, {side:?}"), outcomes, exceptions: &[] })
}

/// All worlds: what they are called in a report, where they are, and their names.
pub(super) fn worlds() -> Result<Vec<(String, PathBuf, String)>> {
    let mut worlds = Vec::new();
    for (package, folder) in FOLDERS {
        let wit = places::source_of(package)?.join(folder);
        for world in worlds_below(&wit)? {
            worlds.push((format!("{package}/{folder} {world}"), wit.clone(), world));
        }
    }
    Ok(worlds)
}

/// Measures the bindings of all imports of WASI 0.3.
///
/// # Errors
///
/// When WIT cannot be found or bindings cannot be generated.
pub fn size(side: Side) -> Result<Size> {
    let work = places::work_dir(&format!("wasi-size-{side:?}").to_lowercase())?;
    let (wit, deps) = (work.join("wit"), work.join("wit/deps"));
    fs::create_dir_all(&deps)?;
    fs::write(wit.join("world.wit"), EVERYTHING)?;
    for file in wit_files(&places::source_of("wasmtime-wasi-http")?.join("src/p3/wit/deps"))? {
        fs::copy(&file, deps.join(file.file_name().unwrap_or_default()))?;
    }
    let options = ["--generate-all", "--format"].map(String::from);
    let bindings = generate::generator(side)?.run(&wit, None, &options, &work.join("bindings"))?;
    let text = fs::read_to_string(bindings)?;
    Ok(Size { lines: text.lines().count(), bytes: text.len() })
}

fn check(generator: &Generator, libraries: &Libraries, wit: &Path, world: &str, folder: &Path) -> Result<()> {
    let options = ["--generate-all", "--format", "--stubs"].map(String::from);
    let bindings = generator.run(wit, Some(world), &options, &folder.join("bindings"))?;
    run(libraries
        .rustc(WASI, "2024")
        .arg(bindings)
        .args(["--crate-type=rlib", "--emit=metadata", "--out-dir"])
        .arg(folder))?;
    Ok(())
}

/// The worlds of all packages in a folder and its `deps`, by their full names.
fn worlds_below(wit: &Path) -> Result<Vec<String>> {
    // The files beside each other are one package, which one of them names; those in `deps` are a package each.
    let mut packages = vec![wit_files(wit)?];
    packages.extend(wit_files(&wit.join("deps"))?.into_iter().map(|file| vec![file]));
    let mut worlds = Vec::new();
    for files in packages {
        let texts = files.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;
        let lines = || texts.iter().flat_map(|text| text.lines());
        let package = lines()
            .find_map(|line| line.strip_prefix("package ")?.strip_suffix(';'))
            .with_context(|| format!("no package is named in {files:?}"))?;
        let (name, version) = match package.split_once('@') {
            Some((name, version)) => (name, format!("@{version}")),
            None => (package, String::new()),
        };
        worlds.extend(lines().filter_map(|line| {
            let world = line.strip_prefix("world ")?.trim_end_matches(['{', ' ']);
            Some(format!("{name}/{world}{version}"))
        }));
    }
    Ok(worlds)
}

fn wit_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|kind| kind == "wit"));
    files.sort();
    Ok(files)
}
