//! What the bindings of a host need beyond those of a guest; empty in a guest's world.

/// Names of what stands at the root of a host's bindings.
#[derive(Clone, Debug)]
pub struct Host {
    /// The instance of the world, `Greeter`.
    pub name: String,
    /// What is ready to be instantiated, `GreeterPre`.
    pub pre: String,
    /// The trait for functions and resources that the world imports itself, `GreeterImports`.
    pub imports: String,
    /// Methods of hosts may fail the call: they return `wasmtime::Result`.
    pub trappable: bool,
    /// Calls are spans.
    pub tracing: bool,
}

/// What a function of a host has beyond one of a guest.
#[derive(Clone, Debug, Default)]
pub struct HostFunction {
    /// The function that calls an export without a store, `greet_concurrent`.
    pub concurrent: String,
    /// The type that takes the place of the error in the result, by `trappable_error_type`.
    pub error: Option<String>,
    /// A component may lack this export of the world.
    pub optional: bool,
    /// Parameters that are needed beside those of WIT have other names than these: `store`, `host`, `cx`, `this`, `accessor`.
    pub reserved: Reserved,
}

/// See [`HostFunction::reserved`].
#[derive(Clone, Debug, Default)]
pub struct Reserved {
    /// `store`.
    pub store: String,
    /// `accessor`.
    pub accessor: String,
    /// `host`.
    pub host: String,
    /// `cx`.
    pub cx: String,
    /// `this`.
    pub this: String,
}
