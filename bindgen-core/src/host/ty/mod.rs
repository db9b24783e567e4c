//! Types: their definition, and what passes them.

mod alias;
mod attach;
mod enum_;
mod flags;
mod record;
mod resource_export;
mod resource_import;
mod variant;

use super::{documentation, root_lints};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::model::{Type, TypeDef, TypeId, TypeKind};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Prints a type that is defined here.
pub(super) fn define(scope: &Scope<'_>, id: TypeId) -> TokenStream {
    let def = &scope.world.types[id.0];
    let definition = match &def.kind {
        TypeKind::Alias(target) => alias::define(scope, def, target),
        TypeKind::Record(fields) => record::define(scope, def, fields),
        TypeKind::Variant { tag, cases } => variant::define(scope, def, *tag, cases),
        TypeKind::Enum { tag, cases } => enum_::define(scope, def, *tag, cases),
        TypeKind::Flags { bits, flags } => flags::define(scope, def, *bits, flags),
        TypeKind::ImportedResource(_) => resource_import::define(scope, def),
        TypeKind::ExportedResource(resource) => resource_export::define(scope, def, resource),
    };
    let attach = attach::define(scope, def);
    quote! { #definition #attach }
}

/// The attributes before a type's definition.
fn attributes(scope: &Scope<'_>, def: &TypeDef) -> TokenStream {
    let (lints, docs) = (root_lints(scope), documentation(&def.docs));
    let derives = def.derives.iter().map(|derive| tokens(derive));
    let attributes = def.attributes.iter().map(|attribute| tokens(attribute));
    let derive = (!def.derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
    quote! { #docs #lints #derive #(#attributes)* }
}

/// `Debug` of a type with these parts: derived where all of them have it, and otherwise what is printed by `format`.
fn debug<'a>(
    scope: &Scope<'_>,
    def: &TypeDef,
    parts: impl Iterator<Item = &'a Type>,
    format: impl Fn() -> TokenStream,
) -> (Option<TokenStream>, Option<TokenStream>) {
    let mut parts = parts;
    match parts.all(|ty| scope.world.has_debug(ty)) {
        true => (Some(quote!(#[derive(Debug)])), None),
        false => (None, Some(debug::implement(def, root_lints(scope).as_ref(), &format()))),
    }
}

/// A macro of the runtime, in a block with lints where no module's cover it.
fn passing(scope: &Scope<'_>, call: TokenStream) -> TokenStream {
    match root_lints(scope) {
        Some(lints) => quote! { #lints const _: () = { #call }; },
        None => call,
    }
}

/// `Display` and `Error` of a type that functions fail with.
fn error_impls(scope: &Scope<'_>, def: &TypeDef, format: TokenStream) -> Option<TokenStream> {
    if !def.error {
        return None;
    }
    let (name, lints) = (ident(&def.name), root_lints(scope));
    Some(quote! {
        #lints
        impl ::core::fmt::Display for #name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #format
            }
        }

        #lints
        impl ::core::error::Error for #name {}
    })
}

fn number(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}
