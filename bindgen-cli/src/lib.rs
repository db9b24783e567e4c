//! The `wasp-bindgen` command as a library: bindings from build scripts, and components from core modules.

mod componentize;
mod guest;

pub use componentize::{Componentize, componentize};
pub use guest::Guest;
pub use wasp_bindgen_core::{Diagnostics, Options, Ownership, With};
