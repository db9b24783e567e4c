//! Where types are used and what they hold: what decides whether they borrow, and what they derive.

use super::Side;
use super::calls::qualified;
use super::filters::SyncFilters;
use crate::options::Options;
use std::collections::{HashMap, HashSet};
use wit_parser::{Function, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId, WorldId, WorldItem};

/// What is known about a type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// In a parameter of an import.
    pub(crate) lent: bool,
    /// In a result of an import, or in an export.
    pub(crate) owned: bool,
    /// The error of a function's result.
    pub(crate) error: bool,
    /// Has a list, a string or a map.
    pub(crate) list: bool,
    /// Has a resource or something else that is no plain value.
    pub(crate) resource: bool,
    /// Has an own handle, a stream or a future.
    pub(crate) own: bool,
    /// Has a borrow handle.
    pub(crate) borrow: bool,
    /// Has a borrow of a resource that another component implements.
    pub(crate) lends: bool,
    /// Has a borrow of a resource that this component implements.
    pub(crate) is_lent: bool,
    /// Has something that `disown` must mark: own handles, readable ends, error contexts.
    pub(crate) disowns: bool,
    /// Has a stream or a future.
    pub(crate) streams: bool,
    /// Has a map.
    pub(crate) maps: bool,
}

impl Usage {
    fn add(&mut self, other: Usage) {
        self.lent |= other.lent;
        self.owned |= other.owned;
        self.error |= other.error;
        self.list |= other.list;
        self.resource |= other.resource;
        self.own |= other.own;
        self.borrow |= other.borrow;
        self.lends |= other.lends;
        self.is_lent |= other.is_lent;
        self.disowns |= other.disowns;
        self.streams |= other.streams;
        self.maps |= other.maps;
    }
}

/// The usage of every type.
pub(crate) struct Usages {
    of: HashMap<TypeId, Usage>,
    side: Side,
    /// The resources that are exported.
    exported: HashSet<TypeId>,
}

impl Usages {
    /// Looks at all types, and at all functions of the world.
    pub(crate) fn of_world(
        resolve: &Resolve,
        world: WorldId,
        classes: &HashMap<TypeId, TypeId>,
        side: Side,
        exported: &HashSet<TypeId>,
        options: &Options,
    ) -> Usages {
        let mut usages = Usages { of: HashMap::new(), side, exported: exported.clone() };
        for (id, _) in resolve.types.iter() {
            usages.holds(resolve, id);
        }
        let world = &resolve.worlds[world];
        let mut sync = SyncFilters::new(&options.sync);
        let (imports, exports) = (world.imports.iter(), world.exports.iter());
        for ((key, item), import) in imports.map(|item| (item, true)).chain(exports.map(|item| (item, false))) {
            // An async import has its parameters until the callee has taken them.
            let mut lends = |function: &Function, interface| {
                let name = qualified(resolve, &function.name, interface);
                let is_async = function.kind.is_async() && !sync.matches(&name, import);
                import == (side == Side::Guest) && !(import && is_async)
            };
            match item {
                WorldItem::Function(function) => usages.function(resolve, function, lends(function, None)),
                WorldItem::Interface { id, .. } => {
                    for function in resolve.interfaces[*id].functions.values() {
                        usages.function(resolve, function, lends(function, Some(key)));
                    }
                    if options.generate_unused_types {
                        usages.unused(resolve, *id);
                    }
                }
                WorldItem::Type { .. } => {}
            }
        }
        usages.merge(classes);
        usages
    }

    /// The usage of one type.
    pub(crate) fn get(&self, id: TypeId) -> Usage {
        self.of.get(&id).copied().unwrap_or_default()
    }

    /// The usage of what may have no id.
    pub(crate) fn of_type(&self, ty: &Type) -> Usage {
        match ty {
            Type::String => Usage { list: true, ..Usage::default() },
            Type::ErrorContext => Usage { resource: true, disowns: true, ..Usage::default() },
            Type::Id(id) => self.get(*id),
            _ => Usage::default(),
        }
    }

    fn holds(&mut self, resolve: &Resolve, id: TypeId) -> Usage {
        if let Some(usage) = self.of.get(&id) {
            return *usage;
        }
        let mut usage = Usage::default();
        match &resolve.types[id].kind {
            TypeDefKind::Resource => usage.resource = true,
            TypeDefKind::Handle(handle) => {
                usage.resource = true;
                match handle {
                    Handle::Own(_) => (usage.own, usage.disowns) = (true, true),
                    Handle::Borrow(resource) => {
                        // A host's borrows are numbers that borrow nothing.
                        usage.borrow = self.side == Side::Guest;
                        let is_ours = self.exported.contains(&definition(resolve, *resource));
                        (usage.lends, usage.is_lent) = (!is_ours, is_ours);
                    }
                }
            }
            TypeDefKind::Future(_) | TypeDefKind::Stream(_) => {
                (usage.resource, usage.own, usage.disowns, usage.streams) = (true, true, true, true);
            }
            kind => {
                usage.maps = matches!(kind, TypeDefKind::Map(..));
                usage.list = usage.maps || matches!(kind, TypeDefKind::List(_));
                for ty in parts(kind) {
                    usage.add(match ty {
                        Type::Id(id) => self.holds(resolve, id),
                        ty => self.of_type(&ty),
                    });
                }
            }
        }
        self.of.insert(id, usage);
        usage
    }

