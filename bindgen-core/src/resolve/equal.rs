//! Classes of types that are equal in structure, for `merge_structurally_equal_types`.

use super::usage::definition;
use std::collections::HashMap;
use wit_parser::{Handle, LiveTypes, Resolve, Type, TypeDefKind, TypeId, WorldId};

/// For every live type the first type of the world that it equals.
///
/// Without `merge` only types that are aliases in Rust too are in a class with others.
pub(crate) fn classes(resolve: &Resolve, world: WorldId, merge: bool) -> HashMap<TypeId, TypeId> {
    let mut live = LiveTypes::default();
    live.add_world(resolve, world);
    let live: Vec<TypeId> = live.iter().collect();
    let mut classes: HashMap<TypeId, TypeId> = HashMap::new();
    for (i, id) in live.iter().enumerate() {
        let nominal = matches!(
            resolve.types[*id].kind,
            TypeDefKind::Record(_)
                | TypeDefKind::Variant(_)
                | TypeDefKind::Enum(_)
                | TypeDefKind::Flags(_)
                | TypeDefKind::Resource
        );
        let earlier = live[..i].iter().find(|earlier| (merge || !nominal) && equal_ids(resolve, *id, **earlier, merge));
        let class = earlier.map_or(*id, |earlier| classes[earlier]);
        classes.insert(*id, class);
    }
    classes
}

fn equal(resolve: &Resolve, a: &Type, b: &Type, merge: bool) -> bool {
    match (peel(resolve, a), peel(resolve, b)) {
        (Type::Id(a), Type::Id(b)) => equal_ids(resolve, a, b, merge),
        (a, b) => a == b,
    }
}

/// A type without the aliases around it.
fn peel(resolve: &Resolve, ty: &Type) -> Type {
    let mut ty = *ty;
    while let Type::Id(id) = ty
        && let TypeDefKind::Type(next) = resolve.types[id].kind
    {
        ty = next;
    }
    ty
}

fn optional(resolve: &Resolve, a: Option<Type>, b: Option<Type>, merge: bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => equal(resolve, &a, &b, merge),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn equal_ids(resolve: &Resolve, a: TypeId, b: TypeId, merge: bool) -> bool {
    let (a, b) = (definition(resolve, a), definition(resolve, b));
    if a == b {
        return true;
    }
    let same = |a: &Type, b: &Type| equal(resolve, a, b, merge);
    match (&resolve.types[a].kind, &resolve.types[b].kind) {
        (TypeDefKind::Type(a), _) => same(a, &Type::Id(b)),
        (_, TypeDefKind::Type(b)) => same(&Type::Id(a), b),
        (TypeDefKind::Record(a), TypeDefKind::Record(b)) => {
            merge
                && a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| a.name == b.name && same(&a.ty, &b.ty))
        }
        (TypeDefKind::Variant(a), TypeDefKind::Variant(b)) => {
            merge
                && a.cases.len() == b.cases.len()
                && a.cases.iter().zip(&b.cases).all(|(a, b)| a.name == b.name && optional(resolve, a.ty, b.ty, merge))
        }
        (TypeDefKind::Enum(a), TypeDefKind::Enum(b)) => {
            merge && a.cases.len() == b.cases.len() && a.cases.iter().zip(&b.cases).all(|(a, b)| a.name == b.name)
        }
        (TypeDefKind::Flags(a), TypeDefKind::Flags(b)) => {
            merge && a.flags.len() == b.flags.len() && a.flags.iter().zip(&b.flags).all(|(a, b)| a.name == b.name)
        }
        (TypeDefKind::Tuple(a), TypeDefKind::Tuple(b)) => {
            a.types.len() == b.types.len() && a.types.iter().zip(&b.types).all(|(a, b)| same(a, b))
        }
        (TypeDefKind::List(a), TypeDefKind::List(b)) | (TypeDefKind::Option(a), TypeDefKind::Option(b)) => same(a, b),
        (TypeDefKind::FixedLengthList(a, n), TypeDefKind::FixedLengthList(b, m)) => n == m && same(a, b),
        (TypeDefKind::Result(a), TypeDefKind::Result(b)) => {
            optional(resolve, a.ok, b.ok, merge) && optional(resolve, a.err, b.err, merge)
        }
        (TypeDefKind::Map(a, v), TypeDefKind::Map(b, w)) => same(a, b) && same(v, w),
        (TypeDefKind::Future(a), TypeDefKind::Future(b)) | (TypeDefKind::Stream(a), TypeDefKind::Stream(b)) => {
            optional(resolve, *a, *b, merge)
        }
        (TypeDefKind::Handle(Handle::Own(a)), TypeDefKind::Handle(Handle::Own(b)))
        | (TypeDefKind::Handle(Handle::Borrow(a)), TypeDefKind::Handle(Handle::Borrow(b))) => {
            definition(resolve, *a) == definition(resolve, *b)
        }
        _ => false,
    }
}
