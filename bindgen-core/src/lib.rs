//! From WIT to Rust bindings: the library behind `generate!` and the `wasp-bindgen` command.

pub mod diagnostic;
pub mod model;
mod options;
#[doc(hidden)]
pub mod section;

pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use options::{Options, Ownership, With};
