//! `wasp-bindgen componentize`.

use crate::report::Report;
use anstream::println;
use clap::Args;
use std::path::{Path, PathBuf};
use wasp_bindgen_cli::{Componentize, Outcome, World, componentize, write};

#[derive(Args)]
pub(crate) struct Component {
    /// The core module
    #[arg(value_name = "CORE.WASM")]
    module: PathBuf,
    /// Where the component goes
    #[arg(long, short, value_name = "OUT.WASM")]
    output: PathBuf,
    /// A module that translates the imports of one name, such as `wasi_snapshot_preview1=adapter.wasm`
    ///
    /// Without a name it is the file's, up to the first dot.
    #[arg(long, value_name = "[NAME=]FILE", value_parser = adapter)]
    adapt: Vec<(String, PathBuf)>,
    /// WIT for a module that does not say what component it is: a folder or a file
    #[arg(long, value_name = "PATH")]
    wit: Vec<PathBuf>,
    /// The world in `--wit`, where there are several
    #[arg(long, short, requires = "wit")]
    world: Option<String>,
    /// Check the component (this is done anyway)
    #[arg(long, conflicts_with = "no_validate")]
    validate: bool,
    /// Do not check the component
    #[arg(long)]
    no_validate: bool,
}

fn adapter(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name.to_string(), file),
        None => {
            let stem = Path::new(text).file_name().and_then(|name| name.to_str()).unwrap_or(text);
            (stem.split('.').next().unwrap_or(stem).to_string(), text)
        }
    };
    match name.is_empty() || file.is_empty() {
        true => Err("expected a name and a file, `wasi_snapshot_preview1=adapter.wasm`".to_string()),
        false => Ok((name, file.into())),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Report> {
    std::fs::read(file).map_err(|cause| Report::file(file, "read", cause))
}

impl Component {
    pub(crate) fn run(self) -> Result<(), Report> {
        let module = read(&self.module)?;
        let adapters = self.adapt.into_iter().map(|(name, file)| Ok((name, read(&file)?)));
        let world = (!self.wit.is_empty()).then_some(World { paths: self.wit, name: self.world });
        let how =
            Componentize { adapters: adapters.collect::<Result<_, Report>>()?, validate: !self.no_validate, world };
        let component = componentize(&module, &how)?;
        let outcome = write(&self.output, &component).map_err(|cause| Report::file(&self.output, "written", cause))?;
        match outcome {
            Outcome::Written => println!("wrote {} ({} bytes)", self.output.display(), component.len()),
            Outcome::Unchanged => println!("{} is up to date", self.output.display()),
        }
        Ok(())
    }
}
