//! What `guest` and `host` have in common.

use super::output::attribute;
use clap::Args;
use std::path::PathBuf;
use wasp_bindgen_cli::Options;

#[derive(Args)]
pub(super) struct Input {
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
    pub(super) out_dir: PathBuf,
    /// Write nothing, and fail if the file is not what would be written
    #[arg(long)]
    pub(super) check: bool,
    /// Gates `@unstable(feature = …)` to open
    #[arg(long, value_delimiter = ',', value_name = "FEATURE")]
    features: Vec<String>,
    /// Open every gate
    #[arg(long)]
    all_features: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Types")]
pub(super) struct RustTypes {
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

/// What both say; everything else as it is without.
pub(super) fn options(input: Input, types: RustTypes) -> Options {
    Options {
        paths: input.wit,
        world: input.world,
        // Both commas and spaces stand between features.
        features: input.features.iter().flat_map(|list| list.split_whitespace()).map(str::to_string).collect(),
        all_features: input.all_features,
        map_type: types.map_type,
        bitflags_path: types.bitflags_path,
        additional_derives: types.additional_derive_attributes,
        additional_derives_ignore: types.additional_derive_ignore,
        additional_type_attributes: types.additional_type_attributes,
        additional_member_attributes: types.additional_member_attributes,
        ..Options::default()
    }
}
