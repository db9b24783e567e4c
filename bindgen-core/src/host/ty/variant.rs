//! Variants.

use super::{attributes, error_impls, number, passing};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::host::documentation;
use crate::model::{Case, TypeDef};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, tag: usize, cases: &[Case]) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    let items = cases.iter().map(|case| {
        let (docs, name) = (documentation(&case.docs), ident(&case.name));
        let attributes = case.attributes.iter().map(|attribute| tokens(attribute));
        let payload = case.ty.as_ref().map(|ty| {
            let ty = scope.ty(ty);
            quote!((#ty))
        });
        quote! { #docs #(#attributes)* #name #payload }
    });
    let error = error_impls(scope, def, quote!(::core::fmt::Debug::fmt(self, f)));
    let passed = cases.iter().enumerate().map(|(index, case)| {
        let (index, name, wit_name) = (number(index), ident(&case.name), &case.wit_name);
        let payload = case.ty.as_ref().map(|ty| {
            let ty = scope.ty(ty);
            quote!(value: #ty)
        });
        quote! { #index => #name #payload = #wit_name }
    });
    let tag = number(tag);
    let passing = passing(scope, quote! { __rt::variant!(#name, #tag { #(#passed,)* }); });
    let payloads = cases.iter().filter_map(|case| case.ty.as_ref());
    let (derive, debug) = super::debug(scope, def, payloads, || debug::cases(scope, cases, |case| case.name.clone()));
    quote! {
        #attributes
        #derive
        pub enum #name { #(#items,)* }
        #debug
        #error
        #passing
    }
}
