//! Flags.

use super::passing;
use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::host::{documentation, root_lints};
use crate::model::{Case, TypeDef};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, bits: u32, flags: &[Case]) -> TokenStream {
    let (lints, docs) = (root_lints(scope), documentation(&def.docs));
    let (name, bits, bitflags) = (ident(&def.name), format_ident!("u{bits}"), tokens(&scope.world.style.bitflags));
    let wit_names = flags.iter().map(|flag| &flag.wit_name);
    let passing = passing(scope, quote! { __rt::flags!(#name, #bits, [#(#wit_names),*]); });
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
        #passing
    }
}
