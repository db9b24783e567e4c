//! `wasp-bindgen host`.

use super::common::{Input, RustTypes, options};
use super::output::{compare, report, with};
use crate::report::Report;
use clap::Args;
use wasp_bindgen_cli::{Options, With};

#[derive(Args)]
pub(crate) struct Host {
    #[command(flatten)]
    input: Input,
    /// Print types that nothing uses
    #[arg(long)]
    generate_unused_types: bool,
    /// Where the runtime is, if not at `::wasp_host_rt`
    #[arg(long, value_name = "PATH")]
    runtime_path: Option<String>,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    functions: Functions,
}

#[derive(Args)]
#[command(next_help_heading = "Types")]
struct Types {
    /// Where an interface, a type or what is behind a resource exists already: `ns:pkg/interface=path::to::module,…`
    #[arg(long, value_name = "NAME=PATH", value_parser = with, value_delimiter = ',')]
    with: Vec<(String, With)>,
    /// One Rust type for each class of equal types
    #[arg(long)]
    merge_structurally_equal_types: bool,
    #[command(flatten)]
    rust: RustTypes,
}

#[derive(Args)]
#[command(next_help_heading = "Functions")]
struct Functions {
    /// A function to leave out
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Functions of hosts return `Result`: an error ends the component
    #[arg(long)]
    trappable_imports: bool,
    /// What functions return in place of an error of WIT's: `ns:pkg/interface/type=path::to::Error,…`
    #[arg(long, value_name = "NAME=PATH", value_parser = error_type, value_delimiter = ',')]
    trappable_error_type: Vec<(String, String)>,
    /// An export that a component may lack: a function of the world, `ns:pkg/interface`, or `all`
    #[arg(long, value_name = "NAME")]
    optional_exports: Vec<String>,
    /// Make each call a span of the crate `tracing`
    #[arg(long)]
    tracing: bool,
}

fn error_type(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_string(), path.to_string())),
        _ => Err("expected `ns:pkg/interface/type=path::to::Error`".to_string()),
    }
}

impl Host {
    fn options(self) -> Options {
        let Host { input, types, functions, .. } = self;
        Options {
            skip: functions.skip,
            runtime_path: self.runtime_path,
            with: types.with,
            generate_unused_types: self.generate_unused_types,
            merge_structurally_equal_types: types.merge_structurally_equal_types,
            trappable_imports: functions.trappable_imports,
            trappable_error_type: functions.trappable_error_type,
            optional_exports: functions.optional_exports,
            tracing: functions.tracing,
            ..options(input, types.rust)
        }
    }

    pub(crate) fn run(self) -> Result<(), Report> {
        let (folder, check) = (self.input.out_dir.clone(), self.input.check);
        let host = wasp_bindgen_cli::Host::from(self.options());
        if check {
            let (name, text) = host.generate()?;
            return compare(&folder.join(name), &text);
        }
        report(&host.generate_to(&folder)?);
        Ok(())
    }
}
