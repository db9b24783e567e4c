//! What ties the streams that a value holds to their store.

use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::host::root_lints;
use crate::model::{Case, Field, Type, TypeDef, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints it for a type that is passed by value.
pub(super) fn define(scope: &Scope<'_>, def: &TypeDef) -> Option<TokenStream> {
    let body = match &def.kind {
        TypeKind::Record(fields) => def.streams.then(|| of_record(scope, fields)),
        TypeKind::Variant { cases, .. } => def.streams.then(|| of_variant(scope, cases)),
        TypeKind::Enum { .. } | TypeKind::Flags { .. } => None,
        TypeKind::Alias(_) | TypeKind::ImportedResource(_) | TypeKind::ExportedResource(_) => return None,
    };
    let (name, lints) = (ident(&def.name), root_lints(scope));
    let function = body.map(|body| {
        quote! {
            fn attach<T_: ::core::marker::Send + 'static>(
                &mut self,
                store: &mut __rt::StoreContextMut<'_, T_>,
            ) -> __rt::Result<()> {
                #body
            }
        }
    });
    Some(quote! {
        #lints
        impl __rt::Attach for #name { #function }
    })
}

fn of_record(scope: &Scope<'_>, fields: &[Field]) -> TokenStream {
    let names = fields.iter().filter(|field| holds_streams(scope.world, &field.ty)).map(|field| ident(&field.name));
    let ok = scope.ok();
    quote! { #(__rt::Attach::attach(&mut self.#names, store)?;)* #ok(()) }
}

fn of_variant(scope: &Scope<'_>, cases: &[Case]) -> TokenStream {
    let with_streams = |case: &&Case| case.ty.as_ref().is_some_and(|ty| holds_streams(scope.world, ty));
    let names: Vec<_> = cases.iter().filter(with_streams).map(|case| ident(&case.name)).collect();
    let ok = scope.ok();
    let rest = (names.len() < cases.len()).then(|| quote!(_ => #ok(()),));
    quote! { match self { #(Self::#names(value) => __rt::Attach::attach(value, store),)* #rest } }
}

fn holds_streams(world: &World, ty: &Type) -> bool {
    match ty {
        Type::Stream(_) | Type::Future(_) => true,
        Type::Named(id, _) => world.types[id.0].streams,
        ty => ty.parts().into_iter().any(|part| holds_streams(world, part)),
    }
}
