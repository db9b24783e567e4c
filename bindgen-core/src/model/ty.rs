//! Rust types as they are printed, one [`Type`] per position: a parameter and a result of the same WIT type may differ.

use super::{Docs, ExportedResource, ImportedResource, ModuleId, Span};

/// An index into [`super::World::types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub usize);

/// A lifetime as it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lifetime {
    /// Left out: `&str`, and `'_` where a path takes one.
    Elided,
    /// `'a`, in type definitions.
    A,
}

/// Types that are one core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the Rust type of that name")]
pub enum Scalar {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
}

/// A Rust type in one position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A primitive.
    Scalar(Scalar),
    /// `String`.
    String,
    /// `str`, always behind a [`Type::Ref`].
    Str,
    /// `Vec<T>` (also what `string` becomes with `raw_strings`).
    Vec(Box<Type>),
    /// `[T]`, always behind a [`Type::Ref`].
    Slice(Box<Type>),
    /// `[T; N]`.
    Array(Box<Type>, u32),
    /// `&T` or `&'a T`.
    Ref(Lifetime, Box<Type>),
    /// `Option<T>`.
    Option(Box<Type>),
    /// `Result<T, E>`; a missing side is `()`.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// `(A, B)`; one element prints as `(A,)`, none as `()`.
    Tuple(Vec<Type>),
    /// The map type applied to key and value.
    Map(Box<Type>, Box<Type>),
    /// A type of [`super::World::types`], with its lifetime where it takes one.
    Named(TypeId, Option<Lifetime>),
    /// The borrow of an exported resource, `FooBorrow<'_>`.
    ExportedBorrow(TypeId, Lifetime),
    /// `StreamReader<T>`; `None` prints `()`.
    Stream(Option<Box<Type>>),
    /// `FutureReader<T>`; `None` prints `()`.
    Future(Option<Box<Type>>),
    /// `ErrorContext`.
    ErrorContext,
}

impl Type {
    /// The types this one is directly made of.
    pub fn parts(&self) -> Vec<&Type> {
        match self {
            Type::Vec(ty) | Type::Slice(ty) | Type::Array(ty, _) | Type::Ref(_, ty) | Type::Option(ty) => vec![ty],
            Type::Result(ok, err) => ok.as_deref().into_iter().chain(err.as_deref()).collect(),
            Type::Tuple(types) => types.iter().collect(),
            Type::Map(key, value) => vec![key, value],
            Type::Stream(payload) | Type::Future(payload) => payload.as_deref().into_iter().collect(),
            Type::Scalar(_)
            | Type::String
            | Type::Str
            | Type::Named(..)
            | Type::ExportedBorrow(..)
            | Type::ErrorContext => Vec::new(),
        }
    }
}

/// Size, alignment and flat slots as wit-parser computed them; printed as an assertion beside the runtime's own derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes with 4-byte and with 8-byte pointers.
    pub size: [usize; 2],
    /// Alignment with 4-byte and with 8-byte pointers.
    pub align: [usize; 2],
    /// Number of flat core values.
    pub slots: usize,
}

/// One Rust type. A WIT type becomes two of them where `ownership` asks for a borrowed and an owned form.
#[derive(Clone, Debug)]
pub struct TypeDef {
    /// The Rust name, an identifier in upper camel case, escaped; where `external` is set, unused.
    pub name: String,
    /// The name as one of a function, `sess`.
    pub snake: String,
    /// The WIT name, kebab case, for messages.
    pub wit_name: String,
    /// Where it was written.
    pub span: Span,
    /// The module it is printed in.
    pub module: ModuleId,
    /// A path given by `with`: nothing but the ABI impls are printed. Always absolute or relative to the root.
    pub external: Option<String>,
    /// Documentation.
    pub docs: Docs,
    /// What it is.
    pub kind: TypeKind,
    /// Takes a lifetime parameter `'a`.
    pub lifetime: bool,
    /// Paths in `#[derive(…)]`, in order, as the user or the rules want them.
    pub derives: Vec<String>,
    /// Whole attributes given by the user, `#[serde(rename = "x")]`.
    pub attributes: Vec<String>,
    /// It is the error of some result: gets `Display` and `Error`.
    pub error: bool,
    /// The ABI impls that are printed: some types only go one way.
    pub lift: bool,
    /// See `lift`.
    pub lower: bool,
    /// Holds own handles, streams or futures: prints `OWNS` and `disown`.
    pub owns: bool,
    /// Holds streams or futures: a host's are attached to their store.
    pub streams: bool,
    /// A record of numbers without a gap: a host copies lists of it quickly.
    pub plain: bool,
    /// Its layout; `None` for aliases.
    pub shape: Option<Shape>,
}

/// See [`TypeDef::kind`].
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `pub type Name = …;`.
    Alias(Type),
    /// A struct with public fields.
    Record(Vec<Field>),
    /// An enum with payloads.
    Variant {
        /// Bytes of the discriminant in memory.
        tag: usize,
        /// Its cases.
        cases: Vec<Case>,
    },
    /// An enum without payloads.
    Enum {
        /// Bytes of the discriminant in memory.
        tag: usize,
        /// Its cases; `ty` is `None`.
        cases: Vec<Case>,
    },
    /// A set of named bits.
    Flags {
        /// 8, 16, 32, 64 or 128.
        bits: u32,
        /// Name in upper snake case, docs.
        flags: Vec<Case>,
    },
    /// A resource the component imports.
    ImportedResource(ImportedResource),
    /// A resource the component exports.
    ExportedResource(ExportedResource),
}

impl TypeKind {
    /// The types this one is directly made of.
    pub fn parts(&self) -> Vec<&Type> {
        match self {
            TypeKind::Alias(ty) => vec![ty],
            TypeKind::Record(fields) => fields.iter().map(|field| &field.ty).collect(),
            TypeKind::Variant { cases, .. } => cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
            TypeKind::Enum { .. }
            | TypeKind::Flags { .. }
            | TypeKind::ImportedResource(_)
            | TypeKind::ExportedResource(_) => Vec::new(),
        }
    }
}

/// A record's field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Rust name, escaped.
    pub name: String,
    /// WIT name.
    pub wit_name: String,
    /// Where it was written.
    pub span: Span,
    /// Documentation.
    pub docs: Docs,
    /// Attributes given by the user.
    pub attributes: Vec<String>,
    /// Its type.
    pub ty: Type,
}

/// A case of a variant or an enum, or a flag.
#[derive(Clone, Debug)]
pub struct Case {
    /// Rust name, escaped.
    pub name: String,
    /// WIT name.
    pub wit_name: String,
    /// Where it was written.
    pub span: Span,
    /// Documentation.
    pub docs: Docs,
    /// Attributes given by the user.
    pub attributes: Vec<String>,
    /// The payload.
    pub ty: Option<Type>,
}
