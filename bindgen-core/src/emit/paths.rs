//! How types are named from where they are used.

use super::{ident, tokens};
use crate::model::{Lifetime, ModuleId, ROOT, Scalar, Type, TypeId, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

/// A place in the output.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) world: &'a World,
    pub(crate) module: ModuleId,
}

impl Scope<'_> {
    /// `super::super::`, up to the root.
    pub(crate) fn to_root(self) -> TokenStream {
        let depth = self.world.modules[self.module.0].path.len();
        let steps = (0..depth).map(|_| quote!(super::));
        quote!(#(#steps)*)
    }

    /// The path from here to the module at `module`, with `::` behind; nothing for this one.
    pub(crate) fn to_module(self, module: ModuleId) -> TokenStream {
        if module == self.module {
            return TokenStream::new();
        }
        let root = self.to_root();
        let path = self.world.modules[module.0].path.iter().map(|name| ident(name));
        quote!(#root #(#path::)*)
    }

    /// A defined type's name from here, without its lifetime.
    pub(crate) fn name(&self, id: TypeId) -> TokenStream {
        let def = &self.world.types[id.0];
        if let Some(path) = &def.external {
            let path_tokens = tokens(path);
            let at_root = path
                .split("::")
                .next()
                .is_some_and(|first| self.world.style.remaps.iter().any(|(name, _)| name == first));
            let root = at_root.then(|| self.to_root());
            return quote!(#root #path_tokens);
        }
        let module = self.to_module(def.module);
        let name = ident(&def.name);
        quote!(#module #name)
    }

    /// Whether a type is a resource, by whatever name.
    pub(crate) fn is_resource(&self, id: TypeId) -> bool {
        match &self.world.types[id.0].kind {
            TypeKind::Alias(Type::Named(id, _)) => self.is_resource(*id),
            TypeKind::ImportedResource(_) | TypeKind::ExportedResource(_) => true,
            _ => false,
        }
    }

    /// A host's handles of its own resources are numbers, in whatever position.
    fn host_ty(&self, ty: &Type) -> Option<TokenStream> {
        self.world.host.as_ref()?;
        let item = |ty: &Option<Box<Type>>| ty.as_ref().map_or_else(|| quote!(()), |ty| self.ty(ty));
        match ty {
            Type::Ref(_, inner) => match &**inner {
                Type::Named(id, _) if self.is_resource(*id) => self.host_ty(inner),
                _ => None,
            },
            Type::Named(id, _) if self.is_resource(*id) && !self.is_exported(*id) => {
                let name = self.name(*id);
                Some(quote!(__rt::Res<#name>))
            }
            Type::ExportedBorrow(id, _) => Some(self.borrow_name(*id)),
            Type::Stream(payload) => {
                let payload = item(payload);
                Some(quote!(__rt::InStream<#payload>))
            }
            Type::Future(payload) => {
                let payload = item(payload);
                Some(quote!(__rt::InFuture<#payload>))
            }
            _ => None,
        }
    }

    fn is_exported(&self, id: TypeId) -> bool {
        match &self.world.types[id.0].kind {
            TypeKind::Alias(Type::Named(id, _)) => self.is_exported(*id),
            kind => matches!(kind, TypeKind::ExportedResource(_)),
        }
    }

    /// The name of an exported resource's borrow.
    pub(crate) fn borrow_name(&self, id: TypeId) -> TokenStream {
        let def = &self.world.types[id.0];
        let module = self.to_module(def.module);
        match &def.kind {
            TypeKind::ExportedResource(resource) => {
                let name = ident(&resource.borrow_name);
                quote!(#module #name)
            }
            _ => self.name(id),
        }
    }

    /// `Option` or its full path where a type of this module has its name.
    fn prelude(&self, name: &str, path: TokenStream) -> TokenStream {
        let module = &self.world.modules[self.module.0];
        let of_world = self.world.host.as_ref().filter(|_| self.module == ROOT);
        let is_hidden = module.types.iter().any(|id| self.world.types[id.0].name == name)
            || of_world.is_some_and(|host| [&host.name, &host.pre, &host.imports].into_iter().any(|own| own == name));
        if is_hidden { path } else { tokens(name) }
    }

    /// `Ok`, in a host.
    pub(crate) fn ok(&self) -> TokenStream {
        self.prelude("Ok", quote!(__rt::Ok))
    }

    /// `Some`.
    pub(crate) fn some(&self) -> TokenStream {
        self.prelude("Some", quote!(::core::option::Option::Some))
    }

    /// `None`.
    pub(crate) fn none(&self) -> TokenStream {
        self.prelude("None", quote!(::core::option::Option::None))
    }

    /// `Option`.
    pub(crate) fn option(&self) -> TokenStream {
        self.prelude("Option", quote!(::core::option::Option))
    }

    /// `Result`.
    pub(crate) fn result(&self) -> TokenStream {
        self.prelude("Result", quote!(::core::result::Result))
    }

    /// A type.
    pub(crate) fn ty(&self, ty: &Type) -> TokenStream {
        let optional = |ty: &Option<Box<Type>>| ty.as_ref().map_or_else(|| quote!(()), |ty| self.ty(ty));
        if let Some(ty) = self.host_ty(ty) {
            return ty;
        }
        match ty {
            Type::Scalar(scalar) => scalar_name(*scalar),
            Type::String => quote!(__rt::String),
            Type::Str => quote!(str),
            Type::Vec(ty) => {
                let ty = self.ty(ty);
                quote!(__rt::Vec<#ty>)
            }
            Type::Slice(ty) => {
                let ty = self.ty(ty);
                quote!([#ty])
            }
            Type::Array(ty, len) => {
                let ty = self.ty(ty);
                let len = proc_macro2::Literal::u32_unsuffixed(*len);
                quote!([#ty; #len])
            }
            Type::Ref(lifetime, ty) => {
                let ty = self.ty(ty);
                match lifetime {
                    Lifetime::Elided => quote!(&#ty),
                    Lifetime::A => quote!(&'a #ty),
                }
            }
            Type::Option(ty) => {
                let (option, ty) = (self.option(), self.ty(ty));
                quote!(#option<#ty>)
            }
            Type::Result(ok, err) => {
                let (result, ok, err) = (self.result(), optional(ok), optional(err));
                quote!(#result<#ok, #err>)
            }
            Type::Tuple(types) => {
                let types = types.iter().map(|ty| self.ty(ty));
                quote!((#(#types,)*))
            }
            Type::Map(key, value) => {
                let (map, key, value) = (tokens(&self.world.style.map), self.ty(key), self.ty(value));
                quote!(#map<#key, #value>)
            }
            Type::Named(id, lifetime) => {
                let (name, lifetime) = (self.name(*id), lifetime.map(generics));
                quote!(#name #lifetime)
            }
            Type::ExportedBorrow(id, lifetime) => {
                let (name, lifetime) = (self.borrow_name(*id), generics(*lifetime));
                quote!(#name #lifetime)
            }
            Type::Stream(payload) => {
                let payload = optional(payload);
                quote!(__rt::StreamReader<#payload>)
            }
            Type::Future(payload) => {
                let payload = optional(payload);
                quote!(__rt::FutureReader<#payload>)
            }
            Type::ErrorContext => quote!(__rt::ErrorContext),
        }
    }
}

/// `<'a>` or `<'_>`.
fn generics(lifetime: Lifetime) -> TokenStream {
    match lifetime {
        Lifetime::Elided => quote!(<'_>),
        Lifetime::A => quote!(<'a>),
    }
}

fn scalar_name(scalar: Scalar) -> TokenStream {
    match scalar {
        Scalar::Bool => quote!(bool),
        Scalar::S8 => quote!(i8),
        Scalar::U8 => quote!(u8),
        Scalar::S16 => quote!(i16),
        Scalar::U16 => quote!(u16),
        Scalar::S32 => quote!(i32),
        Scalar::U32 => quote!(u32),
        Scalar::S64 => quote!(i64),
        Scalar::U64 => quote!(u64),
        Scalar::F32 => quote!(f32),
        Scalar::F64 => quote!(f64),
        Scalar::Char => quote!(char),
    }
}
