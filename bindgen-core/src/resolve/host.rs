//! What is decided for hosts alone: shared types, borrowed parameters, errors that fail a call, and names.

use super::function_names::OF_WORLD;
use super::usage::definition;
use super::{Resolver, Side};
use crate::diagnostic::Diagnostic;
use crate::model::{self, HostFunction, Lifetime, Param, ROOT, Reserved, Scalar, Type, TypeKind};
use crate::names;
use std::collections::{HashMap, HashSet};
use wit_parser::{Function as WitFunction, LiveTypes, Resolve, TypeDefKind, TypeId, WorldId, WorldItem};

/// An interface that is both imported and exported has one set of types, but for resources, which are two.
pub(crate) fn share(resolve: &Resolve, world: WorldId, classes: &mut HashMap<TypeId, TypeId>) {
    let world = &resolve.worlds[world];
    for (key, item) in &world.exports {
        let name = resolve.name_world_key(key);
        let sibling = world.imports.iter().find(|(other, _)| resolve.name_world_key(other) == name);
        let (WorldItem::Interface { id, .. }, Some((_, WorldItem::Interface { id: import, .. }))) = (item, sibling)
        else {
            continue;
        };
        for (name, ty) in &resolve.interfaces[*id].types {
            if let Some(imported) = resolve.interfaces[*import].types.get(name)
                && !has_resource(resolve, *ty)
            {
                let class = classes.get(imported).copied().unwrap_or(*imported);
                classes.insert(*ty, class);
                classes.entry(class).or_insert(class);
            }
        }
    }
}

fn has_resource(resolve: &Resolve, id: TypeId) -> bool {
    let mut live = LiveTypes::default();
    live.add_type_id(resolve, id);
    live.iter().any(|id| matches!(resolve.types[id].kind, TypeDefKind::Resource))
}

