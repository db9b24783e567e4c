//! From core modules to components, and from components to one component.

use anyhow::{Context, Result};
use indexmap::IndexMap;
use std::path::{Path, PathBuf};
use wac_types::BorrowedPackageKey;
use wasm_encoder::{RawSection, Section};
use wasmparser::{Parser, Payload};

/// Makes a core module a component; `adapter` is for modules that import WASI preview 1.
///
/// # Errors
///
/// When the module's imports and exports are not those of the world it carries.
pub fn encode(module: &[u8], adapter: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut encoder = wit_component::ComponentEncoder::default()
        .module(module)
        .context("cannot read the module's component type")?
        .validate(true);
    if let Some(adapter) = adapter {
        encoder = (encoder.adapter("wasi_snapshot_preview1", adapter)).context("cannot use the WASI adapter")?;
    }
    encoder.encode().context("cannot make the module a component")
}

/// A component, or a module, without its custom sections: nothing that runs needs them.
///
/// # Errors
///
/// When it is neither.
pub fn strip(binary: &[u8]) -> Result<Vec<u8>> {
    let mut stripped = binary.get(..8).context("there is no header")?.to_vec();
    let mut done = 0;
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else { continue };
        // What is nested was copied with the section that it is in.
        if range.start < done {
            continue;
        }
        done = range.end;
        let inner;
        let data = match payload {
            Payload::CustomSection(_) => continue,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                inner = strip(&binary[range])?;
                &inner
            }
            _ => &binary[range],
        };
        RawSection { id, data }.append_to(&mut stripped);
    }
    Ok(stripped)
}

/// The adapter from WASI preview 1 that the peer publishes with its suites.
///
/// # Errors
///
/// When the peer's sources cannot be had.
pub fn adapter() -> Result<Vec<u8>> {
    let path = crate::places::peer_suites()?.join("wasi_snapshot_preview1.reactor.wasm");
    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Makes the modules of two guests that were built for [`crate::build::BARE`] components and composes them: the first
/// one's imports are the second one's exports.
///
/// # Errors
///
/// When a module is missing, or does not do what its world says, or the two do not fit each other.
pub fn pair(modules: &[(String, PathBuf)], names: [&str; 2]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let mut files = Vec::new();
    for name in names {
        let (_, module) =
            (modules.iter().find(|(guest, _)| guest == name)).with_context(|| format!("there is no guest `{name}`"))?;
        let component = encode(&std::fs::read(module)?, None).with_context(|| name.to_owned())?;
        files.push(folder.path().join(name));
        std::fs::write(folder.path().join(name), component)?;
    }
    compose(&files[0], &files[1..], &folder.path().join("composed"))
}

/// Satisfies the imports of `runner` with the exports of `others`, one after the other.
///
/// # Errors
///
/// When nothing in a component satisfies an import, or a file cannot be written.
pub fn compose(runner: &Path, others: &[PathBuf], output: &Path) -> Result<Vec<u8>> {
    let mut main = runner.to_path_buf();
    let mut composed = Vec::new();
    for (index, other) in others.iter().enumerate() {
        let config = wasm_compose::config::Config { definitions: vec![other.clone()], ..Default::default() };
        composed = wasm_compose::composer::ComponentComposer::new(&main, &config)
            .compose()
            .with_context(|| format!("cannot compose with {}", other.display()))?;
        if index + 1 < others.len() {
            main = output.with_extension(format!("{index}.wasm"));
            std::fs::write(&main, &composed)?;
        }
    }
    Ok(composed)
}

/// Composes as a WAC script says; the script calls the components `test:NAME`.
///
/// # Errors
///
/// When the script cannot be read or its instances do not fit each other.
pub fn compose_by_script(script: &str, components: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut packages = IndexMap::new();
    for (name, bytes) in components {
        packages.insert(BorrowedPackageKey::from_name_and_version(name, None), bytes.clone());
    }
    let document = wac_parser::Document::parse(script).context("cannot parse the WAC script")?;
    document
        .resolve(packages)
        .context("cannot resolve the WAC script")?
        .encode(wac_graph::EncodeOptions { define_components: true, validate: false, processor: None })
        .context("cannot encode the composition")
}
