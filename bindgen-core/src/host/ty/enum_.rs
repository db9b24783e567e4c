//! Enums.

use super::{attributes, error_impls, number, passing};
use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::host::{documentation, root_lints};
use crate::model::{Case, TypeDef};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, tag: usize, cases: &[Case]) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    let items = cases.iter().map(|case| {
        let (docs, name) = (documentation(&case.docs), ident(&case.name));
        let attributes = case.attributes.iter().map(|attribute| tokens(attribute));
        quote! { #docs #(#attributes)* #name }
    });
    let described = def.error.then(|| describe(scope, def, cases));
    let error = error_impls(scope, def, quote!(::core::write!(f, "{} (error {})", self.name(), *self as i32)));
    let passed = cases.iter().enumerate().map(|(index, case)| {
        let (index, name, wit_name) = (number(index), ident(&case.name), &case.wit_name);
        quote! { #index => #name = #wit_name }
    });
    let tag = number(tag);
    let passing = passing(scope, quote! { __rt::enumeration!(#name, #tag { #(#passed,)* }); });
    quote! {
        #attributes
        #[derive(Debug)]
        pub enum #name { #(#items,)* }
        #described
        #error
        #passing
    }
}

/// What an error says of itself.
fn describe(scope: &Scope<'_>, def: &TypeDef, cases: &[Case]) -> TokenStream {
    let (lints, name) = (root_lints(scope), ident(&def.name));
    let names: Vec<_> = cases.iter().map(|case| ident(&case.name)).collect();
    let wit_names = cases.iter().map(|case| &case.wit_name);
    let messages = cases.iter().map(|case| &case.docs.text);
    quote! {
        #lints
        impl #name {
            /// The name of the case, as in WIT.
            pub fn name(&self) -> &'static str {
                match self { #(Self::#names => #wit_names,)* }
            }

            /// The documentation of the case.
            pub fn message(&self) -> &'static str {
                match self { #(Self::#names => #messages,)* }
            }
        }
    }
}
