//! Resources that a host provides: a name for their handles, `Res<Conn>`.

use super::attributes;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::TypeDef;
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, def: &TypeDef) -> TokenStream {
    let (attributes, name) = (attributes(scope, def), ident(&def.name));
    quote! {
        #attributes
        #[derive(Debug)]
        pub enum #name {}
    }
}
