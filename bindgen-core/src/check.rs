//! Refuses what resolves but can't be bound: one function a rule, the rule in English above it.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Function, Module, PayloadKind, Scalar, Span, Type, TypeKind, World};
use crate::source::Source;
use std::collections::HashMap;

/// Checks everything, and reports all that is wrong at once.
pub(crate) fn world(world: &World, source: &Source) -> Result<(), Diagnostics> {
    let mut checks = Checks { world, source, errors: Vec::new() };
    for module in world.modules.iter().filter(|module| module.home.is_none()) {
        checks.check_type_names(module);
        checks.check_function_names(module);
        for function in functions(world, module) {
            checks.check_params(function);
            checks.check_tuples(function);
        }
    }
    for def in world.types.iter().filter(|def| def.external.is_none()) {
        checks.check_members(&def.kind);
        checks.check_flags(&def.kind, &def.wit_name, def.span);
        checks.check_parts(&def.kind, def.span);
    }
    checks.check_payloads();
    match checks.errors.is_empty() {
        true => Ok(()),
        false => Err(Diagnostics(checks.errors)),
    }
}

struct Checks<'a> {
    world: &'a World,
    source: &'a Source,
    errors: Vec<Diagnostic>,
}

/// Every function of a module, those of its resources included.
fn functions<'a>(world: &'a World, module: &'a Module) -> impl Iterator<Item = &'a Function> {
    let of_types = module.types.iter().flat_map(|id| of_resource(&world.types[id.0].kind));
    let of_guest = module.guest.iter().flat_map(|guest| &guest.functions);
    module.imports.iter().chain(of_guest).chain(of_types)
}

fn of_resource(kind: &TypeKind) -> &[Function] {
    match kind {
        TypeKind::ImportedResource(resource) => &resource.functions,
        TypeKind::ExportedResource(resource) => &resource.functions,
        _ => &[],
    }
}

impl Checks<'_> {
    fn refuse(&mut self, span: Span, message: String, help: impl Into<String>) {
        let diagnostic = Diagnostic::new(message).at(self.source.place(span)).help(help);
        if !self.errors.contains(&diagnostic) {
            self.errors.push(diagnostic);
        }
    }

    /// Two names that differ in WIT may be one in Rust: `a-b` and `A-B`, `x1` and `x-1`. `what` they are, and where.
    fn check_distinct<'n>(&mut self, what: &str, names: impl Iterator<Item = (&'n str, &'n str, Span)>) {
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for (rust, wit, span) in names {
            match seen.get(rust) {
                Some(first) if *first == wit => {
                    self.refuse(
                        span,
                        format!("there are two {what}s `{wit}`"),
                        format!("give one of the two {what}s another name"),
                    );
                }
                Some(first) => self.refuse(
                    span,
                    format!("the {what}s `{first}` and `{wit}` are both `{rust}` in Rust"),
                    format!("give one of the two {what}s a name that differs in more than case and hyphens"),
                ),
                None => {
                    seen.insert(rust, wit);
                }
            }
        }
    }

    /// Types of one module need names of their own; so do the traits and borrows that come with exported resources.
    fn check_type_names(&mut self, module: &Module) {
        let world = self.world;
        let mut names: Vec<(String, &str, Span)> = Vec::new();
        for id in &module.types {
            let def = &world.types[id.0];
            names.push((def.name.clone(), &def.wit_name, def.span));
            if let TypeKind::ExportedResource(resource) = &def.kind {
                names.push((resource.trait_name.clone(), &def.wit_name, def.span));
                names.push((resource.borrow_name.clone(), &def.wit_name, def.span));
            }
        }
        self.check_distinct("type", names.iter().map(|(rust, wit, span)| (rust.as_str(), *wit, *span)));
    }

    /// Functions of one module need names of their own, and so do those of one resource.
    fn check_function_names(&mut self, module: &Module) {
        let world = self.world;
        let guest = module.guest.iter().map(|guest| guest.functions.as_slice());
        let resources = module.types.iter().map(|id| of_resource(&world.types[id.0].kind));
        for group in std::iter::once(module.imports.as_slice()).chain(guest).chain(resources) {
            let names =
                group.iter().map(|function| (function.name.as_str(), function.wit_name.as_str(), function.span));
            self.check_distinct("function", names);
        }
    }

    /// Parameters of one function need names of their own.
    fn check_params(&mut self, function: &Function) {
        let names = function.params.iter().map(|param| (param.name.as_str(), param.wit_name.as_str(), param.span));
        self.check_distinct("parameter", names);
    }

    /// Fields of one record, cases of one variant and flags of one set need names of their own.
    fn check_members(&mut self, kind: &TypeKind) {
        match kind {
            TypeKind::Record(fields) => {
                let names = fields.iter().map(|field| (field.name.as_str(), field.wit_name.as_str(), field.span));
                self.check_distinct("field", names);
            }
            TypeKind::Variant { cases, .. } | TypeKind::Enum { cases, .. } => {
                self.check_distinct(
                    "case",
                    cases.iter().map(|case| (case.name.as_str(), case.wit_name.as_str(), case.span)),
                );
            }
            TypeKind::Flags { flags, .. } => {
                self.check_distinct(
                    "flag",
                    flags.iter().map(|flag| (flag.name.as_str(), flag.wit_name.as_str(), flag.span)),
                );
            }
            _ => {}
        }
    }

    /// Rust has no integer with more than 128 bits for a set of flags.
    fn check_flags(&mut self, kind: &TypeKind, name: &str, span: Span) {
        if let TypeKind::Flags { flags, .. } = kind
            && flags.len() > 128
        {
            let help =
                "split them into several `flags` of at most 128, best of at most 32, which is what engines allow";
            self.refuse(span, format!("the flags `{name}` are {}, and 128 is the limit", flags.len()), help);
        }
    }

    /// Tuples are Rust's, and the runtime knows them with up to sixteen parts.
    fn check_tuples(&mut self, function: &Function) {
        let types = function.params.iter().map(|param| &param.ty).chain(&function.result);
        for ty in types {
            self.check_tuple(ty, function.span);
        }
    }

    /// The same for the parts of a type.
    fn check_parts(&mut self, kind: &TypeKind, span: Span) {
        for ty in kind.parts() {
            self.check_tuple(ty, span);
        }
    }

    fn check_tuple(&mut self, ty: &Type, span: Span) {
        if let Type::Tuple(parts) = ty
            && parts.len() > 16
        {
            let help = "make it a `record`, whose fields have names";
            self.refuse(span, format!("a tuple has {} parts, and 16 is the limit", parts.len()), help);
        }
        for part in ty.parts() {
            self.check_tuple(part, span);
        }
    }

    /// The component model has no streams of characters: as bytes they would be ambiguous.
    fn check_payloads(&mut self) {
        let world = self.world;
        for payload in &world.payloads {
            if payload.kind == PayloadKind::Stream && payload.ty == Some(Type::Scalar(Scalar::Char)) {
                let help = "use `stream<u8>` with UTF-8, or `stream<string>`";
                self.refuse(payload.span, "`stream<char>` is not allowed".to_string(), help);
            }
        }
    }
}
