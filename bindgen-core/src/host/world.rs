//! The world: what is instantiated.

use super::export::{self, At, interfaces};
use super::import;
use super::link::{number, resource_bounds};
use super::{documentation, lints};
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{Function, Guest, Host, ModuleId, ROOT, World};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Prints the world's types.
pub(super) fn define(world: &World, host: &Host) -> TokenStream {
    let scope = Scope { world, module: ROOT };
    let (pre, instance) = (pre(&scope, host), instance(&scope, host));
    quote! { #pre #instance }
}

/// What was checked and found before there is an instance.
fn pre(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let (lints, name, instance) = (lints(), ident(&host.pre), ident(&host.name));
    let (ok, option, some, none) = (scope.ok(), scope.option(), scope.some(), scope.none());
    let (own, maybe) = own_functions(scope);
    let (count, maybe_count) = (number(own.len()), number(maybe.len()));
    let finds = own.iter().map(|function| export::find(scope, function, &none));
    let finds_maybe = maybe.iter().map(|function| {
        let (wit_name, find) = (&function.wit_name, export::find(scope, function, &none));
        quote!(__rt::if_exported(pre, #wit_name, || #find)?)
    });
    let finds = if own.is_empty() { quote!([]) } else { quote!({ let pre = &pre; [#(#finds?),*] }) };
    let finds_maybe = quote!([#(#finds_maybe),*]);
    let has_maybe = |field: TokenStream| (!maybe.is_empty()).then_some(field);
    let has_maybe_index = has_maybe(quote!(maybe: [#option<__rt::ComponentExportIndex>; #maybe_count],));
    let has_maybe_clone = has_maybe(quote!(maybe: self.maybe.clone(),));
    let has_maybe_find = has_maybe(quote!(maybe: { let pre = &pre; #finds_maybe },));
    let has_maybe_load = has_maybe(quote!(maybe: __rt::load_maybe(&mut store, &instance, &self.maybe)?,));
    let guests = guests(scope);
    let getters: Vec<_> = guests.iter().map(|guest| &guest.getter).collect();
    let found = guests.iter().map(|guest| {
        let count = number(export::functions(scope.world, guest.guest).len());
        maybe_type(scope, guest.optional, quote!([__rt::ComponentExportIndex; #count]))
    });
    let find_guests = guests.iter().map(|guest| {
        let (ty, id) = (&guest.ty, guest.id);
        match guest.optional {
            true => quote!(__rt::if_exported(&pre, #id, || #ty::__find(&pre))?),
            false => quote!(#ty::__find(&pre)?),
        }
    });
    let load_guests = guests.iter().map(|guest| {
        let (ty, getter) = (&guest.ty, &guest.getter);
        match guest.optional {
            true => quote! {
                match &self.#getter {
                    #some(found) => #some(#ty::__load(&mut store, &instance, found)?),
                    #none => #none,
                }
            },
            false => quote!(#ty::__load(&mut store, &instance, &self.#getter)?),
        }
    });
    let text = format!(
        " A component of the world `{}`, ready to be instantiated: its exports were looked up and checked.",
        scope.world.id
    );
    quote! {
        #[doc = #text]
        #lints
        pub struct #name<T_: 'static> {
            pre: __rt::InstancePre<T_>,
            functions: [__rt::ComponentExportIndex; #count],
            #has_maybe_index
            #(#getters: #found,)*
        }

        #lints
        impl<T_: 'static> ::core::clone::Clone for #name<T_> {
            fn clone(&self) -> Self {
                Self {
                    pre: self.pre.clone(),
                    functions: self.functions.clone(),
                    #has_maybe_clone
                    #(#getters: self.#getters.clone(),)*
                }
            }
        }

        #lints
        impl<T_: 'static> #name<T_> {
            /// Looks up all exports.
            ///
            /// # Errors
            ///
            /// When the component lacks one, or has it with another type.
            pub fn new(pre: __rt::InstancePre<T_>) -> __rt::Result<Self> {
                #ok(Self {
                    functions: #finds,
                    #has_maybe_find
                    #(#getters: #find_guests,)*
                    pre,
                })
            }

            /// What this was made of.
            pub fn instance_pre(&self) -> &__rt::InstancePre<T_> {
                &self.pre
            }

            /// Instantiates the component.
            ///
            /// # Errors
            ///
            /// When what the component does as it starts fails, or the store can only be used asynchronously.
            pub fn instantiate(&self, mut store: impl __rt::AsContextMut<Data = T_>) -> __rt::Result<#instance> {
                let instance = self.pre.instantiate(&mut store)?;
                self.load(store, instance)
            }

            /// Instantiates the component.
            ///
            /// # Errors
            ///
            /// When what the component does as it starts fails.
            pub async fn instantiate_async(
                &self,
                mut store: impl __rt::AsContextMut<Data = T_>,
            ) -> __rt::Result<#instance>
            where
                T_: ::core::marker::Send,
            {
                let instance = self.pre.instantiate_async(&mut store).await?;
                self.load(store, instance)
            }

            fn load(
                &self,
                mut store: impl __rt::AsContextMut<Data = T_>,
                instance: __rt::Instance,
            ) -> __rt::Result<#instance> {
                #ok(#instance {
                    functions: __rt::load(&mut store, &instance, &self.functions)?,
                    #has_maybe_load
                    #(#getters: #load_guests,)*
                })
            }
        }
    }
}

/// The instance.
fn instance(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let (lints, name, pre) = (lints(), ident(&host.name), ident(&host.pre));
    let docs = documentation(&scope.world.docs);
    let docs = (!docs.is_empty()).then(|| quote! { #[doc = ""] #docs });
    let (own, maybe) = own_functions(scope);
    let (count, maybe_count) = (number(own.len()), number(maybe.len()));
    let option = scope.option();
    let has_maybe_func = (!maybe.is_empty()).then(|| quote!(maybe: [#option<__rt::Func>; #maybe_count],));
    let guests = guests(scope);
    let getters: Vec<_> = guests.iter().map(|guest| &guest.getter).collect();
    let types = guests.iter().map(|guest| maybe_type(scope, guest.optional, guest.ty.clone()));
    let borrowed = guests.iter().map(|guest| {
        let ty = &guest.ty;
        maybe_type(scope, guest.optional, quote!(&#ty))
    });
    let borrows = guests.iter().map(|guest| {
        let getter = &guest.getter;
        if guest.optional { quote!(self.#getter.as_ref()) } else { quote!(&self.#getter) }
    });
    let texts = guests.iter().map(|guest| match guest.optional {
        true => format!(" The exported `{}`, if the component has it.", guest.id),
        false => format!(" The exported `{}`.", guest.id),
    });
    let calls = own.iter().enumerate().map(|(index, function)| {
        let index = number(index);
        export::calls(scope, function, At::Always(quote!(self.functions[#index])))
    });
    let calls_maybe = maybe.iter().enumerate().map(|(index, function)| {
        let index = number(index);
        export::calls(scope, function, At::Maybe(quote!(self.maybe[#index])))
    });
    let text = format!(" An instance of a component of the world `{}`.", scope.world.id);
    let add = add_to_linker(scope, host);
    quote! {
        #[doc = #text]
        #docs
        #lints
        #[derive(Clone)]
        pub struct #name {
            functions: [__rt::Func; #count],
            #has_maybe_func
            #(#getters: #types,)*
        }

        #lints
        impl #name {
            #add

            /// Looks up all exports and instantiates the component.
            ///
            /// # Errors
            ///
            /// As [`instantiate_async`](Self::instantiate_async), and when the store can only be used asynchronously.
            pub fn instantiate<T_: 'static>(
                store: impl __rt::AsContextMut<Data = T_>,
                component: &__rt::Component,
                linker: &__rt::Linker<T_>,
            ) -> __rt::Result<Self> {
                #pre::new(linker.instantiate_pre(component)?)?.instantiate(store)
            }

            /// Looks up all exports and instantiates the component.
            ///
            /// # Errors
            ///
            /// When the linker lacks what the component imports, the component lacks an export, or what it does as it
            /// starts fails.
            pub async fn instantiate_async<T_: ::core::marker::Send + 'static>(
                store: impl __rt::AsContextMut<Data = T_>,
                component: &__rt::Component,
                linker: &__rt::Linker<T_>,
            ) -> __rt::Result<Self> {
                #pre::new(linker.instantiate_pre(component)?)?.instantiate_async(store).await
            }

            /// Looks up all exports of an instance.
            ///
            /// # Errors
            ///
            /// When the component lacks one, or has it with another type.
            ///
            /// # Panics
            ///
            /// When the instance is one of another store.
            pub fn new<T_: 'static>(
                mut store: impl __rt::AsContextMut<Data = T_>,
                instance: &__rt::Instance,
            ) -> __rt::Result<Self> {
                let pre = instance.instance_pre(store.as_context_mut());
                #pre::new(pre)?.load(store, *instance)
            }

            #(
                #[doc = #texts]
                pub fn #getters(&self) -> #borrowed {
                    #borrows
                }
            )*

            #(#calls)*
            #(#calls_maybe)*
        }
    }
}

/// What adds every import to a linker.
fn add_to_linker(scope: &Scope<'_>, host: &Host) -> Option<TokenStream> {
    let (world, ok) = (scope.world, scope.ok());
    let linked: Vec<_> = (0..world.modules.len())
        .map(|index| Scope { world, module: ModuleId(index) })
        .filter(import::is_linked)
        .collect();
    let bounds = linked.iter().map(|module| {
        let (path, name) = (scope.to_module(module.module), import::trait_name(module, host));
        quote!(#path #name)
    });
    // Traits of resources are named from the root here.
    let external = linked.iter().flat_map(|module| resource_bounds(&Scope { world, module: ROOT }, module.module));
    let calls = linked.iter().map(|module| match module.module {
        ROOT => quote!(__add_imports_to_linker),
        id => {
            let path = scope.to_module(id);
            quote!(#path add_to_linker)
        }
    });
    (!linked.is_empty()).then(|| {
        quote! {
            /// Adds all that the world imports to a linker; `get` finds the host in a store's data.
            ///
            /// # Errors
            ///
            /// When the linker has one of the names already.
            pub fn add_to_linker<T_: ::core::marker::Send + 'static, H_: #(#bounds)+*>(
                linker: &mut __rt::Linker<T_>,
                get: fn(&mut T_) -> &mut H_,
            ) -> __rt::Result<()>
            where
                #(#external,)*
            {
                #(#calls(linker, get)?;)*
                #ok(())
            }
        }
    })
}

/// The functions that the world exports itself: those that a component has, and those that it may lack.
fn own_functions<'a>(scope: &Scope<'a>) -> (Vec<&'a Function>, Vec<&'a Function>) {
    let guest = scope.world.modules[ROOT.0].guest.as_ref();
    let functions = guest.map(|guest| export::functions(scope.world, guest)).unwrap_or_default();
    functions.into_iter().partition(|function| !function.host.optional)
}

/// An exported interface.
struct Exported<'a> {
    guest: &'a Guest,
    id: &'a str,
    getter: Ident,
    ty: TokenStream,
    optional: bool,
}

fn guests<'a>(scope: &Scope<'a>) -> Vec<Exported<'a>> {
    let guests = interfaces(scope.world).map(|(index, guest)| {
        let (path, name, module) = (scope.to_module(index), ident(&guest.trait_name), &scope.world.modules[index.0]);
        Exported {
            guest,
            id: &module.id,
            getter: ident(&module.getter),
            ty: quote!(#path #name),
            optional: module.optional,
        }
    });
    guests.collect()
}

fn maybe_type(scope: &Scope<'_>, optional: bool, ty: TokenStream) -> TokenStream {
    let option = scope.option();
    if optional { quote!(#option<#ty>) } else { ty }
}
