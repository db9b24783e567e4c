//! Host bindings from a build script.

use crate::builder::builder;
use wasp_bindgen_core::Options;

/// Generates a host's bindings, as a file.
///
/// It is used as [`Guest`](crate::Guest) is; the file needs the crate `wasp-host-rt`.
///
/// ```
/// let folder = std::env::temp_dir().join("wasp-bindgen-host-doc");
/// let bindings = wasp_bindgen_cli::Host::new()
///     .inline("package my:clock; world clock { import now: func() -> u64; }")
///     .generate_to(&folder)?;
/// assert!(bindings.file.ends_with("clock.rs"));
/// assert!(std::fs::read_to_string(&bindings.file)?.contains("pub trait ClockImports"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Host {
    options: Options,
}

builder!(
    Host,
    "```\nlet host = wasp_bindgen_cli::Host::new().path(\"wit\").configure(|options| options.trappable_imports = true);\n# drop(host);\n```",
    wasp_bindgen_core::host
);
