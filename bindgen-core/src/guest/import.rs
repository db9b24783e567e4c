//! Imported functions: each passes its parameters to the runtime together with the core function to call.

use super::ty::const_width;
use super::{documentation, root_lints};
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{CallPlan, Chain, Core, FuncKind, Function, ImportPlan, Param, ParamsPlan, ResultPlan, Type};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

/// Prints an imported function, or a method of an imported resource.
pub(super) fn define(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let CallPlan::Import(plan) = &function.plan else { return TokenStream::new() };
    let docs = documentation(&function.docs);
    let lints = (function.kind == FuncKind::Free).then(|| root_lints(scope)).flatten();
    let name = ident(&function.name);
    let params = function.params.iter().map(|param| parameter(scope, param, function.chain));
    let mut result = result(scope, function);
    let mut asyncness = function.is_async.then(|| quote!(async));
    let mut body = if function.is_async { call_async(function, plan) } else { call_sync(function, plan) };
    if let Some(future) = future(scope, function) {
        // The future of the runtime itself: one in an async block around it costs more for each call.
        (asyncness, result) = (None, Some(future));
    } else if function.is_async {
        body = quote!(#body.await);
    }
    let body = match function.chain {
        Some(_) => quote! { #body; self },
        None => body,
    };
    quote! {
        #docs
        #lints
        pub #asyncness fn #name(#(#params),*) #result {
            #body
        }
    }
}

fn parameter(scope: &Scope<'_>, param: &Param, chain: Option<Chain>) -> TokenStream {
    if param.name == "self" {
        return if chain == Some(Chain::Owned) { quote!(self) } else { quote!(&self) };
    }
    let (name, ty) = (ident(&param.name), scope.ty(&param.ty));
    if param.borrows { quote!(#name: impl __rt::Param<__World, #ty>) } else { quote!(#name: #ty) }
}

/// `-> impl Future`, for async functions where all editions agree on the lifetimes it captures.
fn future(scope: &Scope<'_>, function: &Function) -> Option<TokenStream> {
    let borrows = function.params.iter().any(|param| param.borrows);
    let of = |param: &Param| if param.name == "self" { 1 } else { lifetimes(&param.ty) };
    let captured = match function.params.iter().map(of).sum::<usize>() {
        0 => None,
        1 if !borrows => Some(quote!(+ use<'_>)),
        _ => return None,
    };
    let output = result_type(scope, function).unwrap_or_else(|| quote!(()));
    let printed = function.is_async && function.chain.is_none();
    printed.then(|| quote!(-> impl ::core::future::Future<Output = #output> #captured))
}

/// How many lifetimes a type leaves out.
fn lifetimes(ty: &Type) -> usize {
    let own = matches!(ty, Type::Ref(..) | Type::Named(_, Some(_)) | Type::ExportedBorrow(..));
    usize::from(own) + ty.parts().into_iter().map(lifetimes).sum::<usize>()
}

/// `-> T`, or nothing.
fn result(scope: &Scope<'_>, function: &Function) -> Option<TokenStream> {
    if let Some(chain) = function.chain {
        return Some(if chain == Chain::Owned { quote!(-> Self) } else { quote!(-> &Self) });
    }
    result_type(scope, function).map(|ty| quote!(-> #ty))
}

/// The result, in which a constructor's resource is `Self`.
pub(super) fn result_type(scope: &Scope<'_>, function: &Function) -> Option<TokenStream> {
    let ty = function.result.as_ref()?;
    Some(match (function.kind, ty) {
        (FuncKind::Constructor(_), Type::Result(_, err)) => {
            let (result, err) = (scope.result(), err.as_ref().map_or_else(|| quote!(()), |err| scope.ty(err)));
            quote!(#result<Self, #err>)
        }
        (FuncKind::Constructor(_), _) => quote!(Self),
        _ => scope.ty(ty),
    })
}

/// The parameters as one value for the runtime, and the number of its slots.
fn arguments(function: &Function, plan: &ImportPlan) -> (TokenStream, usize) {
    let values: Vec<_> = function.params.iter().map(|param| argument(param, function.chain)).collect();
    let tuple = chain_tuples(&values, &quote!(__rt::Args));
    match &plan.params {
        ParamsPlan::Flat(cores) => (tuple, cores.len()),
        ParamsPlan::Indirect => {
            let words = const_width(function.params_words);
            (quote!(__rt::Indirect::<_, #words>::new(#tuple)), 1)
        }
    }
}

fn argument(param: &Param, chain: Option<Chain>) -> TokenStream {
    match (param.name.as_str(), chain) {
        ("self", Some(Chain::Owned)) => quote!(&self),
        ("self", _) => quote!(self),
        (name, _) => {
            let name = ident(name);
            quote!(#name)
        }
    }
}

/// Values, or types, as tuples of at most sixteen in a chain.
pub(super) fn chain_tuples(values: &[TokenStream], args: &TokenStream) -> TokenStream {
    let mut chunks = values.chunks(16).rev();
    let Some(last) = chunks.next() else { return quote!(()) };
    chunks.fold(quote!((#(#last,)*)), |rest, chunk| quote!(#args((#(#chunk,)*), #rest)))
}

/// The core parameters with their types, and the slots converted to them.
pub(super) fn core_params(plan: &ParamsPlan) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let cores = match plan {
        ParamsPlan::Flat(cores) => cores.as_slice(),
        ParamsPlan::Indirect => &[Core::Pointer],
    };
    let declared = cores.iter().enumerate().map(|(index, core)| {
        let (name, ty) = (format_ident!("a{index}"), core_type(*core));
        quote!(#name: #ty)
    });
    let converted = cores.iter().enumerate().map(|(index, core)| {
        let index = Literal::usize_unsuffixed(index);
        from_slot(*core, &quote!(slots[#index]))
    });
    (declared.collect(), converted.collect())
}

/// The Rust type of a core value.
pub(super) fn core_type(core: Core) -> TokenStream {
    match core {
        Core::I32 => quote!(u32),
        Core::I64 => quote!(u64),
        Core::F32 => quote!(f32),
        Core::F64 => quote!(f64),
        Core::Pointer => quote!(usize),
    }
}

/// A core value from its slot.
pub(super) fn from_slot(core: Core, slot: &TokenStream) -> TokenStream {
    match core {
        Core::I32 => quote!(#slot as u32),
        Core::I64 => quote!(#slot),
        Core::F32 => quote!(f32::from_bits(#slot as u32)),
        Core::F64 => quote!(f64::from_bits(#slot)),
        Core::Pointer => quote!(#slot as usize),
    }
}

/// The slot of a core value.
pub(super) fn to_slot(core: Core, value: &TokenStream) -> TokenStream {
    match core {
        Core::I32 | Core::Pointer => quote!(#value as u64),
        Core::I64 => quote!(#value),
        Core::F32 => quote!(#value.to_bits() as u64),
        Core::F64 => quote!(#value.to_bits()),
    }
}

fn slots(count: usize) -> TokenStream {
    if count == 0 { quote!(_) } else { quote!(slots) }
}

fn call_sync(function: &Function, plan: &ImportPlan) -> TokenStream {
    let (module, name) = (&plan.module, &plan.name);
    let (mut declared, mut converted) = core_params(&plan.params);
    let (arguments, count) = arguments(function, plan);
    let (slots, count_literal) = (slots(count), Literal::usize_unsuffixed(count));
    match plan.result {
        ResultPlan::None => quote! {
            __rt::import!(#module, #name, fn __import(#(#declared),*));
            unsafe {
                __rt::sync_call::<__World, _, (), #count_literal>(#arguments, |#slots| {
                    __import(#(#converted),*);
                    0
                })
            }
        },
        ResultPlan::Flat(core) => {
            let (ty, result) = (core_type(core), to_slot(core, &quote!(__import(#(#converted),*))));
            quote! {
                __rt::import!(#module, #name, fn __import(#(#declared),*) -> #ty);
                unsafe { __rt::sync_call::<__World, _, _, #count_literal>(#arguments, |#slots| #result) }
            }
        }
        ResultPlan::Indirect => {
            declared.push(quote!(to: usize));
            converted.push(quote!(to));
            let words = const_width(function.result_words);
            quote! {
                __rt::import!(#module, #name, fn __import(#(#declared),*));
                unsafe {
                    __rt::sync_call_indirect::<__World, _, _, #count_literal, #words>(#arguments, |#slots, to| __import(#(#converted),*))
                }
            }
        }
    }
}

fn call_async(function: &Function, plan: &ImportPlan) -> TokenStream {
    let (module, name) = (&plan.module, &plan.name);
    let (mut declared, mut converted) = core_params(&plan.params);
    let (arguments, count) = arguments(function, plan);
    let (slots, count_literal) = (slots(count), Literal::usize_unsuffixed(count));
    let mut to = quote!(_);
    if function.result.is_some() {
        declared.push(quote!(to: usize));
        converted.push(quote!(to));
        to = quote!(to);
    }
    let words = const_width(function.result_words);
    let result = if function.result.is_some() { quote!(_) } else { quote!(()) };
    quote! {
        __rt::import!(#module, #name, fn __import(#(#declared),*) -> u32);
        unsafe {
            __rt::async_call::<__World, _, #result, #count_literal, #words>(#arguments, |#slots, #to| __import(#(#converted),*))
        }
    }
}
