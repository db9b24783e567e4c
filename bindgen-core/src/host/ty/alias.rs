//! `type`, and what `use` brings into an interface.

use super::attributes;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{Type, TypeDef, TypeId, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, target: &Type) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    // Another name of a resource is that of its type, and not that of a handle to it.
    let ty = match target {
        Type::Named(id, _) => scope.name(*id),
        ty => scope.ty(ty),
    };
    let borrow = exported_resource(scope.world, target).map(|id| {
        let (name, target) = (ident(&format!("{}Borrow", def.name)), scope.borrow_name(id));
        quote! { #attributes pub type #name = #target; }
    });
    quote! { #attributes pub type #name = #ty; #borrow }
}

/// The exported resource that a type is another name for.
fn exported_resource(world: &World, ty: &Type) -> Option<TypeId> {
    let Type::Named(id, _) = ty else { return None };
    match &world.types[id.0].kind {
        TypeKind::Alias(target) => exported_resource(world, target),
        TypeKind::ExportedResource(_) => Some(*id),
        _ => None,
    }
}
