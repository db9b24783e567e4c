//! `wasp-bindgen guest`.

use super::common::{Input, RustTypes, options};
use super::output::{compare, report, with};
use crate::report::Report;
use clap::{Args, ValueEnum};
use wasp_bindgen_cli::{Options, Ownership, With};

#[derive(Args)]
pub(crate) struct Guest {
    #[command(flatten)]
    input: Input,
    /// Format the output (this is done anyway)
    #[arg(long)]
    format: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    functions: Functions,
}

#[derive(Args)]
#[command(next_help_heading = "What is generated")]
struct Output {
    /// Generate every interface that `--with` does not name
    #[arg(long)]
    generate_all: bool,
    /// Print types that nothing uses
    #[arg(long)]
    generate_unused_types: bool,
    /// Print a type `Stub` that implements every export by trapping
    #[arg(long)]
    stubs: bool,
    /// Guard what needs std with `cfg(feature = "std")`
    #[arg(long)]
    std_feature: bool,
    /// Where the runtime is, if not at `::wasp_guest_rt`
    #[arg(long, value_name = "PATH")]
    runtime_path: Option<String>,
    /// Where `export!` looks for the bindings, if not in `self`
    #[arg(long, value_name = "PATH")]
    default_bindings_module: Option<String>,
    /// Another name for `export!`
    #[arg(long, value_name = "NAME")]
    export_macro_name: Option<String>,
    /// Make `export!` usable in other crates
    #[arg(long)]
    pub_export_macro: bool,
    /// Goes before the names of exported functions
    #[arg(long, value_name = "STRING")]
    export_prefix: Option<String>,
    /// Goes after the name of the section that says what component it is
    #[arg(long, value_name = "STRING")]
    type_section_suffix: Option<String>,
    /// Leave out what keeps that section when a library is linked
    #[arg(long)]
    disable_custom_section_link_helpers: bool,
    /// Leave out what makes constructors run once only
    #[arg(long)]
    disable_run_ctors_once_workaround: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Types")]
struct Types {
    /// Where an interface or a type exists already, or `generate`: `ns:pkg/interface=path::to::module,…`
    #[arg(long, value_name = "NAME=PATH", value_parser = with, value_delimiter = ',')]
    with: Vec<(String, With)>,
    /// Whether types hold what they are made of, or borrow it where imports take them
    #[arg(long, value_enum, default_value_t = OwnershipArg::Owning)]
    ownership: OwnershipArg,
    /// Async imports take strings, lists and records by reference as well
    #[arg(long)]
    borrowed_async_params: bool,
    /// One Rust type for each class of equal types
    #[arg(long, require_equals = true, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    merge_structurally_equal_types: Option<bool>,
    /// Strings are bytes
    #[arg(long)]
    raw_strings: bool,
    #[command(flatten)]
    rust: RustTypes,
}

#[derive(Args)]
#[command(next_help_heading = "Functions")]
struct Functions {
    /// A function to leave out
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Async functions to bind synchronously: `all`, or `ns:pkg/interface#function` after `import:`, `export:` or nothing
    #[arg(long, value_name = "FILTER", value_delimiter = ',', allow_hyphen_values = true)]
    sync: Vec<String>,
    /// Methods without a result that return `self`: `all`, or `ns:pkg/interface#resource` after `&`, `-` or nothing
    #[arg(long, value_name = "FILTER", value_delimiter = ',', allow_hyphen_values = true)]
    chainable_methods: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OwnershipArg {
    /// Types own what they hold
    Owning,
    /// Types that imports take borrow
    Borrowing,
    /// The same, and a type that is used both ways becomes two
    BorrowingDuplicateIfNecessary,
}

impl Guest {
    fn options(self) -> Options {
        let Guest { input, output, types, functions, .. } = self;
        Options {
            std_feature: output.std_feature,
            raw_strings: types.raw_strings,
            skip: functions.skip,
            stubs: output.stubs,
            export_prefix: output.export_prefix,
            ownership: match types.ownership {
                OwnershipArg::Owning => Ownership::Owning,
                OwnershipArg::Borrowing => Ownership::Borrowing { duplicate_if_necessary: false },
                OwnershipArg::BorrowingDuplicateIfNecessary => Ownership::Borrowing { duplicate_if_necessary: true },
            },
            borrowed_async_params: types.borrowed_async_params,
            runtime_path: output.runtime_path,
            with: types.with,
            generate_all: output.generate_all,
            generate_unused_types: output.generate_unused_types,
            merge_structurally_equal_types: types.merge_structurally_equal_types.unwrap_or(false),
            type_section_suffix: output.type_section_suffix,
            disable_custom_section_link_helpers: output.disable_custom_section_link_helpers,
            disable_run_ctors_once_workaround: output.disable_run_ctors_once_workaround,
            default_bindings_module: output.default_bindings_module,
            export_macro_name: output.export_macro_name,
            pub_export_macro: output.pub_export_macro,
            sync: functions.sync,
            chainable_methods: functions.chainable_methods,
            ..options(input, types.rust)
        }
    }

    pub(crate) fn run(self) -> Result<(), Report> {
        let (folder, check) = (self.input.out_dir.clone(), self.input.check);
        let guest = wasp_bindgen_cli::Guest::from(self.options());
        if check {
            let (name, text) = guest.generate()?;
            return compare(&folder.join(name), &text);
        }
        report(&guest.generate_to(&folder)?);
        Ok(())
    }
}
