//! Which Rust type a WIT type is in one position: owned, borrowed at the top, or borrowed all the way down.

use super::Resolver;
use super::usage::{Usage, definition};
use crate::model::{Lifetime, Scalar, Type};
use crate::options::Ownership;
use wit_parser::{Handle, Type as WitType, TypeDefKind, TypeId};

/// How much of a type borrows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Nothing, but for borrow handles.
    Owned,
    /// What is outermost: `&Record`, `&[Record]`.
    Top,
    /// Everything that can: `Record<'a>`, `&[&str]`.
    Deep,
}

/// How a type is printed at one level of its structure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) lifetime: Option<Lifetime>,
    /// Lists and strings are slices.
    slices: bool,
    pub(crate) style: Style,
}

impl Mode {
    const OWNED: Mode = Mode { lifetime: None, slices: false, style: Style::Owned };
}

impl Resolver<'_> {
    /// A result of an import, or anything of an export: owned.
    pub(crate) fn owned_type(&mut self, ty: &WitType) -> Type {
        let mode = self.mode(ty, Style::Owned, Lifetime::Elided);
        self.print(ty, mode)
    }

    /// A parameter of an import that is lowered synchronously.
    pub(crate) fn lent_type(&mut self, ty: &WitType) -> Type {
        let style = match self.options.ownership {
            Ownership::Owning => Style::Top,
            Ownership::Borrowing { .. } => Style::Deep,
        };
        let mode = self.mode(ty, style, Lifetime::Elided);
        self.print(ty, mode)
    }

    /// A part of a type that is defined in `mode`.
    pub(crate) fn part_type(&mut self, ty: &WitType, mode: Mode) -> Type {
        let mode = self.inner(ty, mode);
        self.print(ty, mode)
    }

    /// The type is duplicated: it is both lent and owned, and that was asked for.
    pub(crate) fn has_two_forms(&self, usage: &Usage) -> bool {
        matches!(self.options.ownership, Ownership::Borrowing { duplicate_if_necessary: true })
            && usage.lent
            && usage.owned
            && usage.list
            && !usage.own
    }

    fn mode(&self, ty: &WitType, style: Style, lifetime: Lifetime) -> Mode {
        match ty {
            WitType::Id(id) => self.mode_of(*id, style, lifetime),
            WitType::String if style != Style::Owned => Mode { lifetime: Some(lifetime), slices: true, style },
            _ => Mode::OWNED,
        }
    }

    /// How a type is printed where `style` is wished for.
    pub(crate) fn mode_of(&self, id: TypeId, style: Style, lifetime: Lifetime) -> Mode {
        let usage = self.usages.get(id);
        let lifetime = if usage.borrow {
            Some(lifetime)
        } else if style == Style::Owned || usage.own || !usage.list {
            None
        } else if !usage.owned || self.has_two_forms(&usage) || self.options.ownership == Ownership::Owning {
            Some(lifetime)
        } else {
            // The type is owned elsewhere, so that it can only be borrowed as a whole.
            return Mode { lifetime: Some(lifetime), slices: true, style: Style::Top };
        };
        Mode {
            lifetime,
            slices: lifetime.is_some() && style != Style::Owned,
            style: if usage.own { Style::Owned } else { style },
        }
    }

    /// The mode of a part.
    fn inner(&self, ty: &WitType, outer: Mode) -> Mode {
        let style = if outer.style == Style::Top { Style::Owned } else { outer.style };
        outer.lifetime.map_or(Mode::OWNED, |lifetime| self.mode(ty, style, lifetime))
    }

    /// The mode of a part of a type that is not itself behind a reference: `Option<&T>`, not `&Option<T>`.
    fn through(&self, ty: &WitType, outer: Mode) -> Mode {
        if outer.style == Style::Top { outer } else { self.inner(ty, outer) }
    }

    fn print(&mut self, ty: &WitType, mode: Mode) -> Type {
        let id = match ty {
            WitType::Id(id) => *id,
            WitType::String => return self.string(mode),
            WitType::ErrorContext => return Type::ErrorContext,
            scalar => return Type::Scalar(scalar_of(scalar)),
        };
        // A named string or list that is lent is the slice itself, not a reference to its name.
        if let Some(lifetime) = mode.lifetime {
            match self.resolve.types[definition(self.resolve, id)].kind.clone() {
                TypeDefKind::Type(WitType::String) => {
                    return Type::Ref(lifetime, Box::new(self.slice_of_string()));
                }
                TypeDefKind::List(element) => return self.list(&element, mode),
                TypeDefKind::Map(key, value) => return self.map(&key, &value, mode),
                _ => {}
            }
        }
        if self.resolve.types[id].name.is_some() { self.named(id, mode) } else { self.anonymous(id, mode) }
    }

    fn string(&self, mode: Mode) -> Type {
        match mode.lifetime {
            Some(lifetime) => Type::Ref(lifetime, Box::new(self.slice_of_string())),
            None if self.options.raw_strings => Type::Vec(Box::new(Type::Scalar(Scalar::U8))),
            None => Type::String,
        }
    }

    fn slice_of_string(&self) -> Type {
        if self.options.raw_strings { Type::Slice(Box::new(Type::Scalar(Scalar::U8))) } else { Type::Str }
    }

    fn list(&mut self, element: &WitType, mode: Mode) -> Type {
        let inner = self.inner(element, mode);
        let element = Box::new(self.print(element, inner));
        match mode.lifetime {
            Some(lifetime) if mode.slices => Type::Ref(lifetime, Box::new(Type::Slice(element))),
            _ => Type::Vec(element),
        }
    }

    fn map(&mut self, key: &WitType, value: &WitType, mode: Mode) -> Type {
        let (key_mode, value_mode) = (self.inner(key, mode), self.inner(value, mode));
        let map = Type::Map(Box::new(self.print(key, key_mode)), Box::new(self.print(value, value_mode)));
        match mode.lifetime {
            Some(lifetime) if mode.slices => Type::Ref(lifetime, Box::new(map)),
            _ => map,
        }
    }

    fn named(&mut self, id: TypeId, mode: Mode) -> Type {
        if let (Style::Top, Some(lifetime)) = (mode.style, mode.lifetime) {
            let whole = self.mode_of(id, Style::Owned, lifetime);
            let named = Type::Named(self.rust_type(id, true), whole.lifetime);
            return Type::Ref(lifetime, Box::new(named));
        }
        Type::Named(self.rust_type(id, mode.style == Style::Owned), mode.lifetime)
    }

    fn anonymous(&mut self, id: TypeId, mode: Mode) -> Type {
        let resolve = self.resolve;
        self.structure(&resolve.types[id].kind, mode)
    }

    /// A type by its structure, without its name.
    pub(crate) fn structure(&mut self, kind: &TypeDefKind, mode: Mode) -> Type {
        match kind.clone() {
            TypeDefKind::Type(ty) => self.print(&ty, mode),
            TypeDefKind::List(element) => self.list(&element, mode),
            TypeDefKind::Map(key, value) => self.map(&key, &value, mode),
            TypeDefKind::FixedLengthList(element, len) => Type::Array(Box::new(self.print(&element, Mode::OWNED)), len),
            TypeDefKind::Tuple(tuple) => {
                let parts = tuple.types.iter().map(|ty| {
                    let mode = self.through(ty, mode);
                    self.print(ty, mode)
                });
                Type::Tuple(parts.collect())
            }
            TypeDefKind::Option(ty) => {
                let mode = self.through(&ty, mode);
                Type::Option(Box::new(self.print(&ty, mode)))
            }
            TypeDefKind::Result(result) => {
                let mut side = |ty: Option<WitType>| {
                    ty.map(|ty| {
                        let mode = self.through(&ty, mode);
                        Box::new(self.print(&ty, mode))
                    })
                };
                let ok = side(result.ok);
                Type::Result(ok, side(result.err))
            }
            TypeDefKind::Future(payload) => Type::Future(payload.map(|ty| Box::new(self.owned_type(&ty)))),
            TypeDefKind::Stream(payload) => Type::Stream(payload.map(|ty| Box::new(self.owned_type(&ty)))),
            TypeDefKind::Handle(Handle::Own(resource)) => self.print(&WitType::Id(resource), Mode::OWNED),
            TypeDefKind::Handle(Handle::Borrow(resource)) => {
                let lifetime = mode.lifetime.unwrap_or(Lifetime::Elided);
                let ty = self.rust_type(definition(self.resolve, resource), true);
                if self.exported.contains(&definition(self.resolve, resource)) {
                    Type::ExportedBorrow(ty, lifetime)
                } else {
                    Type::Ref(lifetime, Box::new(Type::Named(ty, None)))
                }
            }
            // Types of these kinds have names.
            TypeDefKind::Record(_)
            | TypeDefKind::Variant(_)
            | TypeDefKind::Enum(_)
            | TypeDefKind::Flags(_)
            | TypeDefKind::Resource
            | TypeDefKind::Unknown => Type::Tuple(Vec::new()),
        }
    }
}

fn scalar_of(ty: &WitType) -> Scalar {
    match ty {
        WitType::Bool => Scalar::Bool,
        WitType::S8 => Scalar::S8,
        WitType::U8 => Scalar::U8,
        WitType::S16 => Scalar::S16,
        WitType::U16 => Scalar::U16,
        WitType::S32 => Scalar::S32,
        WitType::S64 => Scalar::S64,
        WitType::U64 => Scalar::U64,
        WitType::F32 => Scalar::F32,
        WitType::F64 => Scalar::F64,
        WitType::Char => Scalar::Char,
        WitType::U32 | WitType::String | WitType::ErrorContext | WitType::Id(_) => Scalar::U32,
    }
}
