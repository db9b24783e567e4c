//! The host side of wasp-bindgen: what an embedder of wasmtime needs to run components whose functions are `async`.
//!
//! Everything that depends on the version of the engine lives in this crate.

use wasmtime::{Config, Engine, Result};

/// The engine's settings for components that use WASI 0.3: the component model with `async func`, `stream` and `future`.
///
/// Two parts of WIT are still behind a gate in the engine and are opened here, since bindings support them:
/// `error-context` and `map`; so are lists of a fixed length.
///
/// ```
/// let mut config = wasp_host_rt::config();
/// config.consume_fuel(true);
/// let engine = wasmtime::Engine::new(&config)?;
/// # Ok::<(), wasmtime::Error>(())
/// ```
pub fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.wasm_component_model_error_context(true);
    config.wasm_component_model_fixed_length_lists(true);
    config.wasm_component_model_map(true);
    config
}

/// An engine with the settings of [`config`].
///
/// # Errors
///
/// What [`Engine::new`] reports where the machine cannot run the compiled code.
///
/// ```
/// let engine = wasp_host_rt::engine()?;
/// # Ok::<(), wasmtime::Error>(())
/// ```
pub fn engine() -> Result<Engine> {
    Engine::new(&config())
}
