//! The `generate!` macros, which guests use through `wasp_guest_rt` and hosts through `wasp_host_rt`.

mod cursor;
mod debug;
mod expand;
mod options;
mod places;
mod runtime;
mod suffix;
mod suggest;
mod text;
mod track;

/// Generates the bindings of a world, in place.
///
/// ```text
/// generate!();                                    // the world in the folder `wit` beside `Cargo.toml`
/// generate!("my-world");                          // one of several worlds there
/// generate!(in "path/to/wit");
/// generate!("my-world" in "path/to/wit");
/// generate!({ world: "my-world", generate_all }); // with options
/// ```
///
/// # Options
///
/// Options that are on or off may stand alone (`stubs`) or have a value (`stubs: true`). Strings are literals, or
/// `concat!`, `env!`, `include!`, `include_str!` and `stringify!` of literals.
///
/// | where the WIT is | |
/// |---|---|
/// | `path: "…"`, `path: ["…", "…"]` | Folders, with what they need in `deps`, or files; relative to `Cargo.toml`'s folder. Packages come before those that use them. The default is `wit`. |
/// | `inline: "…"` | WIT in place; what `path` names is there for it to use. |
/// | `world: "…"` | `"name"` or `"ns:pkg/name@1.0.0"`; may be left out if there is one. |
/// | `features: ["…"]`, `all_features` | Gates `@unstable(feature = …)` to open. |
///
/// | what is generated | |
/// |---|---|
/// | `with: { "ns:pkg/interface": path::to::module }` | An interface or, with its name appended, a type exists already at the path. `generate` instead of a path generates it. |
/// | `generate_all` | Generates every interface of other packages that `with` does not name. |
/// | `generate_unused_types` | Types that nothing uses, too. |
/// | `skip: ["…"]` | Functions to leave out. |
/// | `stubs` | A `Stub` that implements every export by trapping. |
/// | `std_feature` | What needs the standard library is for `feature = "std"` only. |
///
/// | types | |
/// |---|---|
/// | `ownership: Owning`, `Borrowing { duplicate_if_necessary: false }` | Whether types that imports take borrow what they hold, and whether a type that is used both ways becomes two. |
/// | `borrowed_async_params` | Async imports take strings, lists and records as values, as `&str` and `&[_]`, and by reference. Without this they take values only, which compilers can infer from `x.into()`. |
/// | `additional_derives: [Clone, serde::Serialize]`, `additional_derives_ignore: ["type"]` | Derives for every type but those. |
/// | `additional_type_attributes: { "ns:pkg/interface/type": [#[attribute]] }` | Attributes of one type. |
/// | `additional_member_attributes: { "ns:pkg/interface/type.member": [#[attribute]] }` | Attributes of one field or case. |
/// | `merge_structurally_equal_types` | One Rust type for each class of equal types. |
/// | `raw_strings`, `map_type: "…"`, `bitflags_path: "…"` | Other types for strings, maps and flags. |
///
/// | functions | |
/// |---|---|
/// | `sync: true`, `sync: ["import:ns:pkg/interface#function"]` | Async functions to bind synchronously. |
/// | `chainable_methods: ["&ns:pkg/interface#resource"]` | Methods without a result that return `self`. |
///
/// | how it fits into the crate | |
/// |---|---|
/// | `export_macro_name: "…"`, `pub_export_macro`, `default_bindings_module: "…"` | `export!`'s name, whether other crates can call it, and where it looks for the bindings. |
/// | `runtime_path: "…"` | Where the runtime is, for crates that bring it along. |
/// | `type_section_suffix: "…"`, `disable_custom_section_link_helpers` | The section that says what component it is: two copies of a world in one module need two names, so that there is a suffix for crate and call by default. |
/// | `disable_run_ctors_once_workaround`, `export_prefix: "…"` | For special linkers, and for tests. |
/// | `debug: true` | Writes the bindings to a file, formatted if there is `rustfmt`, so that errors in them have lines. The environment variable `WASP_BINDGEN_DEBUG=1` does so for every call. |
///
/// # What a rebuild is made for
///
/// Cargo builds the crate anew when a WIT file that was read is edited or removed, and when an environment variable that
/// was asked for changes. A *new* WIT file changes nothing by itself: a file that was read has to refer to it, or come to
/// contradict it, and the latter is only noticed at the next build. With this build script it is noticed at once:
///
/// ```no_run
/// println!("cargo::rerun-if-changed=wit");
/// ```
///
/// # Errors
///
/// Mistakes are errors at the token that is wrong, with a place in the WIT where they are there. What is not affected by
/// them is still generated.
#[proc_macro]
pub fn generate(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into(), options::Side::Guest).into()
}

/// Generates the bindings of a world for its host, in place.
///
/// It is called as that of guests is: `generate!("my-world" in "path/to/wit")`, or with options.
///
/// | a world that | becomes |
/// |---|---|
/// | imports an interface `my:pkg/backend` | `my::pkg::backend::Host`, a trait of the functions that the host provides, and `my::pkg::backend::add_to_linker` |
/// | imports functions itself | the trait `MyWorldImports` |
/// | exports an interface `my:pkg/api` | `exports::my::pkg::api::Guest`, whose functions call the component's |
/// | is called `my-world` | `MyWorld` (an instance) and `MyWorldPre` (looked up and checked, ready to be instantiated often) |
///
/// `async func`s are `async fn(cx: Cx<'_, Self>, …)` in these traits, all others take `&mut self`.
///
/// # Options
///
/// | where the WIT is | |
/// |---|---|
/// | `path: "…"`, `path: ["…", "…"]`, `inline: "…"`, `world: "…"`, `features: ["…"]`, `all_features` | As for guests. |
///
/// | what is generated | |
/// |---|---|
/// | `with: { "ns:pkg/interface": path::to::module }` | An interface or, with its name appended, a type exists already at the path; for a resource this is the type that the host keeps behind it. |
/// | `generate_unused_types` | Types that nothing uses, too. |
/// | `skip: ["…"]` | Functions to leave out. |
///
/// | types | |
/// |---|---|
/// | `additional_derives: [serde::Serialize]`, `additional_derives_ignore: ["type"]`, `additional_type_attributes`, `additional_member_attributes` | As for guests. |
/// | `merge_structurally_equal_types`, `map_type: "…"`, `bitflags_path: "…"` | As for guests. |
///
/// | functions | |
/// |---|---|
/// | `trappable_imports` | Functions of hosts return `Result`: an error ends the component. |
/// | `trappable_error_type: { "ns:pkg/interface/error" => path::to::Error }` | Functions that fail with that error of WIT's return `path::to::Error`, which is `Trappable<Error>`. |
/// | `optional_exports: ["run", "ns:pkg/interface"]` | Exports that a component may lack, or `all`: functions of the world return an `Option`, and so does what hands out the interface. |
/// | `tracing` | Each call of an import (`wit-import`) or an export (`wit-export`) is a span with the fields `interface` and `function`; needs the feature `tracing` of the runtime. Without this nothing is there that could cost. |
///
/// | how it fits into the crate | |
/// |---|---|
/// | `runtime_path: "…"` | Where the runtime is, for crates that bring it along. |
/// | `debug: true` | Writes the bindings to a file, as for guests. |
///
/// # Errors
///
/// As for guests.
#[proc_macro]
pub fn host(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into(), options::Side::Host).into()
}
