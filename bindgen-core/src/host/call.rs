//! What imports and exports share: names and types of parameters and results, as lists that the engine passes.

use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{FuncKind, Function, Param, Type};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// The longest tuple that the engine passes.
pub(super) const TUPLE: usize = 17;

/// The type of a parameter list that is longer.
pub(super) fn wide_name(count: usize) -> Ident {
    format_ident!("__Params{}", Literal::usize_unsuffixed(count).to_string())
}

/// The type of a parameter list.
pub(super) fn list_type(scope: &Scope<'_>, types: &[TokenStream]) -> TokenStream {
    match types.len() {
        0..=TUPLE => quote!((#(#types,)*)),
        count => {
            let (root, name) = (scope.to_root(), wide_name(count));
            quote!(#root #name<#(#types),*>)
        }
    }
}

/// A parameter list, or a pattern of one.
pub(super) fn list(scope: &Scope<'_>, values: &[TokenStream]) -> TokenStream {
    match values.len() {
        0..=TUPLE => quote!((#(#values,)*)),
        count => {
            let (root, name) = (scope.to_root(), wide_name(count));
            quote!(#root #name(#(#values),*))
        }
    }
}

/// The result as a list.
pub(super) fn result_list(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let result = function.result.as_ref().map(|ty| scope.ty(ty));
    let result = result.into_iter();
    quote!((#(#result,)*))
}

/// The result; in a constructor the resource is what `own` says.
pub(super) fn result_type(scope: &Scope<'_>, function: &Function, own: &TokenStream) -> TokenStream {
    match (function.kind, &function.result) {
        (FuncKind::Constructor(_), Some(Type::Result(_, err))) => {
            let (result, err) = (scope.result(), err.as_ref().map_or_else(|| quote!(()), |err| scope.ty(err)));
            quote!(#result<#own, #err>)
        }
        (FuncKind::Constructor(_), _) => own.clone(),
        (_, Some(ty)) => scope.ty(ty),
        (_, None) => quote!(()),
    }
}

/// A parameter's name where nothing of the bindings' own is in the way.
pub(super) fn name(function: &Function, param: &Param) -> Ident {
    ident(if param.name == "self" { &function.host.reserved.this } else { &param.name })
}

/// The names of parameters in glue.
pub(super) fn numbered(count: usize) -> Vec<TokenStream> {
    let names = (0..count).map(|index| format_ident!("__{index}"));
    names.map(|name| quote!(#name)).collect()
}

/// The span of a call, if calls have one.
pub(super) fn span(scope: &Scope<'_>, function: &Function, kind: &str) -> Option<TokenStream> {
    let is_traced = scope.world.host.as_ref().is_some_and(|host| host.tracing);
    let (interface, name) = (&scope.world.modules[scope.module.0].id, &function.wit_name);
    is_traced.then(|| {
        quote!(__rt::tracing::span!(__rt::tracing::Level::TRACE, #kind, interface = #interface, function = #name))
    })
}

/// A future, inside of the span of its call.
pub(super) fn spanned(span: Option<&TokenStream>, future: TokenStream) -> TokenStream {
    match span {
        Some(span) => quote!(__rt::tracing::Instrument::instrument(#future, #span)),
        None => future,
    }
}

/// The world, interface and function, as errors name them.
pub(super) fn full_name(scope: &Scope<'_>, function: &Function) -> String {
    match scope.world.modules[scope.module.0].id.as_str() {
        "$root" => function.wit_name.clone(),
        id => format!("{id}#{}", function.wit_name),
    }
}
