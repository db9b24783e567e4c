//! The world as plain data: every name, type, symbol and call plan decided, nothing left to look up.
//!
//! `resolve` writes it, `check` refuses parts of it, the emitters print it. Nothing here knows `wit_parser`.

mod func;
mod host;
mod resource;
mod ty;

pub use func::{
    CallPlan, Chain, Core, ExportPlan, FuncKind, Function, ImportPlan, Param, ParamsPlan, ResultPlan, TaskReturn,
};
pub use host::{Host, HostFunction, Reserved};
pub use resource::{ExportedResource, ImportedResource};
pub use ty::{Case, Field, Lifetime, Scalar, Shape, Type, TypeDef, TypeId, TypeKind};

/// A range of bytes in the text of all WIT files together; loading keeps what turns it into a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` where nothing is known.
    pub end: u32,
}

/// Documentation and stability of an item, carried along into the generated code.
#[derive(Clone, Debug, Default)]
pub struct Docs {
    /// The text without comment markers; empty where there is none.
    pub text: String,
    /// `@deprecated(version = …)`.
    pub deprecated: Option<String>,
}

/// A world, ready to print.
#[derive(Clone, Debug)]
pub struct World {
    /// `my:pkg/world@1.0.0`.
    pub id: String,
    /// The world's name in snake case, for the export macro and the output file.
    pub snake: String,
    /// Documentation of the world.
    pub docs: Docs,
    /// Every module, parents before children are not required; `modules[ROOT]` is the root of the output.
    pub modules: Vec<Module>,
    /// Every Rust type of the world, printed or mapped by `with`.
    pub types: Vec<TypeDef>,
    /// Some function passes a `map<K, V>`.
    pub has_maps: bool,
    /// Some export has a callback, or may have one: what bindings elsewhere export is not known here.
    pub has_tasks: bool,
    /// Stream and future payloads, one per Rust type.
    pub payloads: Vec<Payload>,
    /// The `component-type` custom section.
    pub section: Section,
    /// How the output is dressed.
    pub style: Style,
    /// Names of a host's bindings; `None` where they are a guest's.
    pub host: Option<Host>,
}

/// The longest tuple that the standard library implements `Debug` for.
const TUPLE_WITH_DEBUG: usize = 12;

impl World {
    /// Returns whether a type has `Debug`: all but what holds a long tuple, or an engine's error context.
    pub fn has_debug(&self, ty: &Type) -> bool {
        match ty {
            Type::Tuple(parts) if parts.len() > TUPLE_WITH_DEBUG => false,
            Type::Stream(_) | Type::Future(_) => true,
            Type::ErrorContext => self.host.is_none(),
            Type::Named(id, _) => match &self.types[id.0].kind {
                TypeKind::Alias(target) => self.has_debug(target),
                _ => true,
            },
            ty => ty.parts().into_iter().all(|part| self.has_debug(part)),
        }
    }
}

/// Returns whether a function of a module, or of a resource in it, has a callback.
pub(crate) fn has_callback(guest: &Guest, types: &[TypeDef]) -> bool {
    let of_resources = guest.resources.iter().flat_map(|id| match &types[id.0].kind {
        TypeKind::ExportedResource(resource) => resource.functions.as_slice(),
        _ => &[],
    });
    guest.functions.iter().chain(of_resources).any(|function| match &function.plan {
        CallPlan::Export(plan) => plan.callback.is_some(),
        CallPlan::Import(_) => false,
    })
}

/// The root module's place in [`World::modules`].
pub const ROOT: ModuleId = ModuleId(0);

/// An index into [`World::modules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub usize);

/// Which way a module's functions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The component calls them.
    Import,
    /// The component implements them.
    Export,
}

