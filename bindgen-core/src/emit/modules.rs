//! Puts items into the tree of modules they belong to.

use super::ident;
use proc_macro2::TokenStream;
use quote::quote;

/// A module with its items and its modules, in order of appearance.
#[derive(Default)]
pub(crate) struct Tree {
    items: TokenStream,
    modules: Vec<(String, Tree)>,
}

impl Tree {
    /// Adds items to the module at `path`.
    pub(crate) fn add(&mut self, path: &[String], items: TokenStream) {
        let Some((first, rest)) = path.split_first() else {
            self.items.extend(items);
            return;
        };
        let at = self.modules.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
            self.modules.push((first.clone(), Tree::default()));
            self.modules.len() - 1
        });
        self.modules[at].1.add(rest, items);
    }

    /// The items with all modules below; `outer` goes before each outermost module.
    pub(crate) fn print(&self, outer: &TokenStream) -> TokenStream {
        let items = &self.items;
        let modules = self.modules.iter().map(|(name, module)| {
            let name = ident(name);
            let items = module.print(&TokenStream::new());
            quote! { #outer pub mod #name { #items } }
        });
        quote! { #items #(#modules)* }
    }
}
