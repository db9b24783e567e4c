//! How large types are, before anything is computed of them: each is looked at once, and nothing overflows.

use super::span;
use super::usage::parts;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Source;
use wit_parser::{Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem};

/// What engines allow: so many types in one, each counted wherever it is.
const MOST_PARTS: u64 = 1_000_000;
/// What memory has room for.
const MOST_BYTES: u64 = u32::MAX as u64;

/// The size of a type.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Types in it, each counted wherever it is.
    parts: u64,
    /// At least the bytes that it takes in memory, with pointers of either size.
    bytes: u64,
    /// Flat core values.
    slots: u64,
}

/// The sizes of all types, in the order of their indices.
pub(crate) struct Bounds(Vec<Size>);

impl Bounds {
    /// Refuses types that no engine takes, or that no memory has room for.
    pub(crate) fn check(resolve: &Resolve, source: &Source) -> Result<Bounds, Diagnostics> {
        let mut bounds = Bounds(Vec::with_capacity(resolve.types.len()));
        for (id, ty) in resolve.types.iter() {
            let size = bounds.measure(&ty.kind);
            bounds.0.push(size);
            let (what, most) = match size {
                Size { bytes, .. } if bytes > MOST_BYTES => (format!("takes {bytes} bytes of memory"), MOST_BYTES),
                Size { parts, .. } if parts > MOST_PARTS => (format!("is made of {parts} types"), MOST_PARTS),
                _ => continue,
            };
            let name = ty.name.as_ref().map_or("a type".to_string(), |name| format!("the type `{name}`"));
            let diagnostic = Diagnostic::new(format!("{name} {what}, and {most} is the limit"))
                .at(source.place(span(ty.span)).or_else(|| source.place(span(user(resolve, source.world, id)))))
                .help("put what is repeated into a `list`, whose items are elsewhere");
            return Err(diagnostic.into());
        }
        Ok(bounds)
    }

    /// Returns how many flat core values a type is.
    pub(crate) fn slots(&self, ty: &Type) -> usize {
        usize::try_from(self.of(ty).slots).unwrap_or(usize::MAX)
    }

    fn of(&self, ty: &Type) -> Size {
        let (bytes, slots) = match ty {
            Type::Id(id) => return self.0.get(id.index()).copied().unwrap_or_default(),
            Type::Bool | Type::S8 | Type::U8 => (1, 1),
            Type::S16 | Type::U16 => (2, 1),
            Type::S32 | Type::U32 | Type::F32 | Type::Char | Type::ErrorContext => (4, 1),
            Type::S64 | Type::U64 | Type::F64 => (8, 1),
            Type::String => (16, 2),
        };
        Size { parts: 1, bytes, slots }
    }

    fn measure(&self, kind: &TypeDefKind) -> Size {
        let sizes = || parts(kind).into_iter().map(|part| self.of(&part));
        let parts = sizes().fold(1, |all: u64, part| all.saturating_add(part.parts));
        let (bytes, slots) = match kind {
            TypeDefKind::Type(ty) => (self.of(ty).bytes, self.of(ty).slots),
            TypeDefKind::Record(_) | TypeDefKind::Tuple(_) => {
                // Each part is aligned to 8 bytes at most.
                let bytes = sizes().fold(0, |all: u64, part| all.saturating_add(part.bytes.saturating_add(7)));
                (bytes, sizes().fold(0, |all: u64, part| all.saturating_add(part.slots)))
            }
            TypeDefKind::Variant(_) | TypeDefKind::Enum(_) | TypeDefKind::Option(_) | TypeDefKind::Result(_) => {
                let bytes = sizes().map(|part| part.bytes).max().unwrap_or_default();
                let slots = sizes().map(|part| part.slots).max().unwrap_or_default();
                (bytes.saturating_add(8), slots.saturating_add(1))
            }
            TypeDefKind::FixedLengthList(ty, len) => {
                let item = self.of(ty);
                (item.bytes.saturating_mul(u64::from(*len)), item.slots.saturating_mul(u64::from(*len)))
            }
            TypeDefKind::Flags(flags) => {
                let words = flags.flags.len().div_ceil(32) as u64;
                (4 * words, words)
            }
            TypeDefKind::List(_) | TypeDefKind::Map(..) => (16, 2),
            TypeDefKind::Handle(_)
            | TypeDefKind::Future(_)
            | TypeDefKind::Stream(_)
            | TypeDefKind::Resource
            | TypeDefKind::Unknown => (4, 1),
        };
        Size { parts, bytes, slots }
    }
}

/// The first function of the world that has a type, which may have no place of its own.
fn user(resolve: &Resolve, world: WorldId, id: TypeId) -> wit_parser::Span {
    let world = &resolve.worlds[world];
    let functions = world.imports.values().chain(world.exports.values()).flat_map(|item| match item {
        WorldItem::Function(function) => vec![function],
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].functions.values().collect(),
        WorldItem::Type { .. } => Vec::new(),
    });
    let mut users = functions.filter(|function| {
        let types = function.params.iter().map(|param| &param.ty).chain(&function.result);
        types.into_iter().any(|ty| *ty == Type::Id(id))
    });
    users.next().map(|function| function.span).unwrap_or_default()
}