impl Resolver<'_> {
    /// The parameters of a function that a host provides: owned, but for strings and lists of integers in synchronous calls.
    pub(crate) fn params_of_host(&mut self, function: &WitFunction, is_async: bool) -> Vec<Param> {
        let mut params = self.params(function, false);
        for param in params.iter_mut().filter(|_| !is_async) {
            if let Some(slice) = self.slice(&param.ty) {
                param.ty = Type::Ref(Lifetime::Elided, Box::new(slice));
            }
        }
        params
    }

    /// What of a type can be read where the component has it.
    fn slice(&self, ty: &Type) -> Option<Type> {
        match ty {
            Type::String => Some(Type::Str),
            Type::Vec(element) => match self.without_names(element) {
                Type::Scalar(Scalar::Bool | Scalar::Char | Scalar::F32 | Scalar::F64) => None,
                scalar @ Type::Scalar(_) => Some(Type::Slice(Box::new(scalar))),
                _ => None,
            },
            Type::Named(..) => match self.without_names(ty) {
                Type::Named(..) => None,
                ty => self.slice(&ty),
            },
            _ => None,
        }
    }

    fn without_names(&self, ty: &Type) -> Type {
        match ty {
            Type::Named(id, _) => match &self.types[id.0].kind {
                TypeKind::Alias(target) => self.without_names(target),
                _ => ty.clone(),
            },
            ty => ty.clone(),
        }
    }

    pub(crate) fn host_function(&mut self, function: &WitFunction, name: &str, params: &[Param]) -> HostFunction {
        if self.side == Side::Guest {
            return HostFunction::default();
        }
        let free = |wanted: &str| {
            let taken: HashSet<&str> = params.iter().map(|param| param.name.as_str()).collect();
            unique(wanted, |name| taken.contains(name))
        };
        HostFunction {
            concurrent: format!("{name}_concurrent"),
            error: self.trappable_error(function),
            optional: false,
            reserved: Reserved {
                store: free("store"),
                accessor: free("caller"),
                host: free("host"),
                cx: free("cx"),
                this: free("this"),
            },
        }
    }

    /// The type that `trappable_error_type` puts in the place of a function's error.
    fn trappable_error(&mut self, function: &WitFunction) -> Option<String> {
        let Some(wit_parser::Type::Id(id)) = function.result else { return None };
        let TypeDefKind::Result(result) = &self.resolve.types[definition(self.resolve, id)].kind else { return None };
        let Some(wit_parser::Type::Id(error)) = result.err else { return None };
        let full = self.full_name(error);
        let found = self.options.trappable_error_type.iter().find(|(key, _)| is_key_of(key, &full))?;
        self.used_errors.insert(found.0.clone());
        Some(found.1.clone())
    }

    pub(crate) fn unused_error_types(&self) -> Vec<Diagnostic> {
        let keys = self.options.trappable_error_type.iter().map(|(key, _)| key);
        let unused = keys.filter(|key| !self.used_errors.contains(*key));
        let diagnostics = unused.map(|key| {
            let help = "keys are full names, `ns:pkg/interface@version/type`, of errors in results of functions";
            Diagnostic::new(format!("no function fails with `{key}`, which `trappable_error_type` has"))
                .help(help)
                .option("trappable_error_type", Some(key.clone()))
        });
        diagnostics.collect()
    }

    /// Names everything that only hosts have.
    pub(crate) fn name_host(&mut self) -> model::Host {
        for index in 0..self.modules.len() {
            let taken: HashSet<String> =
                self.modules[index].types.iter().map(|id| self.types[id.0].name.clone()).collect();
            self.modules[index].host_trait = unique("Host", |name| taken.contains(name));
            if let Some(guest) = &mut self.modules[index].guest {
                guest.trait_name = unique("Guest", |name| taken.contains(name));
            }
            let mut taken = taken;
            taken.insert(self.modules[index].host_trait.clone());
            for def in self.types.iter_mut().filter(|def| def.module.0 == index) {
                let wanted = format!("Host{}", names::camel_part(&def.wit_name));
                if let TypeKind::ImportedResource(resource) = &mut def.kind {
                    resource.host_trait = unique(&wanted, |name| taken.contains(name));
                    taken.insert(resource.host_trait.clone());
                }
            }
        }
        self.name_getters();
        let world = &self.resolve.worlds[self.world].name;
        let taken: HashSet<String> =
            self.modules[ROOT.0].types.iter().map(|id| self.types[id.0].name.clone()).collect();
        let free = |wanted: String| unique(&wanted, |name| taken.contains(name));
        let camel = names::camel_part(world);
        model::Host {
            name: free(names::case(world)),
            pre: free(format!("{camel}Pre")),
            imports: free(format!("{camel}Imports")),
            trappable: self.options.trappable_imports,
            tracing: self.options.tracing,
        }
    }

    /// What the world's instance calls the interfaces it has, beside the functions of the world.
    fn name_getters(&mut self) {
        let functions = self.modules[ROOT.0].guest.iter().flat_map(|guest| &guest.functions);
        let mut taken: HashSet<String> = functions.map(|function| function.name.clone()).collect();
        taken.extend(OF_WORLD.iter().map(|name| name.to_string()));
        for index in 1..self.modules.len() {
            if self.modules[index].guest.is_some() {
                let parts = &self.modules[index].path[1..];
                let getter = unique(&parts.join("_"), |name| taken.contains(name));
                taken.insert(getter.clone());
                self.modules[index].getter = getter;
            }
        }
    }

    /// Marks what a component may lack.
    pub(crate) fn mark_optional(&mut self) {
        let wanted = &self.options.optional_exports;
        let mut used = HashSet::new();
        let mut is_optional = |name: &str| {
            let found = wanted.iter().find(|wanted| {
                *wanted == "all" || *wanted == name || name.split_once('@').is_some_and(|(bare, _)| *wanted == bare)
            });
            found.map(|found| used.insert(found.clone())).is_some()
        };
        for (index, module) in self.modules.iter_mut().enumerate() {
            let Some(guest) = &mut module.guest else { continue };
            if index == ROOT.0 {
                for function in &mut guest.functions {
                    function.host.optional = is_optional(&function.wit_name);
                }
            } else {
                module.optional = is_optional(&module.id);
            }
        }
        self.used_optional = used;
    }

    pub(crate) fn unused_optional_exports(&self) -> Vec<Diagnostic> {
        let unused = self.options.optional_exports.iter().filter(|name| !self.used_optional.contains(*name));
        // That there is nothing is no mistake where all is meant.
        let unused = unused.filter(|name| *name != "all");
        let diagnostics = unused.map(|name| {
            Diagnostic::new(format!("the world does not export `{name}`, which `optional_exports` has"))
                .help("names are those of the world's functions, `ns:pkg/interface` of its interfaces, or `all`")
                .option("optional_exports", Some(name.clone()))
        });
        diagnostics.collect()
    }

    /// Types whose bytes can be copied: made of numbers, enums and flags alone.
    pub(crate) fn settle_plain(&mut self) {
        let mut known = vec![None; self.types.len()];
        for index in 0..self.types.len() {
            self.types[index].plain = self.is_plain(&Type::Named(model::TypeId(index), None), &mut known);
        }
    }

    fn is_plain(&self, ty: &Type, known: &mut [Option<bool>]) -> bool {
        let Type::Named(id, _) = ty else { return matches!(ty, Type::Scalar(_)) };
        if let Some(plain) = known[id.0] {
            return plain;
        }
        let def = &self.types[id.0];
        let plain = def.external.is_none()
            && match &def.kind {
                TypeKind::Alias(ty) => self.is_plain(ty, known),
                TypeKind::Record(fields) => fields.iter().all(|field| self.is_plain(&field.ty, known)),
                TypeKind::Enum { .. } | TypeKind::Flags { .. } => true,
                TypeKind::Variant { .. } | TypeKind::ImportedResource(_) | TypeKind::ExportedResource(_) => false,
            };
        known[id.0] = Some(plain);
        plain
    }
}

/// `ns:pkg/interface/type` or, as the peer has it, `ns:pkg/interface.type`.
fn is_key_of(key: &str, full: &str) -> bool {
    key == full || key.rsplit_once('.').is_some_and(|(interface, name)| format!("{interface}/{name}") == full)
}

/// A name that nothing else has.
pub(super) fn unique(wanted: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = wanted.to_string();
    while is_taken(&name) {
        name.push('_');
    }
    name
}
