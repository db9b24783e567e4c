//! Records.

use super::{attributes, error_impls, passing};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::host::documentation;
use crate::model::{Field, TypeDef};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, fields: &[Field]) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    let names: Vec<_> = fields.iter().map(|field| ident(&field.name)).collect();
    let types: Vec<_> = fields.iter().map(|field| scope.ty(&field.ty)).collect();
    let wit_names = fields.iter().map(|field| &field.wit_name);
    let docs = fields.iter().map(|field| {
        let docs = documentation(&field.docs);
        let attributes = field.attributes.iter().map(|attribute| tokens(attribute));
        quote! { #docs #(#attributes)* }
    });
    let error = error_impls(scope, def, quote!(::core::fmt::Debug::fmt(self, f)));
    let plain = def.plain.then(|| quote!(plain));
    let passing = passing(scope, quote! { __rt::record!(#plain #name { #(#names: #types = #wit_names,)* }); });
    let (derive, debug) = super::debug(scope, def, fields.iter().map(|field| &field.ty), || {
        debug::record(scope, def, fields, |field| field.name.clone())
    });
    quote! {
        #attributes
        #derive
        pub struct #name { #(#docs pub #names: #types,)* }
        #debug
        #error
        #passing
    }
}
