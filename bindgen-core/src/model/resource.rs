//! Resources: what the two directions need beyond a name.

use super::Function;

/// A resource that another component or the host owns.
#[derive(Clone, Debug)]
pub struct ImportedResource {
    /// The wasm import module of `drop`.
    pub module: String,
    /// `[resource-drop]conn`.
    pub drop: String,
    /// The trait of what a host keeps behind it, `HostConn`.
    pub host_trait: String,
    /// Some function borrows it.
    pub lent: bool,
    /// Constructor, methods and statics, in order of declaration.
    pub functions: Vec<Function>,
}

/// A resource that this component implements.
#[derive(Clone, Debug)]
pub struct ExportedResource {
    /// The wasm import module of the three intrinsics, `[export]my:pkg/api`.
    pub module: String,
    /// `[resource-new]sess`.
    pub new: String,
    /// `[resource-rep]sess`.
    pub rep: String,
    /// `[resource-drop]sess`.
    pub drop: String,
    /// The export name of the destructor, `my:pkg/api#[dtor]sess`.
    pub dtor: String,
    /// `GuestSess`.
    pub trait_name: String,
    /// `SessBorrow`.
    pub borrow_name: String,
    /// Constructor, methods and statics, in order of declaration.
    pub functions: Vec<Function>,
}
