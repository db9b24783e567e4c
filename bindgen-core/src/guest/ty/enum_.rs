//! Enums.

use super::{attributes, debug_cases, error_impls, lift, lower, shape};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::guest::{documentation, root_lints};
use crate::model::{Case, TypeDef, TypeId};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, cases: &[Case]) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    let repr = ident(match cases.len() {
        0..=256 => "u8",
        257..=65536 => "u16",
        _ => "u32",
    });
    let items = cases.iter().map(|case| {
        let (docs, name) = (documentation(&case.docs), ident(&case.name));
        let attributes = case.attributes.iter().map(|attribute| tokens(attribute));
        quote! { #docs #(#attributes)* #name }
    });
    let debug = match def.error {
        true => {
            let name = &def.name;
            let fields = quote! {
                .field("code", &(*self as i32)).field("name", &self.name()).field("message", &self.message())
            };
            debug::implement(def, root_lints(scope).as_ref(), &quote!(f.debug_struct(#name) #fields .finish()))
        }
        false => debug_cases(scope, def, cases),
    };
    let described = def.error.then(|| describe(scope, def, cases));
    let error = error_impls(scope, def, quote!(::core::write!(f, "{} (error {})", self.name(), *self as i32)));
    quote! {
        #attributes
        #[repr(#repr)]
        pub enum #name { #(#items,)* }
        #described
        #debug
        #error
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

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, tag: usize, cases: &[Case]) -> TokenStream {
    let tag = Literal::usize_unsuffixed(tag);
    let shape = shape(scope, id, quote!(__rt::Shape::variant(#tag, &[])));
    let (names, indexes): (Vec<_>, Vec<_>) =
        cases.iter().enumerate().map(|(index, case)| (ident(&case.name), Literal::usize_unsuffixed(index))).unzip();
    let lift = lift(
        scope,
        id,
        quote! {
            match unsafe { from.variant::<Self>(#tag).0 } {
                #(#indexes => Self::#names,)*
                _ => __rt::invalid(),
            }
        },
    );
    let lower = lower(
        scope,
        id,
        quote! {
            let case = match self { #(Self::#names => #indexes,)* };
            unsafe { to.variant::<Self>(#tag, case); }
        },
        TokenStream::new(),
    );
    quote! { #shape #lift #lower }
}
