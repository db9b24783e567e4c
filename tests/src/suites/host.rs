//! The texts of the codegen suite and the worlds of WASI as hosts: bindings have to compile without a warning.

use super::corpus::World;
use super::{codegen, wasi};
use crate::build::{self, Libraries};
use crate::generate::{self, Generator};
use crate::parallel;
use crate::places::{self, run};
use crate::report::{Outcome, Report};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// What both generators are given.
struct Checker {
    generator: Generator,
    libraries: Libraries,
    target: String,
    work: PathBuf,
}

/// Generates and compiles every world with this project's generator.
///
/// # Errors
///
/// When worlds cannot be found, or the generator or the runtime cannot be built.
pub fn ours(filter: &str) -> Result<Report> {
    of_worlds("host-ours", "hosts, Ours", &all(filter)?)
}

/// Generates and compiles worlds with this project's generator.
pub(super) fn of_worlds(work: &str, title: &str, worlds: &[World]) -> Result<Report> {
    let checker = Checker::new(work)?;
    let outcomes = parallel::map(worlds, |world| Outcome::new(&world.0, checker.ours(world)));
    Ok(Report { title: title.into(), outcomes, exceptions: &[] })
}

/// The same with the engine's `bindgen!`.
///
/// # Errors
///
/// As [`ours`].
pub fn peer(filter: &str) -> Result<Report> {
    let checker = Checker::new("host-peer")?;
    let outcomes = parallel::map(&all(filter)?, |world| Outcome::new(&world.0, checker.peer(world)));
    Ok(Report { title: "hosts, bindgen!".into(), outcomes, exceptions: &[] })
}

fn all(filter: &str) -> Result<Vec<World>> {
    let texts = codegen::texts(&places::peer_suites()?.join("codegen"), "")?;
    let texts = texts.into_iter().map(|(name, wit)| (name, wit, None));
    let worlds = wasi::worlds()?.into_iter().map(|(title, wit, world)| (title, wit, Some(world)));
    Ok(texts.chain(worlds).filter(|(name, ..)| name.contains(filter)).collect())
}

impl Checker {
    fn new(work: &str) -> Result<Checker> {
        Ok(Checker {
            generator: generate::host_generator()?,
            libraries: build::host_libraries()?,
            target: places::host()?,
            work: places::work_dir(work)?,
        })
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.work.join(name.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
    }

    fn ours(&self, (name, wit, world): &World) -> Result<()> {
        let folder = self.folder(name);
        let bindings = folder.join("bindings");
        let run = |world: Option<&str>| self.generator.run(wit, world, &[], &bindings);
        // Where there are several worlds, the suite means this one.
        let file = run(world.as_deref()).or_else(|error| run(Some("imports")).map_err(|_| error))?;
        self.compile(&file, &folder)
    }

    fn peer(&self, (name, wit, world): &World) -> Result<()> {
        let folder = self.folder(name);
        fs::create_dir_all(&folder)?;
        let compile = |world: Option<&str>| {
            let world = world.map(|world| format!("world: {world:?},")).unwrap_or_default();
            let source = folder.join("bindings.rs");
            fs::write(&source, format!("wasmtime::component::bindgen!({{ path: {wit:?}, {world} }});\n"))?;
            self.compile(&source, &folder)
        };
        compile(world.as_deref()).or_else(|error| compile(Some("imports")).map_err(|_| error))
    }

    fn compile(&self, source: &Path, folder: &Path) -> Result<()> {
        run(self
            .libraries
            .rustc(&self.target, "2024")
            .env("CARGO_MANIFEST_DIR", places::workspace())
            .arg(source)
            .args(["--crate-type=rlib", "--crate-name=bindings", "--emit=metadata", "--out-dir"])
            .arg(folder))
        .context("the bindings do not compile")?;
        Ok(())
    }
}
