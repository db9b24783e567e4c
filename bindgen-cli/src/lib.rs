//! The `wasp-bindgen` command as a library: bindings from build scripts, and components from core modules.
//!
//! A build script that only writes bindings needs none of the features:
//!
//! ```toml
//! [build-dependencies]
//! wasp-bindgen-cli = { version = "0.1", default-features = false }
//! ```

#[cfg(feature = "componentize")]
mod componentize;
mod guest;
mod write;

#[cfg(feature = "componentize")]
pub use componentize::{Componentize, ComponentizeError, World, componentize};
pub use guest::{Bindings, Guest, GuestError};
pub use wasp_bindgen_core::{Diagnostic, Diagnostics, Options, Ownership, With};
pub use write::{Outcome, write};
