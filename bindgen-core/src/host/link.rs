//! What adds a host's functions to a linker.

use super::call;
use super::import::{resources, trait_name};
use super::root_lints;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{FuncKind, Function, Host, ImportedResource, ModuleId, ROOT, Scalar, Type, TypeId};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Prints `add_to_linker`.
pub(super) fn define(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let ok = scope.ok();
    let module = &scope.world.modules[scope.module.0];
    let (lints, bound, bounds) = (root_lints(scope), trait_name(scope, host), resource_bounds(scope, scope.module));
    let functions = module.imports.iter().map(|function| glue(scope, host, function, &quote!(H_)));
    let of_resources = resources(scope).map(|(id, resource)| of_resource(scope, host, id, resource));
    let (name, vis, instance) = match scope.module {
        ROOT => (quote!(__add_imports_to_linker), None, quote!(linker.root())),
        _ => {
            let id = &module.id;
            (quote!(add_to_linker), Some(quote!(pub)), quote!(linker.instance(#id)?))
        }
    };
    let text = match module.id.as_str() {
        "$root" => " Adds what the world imports itself to a linker.".to_string(),
        id => format!(" Adds `{id}` to a linker; `get` finds the host in a store's data."),
    };
    quote! {
        #[doc = #text]
        #lints
        #vis fn #name<T_: ::core::marker::Send + 'static, H_: #bound>(
            linker: &mut __rt::Linker<T_>,
            get: fn(&mut T_) -> &mut H_,
        ) -> __rt::Result<()>
        where
            #(#bounds,)*
        {
            let mut instance = #instance;
            #(#of_resources)*
            #(#functions)*
            #ok(())
        }
    }
}

/// Bounds for resources that live elsewhere, which no associated type speaks for.
pub(super) fn resource_bounds(scope: &Scope<'_>, module: ModuleId) -> Vec<TokenStream> {
    let of = Scope { world: scope.world, module };
    let external = resources(&of).filter(|(id, _)| scope.world.types[id.0].external.is_some());
    let bounds = external.map(|(id, resource)| {
        let (name, path, bound) = (scope.name(id), scope.to_module(module), ident(&resource.host_trait));
        quote!(#name: #path #bound<H_>)
    });
    bounds.collect()
}

fn of_resource(scope: &Scope<'_>, host: &Host, id: TypeId, resource: &ImportedResource) -> TokenStream {
    let ok = scope.ok();
    let def = &scope.world.types[id.0];
    let (wit_name, name, bound) = (&def.wit_name, scope.name(id), ident(&resource.host_trait));
    let value = match def.external {
        Some(_) => name.clone(),
        None => {
            let (host_trait, name) = (trait_name(scope, host), ident(&def.name));
            quote!(<H_ as #host_trait>::#name)
        }
    };
    let functions =
        resource.functions.iter().map(|function| glue(scope, host, function, &quote!(<#value as #bound<H_>>)));
    quote! {
        instance.resource(#wit_name, __rt::ResourceType::host::<#name>(), move |mut store, rep| {
            get(store.data_mut()).resources().dropped(rep)?;
            #ok(())
        })?;
        #(#functions)*
    }
}

/// The parameters as they are lifted.
fn lifted(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let types: Vec<_> = function
        .params
        .iter()
        .map(|param| match &param.ty {
            Type::Ref(_, ty) => match &**ty {
                Type::Str => quote!(__rt::WasmStr),
                Type::Slice(item) => {
                    let item = scope.ty(item);
                    quote!(__rt::WasmList<#item>)
                }
                _ => scope.ty(&param.ty),
            },
            ty => scope.ty(ty),
        })
        .collect();
    call::list_type(scope, &types)
}

/// Whether a parameter is read where the component has it.
fn is_view(ty: &Type) -> bool {
    matches!(ty, Type::Ref(_, ty) if matches!(**ty, Type::Str | Type::Slice(_)))
}

/// One function: `implementer` is the type whose function is called.
fn glue(scope: &Scope<'_>, host: &Host, function: &Function, implementer: &TokenStream) -> TokenStream {
    let implementer = match function.kind {
        FuncKind::Free => {
            let bound = trait_name(scope, host);
            quote!(<#implementer as #bound>)
        }
        _ => implementer.clone(),
    };
    if function.is_async {
        glue_async(scope, host, function, &implementer)
    } else {
        glue_sync(scope, host, function, &implementer)
    }
}

fn glue_sync(scope: &Scope<'_>, host: &Host, function: &Function, implementer: &TokenStream) -> TokenStream {
    let (wit_name, name) = (&function.wit_name, ident(&function.name));
    let names = call::numbered(function.params.len());
    let (pattern, types) = (call::list(scope, &names), lifted(scope, function));
    let views = function.params.iter().zip(&names).filter(|(param, _)| is_view(&param.ty)).map(|(_, name)| {
        quote! { let #name = unsafe { __rt::Borrowed::view(&#name, &store) }?; }
    });
    let span = call::span(scope, function, "wit-import").map(|span| quote! { let __entered = #span.entered(); });
    let attach = attach(function, &names, &quote!(&mut store)).map(|(bound, attach)| quote! { #bound #attach });
    let is_method = matches!(function.kind, FuncKind::Method(_));
    let values = function.params.iter().zip(&names).skip(usize::from(is_method));
    let values = values.map(|(param, name)| if is_view(&param.ty) { quote!(&#name) } else { quote!(#name) });
    let (full, bind) = (call::full_name(scope, function), bind(host, function));
    let body = match function.kind {
        FuncKind::Method(_) => {
            let this = &names[0];
            let (call, after) =
                settle(host, function, &full, quote!(#implementer::#name(&mut this.value, host, #(#values),*)));
            quote! {
                let host = get(store.data_mut());
                let mut this = __rt::named(#full, host.resources().lend(#this.rep()))?;
                #bind #call;
                host.resources().give_back(this);
                #after
            }
        }
        FuncKind::Free | FuncKind::Static(_) | FuncKind::Constructor(_) => {
            let (call, after) = settle(host, function, &full, quote!(#implementer::#name(host, #(#values),*)));
            quote! {
                let host = get(store.data_mut());
                #bind #call;
                #after
            }
        }
    };
    let result = finish(scope, function, &quote!(host));
    quote! {
        instance.func_wrap(#wit_name, move |mut store: __rt::StoreContextMut<'_, T_>, #pattern: #types| {
            #span
            #(#views)*
            #attach
            #body
            #result
        })?;
    }
}

fn glue_async(scope: &Scope<'_>, host: &Host, function: &Function, implementer: &TokenStream) -> TokenStream {
    let (ok, wit_name, name) = (scope.ok(), &function.wit_name, ident(&function.name));
    let names = call::numbered(function.params.len());
    let (pattern, types) = (call::list(scope, &names), lifted(scope, function));
    let values = function.params.iter().zip(&names).map(|(param, name)| match param.name.as_str() {
        // The handle's type is the component's; the value's is the host's.
        "self" => quote!(__rt::Res::new_borrow(#name.rep())),
        _ => quote!(#name),
    });
    let attach = attach(function, &names, &quote!(&mut __rt::AsContextMut::as_context_mut(&mut access)));
    let attach = attach.map(|(bound, attach)| {
        quote! {
            #bound
            accessor.with(|mut access| -> __rt::Result<()> {
                #attach
                #ok(())
            })?;
        }
    });
    let (full, bind) = (call::full_name(scope, function), bind(host, function));
    let span = call::span(scope, function, "wit-import");
    let call = call::spanned(span.as_ref(), quote!(#implementer::#name(__rt::Cx::new(&accessor), #(#values),*)));
    let (call, after) = settle(host, function, &full, quote!(#call.await));
    let result = match function.kind {
        FuncKind::Constructor(_) => {
            let result = finish(scope, function, &quote!(access.get()));
            quote! { accessor.with(|mut access| { #result }) }
        }
        _ => finish(scope, function, &TokenStream::new()),
    };
    quote! {
        instance.func_wrap_concurrent(#wit_name, move |accessor: &__rt::Accessor<T_>, #pattern: #types| {
            let accessor = accessor.with_getter::<__rt::Own<H_>>(get);
            __rt::Box::pin(async move {
                #attach
                #bind #call;
                #after
                #result
            })
        })?;
    }
}

/// Streams that came in are tied to their store: the parameters that hold some, and what ties them.
fn attach(function: &Function, names: &[TokenStream], store: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let with_streams = function.params.iter().zip(names).filter(|(param, _)| param.streams);
    let names: Vec<_> = with_streams.map(|(_, name)| name).collect();
    let bound = quote! { #(let mut #names = #names;)* };
    (!names.is_empty()).then(|| (bound, quote! { #(__rt::Attach::attach(&mut #names, #store)?;)* }))
}

/// What becomes of a result that a host may return as any stream or future; at once, since such a type seems to borrow
/// the host.
fn made(host: &Host, function: &Function, call: TokenStream) -> TokenStream {
    let make = match &function.result {
        _ if function.is_async => return call,
        Some(Type::Stream(Some(ty))) if **ty == Type::Scalar(Scalar::U8) => quote!(__rt::IntoBytes::into_bytes),
        Some(Type::Stream(_)) => quote!(__rt::InStream::new),
        Some(Type::Future(_)) => quote!(__rt::InFuture::new),
        _ => return call,
    };
    if host.trappable { quote!(#call.map(#make)) } else { quote!(#make(#call)) }
}

/// The call, and what takes the error out of its result that is not the component's.
fn settle(host: &Host, function: &Function, full: &str, call: TokenStream) -> (TokenStream, Option<TokenStream>) {
    let call = made(host, function, call);
    let after = if function.host.error.is_some() {
        Some(quote! { let result = __rt::named(#full, __rt::settle(result))?; })
    } else if host.trappable && function.result.is_none() {
        Some(quote! { __rt::named(#full, result)?; })
    } else if host.trappable {
        Some(quote! { let result = __rt::named(#full, result)?; })
    } else {
        None
    };
    (call, after)
}

/// What keeps the call's result, if it has one.
fn bind(host: &Host, function: &Function) -> Option<TokenStream> {
    (function.result.is_some() || host.trappable).then(|| quote!(let result =))
}

/// The result as a list.
fn finish(scope: &Scope<'_>, function: &Function, host: &TokenStream) -> TokenStream {
    let ok = scope.ok();
    match (function.kind, &function.result) {
        (FuncKind::Constructor(_), Some(Type::Result(..))) => {
            let own = own(scope, function);
            quote! { #ok((result.map(|value| -> #own { #host.resources().push(value) }),)) }
        }
        (FuncKind::Constructor(_), _) => {
            let own = own(scope, function);
            quote! { let result: #own = #host.resources().push(result); #ok((result,)) }
        }
        (_, Some(_)) => quote! { #ok((result,)) },
        (_, None) => quote! { #ok(()) },
    }
}

/// The handle that a constructor gives to the component.
fn own(scope: &Scope<'_>, function: &Function) -> TokenStream {
    match function.kind {
        FuncKind::Constructor(id) => scope.ty(&Type::Named(id, None)),
        _ => TokenStream::new(),
    }
}

/// A number as it stands in the output.
pub(super) fn number(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}
