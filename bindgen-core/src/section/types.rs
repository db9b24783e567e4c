//! Value types and function types.

use super::encoder::Bytes;
use super::{Encoder, unknown};
use std::collections::HashMap;
use wit_parser::{Function, Handle, Type, TypeDefKind, TypeId};

/// What an index space has already.
#[derive(Default)]
pub(super) struct Known<'a> {
    types: HashMap<TypeId, u32>,
    /// Types without a name, by what they are.
    kinds: HashMap<&'a TypeDefKind, u32>,
    functions: HashMap<FunctionKey<'a>, u32>,
}

/// Functions with the same key have the same type.
type FunctionKey<'a> = (bool, Vec<(&'a str, Type)>, Option<Type>);

/// How a value type is written where it is used.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// By its code.
    Primitive(u8),
    /// By its index.
    Index(u32),
}

impl Bytes {
    fn value(&mut self, value: Value) {
        match value {
            Value::Primitive(code) => self.byte(code),
            Value::Index(index) => self.s33(index),
        }
    }

    fn optional(&mut self, value: Option<Value>) {
        match value {
            Some(value) => {
                self.byte(1);
                self.value(value);
            }
            None => self.byte(0),
        }
    }

    fn names<'a>(&mut self, names: impl ExactSizeIterator<Item = &'a String>) {
        self.u32(names.len() as u32);
        for name in names {
            self.name(name);
        }
    }
}

impl<'a> Encoder<'a> {
    /// Declares what a type needs, and says how it is written.
    pub(super) fn value_type(&mut self, ty: &Type) -> Result<Value, String> {
        Ok(Value::Primitive(match ty {
            Type::Id(id) => return self.defined_type(*id),
            Type::Bool => 0x7f,
            Type::S8 => 0x7e,
            Type::U8 => 0x7d,
            Type::S16 => 0x7c,
            Type::U16 => 0x7b,
            Type::S32 => 0x7a,
            Type::U32 => 0x79,
            Type::S64 => 0x78,
            Type::U64 => 0x77,
            Type::F32 => 0x76,
            Type::F64 => 0x75,
            Type::Char => 0x74,
            Type::String => 0x73,
            Type::ErrorContext => 0x64,
        }))
    }

    fn optional_type(&mut self, ty: Option<&Type>) -> Result<Option<Value>, String> {
        ty.map(|ty| self.value_type(ty)).transpose()
    }

    fn defined_type(&mut self, id: TypeId) -> Result<Value, String> {
        let ty = &self.resolve.types[id];
        let known = self.known.types.get(&id);
        let known = known.or_else(|| ty.name.is_none().then(|| self.known.kinds.get(&ty.kind)).flatten());
        if let Some(index) = known {
            return Ok(Value::Index(*index));
        }
        if let Some(index) = self.foreign_type(id)? {
            self.remember(id, index);
            return Ok(Value::Index(index));
        }
        if let (TypeDefKind::Resource, Some(name)) = (&ty.kind, &ty.name) {
            let index = self.resource(name);
            self.known.types.insert(id, index);
            return Ok(Value::Index(index));
        }
        let mut value = self.kind(&ty.kind)?;
        if let Some(name) = &ty.name {
            let index = match value {
                Value::Index(index) => index,
                Value::Primitive(code) => self.scope().ty(&[code]),
            };
            value = Value::Index(self.name_type(name, index));
        }
        if let Value::Index(index) = value {
            self.remember(id, index);
        }
        Ok(value)
    }

    fn remember(&mut self, id: TypeId, index: u32) {
        let ty = &self.resolve.types[id];
        self.known.types.insert(id, index);
        if ty.name.is_none() {
            self.known.kinds.insert(&ty.kind, index);
        }
    }

