//! The host side of wasp-bindgen: what an embedder of wasmtime needs to run components whose functions are `async`.
//!
//! Everything that depends on the version of the engine lives in this crate.

mod abi;
mod attach;
mod call;
mod cell;
mod cx;
mod error;
mod exported;
mod future;
mod handle;
mod link;
mod resource;
mod stream;

pub use call::Caller;
pub use cx::Cx;
pub use error::Trappable;
pub use future::InFuture;
pub use handle::{Handle, Stopped};
pub use resource::{HasResources, Res, Resources};
pub use stream::{Ended, InStream, IntoBytes};
pub use wasmtime::{self, Result};

use wasmtime::{Config, Engine};

/// The engine's settings for components that use WASI 0.3: the component model with `async func`, `stream` and `future`.
///
/// Two parts of WIT are still behind a gate in the engine and are opened here, since bindings support them:
/// `error-context` and `map`; so are lists of a fixed length. So is the asynchronous form of `subtask.cancel`, which guests
/// with the feature `async-cancel` call.
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
    config.wasm_component_model_more_async_builtins(true);
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

/// The procedural macro behind [`generate!`].
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use wasp_bindgen_macro::host as __generate;

/// Generates the bindings of a world for its host, where it is called.
///
/// The options, and what is generated for what, are described at the
/// [procedural macro](wasp_bindgen_macro::host) that this calls with the crate's own name, whatever that is in
/// `Cargo.toml`.
///
/// ```
/// wasp_host_rt::generate!({
///     inline: "package my:test; world greeter { import name: func() -> string; export greet: async func() -> string; }",
/// });
///
/// struct Host;
///
/// impl GreeterImports for Host {
///     fn name(&mut self) -> String {
///         "world".to_string()
///     }
/// }
/// # fn main() {}
/// ```
#[cfg(feature = "macros")]
#[macro_export]
macro_rules! generate {
    ($($options:tt)*) => {
        $crate::__generate! { $crate; $($options)* }
    };
}

/// Everything generated code may name. Its contents follow the generator, not semantic versioning.
#[doc(hidden)]
pub mod __rt {
    pub use crate::abi::names as abi;
    pub use crate::attach::Attach;
    pub use crate::call::{Caller, Plain, Streams, call, call_concurrent};
    pub use crate::cx::{Cx, Erased, Own};
    pub use crate::error::settle;
    pub use crate::exported::{Borrow, Owner};
    pub use crate::future::InFuture;
    pub use crate::link::{Borrowed, function, if_exported, interface, load, load_maybe, named};
    pub use crate::resource::{HasResources, Res};
    pub use crate::stream::{InStream, IntoBytes};
    pub use crate::{enumeration, exported, flags, record, variant, wide};
    pub use bitflags;
    pub use futures_core::Stream;
    pub use std::boxed::Box;
    pub use std::collections::HashMap as Map;
    pub use std::future::Future;
    pub use std::result::Result::Ok;
    pub use std::string::String;
    pub use std::vec::Vec;
    #[cfg(feature = "tracing")]
    pub use tracing;
    pub use wasmtime::component::__internal::ComponentTypes;
    pub use wasmtime::component::{
        Accessor, AsAccessor, Component, ComponentExportIndex, ErrorContext, Func, HasData, Instance, InstancePre,
        Linker, ResourceAny, ResourceType, TypedFunc, WasmList, WasmStr,
    };
    pub use wasmtime::{self, AsContext, AsContextMut, Result, StoreContextMut};
}
