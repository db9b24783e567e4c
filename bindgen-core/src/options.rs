//! Everything a user may ask for, in one struct that the macro and the CLI fill in.

pub(crate) mod check;
pub mod table;

use std::path::PathBuf;

/// What to generate, and how. The fields mean what the peer's options of the same name mean.
///
/// ```
/// let options = wasp_bindgen_core::Options {
///     inline: Some("package a:b; world w { export run: async func(); }".into()),
///     ..Default::default()
/// };
/// assert!(wasp_bindgen_core::guest(&options).is_ok());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Directories, `.wit` files or (with the feature `decoding`) `.wasm` packages; the last one holds the main package.
    pub paths: Vec<PathBuf>,
    /// WIT given in place; it is the main package where it is present.
    pub inline: Option<String>,
    /// The world, by name or in full; the only world of the main package where it is left out.
    pub world: Option<String>,
    /// `@unstable(feature = …)` gates to open.
    pub features: Vec<String>,
    /// Open every gate.
    pub all_features: bool,
    /// Guard what needs std with `cfg(feature = "std")`.
    pub std_feature: bool,
    /// `string` is bytes.
    pub raw_strings: bool,
    /// Functions to leave out, by WIT name.
    pub skip: Vec<String>,
    /// Print a `Stub` that implements every export.
    pub stubs: bool,
    /// A prefix for export symbols.
    pub export_prefix: Option<String>,
    /// Whether types in import parameters hold references.
    pub ownership: Ownership,
    /// Async imports take strings, lists and records by reference as well.
    pub borrowed_async_params: bool,
    /// Where the runtime, or its `rt` module, lives: for crates that re-export it.
    pub runtime_path: Option<String>,
    /// The type for `map<K, V>`.
    pub map_type: Option<String>,
    /// The bitflags crate.
    pub bitflags_path: Option<String>,
    /// Derives for every type.
    pub additional_derives: Vec<String>,
    /// Types (kebab-case names) that `additional_derives` leaves alone.
    pub additional_derives_ignore: Vec<String>,
    /// `("ns:pkg/iface/type", "#[attribute]")`.
    pub additional_type_attributes: Vec<(String, String)>,
    /// `("ns:pkg/iface/type.member", "#[attribute]")`.
    pub additional_member_attributes: Vec<(String, String)>,
    /// Interfaces and types that exist elsewhere, or `generate`.
    pub with: Vec<(String, With)>,
    /// Generate every interface that `with` does not name.
    pub generate_all: bool,
    /// Print types that nothing uses.
    pub generate_unused_types: bool,
    /// One Rust type for each class of equal types.
    pub merge_structurally_equal_types: bool,
    /// Makes custom section names unique.
    pub type_section_suffix: Option<String>,
    /// Leave out what keeps the section alive in libraries.
    pub disable_custom_section_link_helpers: bool,
    /// Leave out `run_ctors_once`.
    pub disable_run_ctors_once_workaround: bool,
    /// The default of `with_types_in`.
    pub default_bindings_module: Option<String>,
    /// The export macro's name.
    pub export_macro_name: Option<String>,
    /// Publish the export macro.
    pub pub_export_macro: bool,
    /// Which async functions are bound synchronously: `all`, `-all`, `iface#f`, `import:iface#f`, `export:iface#f`, in order.
    pub sync: Vec<String>,
    /// Which methods return `self`: `all`, `iface#resource`, `&iface#resource`, `-iface#resource`, in order.
    pub chainable_methods: Vec<String>,
    /// Hosts: every method may fail the call by returning an error of the engine.
    pub trappable_imports: bool,
    /// Hosts: `("ns:pkg/iface/type", "path::Error")`, what functions return in place of an error of WIT's.
    pub trappable_error_type: Vec<(String, String)>,
    /// Hosts: exports of the world that a component may lack: functions, interfaces (with or without their version), or `all`.
    pub optional_exports: Vec<String>,
    /// Hosts: each call of an import or an export is a span of the crate `tracing`.
    pub tracing: bool,
}

/// See [`Options::ownership`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ownership {
    /// Types own what they hold.
    #[default]
    Owning,
    /// Types used in import parameters borrow.
    Borrowing {
        /// A type used both ways becomes two, `FooParam<'a>` and `FooResult`.
        duplicate_if_necessary: bool,
    },
}

/// See [`Options::with`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum With {
    /// Generate it here.
    Generate,
    /// It is this path.
    Path(String),
}
