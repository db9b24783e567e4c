//! What a component imports: the traits that a host implements.

use super::call::{self, name};
use super::{documentation, link, root_lints};
use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::model::{FuncKind, Function, Host, ImportedResource, ROOT, Scalar, Type, TypeId, TypeKind};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Prints a module's traits, and what adds it to a linker.
pub(super) fn define(scope: &Scope<'_>, host: &Host) -> Option<TokenStream> {
    if !is_linked(scope) {
        return None;
    }
    let resources: Vec<_> = resources(scope).collect();
    let traits = resources.iter().map(|(id, resource)| resource_trait(scope, host, *id, resource));
    let host_trait = host_trait(scope, host, &resources);
    let link = link::define(scope, host);
    Some(quote! { #host_trait #(#traits)* #link })
}

/// Whether a host provides anything for this module.
pub(super) fn is_linked(scope: &Scope<'_>) -> bool {
    let module = &scope.world.modules[scope.module.0];
    module.home.is_none() && (!module.imports.is_empty() || resources(scope).next().is_some())
}

/// The resources that a module imports, those that live elsewhere included.
pub(super) fn resources<'a>(scope: &Scope<'a>) -> impl Iterator<Item = (TypeId, &'a ImportedResource)> {
    let module = scope.module;
    let types = scope.world.types.iter().enumerate().filter(move |(_, def)| def.module == module);
    types.filter_map(|(index, def)| match &def.kind {
        TypeKind::ImportedResource(resource) => Some((TypeId(index), resource)),
        _ => None,
    })
}

/// The name of the trait with a module's functions.
pub(super) fn trait_name(scope: &Scope<'_>, host: &Host) -> Ident {
    ident(if scope.module == ROOT { &host.imports } else { &scope.world.modules[scope.module.0].host_trait })
}

fn host_trait(scope: &Scope<'_>, host: &Host, resources: &[(TypeId, &ImportedResource)]) -> TokenStream {
    let module = &scope.world.modules[scope.module.0];
    let (lints, name) = (root_lints(scope), trait_name(scope, host));
    let table = (!resources.is_empty()).then(|| quote!(+ __rt::HasResources));
    let associated =
        resources.iter().filter(|(id, _)| scope.world.types[id.0].external.is_none()).map(|(id, resource)| {
            let def = &scope.world.types[id.0];
            let (name, bound) = (ident(&def.name), ident(&resource.host_trait));
            let text = format!(" What is behind `{}`.", def.wit_name);
            quote! { #[doc = #text] type #name: #bound<Self>; }
        });
    let functions = module.imports.iter().map(|function| signature(scope, host, function, &quote!(Self)));
    let text = match module.id.as_str() {
        "$root" => format!(" What a host of `{}` provides beside interfaces.", scope.world.id),
        id => format!(" What a host of `{id}` provides."),
    };
    quote! {
        #[doc = #text]
        #lints
        pub trait #name: ::core::marker::Sized + ::core::marker::Send + 'static #table {
            #(#associated)*
            #(#functions)*
        }
    }
}

fn resource_trait(scope: &Scope<'_>, host: &Host, id: TypeId, resource: &ImportedResource) -> TokenStream {
    let (lints, name) = (root_lints(scope), ident(&resource.host_trait));
    let functions = resource.functions.iter().map(|function| signature(scope, host, function, &quote!(H_)));
    let text = format!(" What is behind the resource `{}`.", scope.world.types[id.0].wit_name);
    quote! {
        #[doc = #text]
        #lints
        pub trait #name<H_: __rt::HasResources + ::core::marker::Send + 'static>:
            ::core::marker::Sized + ::core::marker::Send + 'static
        {
            #(#functions)*
        }
    }
}

/// A function as its trait asks for it, of the host `host_type`.
fn signature(scope: &Scope<'_>, host: &Host, function: &Function, host_type: &TokenStream) -> TokenStream {
    let (docs, rust_name) = (documentation(&function.docs), ident(&function.name));
    let reserved = &function.host.reserved;
    let (host_name, cx, this) = (ident(&reserved.host), ident(&reserved.cx), ident(&reserved.this));
    let mut params = Vec::new();
    match (function.kind, function.is_async) {
        (FuncKind::Free, false) => params.push(quote!(&mut self)),
        (FuncKind::Free | FuncKind::Static(_) | FuncKind::Constructor(_), true) => {
            params.push(quote!(#cx: __rt::Cx<'_, #host_type>));
        }
        (FuncKind::Method(_), false) => params.push(quote!(&mut self, #host_name: &mut #host_type)),
        (FuncKind::Method(_), true) => {
            params.push(quote!(#cx: __rt::Cx<'_, #host_type>, #this: __rt::Res<Self>));
        }
        (FuncKind::Static(_) | FuncKind::Constructor(_), false) => params.push(quote!(#host_name: &mut #host_type)),
    }
    params.extend(function.params.iter().filter(|param| param.name != "self").map(|param| {
        let (name, ty) = (name(function, param), scope.ty(&param.ty));
        quote!(#name: #ty)
    }));
    let result = result(scope, host, function);
    let result = match function.is_async {
        true => Some(quote!(-> impl __rt::Future<Output = #result> + ::core::marker::Send)),
        false => (!result.is_empty() && result.to_string() != "()").then(|| quote!(-> #result)),
    };
    quote! { #docs fn #rust_name(#(#params),*) #result; }
}

/// What a function returns, or its future gives.
fn result(scope: &Scope<'_>, host: &Host, function: &Function) -> TokenStream {
    let stream = (!function.is_async).then(|| made(scope, function)).flatten();
    if let Some(error) = &function.host.error {
        let (result, error) = (scope.result(), tokens(error));
        let ok = match (&function.kind, &function.result) {
            (FuncKind::Constructor(_), _) => quote!(Self),
            (_, Some(Type::Result(Some(ok), _))) => scope.ty(ok),
            _ => quote!(()),
        };
        return quote!(#result<#ok, #error>);
    }
    let plain = stream.unwrap_or_else(|| call::result_type(scope, function, &quote!(Self)));
    if host.trappable { quote!(__rt::Result<#plain>) } else { plain }
}

/// What makes a stream or a future that is the whole result.
fn made(scope: &Scope<'_>, function: &Function) -> Option<TokenStream> {
    let item = |ty: &Option<Box<Type>>| ty.as_ref().map_or_else(|| quote!(()), |ty| scope.ty(ty));
    match function.result.as_ref()? {
        Type::Stream(Some(ty)) if **ty == Type::Scalar(Scalar::U8) => Some(quote!(impl __rt::IntoBytes)),
        Type::Stream(ty) => {
            let item = item(ty);
            Some(quote!(impl __rt::Stream<Item = #item> + ::core::marker::Send + 'static))
        }
        Type::Future(ty) => {
            let item = item(ty);
            Some(quote!(impl __rt::Future<Output = #item> + ::core::marker::Send + 'static))
        }
        _ => None,
    }
}
