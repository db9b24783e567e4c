//! Prints the bindings of a guest: the model's types and functions as Rust that calls the runtime.

mod export;
mod import;
mod payload;
mod section;
mod stubs;
mod ty;

use crate::emit::modules::Tree;
use crate::emit::paths::Scope;
use crate::emit::{docs, ident, tokens};
use crate::model::{ModuleId, ROOT, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints a world.
pub(crate) fn world(world: &World) -> TokenStream {
    let mut tree = Tree::default();
    for (index, module) in world.modules.iter().enumerate() {
        if module.home.is_some() {
            continue;
        }
        let scope = Scope { world, module: ModuleId(index) };
        let items = items(&scope);
        if index != ROOT.0 && items.is_empty() {
            tree.add(&module.path, TokenStream::new());
            continue;
        }
        let header = if index == ROOT.0 { root_header(world) } else { module_header(&scope) };
        tree.add(&module.path, quote! { #header #items });
    }
    let modules = tree.print(&lints());
    let externals = ty::externals(&Scope { world, module: ROOT });
    let maps = ty::maps(world);
    let payloads = payload::define(world);
    let export_macro = export::world_macro(world);
    let section = section::define(world);
    let stubs = world.style.stubs.then(|| stubs::define(world));
    quote! { #modules #externals #maps #payloads #export_macro #section #stubs }
}

/// A module's own items.
fn items(scope: &Scope<'_>) -> TokenStream {
    let module = &scope.world.modules[scope.module.0];
    let types = module.types.iter().map(|id| ty::define(scope, *id));
    let imports = module.imports.iter().map(|function| import::define(scope, function));
    let guest = module.guest.as_ref().map(|guest| export::define(scope, guest));
    let items: TokenStream = quote! { #(#types)* #(#imports)* #guest };
    items
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

        /// The world these bindings are of, as a type.
        #[doc(hidden)]
        pub struct __World;
    }
}

/// What stands before an interface's items.
fn module_header(scope: &Scope<'_>) -> TokenStream {
    let root = scope.to_root();
    let link = scope.world.style.link_helpers.then(|| {
        quote! {
            #[used]
            #[doc(hidden)]
            static __FORCE_SECTION_REF: fn() = #root __link_custom_section_describing_imports;
        }
    });
    let module = &scope.world.modules[scope.module.0];
    let text = module
        .docs
        .text
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { format!(" {}", line.trim_end()) });
    quote! {
        #(#![doc = #text])*
        #link
        #[allow(unused_imports)]
        use #root {__World, __rt};
    }
}

/// Attributes for items at the root, which no module's lints cover.
fn root_lints(scope: &Scope<'_>) -> Option<TokenStream> {
    (scope.module == ROOT).then(lints)
}

/// Lints that say nothing about the user's own code.
fn lints() -> TokenStream {
    quote!(#[allow(dead_code, deprecated, missing_docs, non_snake_case, unreachable_pub, async_fn_in_trait, clippy::all)])
}

/// Documentation of an item.
fn documentation(text: &crate::model::Docs) -> TokenStream {
    docs::attributes(text)
}

/// Whether a type is a resource this component exports.
fn is_exported(world: &World, id: crate::model::TypeId) -> bool {
    matches!(world.types[id.0].kind, TypeKind::ExportedResource(_))
}
