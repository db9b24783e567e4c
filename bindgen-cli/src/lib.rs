//! The `wasp-bindgen` command as a library: bindings from build scripts, and components from core modules.
//!
//! A build script that only writes bindings needs none of the features:
//!
//! ```toml
//! [build-dependencies]
//! wasp-bindgen-cli = { version = "0.1", default-features = false }
//! ```

mod builder;
#[cfg(feature = "componentize")]
mod componentize;
mod guest;
mod host;
mod write;

pub use builder::{Bindings, BindingsError};
#[cfg(feature = "componentize")]
pub use componentize::{Componentize, ComponentizeError, World, componentize};
pub use guest::Guest;
pub use host::Host;
pub use wasp_bindgen_core::{Diagnostic, Diagnostics, Options, Ownership, With};
pub use write::{Outcome, write};
