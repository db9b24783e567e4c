//! Records.

use super::{attributes, error_impls, generics, lift, lower, shape};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::guest::{documentation, root_lints};
use crate::model::{Field, TypeDef, TypeId};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, fields: &[Field]) -> TokenStream {
    let (attributes, name, generics) = (attributes(scope, def), ident(&def.name), generics(def));
    let items = fields.iter().map(|field| {
        let (docs, name, ty) = (documentation(&field.docs), ident(&field.name), scope.ty(&field.ty));
        let attributes = field.attributes.iter().map(|attribute| tokens(attribute));
        quote! { #docs #(#attributes)* pub #name: #ty }
    });
    let (derive, debug) = debug(scope, def, fields);
    let error = error_impls(scope, def, quote!(::core::fmt::Debug::fmt(self, f)));
    quote! {
        #attributes
        #derive
        pub struct #name #generics { #(#items,)* }
        #debug
        #error
    }
}

/// `Debug` with the fields' names of WIT: derived where they are those of Rust.
fn debug(scope: &Scope<'_>, def: &TypeDef, fields: &[Field]) -> (Option<TokenStream>, Option<TokenStream>) {
    let is_derived = |field: &Field| field.name == field.wit_name && scope.world.has_debug(&field.ty);
    if fields.iter().all(is_derived) {
        return (Some(quote!(#[derive(Debug)])), None);
    }
    let format = debug::record(scope, def, fields, |field| field.wit_name.clone());
    (None, Some(debug::implement(def, root_lints(scope).as_ref(), &format)))
}

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, fields: &[Field]) -> TokenStream {
    let names: Vec<_> = fields.iter().map(|field| ident(&field.name)).collect();
    let types: Vec<_> = fields.iter().map(|field| scope.ty(&field.ty)).collect();
    let shape = shape(scope, id, quote!(__rt::Shape::record(&[#(<#types as __rt::Abi<__World>>::SHAPE),*])));
    let (lifted, lowered) = match fields {
        [] => (quote! { let _ = from; Self {} }, quote! { let _ = to; }),
        _ => (quote! { unsafe { Self { #(#names: from.take()),* } } }, quote! { unsafe { #(to.put(&self.#names);)* } }),
    };
    let lift = lift(scope, id, lifted);
    let lower = lower(scope, id, lowered, quote!(unsafe { #(__rt::Lower::<__World>::disown(&self.#names);)* }));
    quote! { #shape #lift #lower }
}
