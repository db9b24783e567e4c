//! From WIT to Rust bindings: the library behind `generate!` and the `wasp-bindgen` command.

mod check;
pub mod diagnostic;
mod emit;
#[cfg(feature = "format")]
mod format;
mod guest;
mod host;
pub mod model;
mod names;
mod options;
mod resolve;
#[doc(hidden)]
pub mod section;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Place};
#[cfg(feature = "format")]
pub use format::format;
pub use options::{Options, Ownership, With, table};

use proc_macro2::TokenStream;
use std::path::PathBuf;

/// Bindings, and what they were made from.
pub struct Generated {
    /// The bindings.
    pub tokens: TokenStream,
    /// Every WIT file that was read.
    pub files: Vec<PathBuf>,
    /// Every folder that was searched for WIT files: new files there change the bindings too.
    pub directories: Vec<PathBuf>,
    /// The world's name in snake case, for the name of a file.
    pub world: String,
    /// How the bindings were made, one line an option that is not the default.
    pub preamble: Vec<String>,
}

/// Generates the bindings of a guest.
///
/// # Errors
/// What the WIT or the options have that can't be bound, with places and hints.
///
/// ```
/// let options = wasp_bindgen_core::Options {
///     inline: Some("package a:b; world w { export run: async func(); }".into()),
///     ..Default::default()
/// };
/// let generated = wasp_bindgen_core::guest(&options)?;
/// assert!(generated.tokens.to_string().contains("async fn run"));
/// # Ok::<(), wasp_bindgen_core::Diagnostics>(())
/// ```
pub fn guest(options: &Options) -> Result<Generated, Diagnostics> {
    options::check::options(options)?; // refuse what could not be printed
    let source = source::load(options)?; // text → Resolve, and every file read
    let world = resolve::world(&source, options, resolve::Side::Guest)?; // Resolve → model: every name and plan decided once
    check::world(&world, &source)?; // refuse, with places
    let tokens = guest::world(&world); // print: cannot fail
    Ok(Generated {
        tokens,
        files: source.files,
        directories: source.directories,
        world: world.snake,
        preamble: world.style.preamble,
    })
}

/// Generates the bindings of a host: traits for what the component imports, and types to call what it exports.
///
/// # Errors
/// What the WIT or the options have that can't be bound, with places and hints.
///
/// ```
/// let options = wasp_bindgen_core::Options {
///     inline: Some("package a:b; world w { export run: async func(); }".into()),
///     ..Default::default()
/// };
/// let generated = wasp_bindgen_core::host(&options)?;
/// assert!(generated.tokens.to_string().contains("pub struct WPre"));
/// # Ok::<(), wasp_bindgen_core::Diagnostics>(())
/// ```
pub fn host(options: &Options) -> Result<Generated, Diagnostics> {
    options::check::options(options)?;
    let source = source::load(options)?;
    let world = resolve::world(&source, options, resolve::Side::Host)?;
    check::world(&world, &source)?;
    let tokens = host::world(&world);
    Ok(Generated {
        tokens,
        files: source.files,
        directories: source.directories,
        world: world.snake,
        preamble: world.style.preamble,
    })
}
