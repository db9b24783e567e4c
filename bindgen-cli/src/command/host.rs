//! `wasp-bindgen host`.

use super::output::{attribute, compare, report, with};
use crate::report::Report;
use clap::Args;
use std::path::PathBuf;
use wasp_bindgen_cli::{Options, With};

#[derive(Args)]
pub(crate) struct Host {
    /// Folders of `.wit` files, such files, or packages in WebAssembly form
    ///
    /// A folder may have the packages it needs in a folder `deps`. Packages come before those that use them; the world is
    /// looked for in the last one.
    #[arg(required = true, value_name = "WIT")]
    wit: Vec<PathBuf>,
    /// The world, where there are several: its name, alone or in full (`ns:pkg/name@1.0.0`)
    #[arg(long, short)]
    world: Option<String>,
    /// Where the file `<world_in_snake_case>.rs` goes
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    out_dir: PathBuf,
    /// Write nothing, and fail if the file is not what would be written
    #[arg(long)]
    check: bool,
    /// Gates `@unstable(feature = …)` to open
    #[arg(long, value_delimiter = ',', value_name = "FEATURE")]
    features: Vec<String>,
    /// Open every gate
    #[arg(long)]
    all_features: bool,
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
    /// The type that `map<K, V>` becomes
    #[arg(long, value_name = "PATH")]
    map_type: Option<String>,
    /// The bitflags crate
    #[arg(long, value_name = "PATH")]
    bitflags_path: Option<String>,
    /// Derive this for every type
    #[arg(long, short = 'd', value_name = "DERIVE")]
    additional_derive_attributes: Vec<String>,
    /// A type, by its WIT name, that gets no additional derives
    #[arg(long, value_name = "NAME")]
    additional_derive_ignore: Vec<String>,
    /// An attribute for one type: `ns:pkg/interface/type=#[attribute]`
    #[arg(long, value_name = "SELECTOR=ATTR", value_parser = attribute)]
    additional_type_attributes: Vec<(String, String)>,
    /// An attribute for one field or case: `ns:pkg/interface/type.member=#[attribute]`
    #[arg(long, value_name = "SELECTOR=ATTR", value_parser = attribute)]
    additional_member_attributes: Vec<(String, String)>,
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
        let Host { wit, world, features, all_features, types, functions, .. } = self;
        Options {
            paths: wit,
            world,
            // Both commas and spaces stand between features.
            features: features.iter().flat_map(|list| list.split_whitespace()).map(str::to_string).collect(),
            all_features,
            skip: functions.skip,
            runtime_path: self.runtime_path,
            map_type: types.map_type,
            bitflags_path: types.bitflags_path,
            additional_derives: types.additional_derive_attributes,
            additional_derives_ignore: types.additional_derive_ignore,
            additional_type_attributes: types.additional_type_attributes,
            additional_member_attributes: types.additional_member_attributes,
            with: types.with,
            generate_unused_types: self.generate_unused_types,
            merge_structurally_equal_types: types.merge_structurally_equal_types,
            trappable_imports: functions.trappable_imports,
            trappable_error_type: functions.trappable_error_type,
            optional_exports: functions.optional_exports,
            tracing: functions.tracing,
            ..Options::default()
        }
    }

    pub(crate) fn run(self) -> Result<(), Report> {
        let (folder, check) = (self.out_dir.clone(), self.check);
        let host = wasp_bindgen_cli::Host::from(self.options());
        if check {
            let (name, text) = host.generate()?;
            return compare(&folder.join(name), &text);
        }
        report(&host.generate_to(&folder)?);
        Ok(())
    }
}
