//! A type that implements every export by trapping, to see whether everything fits.

use super::export;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{ModuleId, ROOT, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints the type `Stub` with all impls, and exports it.
pub(super) fn define(world: &World) -> TokenStream {
    let root = Scope { world, module: ROOT };
    let taken = world.modules[ROOT.0].types.iter().any(|id| world.types[id.0].name == "Stub");
    let stub_type = ident(if taken { "Stub_" } else { "Stub" });
    let guests =
        world.modules.iter().enumerate().filter_map(|(index, module)| Some((ModuleId(index), module.guest.as_ref()?)));
    let impls = guests.clone().map(|(id, guest)| {
        let (path, name) = (root.to_module(id), ident(&guest.trait_name));
        let functions = guest.functions.iter().map(|function| stub(&root, function));
        let associated = guest.resources.iter().map(|id| {
            let name = ident(&world.types[id.0].name);
            quote!(type #name = #stub_type;)
        });
        let resources = guest.resources.iter().filter_map(|id| match &world.types[id.0].kind {
            TypeKind::ExportedResource(resource) => {
                let name = ident(&resource.trait_name);
                let functions = resource.functions.iter().map(|function| stub(&root, function));
                Some(quote! { impl #path #name for #stub_type { #(#functions)* } })
            }
            _ => None,
        });
        quote! {
            impl #path #name for #stub_type {
                #(#associated)*
                #(#functions)*
            }
            #(#resources)*
        }
    });
    let export = guests.clone().next().is_some().then(|| {
        let export = ident(&world.style.export_macro);
        quote! { #export!(#stub_type); }
    });
    quote! {
        /// Implements the world by trapping.
        #[allow(dead_code)]
        #[derive(Debug)]
        pub struct #stub_type;

        #[allow(unused_variables, deprecated, clippy::all)]
        const _: () = { #(#impls)* };
        #export
    }
}

fn stub(scope: &Scope<'_>, function: &crate::model::Function) -> TokenStream {
    let head = export::head(scope, function);
    quote! { #head { ::core::unreachable!() } }
}
