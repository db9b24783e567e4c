//! `type`, and what `use` brings into an interface.

use super::{attributes, generics};
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::guest::is_exported;
use crate::model::{Type, TypeDef, TypeId, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, target: &Type) -> TokenStream {
    let (attributes, name, generics, ty) = (attributes(scope, def), ident(&def.name), generics(def), scope.ty(target));
    let borrow = exported_resource(scope.world, target).map(|id| {
        let (name, target) = (ident(&format!("{}Borrow", def.name)), scope.borrow_name(id));
        quote! { #attributes pub type #name<'a> = #target<'a>; }
    });
    quote! { #attributes pub type #name #generics = #ty; #borrow }
}

/// The exported resource that a type is another name for.
fn exported_resource(world: &World, ty: &Type) -> Option<TypeId> {
    let Type::Named(id, _) = ty else { return None };
    match &world.types[id.0].kind {
        TypeKind::Alias(target) => exported_resource(world, target),
        _ => is_exported(world, *id).then_some(*id),
    }
}