    fn kind(&mut self, kind: &'a TypeDefKind) -> Result<Value, String> {
        let mut out = Bytes::default();
        match kind {
            TypeDefKind::Type(ty) => return self.value_type(ty),
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| self.value_type(&field.ty));
                let fields = fields.collect::<Result<Vec<_>, _>>()?;
                out.byte(0x72);
                out.u32(fields.len() as u32);
                for (field, value) in record.fields.iter().zip(fields) {
                    out.name(&field.name);
                    out.value(value);
                }
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| self.optional_type(case.ty.as_ref()));
                let cases = cases.collect::<Result<Vec<_>, _>>()?;
                out.byte(0x71);
                out.u32(cases.len() as u32);
                for (case, value) in variant.cases.iter().zip(cases) {
                    out.name(&case.name);
                    out.optional(value);
                    out.byte(0);
                }
            }
            TypeDefKind::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.value_type(ty));
                let types = types.collect::<Result<Vec<_>, _>>()?;
                out.byte(0x6f);
                out.u32(types.len() as u32);
                types.into_iter().for_each(|value| out.value(value));
            }
            TypeDefKind::Flags(flags) => {
                out.byte(0x6e);
                out.names(flags.flags.iter().map(|flag| &flag.name));
            }
            TypeDefKind::Enum(cases) => {
                out.byte(0x6d);
                out.names(cases.cases.iter().map(|case| &case.name));
            }
            TypeDefKind::Option(ty) => {
                let value = self.value_type(ty)?;
                out.byte(0x6b);
                out.value(value);
            }
            TypeDefKind::Result(result) => {
                let ok = self.optional_type(result.ok.as_ref())?;
                let err = self.optional_type(result.err.as_ref())?;
                out.byte(0x6a);
                out.optional(ok);
                out.optional(err);
            }
            TypeDefKind::List(ty) => {
                let value = self.value_type(ty)?;
                out.byte(0x70);
                out.value(value);
            }
            TypeDefKind::FixedLengthList(ty, len) => {
                let value = self.value_type(ty)?;
                out.byte(0x67);
                out.value(value);
                out.u32(*len);
            }
            TypeDefKind::Map(key, value) => {
                let key = self.value_type(key)?;
                let value = self.value_type(value)?;
                out.byte(0x63);
                out.value(key);
                out.value(value);
            }
            TypeDefKind::Future(payload) => {
                let payload = self.optional_type(payload.as_ref())?;
                out.byte(0x65);
                out.optional(payload);
            }
            TypeDefKind::Stream(payload) => {
                let payload = self.optional_type(payload.as_ref())?;
                out.byte(0x66);
                out.optional(payload);
            }
            TypeDefKind::Handle(handle) => {
                let (opcode, id) = match handle {
                    Handle::Own(id) => (0x69, id),
                    Handle::Borrow(id) => (0x68, id),
                };
                let Value::Index(index) = self.value_type(&Type::Id(*id))? else {
                    return Err("a handle to something that is no resource".to_string());
                };
                out.byte(opcode);
                out.u32(index);
            }
            TypeDefKind::Resource | TypeDefKind::Unknown => return Err(unknown(kind)),
        }
        Ok(Value::Index(self.scope().ty(&out.0)))
    }

    /// Declares the type of a function: its index.
    pub(super) fn function_type(&mut self, function: &'a Function) -> Result<u32, String> {
        let is_async = function.kind.is_async();
        let params = function.params.iter().map(|param| (param.name.as_str(), param.ty)).collect();
        let key: FunctionKey<'a> = (is_async, params, function.result);
        if let Some(index) = self.known.functions.get(&key) {
            return Ok(*index);
        }
        let mut out = Bytes::default();
        out.byte(if is_async { 0x43 } else { 0x40 });
        let values = function.params.iter().map(|param| self.value_type(&param.ty));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        out.u32(values.len() as u32);
        for (param, value) in function.params.iter().zip(values) {
            out.name(&param.name);
            out.value(value);
        }
        match self.optional_type(function.result.as_ref())? {
            Some(value) => {
                out.byte(0);
                out.value(value);
            }
            None => out.raw(&[1, 0]),
        }
        let index = self.scope().ty(&out.0);
        self.known.functions.insert(key, index);
        Ok(index)
    }
}
