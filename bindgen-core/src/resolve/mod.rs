//! From what WIT says to what is printed: the place where names, types and calls are decided, once.

mod bounds;
mod calls;
mod equal;
mod filters;
mod function_names;
mod host;
mod modules;
mod payloads;
mod positions;
mod types;
mod usage;

use self::bounds::Bounds;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{self, Module, ModuleId, Span, Style, World};
use crate::options::Options;
use crate::options::table::TABLE;
use crate::source::Source;
use crate::{names, section};
use filters::{ChainFilters, SyncFilters};
use modules::Remaps;
use std::collections::{HashMap, HashSet};
use types::Form;
use usage::Usages;
use wit_parser::{InterfaceId, Resolve, SizeAlign, TypeId, WorldId, WorldItem, WorldKey};

/// Who made the bindings, for the section.
const PRODUCERS: &[section::Producer<'static>] =
    &[("processed-by", "wit-component", "0.254.2"), ("processed-by", "wasp-bindgen", env!("CARGO_PKG_VERSION"))];

/// Resolves the chosen world.
pub(crate) fn world(source: &Source, options: &Options, side: Side) -> Result<World, Diagnostics> {
    // First of all: what follows may compute with sizes, and walk types by their parts.
    Bounds::check(&source.resolve, source)?;
    let mut resolve = source.resolve.clone();
    let section = match side {
        Side::Guest => encode_section(&mut resolve.clone(), source.world, options)?,
        Side::Host => model::Section { name: String::new(), bytes: Vec::new(), imports: None },
    };
    resolve.generate_nominal_type_ids(source.world);
    let mut classes = equal::classes(&resolve, source.world, options.merge_structurally_equal_types);
    if side == Side::Host {
        host::share(&resolve, source.world, &mut classes);
    }
    let bounds = Bounds::check(&resolve, source)?;
    let exported = exported_resources(&resolve, source.world);
    let mut sizes = SizeAlign::default();
    sizes.fill(&resolve);
    let mut resolver = Resolver {
        source,
        options,
        resolve: &resolve,
        world: source.world,
        side,
        usages: Usages::of_world(&resolve, source.world, &classes, side, &exported, options),
        classes,
        sizes,
        bounds,
        sync: SyncFilters::new(&options.sync),
        chain: ChainFilters::new(&options.chainable_methods),
        remaps: Remaps::new(options),
        exported,
        modules: Vec::new(),
        module_of: HashMap::new(),
        types: Vec::new(),
        rust_types: HashMap::new(),
        has_maps: false,
        payloads: Vec::new(),
        used_attributes: HashSet::new(),
        used_errors: HashSet::new(),
        used_optional: HashSet::new(),
        errors: Vec::new(),
    };
    resolver.run();
    resolver.finish(section)
}

/// Returns the resources that the world exports.
fn exported_resources(resolve: &Resolve, world: WorldId) -> HashSet<TypeId> {
    let interfaces = resolve.worlds[world].exports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        _ => None,
    });
    let types = interfaces.flat_map(|id| resolve.interfaces[id].types.values().copied());
    types.filter(|id| matches!(resolve.types[*id].kind, wit_parser::TypeDefKind::Resource)).collect()
}

/// Whose bindings are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The component's.
    Guest,
    /// The embedder's.
    Host,
}

