//! A component from a core module that bindings were linked into.

use std::fmt;
use std::path::PathBuf;
use wasmparser::{Encoding, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The imports that modules for WASI preview 1 have.
const PREVIEW1: &str = "wasi_snapshot_preview1";

/// How a component is made.
///
/// ```
/// let how = wasp_bindgen_cli::Componentize { validate: false, ..Default::default() };
/// # drop(how);
/// ```
#[derive(Clone, Debug)]
pub struct Componentize {
    /// Modules that translate other imports: the name of the import module, and the adapter.
    pub adapters: Vec<(String, Vec<u8>)>,
    /// Check the result.
    pub validate: bool,
    /// What component it is, for modules that do not say it themselves.
    pub world: Option<World>,
}

/// A world in files.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Folders or files of WIT; the world is looked for in the last one.
    pub paths: Vec<PathBuf>,
    /// The world, where there are several.
    pub name: Option<String>,
}

/// Why a module can't become a component, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentizeError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for ComponentizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhelp: {}", self.message, self.help)
    }
}

impl std::error::Error for ComponentizeError {}

impl Default for Componentize {
    fn default() -> Self {
        Componentize { adapters: Vec::new(), validate: true, world: None }
    }
}

fn error(message: impl Into<String>, help: impl Into<String>) -> ComponentizeError {
    ComponentizeError { message: message.into(), help: help.into() }
}

/// Makes a component of a core module.
///
/// # Errors
/// Where the module can't become one; the message says what to change.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let module = std::fs::read("target/wasm32-unknown-unknown/release/guest.wasm")?;
/// let component = wasp_bindgen_cli::componentize(&module, &Default::default())?;
/// std::fs::write("guest.component.wasm", component)?;
/// # Ok(())
/// # }
/// ```
pub fn componentize(module: &[u8], how: &Componentize) -> Result<Vec<u8>, ComponentizeError> {
    let facts = look_at(module)?;
    check_described(&facts, how)?;
    check_adapted(&facts, how)?;
    let described;
    let module = match &how.world {
        Some(world) => {
            described = describe(module, world)?;
            &described
        }
        None => module,
    };
    let mut encoder = ComponentEncoder::default().validate(how.validate).module(module).map_err(|cause| {
        error(
            format!("what the module says about its component type can't be read: {cause:#}"),
            "bindings of several generators or versions may have been linked together: use one of them",
        )
    })?;
    for (name, adapter) in &how.adapters {
        encoder = encoder.adapter(name, adapter).map_err(|cause| {
            let help = "an adapter is a core module with a component type of its own, such as wasmtime publishes for WASI preview 1";
            error(format!("the adapter `{name}` can't be used: {cause:#}"), help)
        })?;
    }
    encoder.encode().map_err(|cause| explain(&format!("{cause:#}"), &facts))
}

/// What a module has that decides whether it can become a component.
#[derive(Default)]
struct Facts {
    described: bool,
    /// Modules and names of functions.
    imports: Vec<(String, String)>,
    exports: Vec<String>,
}

fn look_at(module: &[u8]) -> Result<Facts, ComponentizeError> {
    let no_module = |cause: String| {
        error(
            format!("the input is no WebAssembly module: {cause}"),
            "give the `.wasm` file that cargo made for `wasm32-unknown-unknown`",
        )
    };
    let mut facts = Facts::default();
    if module.is_empty() {
        return Err(no_module("it is empty".to_string()));
    }
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|cause| no_module(cause.to_string()))? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err(error(
                    "the input is a component already",
                    "the target `wasm32-wasip2` makes components by itself: use its output as it is, or build for `wasm32-unknown-unknown`",
                ));
            }
            Payload::CustomSection(section) if section.name().starts_with("component-type") => facts.described = true,
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(|cause| no_module(cause.to_string()))?;
                    facts.imports.push((import.module.to_string(), import.name.to_string()));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(|cause| no_module(cause.to_string()))?;
                    facts.exports.push(export.name.to_string());
                }
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// The module says what component it is, or somebody else does.
fn check_described(facts: &Facts, how: &Componentize) -> Result<(), ComponentizeError> {
    if facts.described || how.world.is_some() {
        return Ok(());
    }
    Err(error(
        "the module does not say what component it is: it has no section `component-type`",
        "build it as a `cdylib` that a crate with `generate!` is linked into, and keep custom sections when stripping; for a module of another origin, give the world with `--wit`",
    ))
}

/// Whoever imports from WASI preview 1 needs an adapter.
fn check_adapted(facts: &Facts, how: &Componentize) -> Result<(), ComponentizeError> {
    let adapted = how.adapters.iter().any(|(name, _)| name == PREVIEW1);
    match facts.imports.iter().find(|(module, _)| module == PREVIEW1 && !adapted) {
        Some((_, name)) => Err(error(
            format!("the module imports `{name}` from `{PREVIEW1}`, which components do not have"),
            format!(
                "give an adapter with `--adapt {PREVIEW1}=FILE`, or build for `wasm32-wasip2` or `wasm32-unknown-unknown`"
            ),
        )),
        None => Ok(()),
    }
}

/// The module, with a section that says what component it is.
fn describe(module: &[u8], world: &World) -> Result<Vec<u8>, ComponentizeError> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let mut packages = Vec::new();
    for path in &world.paths {
        let (package, _) = resolve.push_path(path).map_err(|cause| {
            error(
                format!("the WIT in `{}` can't be read: {cause:#}", path.display()),
                "`wasp-bindgen guest` says more about mistakes in WIT",
            )
        })?;
        packages.push(package);
    }
    let chosen = resolve.select_world(&packages, world.name.as_deref()).map_err(|cause| {
        error(format!("no world can be chosen: {cause:#}"), "name one of the world's package with `--world`")
    })?;
    let mut described = module.to_vec();
    embed_component_metadata(&mut described, &resolve, chosen, StringEncoding::UTF8).map_err(|cause| {
        error(
            format!("the world can't be put into the module: {cause:#}"),
            "check that `--wit` names the module's world",
        )
    })?;
    Ok(described)
}

/// What to change, for what only shows when the component is made.
fn explain(cause: &str, facts: &Facts) -> ComponentizeError {
    let about = |needles: &[&str]| needles.iter().any(|needle| cause.contains(needle));
    let exports_nothing =
        facts.exports.iter().all(|name| name == "memory" || name.starts_with("__") || name == "cabi_realloc");
    let help = if about(&["failed to find export"]) && exports_nothing {
        "the module exports nothing of the world: call `export!(Type)` in the crate that becomes the module"
    } else if about(&["failed to find export", "missing callback"]) {
        "the module lacks an export of its world: call `export!(Type)` once for each `generate!`, and build bindings and module from the same WIT"
    } else if about(&[
        "module requires an import interface",
        "is missing function",
        "no top-level imported function",
        "failed to resolve import",
    ]) {
        "the module imports what its world does not have: only what WIT declares can be imported, and functions declared by hand or bindings of another version of the WIT are not among it"
    } else if about(&["type mismatch for function"]) {
        "module and world were made from different versions of the WIT: build anew with the bindings that belong to it"
    } else if about(&["cabi_realloc", "`memory`"]) {
        "link the bindings' runtime into the module: the crate `wasp-guest-rt` brings the allocator, and a `cdylib` exports its memory"
    } else if about(&["failed to validate component output"]) {
        "this looks like a mistake of the encoder: `--no-validate` writes the component as it is, to look at"
    } else {
        "check that the module was built from the WIT that its bindings were generated from"
    };
    error(format!("the component can't be made: {cause}"), help)
}
