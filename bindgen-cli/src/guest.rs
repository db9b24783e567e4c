//! Guest bindings from a build script.

use crate::write::{Outcome, write};
use std::fmt;
use std::path::{Path, PathBuf};
use wasp_bindgen_core::{Diagnostics, Generated, Options, With};

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

/// A file of bindings, and what it was made from.
#[derive(Clone, Debug)]
pub struct Bindings {
    /// The file, `<world_in_snake_case>.rs`.
    pub file: PathBuf,
    /// Whether it had to be written.
    pub outcome: Outcome,
    /// Every file that was read.
    pub files: Vec<PathBuf>,
    /// Every folder whose files were read.
    pub directories: Vec<PathBuf>,
}

/// Why there are no bindings.
#[derive(Debug)]
pub enum GuestError {
    /// The WIT or the options have what can't be bound.
    Refused(Diagnostics),
    /// The file can't be written.
    Write(PathBuf, std::io::Error),
    /// There is no `OUT_DIR`: this is no build script.
    NoOutDir,
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuestError::Refused(diagnostics) => diagnostics.fmt(f),
            GuestError::Write(file, error) => write!(f, "error: `{}` can't be written: {error}", file.display()),
            GuestError::NoOutDir => f.write_str(
                "error: `OUT_DIR` is not set\nhelp: cargo sets it for build scripts; use `generate_to` elsewhere",
            ),
        }
    }
}

impl std::error::Error for GuestError {}

impl From<Diagnostics> for GuestError {
    fn from(diagnostics: Diagnostics) -> Self {
        GuestError::Refused(diagnostics)
    }
}

impl Guest {
    /// Bindings of nothing yet: [`Guest::path`] or [`Guest::inline`] says of what.
    pub fn new() -> Guest {
        Guest::default()
    }

    /// A folder of `.wit` files, such a file or (with the feature `decoding`) a package in WebAssembly form. Can be called
    /// several times; packages come before those that use them.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Guest {
        self.options.paths.push(path.into());
        self
    }

    /// WIT in place of a file.
    pub fn inline(mut self, wit: impl Into<String>) -> Guest {
        self.options.inline = Some(wit.into());
        self
    }

    /// The world, where there are several.
    pub fn world(mut self, world: impl Into<String>) -> Guest {
        self.options.world = Some(world.into());
        self
    }

    /// Generates the interfaces of other packages too.
    pub fn generate_all(mut self) -> Guest {
        self.options.generate_all = true;
        self
    }

    /// The bindings of an interface, or a type, are at `path` already.
    pub fn with(mut self, name: impl Into<String>, path: impl Into<String>) -> Guest {
        self.options.with.push((name.into(), With::Path(path.into())));
        self
    }

    /// Derives this for every type.
    pub fn derive(mut self, path: impl Into<String>) -> Guest {
        self.options.additional_derives.push(path.into());
        self
    }

    /// Changes any option: there are as many as `generate!` has.
    ///
    /// ```
    /// let guest = wasp_bindgen_cli::Guest::new().path("wit").configure(|options| options.stubs = true);
    /// # drop(guest);
    /// ```
    pub fn configure(mut self, change: impl FnOnce(&mut Options)) -> Guest {
        change(&mut self.options);
        self
    }

    /// Generates into cargo's `OUT_DIR`, and has cargo run the build script again when a WIT file is edited, added or
    /// removed.
    ///
    /// # Errors
    /// What the WIT or the options have that can't be bound, a file that can't be written, and no `OUT_DIR`.
    pub fn generate_to_out_dir(&self) -> Result<Bindings, GuestError> {
        let out_dir = std::env::var_os("OUT_DIR").ok_or(GuestError::NoOutDir)?;
        // What is refused is looked at again as soon as it changes, so this is said first.
        for path in &self.options.paths {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        let bindings = self.generate_to(Path::new(&out_dir))?;
        for path in bindings.directories.iter().chain(&bindings.files) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        Ok(bindings)
    }

    /// Generates into a folder, which is made if there is none.
    ///
    /// # Errors
    /// What the WIT or the options have that can't be bound, and a file that can't be written.
    pub fn generate_to(&self, folder: &Path) -> Result<Bindings, GuestError> {
        let generated = wasp_bindgen_core::guest(&self.options)?;
        let file = folder.join(file_name(&generated));
        let text = wasp_bindgen_core::format(&generated);
        let outcome = write(&file, text.as_bytes()).map_err(|error| GuestError::Write(file.clone(), error))?;
        Ok(Bindings { file, outcome, files: generated.files, directories: generated.directories })
    }

    /// Generates without writing: the name of the file, and its text.
    ///
    /// # Errors
    /// What the WIT or the options have that can't be bound.
    pub fn generate(&self) -> Result<(String, String), Diagnostics> {
        let generated = wasp_bindgen_core::guest(&self.options)?;
        Ok((file_name(&generated), wasp_bindgen_core::format(&generated)))
    }
}

fn file_name(generated: &Generated) -> String {
    format!("{}.rs", generated.world)
}

impl From<Options> for Guest {
    fn from(options: Options) -> Self {
        Guest { options }
    }
}
