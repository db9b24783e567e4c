//! Flags.

use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::guest::{documentation, root_lints};
use crate::model::{Case, TypeDef, TypeId};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, bits: u32, flags: &[Case]) -> TokenStream {
    let (lints, docs) = (root_lints(scope), documentation(&def.docs));
    let (name, bits, bitflags) = (ident(&def.name), format_ident!("u{bits}"), tokens(&scope.world.style.bitflags));
    let flags = flags.iter().enumerate().map(|(index, flag)| {
        let (docs, name, index) = (documentation(&flag.docs), ident(&flag.name), Literal::usize_unsuffixed(index));
        quote! { #docs const #name = 1 << #index; }
    });
    quote! {
        #bitflags::bitflags! {
            #docs
            #lints
            #[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Clone, Copy)]
            pub struct #name: #bits { #(#flags)* }
        }
    }
}

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, bits: u32, count: usize) -> TokenStream {
    let (name, repr) = (scope.name(id), format_ident!("u{bits}"));
    // Three words are a `u128` that has one too many.
    let words = (bits == 128 && count <= 96).then(|| quote!(, 3));
    quote! { __rt::flags!(#name, __World, #repr #words); }
}
