//! What a component exports: types with a function for each of its functions.

use super::call::{self, name, span, spanned};
use super::documentation;
use super::link::number;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{ExportedResource, FuncKind, Function, Guest, ModuleId, Param, ROOT, Type, TypeId, TypeKind, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints an exported interface.
pub(super) fn define(scope: &Scope<'_>, guest: &Guest) -> TokenStream {
    let name = ident(&guest.trait_name);
    let functions = functions(scope.world, guest);
    let count = number(functions.len());
    let bind = (!functions.is_empty()).then(|| quote!(let interface =));
    let id = &scope.world.modules[scope.module.0].id;
    let (ok, some) = (scope.ok(), scope.some());
    let find = functions.iter().map(|function| find(scope, function, &quote!(#some(&interface))));
    let at = |function| At::Always(self::at(scope, guest, function, &quote!(self.functions)));
    let calls = guest.functions.iter().map(|function| calls(scope, function, at(function)));
    let resources = guest.resources.iter().filter_map(|id| exported(scope.world, *id).map(|resource| (*id, resource)));
    let resources: Vec<_> = resources.filter(|(_, resource)| !resource.functions.is_empty()).collect();
    let getters = resources.iter().map(|(id, resource)| {
        let def = &scope.world.types[id.0];
        let (getter, of) = (ident(&def.snake), ident(&resource.trait_name));
        let text = format!(" The functions of `{}`.", def.wit_name);
        quote! {
            #[doc = #text]
            pub fn #getter(&self) -> #of<'_> {
                #of { guest: self }
            }
        }
    });
    let of_resources = resources.iter().map(|(id, resource)| of_resource(scope, guest, *id, resource));
    let text = format!(" The component's `{id}`.");
    quote! {
        #[doc = #text]
        #[derive(Clone)]
        pub struct #name {
            functions: [__rt::Func; #count],
        }

        impl #name {
            #[doc(hidden)]
            pub fn __find<T_: 'static>(
                pre: &__rt::InstancePre<T_>,
            ) -> __rt::Result<[__rt::ComponentExportIndex; #count]> {
                #bind __rt::interface(pre.component(), #id)?;
                #ok([#(#find?),*])
            }

            #[doc(hidden)]
            pub fn __load(
                store: impl __rt::AsContextMut,
                instance: &__rt::Instance,
                found: &[__rt::ComponentExportIndex; #count],
            ) -> __rt::Result<Self> {
                #ok(Self { functions: __rt::load(store, instance, found)? })
            }

            #(#getters)*
            #(#calls)*
        }

        #(#of_resources)*
    }
}

/// All functions, in the order of their indices.
pub(super) fn functions<'a>(world: &'a World, guest: &'a Guest) -> Vec<&'a Function> {
    let resources = guest.resources.iter().filter_map(|id| exported(world, *id));
    guest.functions.iter().chain(resources.flat_map(|resource| &resource.functions)).collect()
}

pub(super) fn exported(world: &World, id: TypeId) -> Option<&ExportedResource> {
    match &world.types[id.0].kind {
        TypeKind::ExportedResource(resource) => Some(resource),
        _ => None,
    }
}

/// What finds a function, and checks its type.
pub(super) fn find(scope: &Scope<'_>, function: &Function, interface: &TokenStream) -> TokenStream {
    let types: Vec<_> = function.params.iter().map(|param| passed(scope, function, param, true).ty).collect();
    let (params, result) = (call::list_type(scope, &types), call::result_list(scope, function));
    let wit_name = &function.wit_name;
    quote!(__rt::function::<T_, #params, #result>(pre, #interface, #wit_name))
}

/// A parameter as it is taken, and as it is passed on.
struct Passed {
    taken: TokenStream,
    ty: TokenStream,
    value: TokenStream,
}

fn passed(scope: &Scope<'_>, function: &Function, param: &Param, borrowed: bool) -> Passed {
    let name = name(function, param);
    let ty = if borrowed { &param.ty } else { &param.owned };
    match ty {
        Type::ExportedBorrow(id, _) => {
            let (taken, ty) = (scope.name(*id), scope.borrow_name(*id));
            Passed { taken: quote!(&#taken), ty, value: quote!(#name.borrow()) }
        }
        Type::Ref(_, inner) if matches!(&**inner, Type::Named(id, _) if scope.is_resource(*id)) => {
            let ty = scope.ty(ty);
            Passed { taken: quote!(&#ty), ty, value: quote!(__rt::Res::new_borrow(#name.rep())) }
        }
        _ => {
            let ty = scope.ty(ty);
            Passed { taken: ty.clone(), ty, value: quote!(#name) }
        }
    }
}

/// Where a function is that was found.
pub(super) enum At {
    /// It is this expression.
    Always(TokenStream),
    /// It is in this `Option`: the component may lack it.
    Maybe(TokenStream),
}

/// A function's place in the array of its interface's.
fn at(scope: &Scope<'_>, guest: &Guest, function: &Function, functions: &TokenStream) -> TokenStream {
    let index = self::functions(scope.world, guest).iter().position(|other| std::ptr::eq(*other, function));
    let index = number(index.unwrap_or_default());
    quote!(#functions[#index])
}

/// The two forms of a call: with a store, or together with others.
pub(super) fn calls(scope: &Scope<'_>, function: &Function, at: At) -> TokenStream {
    let docs = documentation(&function.docs);
    let (name, concurrent) = (ident(&function.name), ident(&function.host.concurrent));
    let (store, accessor) = (ident(&function.host.reserved.store), ident(&function.host.reserved.accessor));
    let own = match function.kind {
        FuncKind::Constructor(id) => scope.name(id),
        _ => TokenStream::new(),
    };
    let result = call::result_type(scope, function, &own);
    let results = call::result_list(scope, function);
    let (ok, option, some, none) = (scope.ok(), scope.option(), scope.some(), scope.none());
    let (pattern, value) = match function.result {
        Some(_) => (quote!((__result,)), quote!(__result)),
        None => (quote!(()), quote!(())),
    };
    let form = |borrowed| {
        let passed: Vec<_> = function.params.iter().map(|param| passed(scope, function, param, borrowed)).collect();
        let taken = function.params.iter().zip(&passed).map(|(param, passed)| {
            let (name, ty) = (call::name(function, param), &passed.taken);
            quote!(#name: #ty)
        });
        let (types, values): (Vec<_>, Vec<_>) =
            passed.iter().map(|passed| (passed.ty.clone(), passed.value.clone())).unzip();
        (quote!(#(#taken),*), call::list_type(scope, &types), call::list(scope, &values))
    };
    let (taken, types, values) = form(true);
    let (taken_owned, types_owned, values_owned) = form(false);
    let streams = if function.streams { quote!(__rt::Streams) } else { quote!(__rt::Plain) };
    let text = format!(" [`Self::{name}`], together with other calls.");
    let (found, absent, output, value) = match at {
        At::Always(found) => (found, None, quote!(#result), value),
        At::Maybe(found) => (
            quote!(__found),
            Some(quote! { let #some(__found) = #found else { return #ok(#none) }; }),
            quote!(#option<#result>),
            quote!(#some(#value)),
        ),
    };
    let lacking = absent.is_some().then(|| quote! { #[doc = " `None` if the component does not export it."] });
    let span = span(scope, function, "wit-export");
    // The types are those that the function was found with.
    let call = quote!(unsafe { __rt::call::<#streams, #types, #results>(#found, #store, #values) });
    let call_concurrent = quote! {
        unsafe { __rt::call_concurrent::<#streams, #types_owned, #results>(#found, #accessor, #values_owned) }
    };
    let (call, call_concurrent) = (spanned(span.as_ref(), call), spanned(span.as_ref(), call_concurrent));
    quote! {
        #docs
        #lacking
        pub async fn #name(
            &self,
            #store: impl __rt::AsContextMut<Data: ::core::marker::Send>,
            #taken
        ) -> __rt::Result<#output> {
            #absent
            let #pattern = #call.await?;
            #ok(#value)
        }

        #[doc = #text]
        pub async fn #concurrent(
            &self,
            #accessor: impl __rt::Caller,
            #taken_owned
        ) -> __rt::Result<#output> {
            #absent
            let #pattern = #call_concurrent.await?;
            #ok(#value)
        }
    }
}

fn of_resource(scope: &Scope<'_>, guest: &Guest, id: TypeId, resource: &ExportedResource) -> TokenStream {
    let (name, guest_name) = (ident(&resource.trait_name), ident(&guest.trait_name));
    let at = |function| At::Always(self::at(scope, guest, function, &quote!(self.guest.functions)));
    let calls = resource.functions.iter().map(|function| calls(scope, function, at(function)));
    let text = format!(" The functions of the resource `{}`.", scope.world.types[id.0].wit_name);
    quote! {
        #[doc = #text]
        #[derive(Clone, Copy)]
        pub struct #name<'a> {
            guest: &'a #guest_name,
        }

        impl #name<'_> {
            #(#calls)*
        }
    }
}

/// Every exported interface, the world itself left out.
pub(super) fn interfaces(world: &World) -> impl Iterator<Item = (ModuleId, &Guest)> {
    let modules = world.modules.iter().enumerate().filter(|(index, _)| *index != ROOT.0);
    modules.filter_map(|(index, module)| Some((ModuleId(index), module.guest.as_ref()?)))
}
