//! The payloads of streams and futures: one for each Rust type, with the intrinsics of the first function that has it.

use super::Resolver;
use super::types::MANGLING;
use crate::diagnostic::Diagnostic;
use crate::model::{Intrinsics, Payload, PayloadKind, Type, TypeKind};
use std::collections::HashMap;
use wit_parser::{
    Function, FutureIntrinsic, StreamIntrinsic, Type as WitType, TypeDefKind, WasmImport, WorldItem, WorldKey,
};

impl Resolver<'_> {
    /// Finds the payloads of every function that is generated.
    pub(crate) fn define_payloads(&mut self) {
        let resolve = self.resolve;
        let world = &resolve.worlds[self.world];
        let mut seen: HashMap<(bool, Option<Type>), String> = HashMap::new();
        for (exported, (key, item)) in
            world.imports.iter().map(|item| (false, item)).chain(world.exports.iter().map(|item| (true, item)))
        {
            match item {
                WorldItem::Interface { id, .. } => {
                    if self.modules[self.module_of[id].0].home.is_some() {
                        continue;
                    }
                    for function in resolve.interfaces[*id].functions.values() {
                        self.function_payloads(function, Some(key), exported, &mut seen);
                    }
                }
                WorldItem::Function(function) => self.function_payloads(function, None, exported, &mut seen),
                WorldItem::Type { .. } => {}
            }
        }
    }

    fn function_payloads(
        &mut self,
        function: &Function,
        interface: Option<&WorldKey>,
        exported: bool,
        seen: &mut HashMap<(bool, Option<Type>), String>,
    ) {
        if self.options.skip.contains(&function.name) {
            return;
        }
        // The parser walks the types of each function anew, and every part as often as it occurs.
        let mut types = function.params.iter().map(|param| &param.ty).chain(&function.result);
        if !types.any(|ty| self.usages.of_type(ty).streams) {
            return;
        }
        for id in function.find_futures_and_streams(self.resolve) {
            let (kind, payload) = match self.resolve.types[id].kind {
                TypeDefKind::Stream(payload) => (PayloadKind::Stream, payload),
                TypeDefKind::Future(payload) => (PayloadKind::Future, payload),
                _ => continue,
            };
            let ty = payload.map(|ty| self.owned_type(&ty));
            let plain = ty.as_ref().map(|ty| self.without_aliases(ty));
            let wit = payload.map(|ty| self.structure_name(&ty)).unwrap_or_default();
            match seen.get(&(kind == PayloadKind::Stream, plain.clone())) {
                Some(known) if *known == wit => continue,
                Some(known) => {
                    let place = self.source.place(super::span(function.span));
                    let message = format!("`{known}` and `{wit}` would both be payloads of the same Rust type");
                    let help = "leave out `raw_strings`, or put one of the two into a record";
                    self.errors.push(Diagnostic::new(message).at(place).help(help));
                    continue;
                }
                None => {}
            }
            seen.insert((kind == PayloadKind::Stream, plain), wit);
            let (module, intrinsics) = self.intrinsics(kind, function, interface, exported, id);
            self.payloads.push(Payload { kind, ty, span: super::span(function.span), module, intrinsics });
        }
    }

    fn intrinsics(
        &self,
        kind: PayloadKind,
        func: &Function,
        interface: Option<&WorldKey>,
        exported: bool,
        ty: wit_parser::TypeId,
    ) -> (String, Intrinsics) {
        let symbol = |stream, future, async_| {
            let ty = Some(ty);
            let import = match kind {
                PayloadKind::Stream => {
                    WasmImport::StreamIntrinsic { interface, func, ty, intrinsic: stream, exported, async_ }
                }
                PayloadKind::Future => {
                    WasmImport::FutureIntrinsic { interface, func, ty, intrinsic: future, exported, async_ }
                }
            };
            self.resolve.wasm_import_name(MANGLING, import)
        };
        let (module, new) = symbol(StreamIntrinsic::New, FutureIntrinsic::New, false);
        let intrinsics = Intrinsics {
            new,
            read: symbol(StreamIntrinsic::Read, FutureIntrinsic::Read, true).1,
            write: symbol(StreamIntrinsic::Write, FutureIntrinsic::Write, true).1,
            cancel_read: symbol(StreamIntrinsic::CancelRead, FutureIntrinsic::CancelRead, false).1,
            cancel_write: symbol(StreamIntrinsic::CancelWrite, FutureIntrinsic::CancelWrite, false).1,
            drop_readable: symbol(StreamIntrinsic::DropReadable, FutureIntrinsic::DropReadable, false).1,
            drop_writable: symbol(StreamIntrinsic::DropWritable, FutureIntrinsic::DropWritable, false).1,
        };
        (module, intrinsics)
    }

    /// The type with every alias replaced by what it stands for: equal for equal Rust types.
    fn without_aliases(&self, ty: &Type) -> Type {
        let of = |ty: &Type| Box::new(self.without_aliases(ty));
        match ty {
            Type::Named(id, lifetime) => match &self.types[id.0].kind {
                TypeKind::Alias(target) if self.types[id.0].external.is_none() => self.without_aliases(target),
                _ => match &self.types[id.0].external {
                    // Two names for one path elsewhere are one type.
                    Some(path) => {
                        let first = self.types.iter().position(|def| def.external.as_ref() == Some(path));
                        Type::Named(first.map_or(*id, crate::model::TypeId), *lifetime)
                    }
                    None => ty.clone(),
                },
            },
            Type::Vec(ty) => Type::Vec(of(ty)),
            Type::Slice(ty) => Type::Slice(of(ty)),
            Type::Array(ty, len) => Type::Array(of(ty), *len),
            Type::Ref(lifetime, ty) => Type::Ref(*lifetime, of(ty)),
            Type::Option(ty) => Type::Option(of(ty)),
            Type::Result(ok, err) => Type::Result(ok.as_deref().map(of), err.as_deref().map(of)),
            Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| self.without_aliases(ty)).collect()),
            Type::Map(key, value) => Type::Map(of(key), of(value)),
            Type::Stream(payload) => Type::Stream(payload.as_deref().map(of)),
            Type::Future(payload) => Type::Future(payload.as_deref().map(of)),
            Type::Scalar(_) | Type::String | Type::Str | Type::ExportedBorrow(..) | Type::ErrorContext => ty.clone(),
        }
    }

    /// What tells component types apart that may be one Rust type: strings and lists of bytes.
    fn structure_name(&self, ty: &WitType) -> String {
        if !self.options.raw_strings {
            return String::new();
        }
        match ty {
            WitType::String => "string".to_string(),
            WitType::Id(id) => match &self.resolve.types[*id].kind {
                TypeDefKind::Type(ty) => self.structure_name(ty),
                kind => {
                    let parts: Vec<_> = super::usage::parts(kind).iter().map(|ty| self.structure_name(ty)).collect();
                    format!("{}<{}>", kind.as_str(), parts.join(", "))
                }
            },
            WitType::U8 => "u8".to_string(),
            _ => "scalar".to_string(),
        }
    }
}
