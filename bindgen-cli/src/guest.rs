//! Guest bindings from a build script.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use wasp_bindgen_core::Options;

/// Generates a guest's bindings, as a file. For `build.rs`:
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     wasp_bindgen_cli::Guest::new("wit").world("my-world").generate_to_out_dir()?;
///     Ok(())
/// }
/// ```
///
/// and in the crate `include!(concat!(env!("OUT_DIR"), "/my_world.rs"));`.
#[derive(Clone, Debug, Default)]
pub struct Guest {
    options: Options,
}

impl Guest {
    /// Bindings of the WIT in a folder or a file.
    pub fn new(path: impl Into<PathBuf>) -> Guest {
        Guest { options: Options { paths: vec![path.into()], ..Options::default() } }
    }

    /// Bindings with all options at hand.
    pub fn with_options(options: Options) -> Guest {
        Guest { options }
    }

    /// One more folder or file; the world is looked for in the last one.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Guest {
        self.options.paths.push(path.into());
        self
    }

    /// The world, where there are several.
    pub fn world(mut self, world: impl Into<String>) -> Guest {
        self.options.world = Some(world.into());
        self
    }

    /// Changes any option.
    pub fn configure(mut self, change: impl FnOnce(&mut Options)) -> Guest {
        change(&mut self.options);
        self
    }

    /// Generates into cargo's `OUT_DIR`, and has cargo run the build script again when a WIT file is changed, added or
    /// removed. The path of the file, `<world_in_snake_case>.rs`.
    ///
    /// # Errors
    /// What the WIT or the options have that can't be bound, and files that can't be read or written.
    pub fn generate_to_out_dir(&self) -> Result<PathBuf> {
        let out_dir = std::env::var_os("OUT_DIR").context("`OUT_DIR` is not set\nhelp: this is for build scripts; use `generate_to` elsewhere")?;
        let generated = self.generate_to(Path::new(&out_dir))?;
        for path in generated.1 {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        Ok(generated.0)
    }

    /// Generates into a folder: the path of the file, and all files and folders that it depends on.
    ///
    /// A file that would not change is not written.
    ///
    /// # Errors
    /// As for [`Guest::generate_to_out_dir`].
    pub fn generate_to(&self, folder: &Path) -> Result<(PathBuf, Vec<PathBuf>)> {
        let generated = wasp_bindgen_core::guest(&self.options)?;
        let text = wasp_bindgen_core::format(&generated);
        let file = folder.join(format!("{}.rs", generated.world));
        if std::fs::read(&file).ok().as_deref() != Some(text.as_bytes()) {
            std::fs::create_dir_all(folder).with_context(|| format!("`{}` can't be made", folder.display()))?;
            std::fs::write(&file, text).with_context(|| format!("`{}` can't be written", file.display()))?;
        }
        Ok((file, generated.files.into_iter().chain(generated.directories).collect()))
    }
}