/// The work in progress.
pub(crate) struct Resolver<'a> {
    pub(crate) source: &'a Source,
    pub(crate) options: &'a Options,
    pub(crate) resolve: &'a Resolve,
    pub(crate) world: WorldId,
    pub(crate) side: Side,
    pub(crate) usages: Usages,
    /// For every live type the one that stands for it.
    pub(crate) classes: HashMap<TypeId, TypeId>,
    bounds: Bounds,
    pub(crate) sizes: SizeAlign,
    pub(crate) sync: SyncFilters,
    pub(crate) chain: ChainFilters,
    pub(crate) remaps: Remaps,
    /// Resources this world implements.
    pub(crate) exported: HashSet<TypeId>,
    pub(crate) modules: Vec<Module>,
    pub(crate) module_of: HashMap<InterfaceId, ModuleId>,
    pub(crate) types: Vec<model::TypeDef>,
    pub(crate) rust_types: HashMap<(TypeId, Form), model::TypeId>,
    pub(crate) has_maps: bool,
    pub(crate) payloads: Vec<model::Payload>,
    /// Selectors of attributes that were applied.
    pub(crate) used_attributes: HashSet<String>,
    /// Keys of `trappable_error_type` that were applied.
    pub(crate) used_errors: HashSet<String>,
    /// The entries of `optional_exports` that name something.
    pub(crate) used_optional: HashSet<String>,
    pub(crate) errors: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn run(&mut self) {
        self.define_modules();
        self.declare_types();
        self.define_types();
        self.define_functions();
        self.define_payloads();
        self.settle_impls();
        self.settle_plain();
        self.mark_optional();
    }

    fn finish(mut self, section: model::Section) -> Result<World, Diagnostics> {
        self.refuse_unused();
        if !self.errors.is_empty() {
            return Err(Diagnostics(self.errors));
        }
        let world = &self.resolve.worlds[self.world];
        let package = world.package.map(|id| &self.resolve.packages[id].name);
        self.part_function_names();
        let style = self.style();
        let host = (self.side == Side::Host).then(|| self.name_host());
        let has_tasks = self.modules.iter().any(|module| {
            let guest = module.guest.as_ref();
            guest.is_some_and(|guest| module.home.is_some() || model::has_callback(guest, &self.types))
        });
        Ok(World {
            host,
            id: package.map_or_else(|| world.name.clone(), |package| package.interface_id(&world.name)),
            snake: names::snake_part(&world.name),
            docs: docs(&world.docs, &world.stability),
            modules: self.modules,
            types: self.types,
            has_maps: self.has_maps,
            has_tasks,
            payloads: self.payloads,
            section,
            style,
        })
    }

    fn style(&self) -> Style {
        let options = self.options;
        // The crate has a `__rt`, and so has its `rt`.
        let default = match self.side {
            Side::Guest => "::wasp_guest_rt",
            Side::Host => "::wasp_host_rt",
        };
        let runtime = format!("{}::__rt", options.runtime_path.as_deref().unwrap_or(default));
        Style {
            bitflags: options.bitflags_path.clone().unwrap_or_else(|| format!("{runtime}::bitflags")),
            map: options.map_type.clone().unwrap_or_else(|| format!("{runtime}::Map")),
            runtime,
            remaps: self.remaps.aliases(),
            std_feature: options.std_feature,
            stubs: options.stubs,
            export_macro: options.export_macro_name.clone().unwrap_or_else(|| "export".to_string()),
            pub_export_macro: options.pub_export_macro,
            default_bindings_module: options.default_bindings_module.clone().unwrap_or_else(|| "self".to_string()),
            run_ctors_once: !options.disable_run_ctors_once_workaround,
            link_helpers: !options.disable_custom_section_link_helpers,
            preamble: preamble(options),
        }
    }

    /// What was asked for and had no effect is a mistake.
    /// Names of functions to leave out that none has.
    fn unused_skips(&self) -> Vec<Diagnostic> {
        let world = &self.resolve.worlds[self.world];
        let functions = world.imports.values().chain(world.exports.values()).flat_map(|item| match item {
            WorldItem::Function(function) => vec![function],
            WorldItem::Interface { id, .. } => self.resolve.interfaces[*id].functions.values().collect(),
            WorldItem::Type { .. } => Vec::new(),
        });
        let names: HashSet<&str> = functions.map(|function| function.name.as_str()).collect();
        let unused = self.options.skip.iter().filter(|name| !names.contains(name.as_str()));
        let diagnostics = unused.map(|name| {
            Diagnostic::new(format!("the world has no function `{name}`, which `skip` has"))
                .help("names are those of functions in WIT; those of resources are `[method]r.f`, `[static]r.f` and `[constructor]r`")
                .option("skip", Some(name.clone()))
        });
        diagnostics.collect()
    }

    fn refuse_unused(&mut self) {
        let mut unused: Vec<Diagnostic> = self.remaps.unused();
        unused.extend(self.sync.unused());
        unused.extend(self.chain.unused());
        unused.extend(self.unused_error_types());
        unused.extend(self.unused_optional_exports());
        unused.extend(self.unused_skips());
        let options = self.options;
        for (name, entries) in [
            ("additional_type_attributes", &options.additional_type_attributes),
            ("additional_member_attributes", &options.additional_member_attributes),
        ] {
            for (selector, _) in entries.iter().filter(|(selector, _)| !self.used_attributes.contains(selector)) {
                let help =
                    "selectors are full names: `ns:pkg/interface@version/type`, for members followed by `.member`";
                let message = format!("the selector `{selector}` of `{name}` matches nothing");
                unused.push(Diagnostic::new(message).help(help).option(name, Some(selector.clone())));
            }
        }
        self.errors.extend(unused);
    }
}

/// The section of the world, or of its imports alone where the exports come with the macro.
fn encode_section(resolve: &mut Resolve, world: WorldId, options: &Options) -> Result<model::Section, Diagnostics> {
    let refusal = |what| {
        let help = "leave it out of the world";
        Diagnostics::from(Diagnostic::new(format!("the world can't be encoded: it has {what}")).help(help))
    };
    let name = &resolve.worlds[world].name;
    let package = resolve.worlds[world].package.map(|id| resolve.packages[id].name.to_string()).unwrap_or_default();
    let suffix = options.type_section_suffix.as_deref().unwrap_or_default();
    let section = format!("component-type:wasp-bindgen:{}:{package}:{name}", env!("CARGO_PKG_VERSION"));
    let bytes = section::encode(resolve, world, PRODUCERS).map_err(refusal)?;
    let mut imports = None;
    if options.pub_export_macro {
        let mut copy = resolve.worlds[world].clone();
        copy.exports.clear();
        copy.name = format!("{name}-imports");
        let copy = resolve.worlds.alloc(copy);
        imports = Some(section::encode(resolve, copy, PRODUCERS).map_err(refusal)?);
    }
    Ok(model::Section { name: format!("{section}:encoded world{suffix}"), bytes, imports })
}

/// Documentation with what the stability says.
pub(crate) fn docs(docs: &wit_parser::Docs, stability: &wit_parser::Stability) -> model::Docs {
    let deprecated = match stability {
        wit_parser::Stability::Unstable { deprecated, .. } | wit_parser::Stability::Stable { deprecated, .. } => {
            deprecated.as_ref()
        }
        wit_parser::Stability::Unknown => None,
    };
    model::Docs {
        text: docs.contents.as_deref().unwrap_or_default().trim().to_string(),
        deprecated: deprecated.map(ToString::to_string),
    }
}

pub(crate) fn span(span: wit_parser::Span) -> Span {
    if span.is_known() { Span { start: span.start(), end: span.end() } } else { Span::default() }
}

/// The name of an import or export of the world, as symbols have it.
pub(crate) fn key_name(resolve: &Resolve, key: &WorldKey) -> String {
    resolve.name_world_key(key)
}

/// The options, for the file's header.
fn preamble(options: &Options) -> Vec<String> {
    // The world is in the text itself.
    TABLE.iter().filter(|row| row.name != "world").filter_map(|row| row.show(options)).collect()
}