/// One module of the output: an interface, or the world's own items at the root.
#[derive(Clone, Debug)]
pub struct Module {
    /// Module names from the root, already escaped Rust identifiers; empty for the root.
    pub path: Vec<String>,
    /// `my:pkg/iface@1.0.0`, an inline interface's name, or `$root`.
    pub id: String,
    /// Documentation of the interface.
    pub docs: Docs,
    /// Types defined here in order of declaration.
    pub types: Vec<TypeId>,
    /// Imported functions that belong to no resource.
    pub imports: Vec<Function>,
    /// What an implementation must provide; `None` for modules that only import.
    pub guest: Option<Guest>,
    /// The trait of a host that provides the imports, `Host`, or another name where a type of the module is called so.
    pub host_trait: String,
    /// What the world's instance calls the exported interface, `my_pkg_api`.
    pub getter: String,
    /// A component may lack the exported interface.
    pub optional: bool,
    /// The module is elsewhere, known at the root by this name (see [`Style::remaps`]): nothing is printed for it.
    pub home: Option<String>,
}

/// The trait an exported interface (or the world itself) asks its implementer for.
#[derive(Clone, Debug)]
pub struct Guest {
    /// `Guest`, or another name where a type of the module is called so.
    pub trait_name: String,
    /// The name of the `macro_rules!` that exports this module: `__export_my_pkg_api_1_0_0_cabi`.
    pub macro_name: String,
    /// Exported resources, each an associated type of the trait.
    pub resources: Vec<TypeId>,
    /// Functions that belong to no resource.
    pub functions: Vec<Function>,
}

/// A payload type of streams or futures with the intrinsics that move it.
#[derive(Clone, Debug)]
pub struct Payload {
    /// A stream's payload or a future's.
    pub kind: PayloadKind,
    /// The payload; `None` for `stream` and `future` without one (printed as `()`).
    pub ty: Option<Type>,
    /// The function that has it first.
    pub span: Span,
    /// The wasm import module of the intrinsics.
    pub module: String,
    /// Link names of the intrinsics.
    pub intrinsics: Intrinsics,
}

/// See [`Payload::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// `stream<T>`.
    Stream,
    /// `future<T>`.
    Future,
}

/// Link names of the seven intrinsics of one payload type.
#[derive(Clone, Debug)]
pub struct Intrinsics {
    /// `[stream-new-0]f`.
    pub new: String,
    /// `[async-lower][stream-read-0]f`.
    pub read: String,
    /// `[async-lower][stream-write-0]f`.
    pub write: String,
    /// `[stream-cancel-read-0]f`.
    pub cancel_read: String,
    /// `[stream-cancel-write-0]f`.
    pub cancel_write: String,
    /// `[stream-drop-readable-0]f`.
    pub drop_readable: String,
    /// `[stream-drop-writable-0]f`.
    pub drop_writable: String,
}

/// The custom section that tells the linker the component's type.
#[derive(Clone, Debug)]
pub struct Section {
    /// `component-type:wasp-bindgen:0.1.0:my:pkg@1.0.0:w:encoded world`, with the user's suffix.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Those of the world without its exports, where the exports come with a public export macro.
    pub imports: Option<Vec<u8>>,
}

/// Options that change how things are printed, not what they are.
#[derive(Clone, Debug)]
pub struct Style {
    /// Path of the runtime's hidden module, `::wasp_guest_rt::__rt` unless set.
    pub runtime: String,
    /// Path of the bitflags crate.
    pub bitflags: String,
    /// Path of the type that `map<K, V>` becomes.
    pub map: String,
    /// Modules that `with` names: the name they get at the root, and their path.
    pub remaps: Vec<(String, String)>,
    /// Guard what needs std with `cfg(feature = "std")`.
    pub std_feature: bool,
    /// Print a `Stub` type that implements every export.
    pub stubs: bool,
    /// Name of the export macro, `export` unless set.
    pub export_macro: String,
    /// Publish the export macro outside the crate.
    pub pub_export_macro: bool,
    /// What `with_types_in` is when it is not given, `self` unless set.
    pub default_bindings_module: String,
    /// Call `run_ctors_once` at the start of every export.
    pub run_ctors_once: bool,
    /// Print what keeps the custom section alive when the bindings are in a library.
    pub link_helpers: bool,
    /// Comment lines that tell how the output was made.
    pub preamble: Vec<String>,
}
