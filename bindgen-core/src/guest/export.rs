//! Exported functions: the traits that ask for them, the glue that calls them, and the macros that export the glue.

use super::import::{chain_tuples, core_params, core_type, from_slot, result_type, to_slot};
use super::ty::const_width;
use super::{documentation, root_lints};
use crate::emit::paths::Scope;
use crate::emit::{ident, tokens};
use crate::model::{
    CallPlan, Core, ExportPlan, ExportedResource, FuncKind, Function, Guest, ParamsPlan, ResultPlan, Type, TypeId,
    TypeKind, World, has_callback,
};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

/// Prints a module's trait, the glue of its functions and its export macro.
pub(super) fn define(scope: &Scope<'_>, guest: &Guest) -> TokenStream {
    let lints = root_lints(scope);
    let name = ident(&guest.trait_name);
    let resources = guest.resources.iter().filter_map(|id| exported(scope.world, *id).map(|resource| (*id, resource)));
    let associated = resources.map(|(id, resource)| {
        let (name, bound) = (ident(&scope.world.types[id.0].name), ident(&resource.trait_name));
        let text = format!(" What implements `{}`.", scope.world.types[id.0].wit_name);
        quote! { #[doc = #text] type #name: #bound; }
    });
    let signatures = guest.functions.iter().map(|function| signature(scope, function));
    let glue = guest.functions.iter().map(|function| glue(scope, function, &guest.trait_name));
    let text = match scope.world.modules[scope.module.0].id.as_str() {
        "$root" => format!(" What implements the world `{}`.", scope.world.id),
        id => format!(" What implements `{id}`."),
    };
    let runtime = has_callback(guest, &scope.world.types).then(|| {
        quote! {
            #[doc(hidden)]
            #[allow(unused_imports)]
            pub use __rt::{Pool as __Pool, callback as __callback};
        }
    });
    let export_macro = module_macro(scope, guest);
    quote! {
        #[doc = #text]
        #lints
        pub trait #name {
            #(#associated)*
            #(#signatures)*
        }

        #runtime
        #(#glue)*
        #export_macro
    }
}

/// Says that code runs which is no task's, until this is dropped.
pub(super) fn outside(scope: &Scope<'_>) -> TokenStream {
    match scope.world.has_tasks {
        true => quote!(__rt::Outside::new()),
        false => quote!(__rt::Outside::without_tasks()),
    }
}

fn exported(world: &World, id: crate::model::TypeId) -> Option<&ExportedResource> {
    match &world.types[id.0].kind {
        TypeKind::ExportedResource(resource) => Some(resource),
        _ => None,
    }
}

