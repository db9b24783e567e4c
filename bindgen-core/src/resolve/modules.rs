//! Which modules the output has, and which interfaces live elsewhere.

use super::{Resolver, Side, docs, key_name};
use crate::diagnostic::Diagnostic;
use crate::model::{Module, ModuleId};
use crate::names;
use crate::options::{Options, With};
use std::collections::HashSet;
use wit_parser::{InterfaceId, PackageId, Resolve, WorldItem, WorldKey};

/// What `with` says, and what of it was used.
pub(crate) struct Remaps {
    with: Vec<(String, With)>,
    used: HashSet<String>,
    /// Paths of interfaces, each with a name at the root.
    aliases: Vec<(String, String)>,
}

impl Remaps {
    pub(crate) fn new(options: &Options) -> Self {
        Remaps { with: options.with.clone(), used: HashSet::new(), aliases: Vec::new() }
    }

    pub(crate) fn get(&mut self, key: &str) -> Option<With> {
        let with = self.with.iter().rev().find(|(known, _)| known == key)?.1.clone();
        self.used.insert(key.to_string());
        Some(with)
    }

    /// The name at the root of an interface that is elsewhere.
    fn alias(&mut self, path: String) -> String {
        let name = format!("__with_name{}", self.aliases.len());
        self.aliases.push((name.clone(), path));
        name
    }

    pub(crate) fn aliases(&self) -> Vec<(String, String)> {
        self.aliases.clone()
    }

    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        let unused = self.with.iter().filter(|(key, _)| !self.used.contains(key));
        unused
            .map(|(key, _)| {
                let help = "keys are imported interfaces, `ns:pkg/interface@version`, or their types, `ns:pkg/interface@version/type`; exports are always generated";
                Diagnostic::new(format!("`with` has a key `{key}` that the world does not import"))
                    .help(help)
                    .option("with", Some(key.clone()))
            })
            .collect()
    }
}

impl Resolver<'_> {
    /// Makes the root and a module for every interface that is generated.
    pub(crate) fn define_modules(&mut self) {
        let resolve = self.resolve;
        let world = &resolve.worlds[self.world];
        self.modules.push(Module {
            path: Vec::new(),
            id: "$root".to_string(),
            docs: docs(&world.docs, &world.stability),
            types: Vec::new(),
            imports: Vec::new(),
            guest: None,
            host_trait: String::new(),
            getter: String::new(),
            optional: false,
            home: None,
        });
        for (key, item) in &world.imports {
            if let WorldItem::Interface { id, .. } = item {
                let name = key_name(resolve, key);
                let own = resolve.interfaces[*id].package == world.package;
                let home = match self.remaps.get(&name) {
                    Some(With::Path(path)) => Some(self.remaps.alias(path)),
                    Some(With::Generate) => None,
                    None if own || self.options.generate_all || self.side == Side::Host => None,
                    None => {
                        self.refuse_missing(&name, item);
                        None
                    }
                };
                self.module(key, *id, false, home);
            }
        }
        for (key, item) in &world.exports {
            if let WorldItem::Interface { id, .. } = item {
                // Exports are always generated; naming one in `with` is allowed, and has no effect.
                self.remaps.get(&key_name(resolve, key));
                self.module(key, *id, true, None);
            }
        }
    }

    fn refuse_missing(&mut self, name: &str, item: &WorldItem) {
        let help = format!(
            "add `generate_all` to generate every interface of other packages, or say where this one is: `with: {{ \"{name}\": path::to::module }}`, or `generate`"
        );
        let world = self.resolve.worlds[self.world].span;
        let place = self.source.place(super::span(item.span())).or_else(|| self.source.place(super::span(world)));
        let message =
            format!("the import `{name}` is of another package, and `with` does not say where its bindings are");
        self.errors.push(Diagnostic::new(message).at(place).help(help));
    }

    fn module(&mut self, key: &WorldKey, id: InterfaceId, exported: bool, home: Option<String>) {
        let interface = &self.resolve.interfaces[id];
        let module = ModuleId(self.modules.len());
        self.module_of.insert(id, module);
        self.modules.push(Module {
            path: path(self.resolve, key, exported),
            id: key_name(self.resolve, key),
            docs: docs(&interface.docs, &interface.stability),
            types: Vec::new(),
            imports: Vec::new(),
            guest: None,
            host_trait: String::new(),
            getter: String::new(),
            optional: false,
            home,
        });
    }
}

/// The path of an interface's module.
fn path(resolve: &Resolve, key: &WorldKey, exported: bool) -> Vec<String> {
    let mut path = Vec::new();
    if exported {
        path.push("exports".to_string());
    }
    match key {
        WorldKey::Name(name) => path.push(names::snake(name)),
        WorldKey::Interface(id) => {
            let interface = &resolve.interfaces[*id];
            if let Some(package) = interface.package {
                path.push(names::snake(&resolve.packages[package].name.namespace));
                path.push(package_module(resolve, package));
            }
            path.push(names::snake(interface.name.as_deref().unwrap_or_default()));
        }
    }
    if let Some(first) = path.first_mut().filter(|first| PAIRS.contains(&first.as_str())) {
        first.push('_');
    }
    path
}

/// The modules at the root that make streams and futures.
const PAIRS: [&str; 2] = ["wit_stream", "wit_future"];

/// The module of a package: with its version where several versions are about.
fn package_module(resolve: &Resolve, id: PackageId) -> String {
    let name = &resolve.packages[id].name;
    let versions = resolve
        .packages
        .iter()
        .filter(|(_, other)| other.name.namespace == name.namespace && other.name.name == name.name);
    match &name.version {
        Some(version) if versions.count() > 1 => {
            let version = version.to_string().replace(['.', '-', '+'], "_");
            format!("{}{}", names::snake_part(&name.name), names::snake_part(&version))
        }
        _ => names::snake(&name.name),
    }
}
