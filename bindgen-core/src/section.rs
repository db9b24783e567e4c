//! Writes the `component-type` custom section: a world as a component type, which the linker reads to make a component.
//!
//! The bytes are those that `wit-component` would write (a test compares them), without its weight: a macro's users build
//! whatever the macro needs. What the format calls attributes of names (`implements`, `external-id`) is left out: names
//! with attributes begin with another byte, and the linker that comes with Rust 1.95 refuses the whole section then.
//! Without `implements` a named import of an interface reads as one that is written inline, which links the same.

mod encoder;
mod types;

use encoder::{Bytes, Declarations, Sort};
use std::collections::HashMap;
use std::mem;
use types::Known;
use wit_parser::{Function, InterfaceId, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem};

/// The version of the section's layout that `wit-component` reads.
const LAYOUT: u8 = 4;
/// Strings are UTF-8.
const UTF8: u8 = 0;

/// A tool that had a hand in the component: what it did, its name, its version.
pub type Producer<'a> = (&'a str, &'a str, &'a str);

/// The section's contents.
///
/// # Errors
/// The name of a kind of type that has no encoding.
pub fn encode(resolve: &Resolve, world: WorldId, producers: &[Producer<'_>]) -> Result<Vec<u8>, String> {
    let component = Encoder::new(resolve).world(world)?;
    let world = &resolve.worlds[world];
    let package = world.package.ok_or("a world without a package")?;

    let mut outer = Declarations::component();
    outer.ty(&component.finish());
    outer.export(&resolve.id_of_name(package, &world.name), Sort::Component, 0);

    let mut out = Bytes::default();
    out.raw(b"\0asm\x0d\0\x01\0");
    out.custom_section("wit-component-encoding", &[LAYOUT, UTF8]);
    let mut types = Bytes::default();
    types.u32(1);
    types.raw(&outer.finish());
    out.section(7, &types);
    let mut exports = Bytes::default();
    exports.u32(1);
    exports.extern_name(&world.name);
    exports.byte(Sort::Type as u8);
    exports.u32(0);
    exports.byte(0);
    out.section(11, &exports);
    out.custom_section("producers", &encode_producers(producers));
    Ok(out.0)
}

/// The producers, those of one field together, in order of appearance.
fn encode_producers(producers: &[Producer<'_>]) -> Vec<u8> {
    let mut fields: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for (field, name, version) in producers {
        match fields.iter_mut().find(|(known, _)| known == field) {
            Some((_, values)) => values.push((name, version)),
            None => fields.push((field, vec![(name, version)])),
        }
    }
    let mut out = Bytes::default();
    out.u32(fields.len() as u32);
    for (field, values) in fields {
        out.name(field);
        out.u32(values.len() as u32);
        for (name, version) in values {
            out.name(name);
            out.name(version);
        }
    }
    out.0
}

/// Walks a world and declares what it needs, in an instance type while it is in an interface, else in the component type.
struct Encoder<'a> {
    resolve: &'a Resolve,
    component: Declarations,
    /// The instance type that is being written, if one is.
    instance: Option<Declarations>,
    /// What the current index space has.
    known: Known<'a>,
    /// The same of the component type, while an instance type is written.
    outer_known: Known<'a>,
    /// The instance that an interface became last.
    instances: HashMap<InterfaceId, u32>,
    instance_count: u32,
    /// Types of instances that the component type has aliases of.
    aliases: HashMap<TypeId, u32>,
    /// Types of the world are imported, not exported.
    importing: bool,
    interface: Option<InterfaceId>,
}

impl<'a> Encoder<'a> {
    fn new(resolve: &'a Resolve) -> Self {
        Encoder {
            resolve,
            component: Declarations::component(),
            instance: None,
            known: Known::default(),
            outer_known: Known::default(),
            instances: HashMap::new(),
            instance_count: 0,
            aliases: HashMap::new(),
            importing: false,
            interface: None,
        }
    }

    fn world(mut self, world: WorldId) -> Result<Declarations, String> {
        let resolve = self.resolve;
        let world = &resolve.worlds[world];
        for (key, item) in &world.imports {
            if let WorldItem::Type { id, .. } = item {
                self.interface = None;
                self.importing = true;
                self.value_type(&Type::Id(*id))?;
                self.importing = false;
            } else {
                let (sort, index) = self.item(item)?;
                self.component.import(&resolve.name_world_key(key), sort, index);
            }
        }
        for (key, item) in &world.exports {
            if let WorldItem::Type { id, .. } = item {
                self.interface = None;
                self.value_type(&Type::Id(*id))?;
            } else {
                let (sort, index) = self.item(item)?;
                self.component.export(&resolve.name_world_key(key), sort, index);
            }
        }
        Ok(self.component)
    }

    /// Declares the type of an interface or a function.
    fn item(&mut self, item: &'a WorldItem) -> Result<(Sort, u32), String> {
        match item {
            WorldItem::Interface { id, .. } => {
                self.interface = Some(*id);
                Ok((Sort::Instance, self.instance_type(*id)?))
            }
            WorldItem::Function(function) => {
                self.interface = None;
                Ok((Sort::Function, self.function_type(function)?))
            }
            WorldItem::Type { .. } => Err("a type in place of an item".to_string()),
        }
    }

    fn instance_type(&mut self, id: InterfaceId) -> Result<u32, String> {
        let interface = &self.resolve.interfaces[id];
        self.instance = Some(Declarations::instance());
        self.outer_known = mem::take(&mut self.known);
        for ty in interface.types.values() {
            self.value_type(&Type::Id(*ty))?;
        }
        // Functions of resources come first, in the order of the resources, as text has them too.
        let place = |function: &Function| {
            let resource = function.kind.resource();
            let found = resource.and_then(|resource| interface.types.values().position(|ty| *ty == resource));
            found.unwrap_or(interface.types.len())
        };
        let mut functions: Vec<_> = interface.functions.iter().collect();
        functions.sort_by_key(|(_, function)| place(function));
        for (name, function) in functions {
            let index = self.function_type(function)?;
            self.scope().export(name, Sort::Function, index);
        }
        self.known = mem::take(&mut self.outer_known);
        let instance = self.instance.take().map(Declarations::finish).unwrap_or_default();
        self.instances.insert(id, self.instance_count);
        self.instance_count += 1;
        Ok(self.component.ty(&instance))
    }

    /// Where declarations go now.
    fn scope(&mut self) -> &mut Declarations {
        self.instance.as_mut().unwrap_or(&mut self.component)
    }

    /// Gives the type at `index` a name: the index of the named one.
    fn name_type(&mut self, name: &str, index: u32) -> u32 {
        let importing = self.importing;
        self.scope().named_type(name, Some(index), importing)
    }

    /// A type of another interface, made known here. `None` where it is no such type.
    fn foreign_type(&mut self, id: TypeId) -> Result<Option<u32>, String> {
        let ty = &self.resolve.types[id];
        let wit_parser::TypeOwner::Interface(owner) = ty.owner else { return Ok(None) };
        if Some(owner) == self.interface {
            return Ok(None);
        }
        let name = ty.name.as_deref().ok_or("a type of an interface without a name")?;
        let instance = *self.instances.get(&owner).ok_or("an interface that is used before it is declared")?;
        let outer = match self.aliases.get(&id) {
            Some(index) => *index,
            None => {
                let index = self.component.alias_export(instance, name);
                self.aliases.insert(id, index);
                index
            }
        };
        Ok(Some(match &mut self.instance {
            Some(scope) => scope.alias_outer(outer),
            None => outer,
        }))
    }

    fn resource(&mut self, name: &str) -> u32 {
        let importing = self.importing;
        self.scope().named_type(name, None, importing)
    }
}

/// Whether a kind of type is one that the walk must not meet.
fn unknown(kind: &TypeDefKind) -> String {
    format!("a type of kind `{}`", kind.as_str())
}
