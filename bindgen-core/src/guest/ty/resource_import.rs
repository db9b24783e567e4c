//! Resources that this component imports.

use super::attributes;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::guest::{import, root_lints};
use crate::model::{ImportedResource, TypeId};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, id: TypeId, resource: &ImportedResource) -> TokenStream {
    let def = &scope.world.types[id.0];
    let (attributes, name, lints) = (attributes(scope, def), ident(&def.name), root_lints(scope));
    let (module, drop) = (&resource.module, &resource.drop);
    let functions = resource.functions.iter().map(|function| import::define(scope, function));
    let functions = (!resource.functions.is_empty()).then(|| quote! { #lints impl #name { #(#functions)* } });
    quote! {
        #attributes
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct #name {
            handle: __rt::Resource<#name>,
        }

        #lints
        impl #name {
            #[doc(hidden)]
            pub unsafe fn from_handle(handle: u32) -> Self {
                Self { handle: unsafe { __rt::Resource::from_handle(handle) } }
            }

            #[doc(hidden)]
            pub fn take_handle(&self) -> u32 {
                __rt::Resource::take_handle(&self.handle)
            }

            #[doc(hidden)]
            pub fn handle(&self) -> u32 {
                __rt::Resource::handle(&self.handle)
            }
        }

        #lints
        unsafe impl __rt::WasmResource for #name {
            #[inline]
            unsafe fn drop(handle: u32) {
                __rt::import!(#module, #drop, fn import(handle: u32));
                unsafe { import(handle) }
            }
        }

        #functions
    }
}

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, resource: &ImportedResource) -> TokenStream {
    let name = scope.name(id);
    // A type from elsewhere need not have more functions than are called.
    match scope.world.types[id.0].external.is_some() && !resource.lent {
        true => quote! { __rt::owned_handle!(#name, __World); },
        false => quote! { __rt::handle!(#name, __World); },
    }
}