/// A function as its trait asks for it.
pub(super) fn signature(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let docs = documentation(&function.docs);
    let head = head(scope, function);
    quote! { #docs #head; }
}

/// A function's head, from `async` on.
pub(super) fn head(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let name = ident(&function.name);
    let asyncness = function.is_async.then(|| quote!(async));
    let params = function.params.iter().map(|param| {
        if param.name == "self" {
            return quote!(&self);
        }
        let (name, ty) = (ident(&param.name), scope.ty(&param.ty));
        quote!(#name: #ty)
    });
    let result = result_type(scope, function).map(|ty| quote!(-> #ty));
    let sized = matches!((function.kind, &function.result), (FuncKind::Constructor(_), Some(Type::Result(..))));
    let sized = sized.then(|| quote!(where Self: ::core::marker::Sized));
    quote! { #asyncness fn #name(#(#params),*) #result #sized }
}

/// Lifts the parameters, calls the implementer, and passes the result on.
pub(super) fn glue(scope: &Scope<'_>, function: &Function, bound: &str) -> TokenStream {
    let CallPlan::Export(plan) = &function.plan else { return TokenStream::new() };
    let name = glue_name(function);
    let (lints, bound) = (root_lints(scope), ident(bound));
    let count = Literal::usize_unsuffixed(slot_count(&plan.params));
    let lifted = lift_params(scope, function, plan, plan.task_return.is_none());
    let call = call(scope, function);
    let enter = scope.world.style.run_ctors_once.then(|| quote!(__rt::run_ctors_once();));
    let borrows = plan.lends.then(|| quote!(let __borrows = __rt::Borrows::open();));
    let args = if slot_count(&plan.params) == 0 { quote!(_args) } else { quote!(args) };
    if let Some(task_return) = &plan.task_return {
        let finish = finish(function, task_return);
        let future = match plan.lends {
            true => {
                quote! { async move { let __borrows = __borrows; let __result = #call.await; drop(__borrows); __result } }
            }
            false => call,
        };
        return quote! {
            #[doc(hidden)]
            #lints
            pub unsafe fn #name<T_: #bound>(__pool: &'static __rt::Pool, #args: [u64; #count]) -> u32 {
                #enter
                #borrows
                unsafe {
                    #lifted
                    __rt::start(__pool, move || #future, #finish)
                }
            }
        };
    }
    let outside = outside(scope);
    let returned = returned_static(scope, function, plan);
    let (result, body) = match plan.result {
        ResultPlan::None => (None, quote! { #call; }),
        ResultPlan::Flat(core) => {
            let ty = core_type(core);
            let slot = from_slot(core, &quote!(__rt::return_flat::<__World, _>(__result)));
            (Some(quote!(-> #ty)), quote! { let __result = #call; #slot })
        }
        ResultPlan::Indirect => {
            let (name, destructors) = (returned_name(function), destructors(scope, function));
            (
                Some(quote!(-> usize)),
                quote! { let __result = #call; unsafe { #name.store::<__World>(__result, #destructors).expose_provenance() } },
            )
        }
    };
    quote! {
        #returned

        #[doc(hidden)]
        #lints
        pub unsafe fn #name<T_: #bound>(#args: [u64; #count]) #result {
            #enter
            let __outside = #outside;
            #borrows
            #lifted
            #body
        }
    }
}

fn glue_name(function: &Function) -> Ident {
    format_ident!("_export_{}_cabi", function.glue)
}

fn returned_name(function: &Function) -> Ident {
    format_ident!("__RETURNED_{}", function.glue)
}

fn post_return_name(function: &Function) -> Ident {
    format_ident!("__post_return_{}", function.glue)
}

fn slot_count(plan: &ParamsPlan) -> usize {
    match plan {
        ParamsPlan::Flat(cores) => cores.len(),
        ParamsPlan::Indirect => 1,
    }
}

/// Where a result in memory is kept until the caller has read it, and what frees it then.
fn returned_static(scope: &Scope<'_>, function: &Function, plan: &ExportPlan) -> Option<TokenStream> {
    if plan.result != ResultPlan::Indirect {
        return None;
    }
    let (name, lints) = (returned_name(function), root_lints(scope));
    let ty = scope.ty(function.result.as_ref()?);
    let words = const_width(function.result_words);
    let post_return = plan.post_return.as_ref().map(|_| {
        let post_return = post_return_name(function);
        quote! {
            #[doc(hidden)]
            #lints
            pub unsafe fn #post_return() {
                unsafe { #name.release() }
            }
        }
    });
    Some(quote! {
        #[allow(non_upper_case_globals)]
        static #name: __rt::Returned<#ty, #words> = __rt::Returned::new();
        #post_return
    })
}

/// Whether dropping a function's result runs code of the user, as an expression: types of bindings may have destructors.
fn destructors(scope: &Scope<'_>, function: &Function) -> TokenStream {
    fn collect(world: &World, ty: &Type, found: &mut Vec<TypeId>) {
        if let Type::Named(id, _) = ty {
            let kind = &world.types[id.0].kind;
            // Enums and flags are `Copy`.
            if found.contains(id) || matches!(kind, TypeKind::Enum { .. } | TypeKind::Flags { .. }) {
                return;
            }
            if !matches!(kind, TypeKind::Alias(_)) {
                found.push(*id);
            }
            kind.parts().into_iter().for_each(|part| collect(world, part, found));
        }
        ty.parts().into_iter().for_each(|part| collect(world, part, found));
    }
    let mut found = Vec::new();
    function.result.iter().for_each(|ty| collect(scope.world, ty, &mut found));
    if found.is_empty() {
        return quote!(false);
    }
    let names = found.into_iter().map(|id| scope.name(id));
    quote!(__rt::has_destructor!(#(#names),*))
}

fn param_name(index: usize) -> Ident {
    format_ident!("__{index}")
}

/// Lifts the parameters, in an unsafe block of its own if `safe` code surrounds it.
fn lift_params(scope: &Scope<'_>, function: &Function, plan: &ExportPlan, safe: bool) -> Option<TokenStream> {
    if function.params.is_empty() {
        return None;
    }
    let names: Vec<_> = (0..function.params.len()).map(param_name).map(|name| quote!(#name)).collect();
    let types: Vec<_> = function.params.iter().map(|param| scope.ty(&param.ty)).collect();
    let pattern = chain_tuples(&names, &quote!(__rt::Args));
    let ty = chain_types(&types);
    let count = Literal::usize_unsuffixed(slot_count(&plan.params));
    let value = match plan.params {
        ParamsPlan::Flat(_) => quote!(__rt::lift_params::<__World, #ty, #count>(args)),
        ParamsPlan::Indirect => quote!(__rt::lift_indirect::<__World, #ty>(args)),
    };
    Some(if safe {
        quote! { let #pattern = unsafe { #value }; }
    } else {
        quote! { let #pattern = #value; }
    })
}

/// The type of [`chain_tuples`].
fn chain_types(types: &[TokenStream]) -> TokenStream {
    let mut chunks = types.chunks(16).rev();
    let Some(last) = chunks.next() else { return quote!(()) };
    chunks.fold(quote!((#(#last,)*)), |rest, chunk| quote!(__rt::Args<(#(#chunk,)*), #rest>))
}

/// The call of the implementer.
fn call(scope: &Scope<'_>, function: &Function) -> TokenStream {
    let name = ident(&function.name);
    let args = function.params.iter().enumerate().map(|(index, param)| {
        let value = param_name(index);
        if param.name == "self" { quote!(#value.get::<T_>()) } else { quote!(#value) }
    });
    let call = quote!(T_::#name(#(#args),*));
    match (function.kind, &function.result) {
        (FuncKind::Constructor(id), Some(Type::Result(..))) => {
            let resource = scope.name(id);
            quote!(#call.map(#resource::new))
        }
        (FuncKind::Constructor(id), _) => {
            let resource = scope.name(id);
            quote!(#resource::new(#call))
        }
        _ => call,
    }
}

/// The closure that passes an async result to `task.return`.
fn finish(function: &Function, task_return: &crate::model::TaskReturn) -> TokenStream {
    let (module, name) = (&task_return.module, &task_return.name);
    let (declared, converted) = core_params(&task_return.result);
    let count = slot_count(&task_return.result);
    let literal = Literal::usize_unsuffixed(count);
    let slots = if count == 0 { quote!(_) } else { quote!(slots) };
    let value = match task_return.result {
        ParamsPlan::Flat(_) => quote!(__result),
        ParamsPlan::Indirect => {
            let words = const_width(function.result_words);
            quote!(__rt::Indirect::<_, #words>::new(__result))
        }
    };
    quote! {
        |__result| {
            __rt::import!(#module, #name, fn __task_return(#(#declared),*));
            __rt::task_return::<__World, _, #literal>(#value, |#slots| __task_return(#(#converted),*))
        }
    }
}

/// The macro that exports a module's functions for a type.
fn module_macro(scope: &Scope<'_>, guest: &Guest) -> TokenStream {
    let world = scope.world;
    let name = ident(&guest.macro_name);
    let bound = ident(&guest.trait_name);
    let free = guest.functions.iter().map(|function| shims(function, &quote!($ty)));
    let resources = guest.resources.iter().filter_map(|id| {
        let resource = exported(world, *id)?;
        let type_name = ident(&world.types[id.0].name);
        let implementer = quote!(<$ty as $($path_to_types)*::#bound>::#type_name);
        let functions = resource.functions.iter().map(|function| shims(function, &implementer));
        let dtor = &resource.dtor;
        // This stands in the user's own code.
        let lints = world.types[id.0].docs.deprecated.as_ref().map(|_| quote!(#[allow(deprecated)]));
        Some(quote! {
            #(#functions)*

            #lints
            const _: () = {
                #[unsafe(export_name = #dtor)]
                unsafe extern "C" fn dtor(rep: *mut u8) {
                    unsafe { $($path_to_types)*::#type_name::dtor::<#implementer>(rep) }
                }
            };
        })
    });
    let (macro_export, vis) = macro_visibility(world);
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        #macro_export
        macro_rules! #name {
            ($ty:ident with_types_in $($path_to_types:tt)*) => {
                #(#free)*
                #(#resources)*
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        #vis use #name;
    }
}

fn macro_visibility(world: &World) -> (Option<TokenStream>, TokenStream) {
    match world.style.pub_export_macro {
        true => (Some(quote!(#[macro_export])), quote!(pub)),
        false => (None, quote!(pub(crate))),
    }
}

/// The core functions of one export: itself, its callback, its post-return.
fn shims(function: &Function, implementer: &TokenStream) -> TokenStream {
    let CallPlan::Export(plan) = &function.plan else { return TokenStream::new() };
    let (export_name, glue) = (&plan.name, glue_name(function));
    let cores: &[Core] = match &plan.params {
        ParamsPlan::Flat(cores) => cores,
        ParamsPlan::Indirect => &[Core::Pointer],
    };
    let (declared, _) = core_params(&plan.params);
    let slots = cores.iter().enumerate().map(|(index, core)| {
        let name = format_ident!("a{index}");
        to_slot(*core, &quote!(#name))
    });
    let args = quote!([#(#slots),*]);
    let path = quote!($($path_to_types)*);
    if let Some(callback) = &plan.callback {
        return quote! {
            const _: () = {
                #[unsafe(export_name = #export_name)]
                unsafe extern "C" fn export(#(#declared),*) -> u32 {
                    static POOL: #path::__Pool = #path::__Pool::new();
                    unsafe { #path::#glue::<#implementer>(&POOL, #args) }
                }

                #[unsafe(export_name = #callback)]
                unsafe extern "C" fn callback(event: u32, waitable: u32, code: u32) -> u32 {
                    unsafe { #path::__callback(event, waitable, code) }
                }
            };
        };
    }
    let result = match plan.result {
        ResultPlan::None => None,
        ResultPlan::Flat(core) => Some(core_type(core)),
        ResultPlan::Indirect => Some(quote!(usize)),
    };
    let result = result.map(|ty| quote!(-> #ty));
    let post_return = plan.post_return.as_ref().map(|name| {
        let post_return = post_return_name(function);
        quote! {
            #[unsafe(export_name = #name)]
            unsafe extern "C" fn post_return(_result: usize) {
                unsafe { #path::#post_return() }
            }
        }
    });
    quote! {
        const _: () = {
            #[unsafe(export_name = #export_name)]
            unsafe extern "C" fn export(#(#declared),*) #result {
                unsafe { #path::#glue::<#implementer>(#args) }
            }

            #post_return
        };
    }
}

/// The macro that exports everything, `export!`.
pub(super) fn world_macro(world: &World) -> Option<TokenStream> {
    let guests: Vec<_> = world.modules.iter().filter_map(|module| Some((module, module.guest.as_ref()?))).collect();
    if guests.is_empty() {
        return None;
    }
    let style = &world.style;
    let (name, alias) = (format_ident!("__export_{}_impl", world.snake), ident(&style.export_macro));
    let default = tokens(&style.default_bindings_module);
    let calls = guests.iter().map(|(module, guest)| {
        let (path, name) = (module.path.iter().map(|name| ident(name)), ident(&guest.macro_name));
        let path = quote!($($path_to_types_root)* #(:: #path)*);
        quote! { #path::#name!($ty with_types_in #path); }
    });
    let section = style.pub_export_macro.then(|| {
        let section = super::section::statics(world, &world.section.bytes, "imports and exports");
        quote! { const _: () = { #section }; }
    });
    let (macro_export, vis) = macro_visibility(world);
    let text = format!(" Exports a type as the implementation of `{}`: `{}!(MyType)`.", world.id, style.export_macro);
    Some(quote! {
        #[doc = #text]
        ///
        /// `with_types_in path` after the type says in which module the bindings are.
        #[allow(unused_macros)]
        #[doc(hidden)]
        #macro_export
        macro_rules! #name {
            ($ty:ident) => { #default::#alias!($ty with_types_in #default); };
            ($ty:ident with_types_in $($path_to_types_root:tt)*) => {
                #(#calls)*
                #section
            };
        }
        #[doc(inline)]
        #[allow(unused_imports)]
        #vis use #name as #alias;
    })
}
