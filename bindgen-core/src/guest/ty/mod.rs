//! Types: their definition, and their walk over the canonical ABI.

mod alias;
mod enum_;
mod flags;
mod record;
mod resource_export;
mod resource_import;
mod variant;

use super::{documentation, root_lints};
use crate::emit::paths::Scope;
use crate::emit::{debug, ident, tokens};
use crate::model::{Case, Shape, TypeDef, TypeId, TypeKind, World};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Prints a type that is defined here.
pub(super) fn define(scope: &Scope<'_>, id: TypeId) -> TokenStream {
    let def = &scope.world.types[id.0];
    let (definition, abi) = match &def.kind {
        TypeKind::Alias(target) => (alias::define(scope, def, target), TokenStream::new()),
        TypeKind::Record(fields) => (record::define(scope, def, fields), record::abi(scope, id, fields)),
        TypeKind::Variant { tag, cases } => (variant::define(scope, def, cases), variant::abi(scope, id, *tag, cases)),
        TypeKind::Enum { tag, cases } => (enum_::define(scope, def, cases), enum_::abi(scope, id, *tag, cases)),
        TypeKind::Flags { bits, flags } => {
            (flags::define(scope, def, *bits, flags), flags::abi(scope, id, *bits, flags.len()))
        }
        TypeKind::ImportedResource(resource) => {
            (resource_import::define(scope, id, resource), resource_import::abi(scope, id, resource))
        }
        TypeKind::ExportedResource(resource) => {
            (resource_export::define(scope, id, resource), resource_export::abi(scope, id, resource))
        }
    };
    // What no function has need not cross.
    let abi = if def.lift || def.lower { lint_abi(scope, abi) } else { TokenStream::new() };
    quote! { #definition #abi }
}

/// Prints the walks of types that are elsewhere: they need implement nothing for it.
pub(super) fn externals(scope: &Scope<'_>) -> TokenStream {
    let mut seen = std::collections::HashSet::new();
    let types = scope.world.types.iter().enumerate().filter(|(_, def)| {
        def.external.is_some()
            && (def.lift || def.lower)
            && !matches!(def.kind, TypeKind::Alias(_))
            && seen.insert(def.external.clone())
    });
    let abi = types.map(|(index, def)| {
        let id = TypeId(index);
        match &def.kind {
            TypeKind::Alias(_) => TokenStream::new(),
            TypeKind::Record(fields) => record::abi(scope, id, fields),
            TypeKind::Variant { tag, cases } => variant::abi(scope, id, *tag, cases),
            TypeKind::Enum { tag, cases } => enum_::abi(scope, id, *tag, cases),
            TypeKind::Flags { bits, flags } => flags::abi(scope, id, *bits, flags.len()),
            TypeKind::ImportedResource(resource) => resource_import::abi(scope, id, resource),
            TypeKind::ExportedResource(resource) => resource_export::abi(scope, id, resource),
        }
    });
    let abi: TokenStream = abi.collect();
    lint_abi(scope, abi)
}

/// Prints the walk of the map type, where the world has maps.
pub(super) fn maps(world: &World) -> Option<TokenStream> {
    let map = tokens(&world.style.map);
    world.has_maps.then(|| quote! { __rt::map!(#map, __World); })
}

/// At the root, where no module's lints cover them, impls stand in a block with lints of its own.
fn lint_abi(scope: &Scope<'_>, abi: TokenStream) -> TokenStream {
    match root_lints(scope) {
        Some(lints) if !abi.is_empty() => quote! { #lints const _: () = { #abi }; },
        _ => abi,
    }
}

/// The attributes before a type's definition.
fn attributes(scope: &Scope<'_>, def: &TypeDef) -> TokenStream {
    let (lints, docs) = (root_lints(scope), documentation(&def.docs));
    let derives = def.derives.iter().map(|derive| tokens(derive));
    let attributes = def.attributes.iter().map(|attribute| tokens(attribute));
    let derive = (!def.derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
    quote! { #docs #lints #derive #(#attributes)* }
}

/// `<'a>` where the type takes a lifetime.
fn generics(def: &TypeDef) -> Option<TokenStream> {
    def.lifetime.then(|| quote!(<'a>))
}

/// `Display` and `Error` of a type that functions fail with.
fn error_impls(scope: &Scope<'_>, def: &TypeDef, format: TokenStream) -> Option<TokenStream> {
    if !def.error {
        return None;
    }
    let (name, generics) = (ident(&def.name), generics(def));
    let lints = root_lints(scope);
    let std = scope.world.style.std_feature.then(|| quote!(#[cfg(feature = "std")]));
    Some(quote! {
        #lints
        impl #generics ::core::fmt::Display for #name #generics {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #format
            }
        }

        #std
        #lints
        impl #generics ::core::error::Error for #name #generics {}
    })
}

/// `Debug` of an enum or a variant: each case says whose it is.
fn debug_cases(scope: &Scope<'_>, def: &TypeDef, cases: &[Case]) -> TokenStream {
    let format = debug::cases(scope, cases, |case| format!("{}::{}", def.name, case.name));
    debug::implement(def, root_lints(scope).as_ref(), &format)
}

/// A type's `Abi` impl and the assertion that wit-parser sees the same layout.
fn shape(scope: &Scope<'_>, id: TypeId, shape: TokenStream) -> TokenStream {
    let def = &scope.world.types[id.0];
    let (name, generics) = (scope.name(id), generics(def));
    let check = def.shape.map(|shape| {
        let expected = expected(shape);
        let elided = def.lifetime.then(|| quote!(<'static>));
        quote! { const _: () = <#name #elided as __rt::Abi<__World>>::SHAPE.check(#expected); }
    });
    quote! {
        unsafe impl #generics __rt::Abi<__World> for #name #generics {
            const SHAPE: __rt::Shape = #shape;
        }

        #check
    }
}

fn expected(shape: Shape) -> TokenStream {
    let (size, align, slots) = (width(shape.size), width(shape.align), Literal::usize_unsuffixed(shape.slots));
    quote!(__rt::Shape { size: #size, align: #align, slots: #slots })
}

/// A number that may depend on the width of pointers.
pub(super) fn width([narrow, wide]: [usize; 2]) -> TokenStream {
    let (narrow_literal, wide_literal) = (Literal::usize_unsuffixed(narrow), Literal::usize_unsuffixed(wide));
    if narrow == wide { quote!(#narrow_literal) } else { quote!(__rt::width(#narrow_literal, #wide_literal)) }
}

/// [`width`] as an argument for a const parameter.
pub(super) fn const_width(both: [usize; 2]) -> TokenStream {
    let width = width(both);
    if both[0] == both[1] { width } else { quote!({ #width }) }
}

/// A type's `Lift` impl.
fn lift(scope: &Scope<'_>, id: TypeId, body: TokenStream) -> Option<TokenStream> {
    let def = &scope.world.types[id.0];
    let (name, generics) = (scope.name(id), generics(def));
    def.lift.then(|| {
        quote! {
            unsafe impl #generics __rt::Lift<__World> for #name #generics {
                #[inline(always)]
                unsafe fn lift<S_: __rt::Source<World = __World>>(from: &mut S_) -> Self {
                    #body
                }
            }
        }
    })
}

/// A type's `Lower` impl.
fn lower(scope: &Scope<'_>, id: TypeId, body: TokenStream, disown: TokenStream) -> Option<TokenStream> {
    let def = &scope.world.types[id.0];
    let (name, generics) = (scope.name(id), generics(def));
    let owns = def.owns.then(|| {
        quote!(
            const OWNS: bool = true;
        )
    });
    // A reference has a lifetime, and only what has one may be or hold a reference.
    let borrows = def.lifetime.then(|| {
        let parts: Vec<_> = def.kind.parts().into_iter().map(|ty| scope.ty(ty)).collect();
        quote!(
            const BORROWS: bool = false #(|| <#parts as __rt::Lower<__World>>::BORROWS)*;
            const LENDS: bool = false #(|| <#parts as __rt::Lower<__World>>::LENDS)*;
        )
    });
    let disown = def.owns.then(|| {
        quote! {
            unsafe fn disown(&self) {
                #disown
            }
        }
    });
    def.lower.then(|| {
        quote! {
            unsafe impl #generics __rt::Lower<__World> for #name #generics {
                #owns
                #borrows

                #[inline(always)]
                unsafe fn lower<S_: __rt::Sink<World = __World>>(&self, to: &mut S_) {
                    #body
                }

                #disown
            }
        }
    })
}
