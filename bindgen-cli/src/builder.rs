//! Bindings from a build script: what guests and hosts share.

use crate::write::Outcome;
use std::fmt;
use std::path::PathBuf;
use wasp_bindgen_core::{Diagnostics, Generated};

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
pub enum BindingsError {
    /// The WIT or the options have what can't be bound.
    Refused(Diagnostics),
    /// The file can't be written.
    Write(PathBuf, std::io::Error),
    /// There is no `OUT_DIR`: this is no build script.
    NoOutDir,
}

impl fmt::Display for BindingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BindingsError::Refused(diagnostics) => diagnostics.fmt(f),
            BindingsError::Write(file, error) => write!(f, "error: `{}` can't be written: {error}", file.display()),
            BindingsError::NoOutDir => f.write_str(
                "error: `OUT_DIR` is not set\nhelp: cargo sets it for build scripts; use `generate_to` elsewhere",
            ),
        }
    }
}

impl std::error::Error for BindingsError {}

impl From<Diagnostics> for BindingsError {
    fn from(diagnostics: Diagnostics) -> Self {
        BindingsError::Refused(diagnostics)
    }
}

pub(crate) fn file_name(generated: &Generated) -> String {
    format!("{}.rs", generated.world)
}

/// Gives a builder its functions; `$generate` is what generates.
macro_rules! builder {
    ($name:ident, $example:literal, $generate:path) => {
        impl $name {
            /// Bindings of nothing yet: [`Self::path`] or [`Self::inline`] says of what.
            pub fn new() -> $name {
                $name::default()
            }

            /// A folder of `.wit` files, such a file or (with the feature `decoding`) a package in WebAssembly form. Can be called
            /// several times; packages come before those that use them.
            pub fn path(mut self, path: impl Into<std::path::PathBuf>) -> $name {
                self.options.paths.push(path.into());
                self
            }

            /// WIT in place of a file.
            pub fn inline(mut self, wit: impl Into<String>) -> $name {
                self.options.inline = Some(wit.into());
                self
            }

            /// The world, where there are several.
            pub fn world(mut self, world: impl Into<String>) -> $name {
                self.options.world = Some(world.into());
                self
            }

            /// Generates the interfaces of other packages too.
            pub fn generate_all(mut self) -> $name {
                self.options.generate_all = true;
                self
            }

            /// The bindings of an interface, or a type, are at `path` already.
            pub fn with(mut self, name: impl Into<String>, path: impl Into<String>) -> $name {
                self.options.with.push((name.into(), wasp_bindgen_core::With::Path(path.into())));
                self
            }

            /// Derives this for every type.
            pub fn derive(mut self, path: impl Into<String>) -> $name {
                self.options.additional_derives.push(path.into());
                self
            }

            /// Changes any option: there are as many as `generate!` has.
            ///
            #[doc = $example]
            pub fn configure(mut self, change: impl FnOnce(&mut wasp_bindgen_core::Options)) -> $name {
                change(&mut self.options);
                self
            }

            /// Generates into cargo's `OUT_DIR`, and has cargo run the build script again when a WIT file is edited, added or
            /// removed.
            ///
            /// # Errors
            /// What the WIT or the options have that can't be bound, a file that can't be written, and no `OUT_DIR`.
            pub fn generate_to_out_dir(&self) -> Result<crate::builder::Bindings, crate::builder::BindingsError> {
                let out_dir = std::env::var_os("OUT_DIR").ok_or(crate::builder::BindingsError::NoOutDir)?;
                // What is refused is looked at again as soon as it changes, so this is said first.
                for path in &self.options.paths {
                    println!("cargo::rerun-if-changed={}", path.display());
                }
                let bindings = self.generate_to(std::path::Path::new(&out_dir))?;
                for path in bindings.directories.iter().chain(&bindings.files) {
                    println!("cargo::rerun-if-changed={}", path.display());
                }
                Ok(bindings)
            }

            /// Generates into a folder, which is made if there is none.
            ///
            /// # Errors
            /// What the WIT or the options have that can't be bound, and a file that can't be written.
            pub fn generate_to(
                &self,
                folder: &std::path::Path,
            ) -> Result<crate::builder::Bindings, crate::builder::BindingsError> {
                let generated = $generate(&self.options)?;
                let file = folder.join(crate::builder::file_name(&generated));
                let text = wasp_bindgen_core::format(&generated);
                let outcome = crate::write::write(&file, text.as_bytes())
                    .map_err(|error| crate::builder::BindingsError::Write(file.clone(), error))?;
                Ok(crate::builder::Bindings {
                    file,
                    outcome,
                    files: generated.files,
                    directories: generated.directories,
                })
            }

            /// Generates without writing: the name of the file, and its text.
            ///
            /// # Errors
            /// What the WIT or the options have that can't be bound.
            pub fn generate(&self) -> Result<(String, String), wasp_bindgen_core::Diagnostics> {
                let generated = $generate(&self.options)?;
                Ok((crate::builder::file_name(&generated), wasp_bindgen_core::format(&generated)))
            }
        }

        impl From<wasp_bindgen_core::Options> for $name {
            fn from(options: wasp_bindgen_core::Options) -> Self {
                $name { options }
            }
        }
    };
}

pub(crate) use builder;
