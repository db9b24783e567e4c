//! Guest bindings from a build script.

use crate::builder::builder;
use wasp_bindgen_core::Options;

/// Generates a guest's bindings, as a file.
///
/// In the `main` of `build.rs`:
///
/// ```no_run
/// let guest = wasp_bindgen_cli::Guest::new().path("wit").world("my-world");
/// guest.generate_to_out_dir().unwrap_or_else(|error| panic!("{error}"));
/// ```
///
/// and in the crate `include!(concat!(env!("OUT_DIR"), "/my_world.rs"));`. Cargo runs the build script again when a WIT
/// file is edited, added or removed.
///
/// ```
/// let folder = std::env::temp_dir().join("wasp-bindgen-guest-doc");
/// let bindings = wasp_bindgen_cli::Guest::new()
///     .inline("package my:clock; world clock { import now: func() -> u64; }")
///     .generate_to(&folder)?;
/// assert!(bindings.file.ends_with("clock.rs"));
/// assert!(std::fs::read_to_string(&bindings.file)?.contains("pub fn now() -> u64"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Guest {
    options: Options,
}

builder!(
    Guest,
    "```\nlet guest = wasp_bindgen_cli::Guest::new().path(\"wit\").configure(|options| options.stubs = true);\n# drop(guest);\n```",
    wasp_bindgen_core::guest
);
