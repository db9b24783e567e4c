//! The Rust names of functions, where WIT's are those of something that the bindings have.

use super::host::unique;
use super::{Resolver, Side};
use crate::model::{self, ROOT, TypeKind};
use std::collections::HashSet;

/// What every instance has, beside the functions of its world.
pub(super) const OF_WORLD: &[&str] = &["add_to_linker", "instantiate", "instantiate_async", "new"];

/// What every imported resource of a guest has, beside its own functions.
const OF_HANDLE: &[&str] = &["from_handle", "handle", "take_handle"];

impl Resolver<'_> {
    /// Functions get names that neither another nor the bindings have: with an underscore behind.
    pub(crate) fn part_function_names(&mut self) {
        let (of_world, of_handle) = match self.side {
            Side::Host => (OF_WORLD, &[][..]),
            Side::Guest => (&[][..], OF_HANDLE),
        };
        for (index, module) in self.modules.iter_mut().enumerate() {
            if let Some(guest) = &mut module.guest {
                part_names(&mut guest.functions, if index == ROOT.0 { of_world } else { &[] });
            }
        }
        for def in &mut self.types {
            match &mut def.kind {
                TypeKind::ImportedResource(resource) => part_names(&mut resource.functions, of_handle),
                TypeKind::ExportedResource(resource) => part_names(&mut resource.functions, &[]),
                _ => {}
            }
        }
    }
}

/// A method called `new` is not the constructor, and one called `a-concurrent` is not what calls `a` without a store.
fn part_names(functions: &mut [model::Function], reserved: &[&str]) {
    let mut taken: HashSet<String> = reserved.iter().map(|name| name.to_string()).collect();
    if functions.iter().any(|function| matches!(function.kind, model::FuncKind::Constructor(_))) {
        taken.insert("new".into());
    }
    for function in functions.iter_mut() {
        if !matches!(function.kind, model::FuncKind::Constructor(_)) && taken.contains(&function.name) {
            let renamed = unique(&function.name, |name| taken.contains(name));
            function.host.concurrent = format!("{renamed}_concurrent");
            function.name = renamed;
        }
    }
    // Two of WIT's that are one in Rust are refused, and so kept as they are.
    taken.extend(functions.iter().map(|function| function.name.clone()));
    for function in functions {
        function.host.concurrent = unique(&function.host.concurrent, |name| taken.contains(name));
        taken.insert(function.host.concurrent.clone());
    }
}
