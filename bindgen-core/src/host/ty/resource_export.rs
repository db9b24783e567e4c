//! Resources that a component provides: a type that owns one, and one that borrows it.

use super::attributes;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::host::root_lints;
use crate::model::{ExportedResource, TypeDef};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef, resource: &ExportedResource) -> TokenStream {
    let (attributes, lints) = (attributes(scope, def), root_lints(scope));
    let (name, borrow) = (ident(&def.name), ident(&resource.borrow_name));
    let text = format!(" A borrowed [`{name}`].");
    quote! {
        __rt::exported!(
            #attributes
            pub struct #name;

            #[doc = #text]
            #lints
            pub struct #borrow;
        );
    }
}
