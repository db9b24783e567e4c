//! The codegen suite: WIT texts whose bindings have to compile without a warning, whatever the options.

use super::corpus::World;
use crate::build::{self, Libraries, Side, WASI};
use crate::generate::{self, Generator};
use crate::parallel;
use crate::places::{self, run};
use crate::report::{Outcome, Report};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A set of options that the whole suite is generated with.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What the report calls it.
    pub name: &'static str,
    options: &'static [&'static str],
    exceptions: &'static [(&'static str, &'static str)],
}

/// The options as they come.
pub const DEFAULT: Column = column("default", &[]);

/// Texts of the project's own are also generated so: more is printed, and what can borrow does.
pub const EVERYTHING: Column =
    column("everything", &["--ownership=borrowing-duplicate-if-necessary", "--generate-unused-types"]);

/// The same, but for what is both borrowed and owned.
pub const EVERYTHING_BORROWED: Column =
    column("everything-borrowed", &["--ownership=borrowing", "--generate-unused-types"]);

/// All columns that the peer tests, and last those of options that it does not have.
pub const COLUMNS: &[Column] = &[
    DEFAULT,
    column("borrowing", &["--ownership=borrowing"]),
    column("borrowing-duplicate", &["--ownership=borrowing-duplicate-if-necessary"]),
    column("sync", &["--sync=all"]),
    column(NO_STD, &["--std-feature"]),
    column("merge-equal", &["--merge-structurally-equal-types"]),
    column("hash-map", &["--map-type=std::collections::HashMap"]),
    BORROWED,
];

/// For this side only.
pub const BORROWED: Column = column("borrowed-async-params", &["--borrowed-async-params"]);

const NO_STD: &str = "no-std";

const fn column(name: &'static str, options: &'static [&'static str]) -> Column {
    Column { name, options, exceptions: &[] }
}

/// What is done to each text of the suite.
struct Checker {
    generator: Generator,
    libraries: Libraries,
    column: Column,
    work: PathBuf,
}

/// Generates and compiles every text whose name contains `filter`, with one column's options.
///
/// # Errors
///
/// When the suite cannot be found, or the generator or the runtime cannot be built.
pub fn suite(side: Side, column: Column, filter: &str) -> Result<Report> {
    let texts = texts(&places::peer_suites()?.join("codegen"), filter)?;
    let worlds: Vec<_> = texts.into_iter().map(|(name, wit)| (name, wit, None)).collect();
    of_worlds(side, column, "codegen", &worlds)
}

/// Generates and compiles worlds with one column's options.
pub(super) fn of_worlds(side: Side, column: Column, suite: &str, worlds: &[World]) -> Result<Report> {
    let checker = Checker {
        generator: generate::generator(side)?,
        libraries: build::libraries(side, WASI)?,
        column,
        work: places::work_dir(&format!("{suite}-{side:?}").to_lowercase())?.join(column.name),
    };
    let outcomes = parallel::map(worlds, |world| Outcome::new(&world.0, checker.check(world)));
    Ok(Report { title: format!("{suite} suite, {}, {side:?}", column.name), outcomes, exceptions: column.exceptions })
}

/// The suite's texts: files, and folders with a `wit` folder in them.
pub(super) fn texts(root: &Path, filter: &str) -> Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))?;
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let wit = if path.is_dir() { path.join("wit") } else { path };
        if name.contains(filter) && (wit.is_dir() || wit.extension().is_some_and(|kind| kind == "wit")) {
            texts.push((name, wit));
        }
    }
    texts.sort();
    Ok(texts)
}

impl Checker {
    fn check(&self, (name, wit, world): &World) -> Result<()> {
        let work = self.work.join(name.replace(' ', "-"));
        let mut options: Vec<String> = ["--generate-all", "--format", "--stubs"].map(String::from).into();
        options.extend(self.column.options.iter().map(|&option| option.into()));
        let bindings = self.bindings(wit, world.as_deref(), &options, &work)?;
        // Code is made once, for what shows only then; for the rest checking is enough.
        let emit = if self.column.name == DEFAULT.name { "link" } else { "metadata" };
        self.compile(&bindings, "2021", emit, &work).context("in edition 2021")?;
        self.compile(&bindings, "2024", "metadata", &work).context("in edition 2024")?;
        if self.column.name == NO_STD {
            let root = work.join("no_std.rs");
            // A module called `core` catches paths that mean the crate but do not say so.
            fs::write(&root, "#![no_std]\ninclude!(env!(\"BINDINGS\"));\nmod core {}\n")?;
            self.compile_root(&root, &bindings, "2021", "metadata", &work).context("without std")?;
        }
        Ok(())
    }

    /// The bindings of this world, or else of the only one, or of the one called `imports`.
    fn bindings(&self, wit: &Path, world: Option<&str>, options: &[String], work: &Path) -> Result<PathBuf> {
        let folder = work.join("bindings");
        let only = self.generator.run(wit, world, options, &folder);
        only.or_else(|error| (self.generator.run(wit, Some("imports"), options, &folder)).map_err(|_| error))
    }

    fn compile(&self, bindings: &Path, edition: &str, emit: &str, work: &Path) -> Result<()> {
        self.compile_root(bindings, bindings, edition, emit, work)
    }

    fn compile_root(&self, root: &Path, bindings: &Path, edition: &str, emit: &str, work: &Path) -> Result<()> {
        // Many worlds have the same name: what the compiler puts aside must not meet.
        run(self
            .libraries
            .rustc(WASI, edition)
            .env("BINDINGS", bindings)
            .arg(root)
            .arg("--crate-type=rlib")
            .arg(format!("--emit={emit}"))
            .arg("--out-dir")
            .arg(work))?;
        Ok(())
    }
}
