//! A component from a core module that bindings were linked into.

use anyhow::{Context, Result, bail};
use wasmparser::{Encoding, Parser, Payload};
use wit_component::ComponentEncoder;

/// How a component is made.
#[derive(Clone, Debug)]
pub struct Componentize {
    /// Modules that translate other imports: the name of the import module, and the adapter.
    pub adapters: Vec<(String, Vec<u8>)>,
    /// Check the result.
    pub validate: bool,
}

impl Default for Componentize {
    fn default() -> Self {
        Componentize { adapters: Vec::new(), validate: true }
    }
}

/// Makes a component of a core module.
///
/// # Errors
/// Where the module can't become one; the message says what to change.
///
/// ```no_run
/// # fn main() -> anyhow::Result<()> {
/// let module = std::fs::read("target/wasm32-unknown-unknown/release/guest.wasm")?;
/// let component = wasp_bindgen_cli::componentize(&module, &Default::default())?;
/// std::fs::write("guest.component.wasm", component)?;
/// # Ok(())
/// # }
/// ```
pub fn componentize(module: &[u8], how: &Componentize) -> Result<Vec<u8>> {
    check_module(module, how)?;
    let mut encoder = ComponentEncoder::default().validate(how.validate).module(module).context(
        "the module's component type can't be read\nhelp: it was linked with bindings of several generators or versions; use one",
    )?;
    for (name, adapter) in &how.adapters {
        encoder = encoder
            .adapter(name, adapter)
            .with_context(|| format!("the adapter `{name}` can't be used\nhelp: adapters are core modules made for this"))?;
    }
    encoder.encode().map_err(explain)
}

/// Refuses what would fail later with a message that helps nobody.
fn check_module(module: &[u8], how: &Componentize) -> Result<()> {
    let (mut has_type, mut foreign, mut is_module) = (false, None, false);
    for payload in Parser::new(0).parse_all(module) {
        match payload.context("the input is no WebAssembly\nhelp: give the `.wasm` file that cargo made")? {
            Payload::Version { encoding: Encoding::Component, .. } => bail!(
                "the input is a component already\nhelp: the target `wasm32-wasip2` makes components by itself; use its output as it is, or build for `wasm32-unknown-unknown`"
            ),
            Payload::Version { .. } => is_module = true,
            Payload::CustomSection(section) if section.name().starts_with("component-type") => has_type = true,
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let adapted = how.adapters.iter().any(|(name, _)| name == import.module);
                    if import.module == "wasi_snapshot_preview1" && !adapted {
                        foreign = Some(import.name.to_string());
                    }
                }
            }
            _ => {}
        }
    }
    if !is_module {
        bail!("the input is no WebAssembly\nhelp: give the `.wasm` file that cargo made");
    }
    if !has_type {
        bail!(
            "the module does not say what component it is: it has no `component-type` section\nhelp: a crate with `generate!` must be linked into it, with `crate-type = [\"cdylib\"]`, and the section must not be stripped"
        );
    }
    if let Some(name) = foreign {
        bail!(
            "the module imports `{name}` of `wasi_snapshot_preview1`\nhelp: give the adapter with `--adapt wasi_snapshot_preview1=FILE`, or build for `wasm32-wasip2` or `wasm32-unknown-unknown`"
        );
    }
    Ok(())
}

fn explain(error: anyhow::Error) -> anyhow::Error {
    let text = format!("{error:#}");
    let help = if text.contains("failed to resolve import") {
        "the import is in no world that was generated: is a function declared by hand, or were the bindings made for another version?"
    } else if text.contains("does not export") || text.contains("missing") || text.contains("failed to find export") {
        "every export of the world needs `export!(Type)` in the crate that is linked"
    } else {
        "check that the module was linked with these bindings only"
    };
    error.context(format!("the component can't be made\nhelp: {help}"))
}
