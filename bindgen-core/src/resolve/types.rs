//! The Rust types of the world: declared first, so that they can refer to each other, then defined.

use super::positions::{Mode, Style};
use super::usage::definition;
use super::{Resolver, docs, span};
use crate::model::{self, Case, ExportedResource, Field, ImportedResource, Lifetime, ModuleId, ROOT, Shape, TypeKind};
use crate::names;
use crate::options::{Ownership, With};
use std::collections::HashSet;
use wit_parser::{LiftLowerAbi, ManglingAndAbi, WasmExport, WasmImport};
use wit_parser::{LiveTypes, ResourceIntrinsic, Type as WitType, TypeDefKind, TypeId, TypeOwner, WorldItem, WorldKey};

/// Which of a WIT type's Rust types is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Form {
    /// The only one.
    Only,
    /// The borrowed one of two.
    Param,
    /// The owned one of two.
    Result,
}

/// How symbols are spelled.
pub(crate) const MANGLING: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

impl Resolver<'_> {
    /// Gives every type that is printed, or that functions need from elsewhere, its place and names.
    pub(crate) fn declare_types(&mut self) {
        let resolve = self.resolve;
        let world = &resolve.worlds[self.world];
        for item in world.imports.values().chain(world.exports.values()) {
            match item {
                WorldItem::Interface { id, .. } => {
                    let module = self.module_of[id];
                    for ty in resolve.interfaces[*id].types.values() {
                        self.declare(*ty, module);
                    }
                }
                WorldItem::Type { id, .. } => self.declare(*id, ROOT),
                WorldItem::Function(_) => {}
            }
        }
    }

    fn declare(&mut self, id: TypeId, module: ModuleId) {
        let usage = self.usages.get(id);
        let full = self.full_name(id);
        let external = self.external(id, module, &full);
        let used = usage.owned || usage.lent || self.options.generate_unused_types;
        let resource = matches!(self.resolve.types[definition(self.resolve, id)].kind, TypeDefKind::Resource);
        if !used && !resource {
            return;
        }
        if self.has_two_forms(&usage) && external.is_none() {
            self.declare_form(id, module, Form::Result, None);
            self.declare_form(id, module, Form::Param, None);
        } else {
            self.declare_form(id, module, Form::Only, external);
        }
    }

    /// The path of a type that is elsewhere.
    fn external(&mut self, id: TypeId, module: ModuleId, full: &str) -> Option<String> {
        let by_type = self.remaps.get(full);
        if let (Some(With::Path(path)), false) = (by_type, self.is_exported_module(module)) {
            return Some(path);
        }
        let home = self.modules[module.0].home.clone()?;
        Some(format!("{home}::{}", names::camel(self.resolve.types[id].name.as_deref()?)))
    }

    fn is_exported_module(&self, module: ModuleId) -> bool {
        self.modules[module.0].path.first().is_some_and(|first| first == "exports")
    }

    fn declare_form(&mut self, id: TypeId, module: ModuleId, form: Form, external: Option<String>) {
        let ty = &self.resolve.types[id];
        let wit_name = ty.name.clone().unwrap_or_default();
        let mut name = names::camel(&wit_name);
        match form {
            Form::Only => {}
            Form::Param => name += "Param",
            Form::Result => name += "Result",
        }
        let rust = model::TypeId(self.types.len());
        self.rust_types.insert((id, form), rust);
        if external.is_none() {
            self.modules[module.0].types.push(rust);
        }
        self.types.push(model::TypeDef {
            name,
            snake: names::snake(&wit_name),
            wit_name,
            span: span(ty.span),
            module,
            external,
            docs: docs(&ty.docs, &ty.stability),
            kind: TypeKind::Alias(model::Type::Tuple(Vec::new())),
            lifetime: false,
            derives: Vec::new(),
            attributes: Vec::new(),
            error: false,
            lift: false,
            lower: false,
            owns: false,
            streams: false,
            plain: false,
            shape: None,
        });
    }

    /// The full name that options use: that of the definition.
    pub(crate) fn full_name(&self, id: TypeId) -> String {
        let id = definition(self.resolve, id);
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref().unwrap_or_default();
        match ty.owner {
            TypeOwner::World(world) => format!("{}/{name}", self.resolve.worlds[world].name),
            TypeOwner::Interface(interface) => match self.resolve.id_of(interface) {
                Some(interface) => format!("{interface}/{name}"),
                None => name.to_string(),
            },
            TypeOwner::None => name.to_string(),
        }
    }

    /// The Rust type of a named type, its owned form or its borrowed one.
    pub(crate) fn rust_type(&mut self, id: TypeId, owned: bool) -> model::TypeId {
        let form = if owned { Form::Result } else { Form::Param };
        for form in [Form::Only, form] {
            if let Some(ty) = self.rust_types.get(&(id, form)) {
                return *ty;
            }
        }
        // Something refers to it, so it is used after all.
        let module = match self.resolve.types[id].owner {
            TypeOwner::Interface(interface) => self.module_of.get(&interface).copied().unwrap_or(ROOT),
            _ => ROOT,
        };
        let full = self.full_name(id);
        let external = self.external(id, module, &full);
        self.declare_form(id, module, Form::Only, external);
        let rust = self.rust_types[&(id, Form::Only)];
        self.define(id, Form::Only, rust);
        rust
    }

    /// Says what every declared type is.
    pub(crate) fn define_types(&mut self) {
        let mut declared: Vec<_> = self.rust_types.iter().map(|((id, form), rust)| (*rust, *id, *form)).collect();
        declared.sort_by_key(|(rust, ..)| *rust);
        for (rust, id, form) in declared {
            self.define(id, form, rust);
        }
    }

    fn define(&mut self, id: TypeId, form: Form, rust: model::TypeId) {
        let usage = self.usages.get(id);
        let mode = self.definition_mode(id, form);
        let ty = self.resolve.types[id].clone();
        let full = self.full_name(id);
        let kind = match self.classes.get(&id) {
            Some(class) if *class != id && self.merges(id, *class) => {
                let class = self.rust_type(*class, form != Form::Param);
                TypeKind::Alias(model::Type::Named(class, mode.lifetime))
            }
            _ => self.kind(id, &ty.kind, mode, &full),
        };
        let alias = matches!(kind, TypeKind::Alias(_));
        let shape = (!alias).then(|| self.shape(&WitType::Id(id)));
        let attributes = if alias { Vec::new() } else { self.type_attributes(&full, &kind) };
        let derives = self.derives(&self.types[rust.0].name.clone(), &kind, usage.list, usage.resource);
        let def = &mut self.types[rust.0];
        def.kind = kind;
        def.lifetime = mode.lifetime.is_some();
        def.error = usage.error;
        def.owns = usage.disowns;
        def.shape = shape;
        def.streams = usage.streams;
        def.derives = derives;
        def.attributes = attributes;
        def.lift = mode.style != Style::Deep || mode.lifetime.is_none();
        def.lower = true;
    }

    /// Whether two types of a class are one Rust type: what is nominal in Rust and defined here.
    fn merges(&self, id: TypeId, class: TypeId) -> bool {
        let nominal = |id| {
            matches!(
                self.resolve.types[definition(self.resolve, id)].kind,
                TypeDefKind::Record(_) | TypeDefKind::Variant(_) | TypeDefKind::Enum(_) | TypeDefKind::Flags(_)
            )
        };
        let alias = matches!(self.resolve.types[id].kind, TypeDefKind::Type(_));
        !alias && nominal(id) && nominal(class) && self.resolve.types[class].name.is_some()
    }

    /// The mode a type is defined in: with two forms both, else the owned one unless only the borrowed is used.
    fn definition_mode(&self, id: TypeId, form: Form) -> Mode {
        let owned = self.mode_of(id, Style::Owned, Lifetime::A);
        let deep = self.mode_of(id, Style::Deep, Lifetime::A);
        match form {
            Form::Result => owned,
            Form::Param => deep,
            Form::Only if owned == deep || self.usages.get(id).owned || self.options.ownership == Ownership::Owning => {
                owned
            }
            Form::Only => deep,
        }
    }

    fn kind(&mut self, id: TypeId, kind: &TypeDefKind, mode: Mode, full: &str) -> TypeKind {
        match kind {
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| Field {
                    name: names::snake(&field.name),
                    wit_name: field.name.clone(),
                    span: span(field.span),
                    docs: model::Docs {
                        text: field.docs.contents.as_deref().unwrap_or_default().trim().to_string(),
                        deprecated: None,
                    },
                    attributes: self.member_attributes(full, &field.name),
                    ty: self.part_type(&field.ty, mode),
                });
                TypeKind::Record(fields.collect())
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let ty = case.ty.map(|ty| self.part_type(&ty, mode));
                    self.case(names::camel(&case.name), &case.name, case.span, &case.docs, full, ty)
                });
                TypeKind::Variant { cases: cases.collect(), tag: bytes(variant.tag()) }
            }
            TypeDefKind::Enum(cases) => {
                let tag = bytes(cases.tag());
                let cases = cases
                    .cases
                    .iter()
                    .map(|case| self.case(names::case(&case.name), &case.name, case.span, &case.docs, full, None));
                TypeKind::Enum { cases: cases.collect(), tag }
            }
            TypeDefKind::Flags(flags) => {
                let bits = match flags.flags.len() {
                    0..=8 => 8,
                    9..=16 => 16,
                    17..=32 => 32,
                    33..=64 => 64,
                    _ => 128,
                };
                let flags = flags
                    .flags
                    .iter()
                    .map(|flag| self.case(names::shouty(&flag.name), &flag.name, flag.span, &flag.docs, full, None));
                TypeKind::Flags { flags: flags.collect(), bits }
            }
            TypeDefKind::Resource => self.resource(id),
            _ => TypeKind::Alias(self.alias(kind, mode)),
        }
    }

    fn case(
        &mut self,
        name: String,
        wit_name: &str,
        at: wit_parser::Span,
        text: &wit_parser::Docs,
        full: &str,
        ty: Option<model::Type>,
    ) -> Case {
        Case {
            name,
            wit_name: wit_name.to_string(),
            span: span(at),
            docs: model::Docs {
                text: text.contents.as_deref().unwrap_or_default().trim().to_string(),
                deprecated: None,
            },
            attributes: self.member_attributes(full, wit_name),
            ty,
        }
    }

    /// What a name for a type without one of its own stands for.
    fn alias(&mut self, kind: &TypeDefKind, mode: Mode) -> model::Type {
        match kind {
            TypeDefKind::Type(ty) => self.part_type(ty, mode),
            kind => self.structure(kind, mode),
        }
    }

    fn resource(&mut self, id: TypeId) -> TypeKind {
        let ty = &self.resolve.types[id];
        let name = ty.name.as_deref().unwrap_or_default();
        let key = self.key_of(id);
        let symbol = |intrinsic| {
            let import = WasmImport::ResourceIntrinsic { interface: key.as_ref(), resource: id, intrinsic };
            self.resolve.wasm_import_name(MANGLING, import)
        };
        match (&key, self.exported.contains(&id)) {
            (Some(interface), true) => {
                let (module, new) = symbol(ResourceIntrinsic::ExportedNew);
                TypeKind::ExportedResource(ExportedResource {
                    module,
                    new,
                    rep: symbol(ResourceIntrinsic::ExportedRep).1,
                    drop: symbol(ResourceIntrinsic::ExportedDrop).1,
                    dtor: self.prefixed(
                        self.resolve.wasm_export_name(MANGLING, WasmExport::ResourceDtor { interface, resource: id }),
                    ),
                    trait_name: format!("Guest{}", names::camel_part(name)),
                    borrow_name: format!("{}Borrow", names::camel_part(name)),
                    functions: Vec::new(),
                })
            }
            _ => {
                let (module, drop) = symbol(ResourceIntrinsic::ImportedDrop);
                TypeKind::ImportedResource(ImportedResource {
                    module,
                    drop,
                    host_trait: String::new(),
                    lent: false,
                    functions: Vec::new(),
                })
            }
        }
    }

    /// An export's symbol with the prefix that was asked for.
    pub(crate) fn prefixed(&self, symbol: String) -> String {
        match &self.options.export_prefix {
            Some(prefix) => format!("{prefix}{symbol}"),
            None => symbol,
        }
    }

    /// The key in the world of the interface that owns a type.
    fn key_of(&self, id: TypeId) -> Option<WorldKey> {
        let TypeOwner::Interface(owner) = self.resolve.types[id].owner else { return None };
        let world = &self.resolve.worlds[self.world];
        let mut items = world.imports.iter().chain(&world.exports);
        let found = items.find(|(_, item)| matches!(item, WorldItem::Interface { id, .. } if *id == owner));
        found.map(|(key, _)| key.clone())
    }

    /// Derives, sorted: those that the type can have, and those the user wants.
    fn derives(&self, name: &str, kind: &TypeKind, list: bool, resource: bool) -> Vec<String> {
        let additional = !self.options.additional_derives_ignore.contains(&names::kebab(name));
        let mut derives: Vec<String> = match kind {
            TypeKind::Record(_) | TypeKind::Variant { .. } => {
                let mut derives = Vec::new();
                if !resource {
                    derives.push("Clone".to_string());
                    if !list {
                        derives.push("Copy".to_string());
                    }
                }
                derives
            }
            TypeKind::Enum { .. } => {
                ["Clone", "Copy", "Eq", "Ord", "PartialEq", "PartialOrd"].map(String::from).to_vec()
            }
            _ => return Vec::new(),
        };
        if additional {
            derives.extend(self.options.additional_derives.iter().cloned());
        }
        let mut seen = HashSet::new();
        derives.retain(|derive| seen.insert(derive.rsplit("::").next().unwrap_or(derive).trim().to_string()));
        derives.sort();
        derives
    }

    fn type_attributes(&mut self, full: &str, kind: &TypeKind) -> Vec<String> {
        if !matches!(kind, TypeKind::Record(_) | TypeKind::Variant { .. } | TypeKind::Enum { .. }) {
            return Vec::new();
        }
        let matching = self.options.additional_type_attributes.iter().filter(|(selector, _)| selector == full);
        let attributes: Vec<_> = matching.map(|(_, attribute)| attribute.clone()).collect();
        if !attributes.is_empty() {
            self.used_attributes.insert(full.to_string());
        }
        attributes
    }

    fn member_attributes(&mut self, full: &str, member: &str) -> Vec<String> {
        let wanted = format!("{full}.{member}");
        let matching = self.options.additional_member_attributes.iter().filter(|(selector, _)| *selector == wanted);
        let attributes: Vec<_> = matching.map(|(_, attribute)| attribute.clone()).collect();
        if !attributes.is_empty() {
            self.used_attributes.insert(wanted);
        }
        attributes
    }

    /// Size, alignment and slots as wit-parser has them.
    fn shape(&self, ty: &WitType) -> Shape {
        let (size, align) = match ty {
            WitType::Id(id) if matches!(self.resolve.types[*id].kind, TypeDefKind::Resource) => ([4, 4], [4, 4]),
            ty => {
                let (size, align) = (self.sizes.size(ty), self.sizes.align(ty));
                ([size.size_wasm32(), size.size_wasm64()], [align.align_wasm32(), align.align_wasm64()])
            }
        };
        Shape { size, align, slots: self.bounds.slots(ty) }
    }

    /// Types from elsewhere have impls only where a function that is generated needs them. So have those whose impls need
    /// others', of a map, or of what a stream carries: those are there for functions only.
    pub(crate) fn settle_impls(&mut self) {
        let is_printed = |function: &&wit_parser::Function| !self.options.skip.contains(&function.name);
        let mut live = LiveTypes::default();
        let world = &self.resolve.worlds[self.world];
        for item in world.imports.values().chain(world.exports.values()) {
            match item {
                WorldItem::Interface { id, .. } => {
                    let home = &self.modules[self.module_of[id].0].home;
                    let functions = self.resolve.interfaces[*id].functions.values().filter(|_| home.is_none());
                    for function in functions.filter(is_printed) {
                        live.add_func(self.resolve, function);
                    }
                }
                WorldItem::Function(function) if is_printed(&function) => live.add_func(self.resolve, function),
                WorldItem::Function(_) => {}
                WorldItem::Type { .. } => {}
            }
        }
        let live: HashSet<TypeId> = live.iter().collect();
        // A borrow of a resource of ours only comes in.
        for ((id, _), rust) in &self.rust_types {
            self.types[rust.0].lower &= !self.usages.get(*id).is_lent;
        }
        let lent: HashSet<TypeId> = (live.iter())
            .filter_map(|id| match self.resolve.types[*id].kind {
                TypeDefKind::Handle(wit_parser::Handle::Borrow(resource)) => Some(definition(self.resolve, resource)),
                _ => None,
            })
            .collect();
        for ((id, _), rust) in &self.rust_types {
            if let TypeKind::ImportedResource(resource) = &mut self.types[rust.0].kind {
                resource.lent = lent.contains(&definition(self.resolve, *id));
            }
        }
        self.has_maps = live.iter().any(|id| matches!(self.resolve.types[*id].kind, TypeDefKind::Map(..)));
        let class = |id: &TypeId| self.classes.get(id).copied().unwrap_or(*id);
        let live: HashSet<TypeId> = live.iter().map(class).collect();
        for ((id, _), rust) in &self.rust_types {
            let (def, usage) = (&mut self.types[rust.0], self.usages.get(*id));
            if (def.external.is_some() || usage.streams || usage.maps) && !live.contains(&class(id)) {
                (def.lift, def.lower) = (false, false);
            }
        }
    }
}

fn bytes(tag: wit_parser::Int) -> usize {
    match tag {
        wit_parser::Int::U8 => 1,
        wit_parser::Int::U16 => 2,
        wit_parser::Int::U32 => 4,
        wit_parser::Int::U64 => 8,
    }
}
