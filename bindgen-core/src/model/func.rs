//! Functions with the plan of their call: which core values go over, and under which symbols.

use super::{Docs, HostFunction, Span, Type, TypeId};

/// A function, imported or exported.
#[derive(Clone, Debug)]
pub struct Function {
    /// Rust name, escaped: `fetch`, `new` for constructors.
    pub name: String,
    /// What follows `__export_` in generated glue, unique in its module: `method_sess_step`.
    pub glue: String,
    /// The WIT name: `[method]sess.step`.
    pub wit_name: String,
    /// Where it was written.
    pub span: Span,
    /// Documentation, with a section for documented parameters.
    pub docs: Docs,
    /// What `self` is.
    pub kind: FuncKind,
    /// The Rust function is `async` (the ABI is async in step with it).
    pub is_async: bool,
    /// Parameters; a method's first one is `self` and is included.
    pub params: Vec<Param>,
    /// The result; `None` prints nothing.
    pub result: Option<Type>,
    /// The result holds streams or futures.
    pub streams: bool,
    /// `chainable_methods` asks for `Self` back.
    pub chain: Option<Chain>,
    /// Words of eight bytes that the parameters take in memory, with 4-byte and with 8-byte pointers.
    pub params_words: [usize; 2],
    /// The same for the result.
    pub result_words: [usize; 2],
    /// How the call goes over.
    pub plan: CallPlan,
    /// What a host needs to know of it.
    pub host: HostFunction,
}

/// See [`Function::kind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FuncKind {
    /// Belongs to no resource.
    Free,
    /// Takes `&self`.
    Method(TypeId),
    /// An associated function.
    Static(TypeId),
    /// `new`, returning `Self`, or `Result<Self, E>` as its `result` says.
    Constructor(TypeId),
}

/// What a chainable method returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Takes and returns `self`.
    Owned,
    /// Takes and returns `&self`.
    Ref,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Rust name, escaped; `self` for a method's first.
    pub name: String,
    /// The WIT name.
    pub wit_name: String,
    /// Where it was written.
    pub span: Span,
    /// Its type in this position.
    pub ty: Type,
    /// The same without references, where a host has both.
    pub owned: Type,
    /// Holds streams or futures.
    pub streams: bool,
    /// Whatever lowers as the type does is taken: a reference to it as well.
    pub borrows: bool,
}

/// See [`Function::plan`].
#[derive(Clone, Debug)]
pub enum CallPlan {
    /// The component calls.
    Import(ImportPlan),
    /// The component is called.
    Export(ExportPlan),
}

/// A core value; pointers and lengths are as wide as the target's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Core {
    /// `u32`.
    I32,
    /// `u64` (also a slot that holds a pointer or an i64).
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `usize`.
    Pointer,
}

/// How parameters go over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamsPlan {
    /// As core values.
    Flat(Vec<Core>),
    /// In memory, one pointer.
    Indirect,
}

/// How a synchronous result comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultPlan {
    /// There is none.
    None,
    /// As the core function's result.
    Flat(Core),
    /// Through memory.
    Indirect,
}

/// An import's call.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// wasm import module.
    pub module: String,
    /// wasm import name, `[async-lower]…` where the call is async.
    pub name: String,
    /// How parameters go over.
    pub params: ParamsPlan,
    /// How a synchronous call's result comes back; async calls always go through memory (or have none).
    pub result: ResultPlan,
}

/// An export's call.
#[derive(Clone, Debug)]
pub struct ExportPlan {
    /// wasm export name, `[async-lift]…` where the call is async.
    pub name: String,
    /// `[callback]…`, for async exports.
    pub callback: Option<String>,
    /// `cabi_post_…`, for synchronous exports whose result owns memory.
    pub post_return: Option<String>,
    /// How parameters come in.
    pub params: ParamsPlan,
    /// How a synchronous result goes back.
    pub result: ResultPlan,
    /// How an async result goes back.
    pub task_return: Option<TaskReturn>,
    /// Some parameter is a borrow of an imported resource: its handle must be dropped before the call returns.
    pub lends: bool,
}

/// The `task.return` of an async export.
#[derive(Clone, Debug)]
pub struct TaskReturn {
    /// wasm import module, `[export]my:pkg/api`.
    pub module: String,
    /// wasm import name, `[task-return]run`.
    pub name: String,
    /// How the result goes over; `Flat(vec![])` where there is none.
    pub result: ParamsPlan,
}
