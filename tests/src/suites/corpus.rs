//! The project's own texts: every world compiles on both sides.

use super::codegen::{self, Column};
use super::host;
use crate::build::Side;
use crate::places;
use crate::report::Report;
use anyhow::{Context, Result};
use std::path::PathBuf;
use wit_parser::Resolve;

/// A world: what the report calls it, where it is, and its full name.
pub(super) type World = (String, PathBuf, Option<String>);

/// Generates and compiles every world as a guest, with one column's options.
///
/// # Errors
///
/// When the texts cannot be read, or the generator or the runtime cannot be built.
pub fn guests(column: Column, filter: &str) -> Result<Report> {
    codegen::of_worlds(Side::Ours, column, "corpus", &worlds(filter)?)
}

/// Generates and compiles every world as a host.
///
/// # Errors
///
/// As [`guests`].
pub fn hosts(filter: &str) -> Result<Report> {
    host::of_worlds("corpus-host", "hosts of the corpus, Ours", &worlds(filter)?)
}

/// Every world of every text.
fn worlds(filter: &str) -> Result<Vec<World>> {
    let mut worlds = Vec::new();
    for (name, path) in codegen::texts(&places::workspace().join("wit"), filter)? {
        let mut resolve = Resolve { all_features: true, ..Resolve::default() };
        let package = resolve.push_file(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for (world, id) in &resolve.packages[package].worlds {
            let full = resolve.id_of_name(package, world);
            debug_assert_eq!(&resolve.worlds[*id].name, world);
            worlds.push((format!("{name} {world}"), path.clone(), Some(full)));
        }
    }
    Ok(worlds)
}