    fn function(&mut self, resolve: &Resolve, function: &Function, lends: bool) {
        let (mut lent, mut owned) = (Reached::default(), Reached::default());
        let params = if lends { &mut lent } else { &mut owned };
        for param in &function.params {
            params.add(resolve, &param.ty);
        }
        for ty in function.result.iter().chain(&core::mem::take(&mut lent.payloads)) {
            owned.add(resolve, ty);
        }
        owned.add_payloads(resolve);
        for id in lent.named(resolve) {
            self.of.entry(id).or_default().lent = true;
        }
        for id in owned.named(resolve) {
            self.of.entry(id).or_default().owned = true;
        }
        if let Some(Type::Id(id)) = function.result
            && let TypeDefKind::Result(result) = &resolve.types[id].kind
            && let Some(Type::Id(error)) = result.err
        {
            self.of.entry(definition(resolve, error)).or_default().error = true;
        }
    }

    /// Types that no function has are printed: what streams and futures in them carry is owned.
    fn unused(&mut self, resolve: &Resolve, interface: InterfaceId) {
        let mut reached = Reached::default();
        for id in resolve.interfaces[interface].types.values() {
            reached.add(resolve, &Type::Id(*id));
        }
        reached.types.clear();
        reached.add_payloads(resolve);
        for id in reached.named(resolve) {
            self.of.entry(id).or_default().owned = true;
        }
    }

    /// Members of one class are used where any of them is.
    fn merge(&mut self, classes: &HashMap<TypeId, TypeId>) {
        let mut merged: HashMap<TypeId, Usage> = HashMap::new();
        for (id, class) in classes {
            merged.entry(*class).or_default().add(self.get(*id));
        }
        for (id, class) in classes {
            if let Some(usage) = merged.get(class) {
                self.of.insert(*id, *usage);
            }
        }
    }
}

/// The types that a function has in one kind of position, each once, but for what streams and futures carry.
#[derive(Default)]
struct Reached {
    types: HashSet<TypeId>,
    payloads: Vec<Type>,
}

impl Reached {
    fn add(&mut self, resolve: &Resolve, ty: &Type) {
        let Type::Id(id) = ty else { return };
        if !self.types.insert(*id) {
            return;
        }
        match &resolve.types[*id].kind {
            TypeDefKind::Future(payload) | TypeDefKind::Stream(payload) => self.payloads.extend(payload),
            kind => {
                for part in parts(kind) {
                    self.add(resolve, &part);
                }
            }
        }
    }

    /// Returns those that have a name.
    fn named(self, resolve: &Resolve) -> impl Iterator<Item = TypeId> {
        self.types.into_iter().filter(|id| resolve.types[*id].name.is_some())
    }

    /// Adds what they carry as well, and what that carries.
    fn add_payloads(&mut self, resolve: &Resolve) {
        while let Some(ty) = self.payloads.pop() {
            self.add(resolve, &ty);
        }
    }
}

/// The types a type is directly made of.
pub(crate) fn parts(kind: &TypeDefKind) -> Vec<Type> {
    match kind {
        TypeDefKind::Record(record) => record.fields.iter().map(|field| field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.clone(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty).collect(),
        TypeDefKind::Result(result) => result.ok.into_iter().chain(result.err).collect(),
        TypeDefKind::Map(key, value) => vec![*key, *value],
        TypeDefKind::List(ty)
        | TypeDefKind::FixedLengthList(ty, _)
        | TypeDefKind::Option(ty)
        | TypeDefKind::Type(ty) => {
            vec![*ty]
        }
        TypeDefKind::Future(payload) | TypeDefKind::Stream(payload) => payload.iter().copied().collect(),
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => vec![Type::Id(*id)],
        TypeDefKind::Resource | TypeDefKind::Flags(_) | TypeDefKind::Enum(_) | TypeDefKind::Unknown => Vec::new(),
    }
}

/// What a chain of `use` and `type` comes to.
pub(crate) fn definition(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Type::Id(next)) = resolve.types[id].kind {
        id = next;
    }
    id
}
