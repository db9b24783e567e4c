//! Prints the bindings of a host: traits for what the component imports, and types to call what it exports.

mod call;
mod export;
mod import;
mod link;
mod ty;
mod world;

use crate::emit::modules::Tree;
use crate::emit::paths::Scope;
use crate::emit::{docs, ident, tokens};
use crate::model::{Docs, Function, Host, ModuleId, ROOT, TypeKind, World};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;

/// Prints a world.
pub(crate) fn world(world: &World) -> TokenStream {
    let Some(host) = &world.host else { return TokenStream::new() };
    let mut tree = Tree::default();
    for (index, module) in world.modules.iter().enumerate() {
        if module.home.is_some() {
            continue;
        }
        let scope = Scope { world, module: ModuleId(index) };
        let items = items(&scope, host);
        let header = if index == ROOT.0 { root_header(world) } else { module_header(&scope) };
        tree.add(&module.path, quote! { #header #items });
    }
    let modules = tree.print(&lints());
    let wide = wide(world);
    let world = world::define(world, host);
    quote! { #modules #wide #world }
}

/// A module's own items.
fn items(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let module = &scope.world.modules[scope.module.0];
    let types = module.types.iter().map(|id| ty::define(scope, *id));
    let imports = import::define(scope, host);
    let guest = match &module.guest {
        Some(guest) if scope.module != ROOT => Some(export::define(scope, guest)),
        _ => None,
    };
    quote! { #(#types)* #imports #guest }
}

/// What stands before the root's items.
fn root_header(world: &World) -> TokenStream {
    let runtime = tokens(&world.style.runtime);
    let remaps = world.style.remaps.iter().map(|(name, path)| {
        let (name, path) = (ident(name), tokens(path));
        quote! {
            #[allow(unused_imports)]
            use #path as #name;
        }
    });
    quote! {
        #[allow(unused_imports)]
        use #runtime as __rt;
        #(#remaps)*
    }
}

/// What stands before an interface's items.
fn module_header(scope: &Scope<'_>) -> TokenStream {
    let root = scope.to_root();
    let module = &scope.world.modules[scope.module.0];
    let text = module
        .docs
        .text
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { format!(" {}", line.trim_end()) });
    quote! {
        #(#![doc = #text])*
        #[allow(unused_imports)]
        use #root __rt;
    }
}

/// Parameter lists that the engine has no tuples for.
fn wide(world: &World) -> TokenStream {
    let modules = world.modules.iter().filter(|module| module.home.is_none());
    let free =
        modules.flat_map(|module| module.imports.iter().chain(module.guest.iter().flat_map(|guest| &guest.functions)));
    let of_resources = world.types.iter().flat_map(|def| match &def.kind {
        TypeKind::ImportedResource(resource) => resource.functions.as_slice(),
        TypeKind::ExportedResource(resource) => resource.functions.as_slice(),
        _ => &[],
    });
    let counts: BTreeSet<usize> = free
        .chain(of_resources)
        .map(|function: &Function| function.params.len())
        .filter(|count| *count > call::TUPLE)
        .collect();
    let lists = counts.into_iter().map(|count| {
        let (name, params) = (call::wide_name(count), (0..count).map(|index| format_ident!("A{index}")));
        let text = format!(" The parameters of functions that have {}.", Literal::usize_unsuffixed(count));
        quote! { __rt::wide!(#[doc = #text] #name(#(#params),*)); }
    });
    quote! { #(#lists)* }
}

/// Attributes for items at the root, which no module's lints cover.
fn root_lints(scope: &Scope<'_>) -> Option<TokenStream> {
    (scope.module == ROOT).then(lints)
}

/// Lints that say nothing about the user's own code.
fn lints() -> TokenStream {
    quote!(#[allow(
        dead_code, deprecated, missing_docs, missing_debug_implementations, non_snake_case, unreachable_pub,
        clippy::all
    )])
}

/// Documentation of an item.
fn documentation(text: &Docs) -> TokenStream {
    docs::attributes(text)
}
