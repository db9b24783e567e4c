//! Variants.

use super::{attributes, debug_cases, error_impls, generics, lift, lower, shape};
use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::guest::documentation;
use crate::model::{Case, TypeDef, TypeId};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, cases: &[Case]) -> TokenStream {
    let (attributes, name, generics) = (attributes(scope, def), ident(&def.name), generics(def));
    let items = cases.iter().map(|case| {
        let (docs, name) = (documentation(&case.docs), ident(&case.name));
        let attributes = case.attributes.iter().map(|attribute| tokens(attribute));
        let payload = case.ty.as_ref().map(|ty| {
            let ty = scope.ty(ty);
            quote!((#ty))
        });
        quote! { #docs #(#attributes)* #name #payload }
    });
    let debug = debug_cases(scope, def, cases);
    let error = error_impls(scope, def, quote!(::core::fmt::Debug::fmt(self, f)));
    quote! {
        #attributes
        pub enum #name #generics { #(#items,)* }
        #debug
        #error
    }
}

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, tag: usize, cases: &[Case]) -> TokenStream {
    let tag = Literal::usize_unsuffixed(tag);
    let payloads = cases.iter().filter_map(|case| case.ty.as_ref()).map(|ty| scope.ty(ty));
    let shape = shape(scope, id, quote!(__rt::Shape::variant(#tag, &[#(<#payloads as __rt::Abi<__World>>::SHAPE),*])));
    let lifts = cases.iter().enumerate().map(|(index, case)| {
        let (index, name) = (Literal::usize_unsuffixed(index), ident(&case.name));
        match &case.ty {
            Some(_) => quote!(#index => Self::#name(payload.take())),
            None => quote!(#index => Self::#name),
        }
    });
    let lowers = cases.iter().enumerate().map(|(index, case)| {
        let (index, name) = (Literal::usize_unsuffixed(index), ident(&case.name));
        match &case.ty {
            Some(_) => quote!(Self::#name(value) => to.variant::<Self>(#tag, #index).put(value)),
            None => quote!(Self::#name => { to.variant::<Self>(#tag, #index); }),
        }
    });
    let disowns = cases.iter().filter(|case| case.ty.is_some()).map(|case| {
        let name = ident(&case.name);
        quote!(Self::#name(value) => __rt::Lower::<__World>::disown(value))
    });
    let rest = cases.iter().any(|case| case.ty.is_none()).then(|| quote!(_ => {}));
    let payload = if cases.iter().any(|case| case.ty.is_some()) { quote!(mut payload) } else { quote!(_) };
    let lift = lift(
        scope,
        id,
        quote! {
            unsafe {
                let (case, #payload) = from.variant::<Self>(#tag);
                match case {
                    #(#lifts,)*
                    _ => __rt::invalid(),
                }
            }
        },
    );
    let lower = lower(
        scope,
        id,
        quote! { unsafe { match self { #(#lowers,)* } } },
        quote! { unsafe { match self { #(#disowns,)* #rest } } },
    );
    quote! { #shape #lift #lower }
}
