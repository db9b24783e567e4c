//! The world: what is instantiated.

use super::export::{self, interfaces};
use super::import;
use super::link::{number, resource_bounds};
use super::{documentation, lints};
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::model::{Host, ModuleId, ROOT, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints the world's types.
pub(super) fn define(world: &World, host: &Host) -> TokenStream {
    let scope = Scope { world, module: ROOT };
    let (pre, instance, add) = (pre(&scope, host), instance(&scope, host), add_to_linker(&scope, host));
    quote! { #pre #instance #add }
}

/// What was checked and found before there is an instance.
fn pre(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let (lints, name, instance) = (lints(), ident(&host.pre), ident(&host.name));
    let own = own_functions(scope);
    let count = number(own.len());
    let finds = own.iter().map(|function| export::find(scope, function, &quote!(None)));
    let (getters, types): (Vec<_>, Vec<_>) = guests(scope).unzip();
    let counts = interfaces(scope.world).map(|(_, guest)| number(export::functions(scope.world, guest).len()));
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
            #(#getters: [__rt::ComponentExportIndex; #counts],)*
        }

        #lints
        impl<T_: 'static> ::core::clone::Clone for #name<T_> {
            fn clone(&self) -> Self {
                Self {
                    pre: self.pre.clone(),
                    functions: self.functions.clone(),
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
                Ok(Self {
                    functions: { let pre = &pre; [#(#finds?),*] },
                    #(#getters: #types::__find(&pre)?,)*
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
            /// When what the component does as it starts fails.
            pub async fn instantiate_async(
                &self,
                mut store: impl __rt::AsContextMut<Data = T_>,
            ) -> __rt::Result<#instance>
            where
                T_: ::core::marker::Send,
            {
                let instance = self.pre.instantiate_async(&mut store).await?;
                Ok(#instance {
                    functions: __rt::load(&mut store, &instance, &self.functions)?,
                    #(#getters: #types::__load(&mut store, &instance, &self.#getters)?,)*
                })
            }
        }
    }
}

/// The instance.
fn instance(scope: &Scope<'_>, host: &Host) -> TokenStream {
    let (lints, name, pre) = (lints(), ident(&host.name), ident(&host.pre));
    let docs = documentation(&scope.world.docs);
    let count = number(own_functions(scope).len());
    let (getters, types): (Vec<_>, Vec<_>) = guests(scope).unzip();
    let texts = interfaces(scope.world).map(|(id, _)| format!(" The exported `{}`.", scope.world.modules[id.0].id));
    let calls = scope.world.modules[ROOT.0].guest.iter().flat_map(|guest| {
        guest.functions.iter().map(|function| export::calls(scope, guest, function, &quote!(self.functions)))
    });
    let text = format!(" An instance of a component of the world `{}`.", scope.world.id);
    quote! {
        #[doc = #text]
        ///
        #docs
        #lints
        #[derive(Clone)]
        pub struct #name {
            functions: [__rt::Func; #count],
            #(#getters: #types,)*
        }

        #lints
        impl #name {
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

            #(
                #[doc = #texts]
                pub fn #getters(&self) -> &#types {
                    &self.#getters
                }
            )*

            #(#calls)*
        }
    }
}

/// What adds every import to a linker.
fn add_to_linker(scope: &Scope<'_>, host: &Host) -> Option<TokenStream> {
    let (lints, name) = (lints(), ident(&host.name));
    let world = scope.world;
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
            #lints
            impl #name {
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
                    Ok(())
                }
            }
        }
    })
}

/// The functions that the world exports itself.
fn own_functions<'a>(scope: &Scope<'a>) -> Vec<&'a crate::model::Function> {
    scope.world.modules[ROOT.0].guest.as_ref().map(|guest| export::functions(scope.world, guest)).unwrap_or_default()
}

/// The fields of exported interfaces, with their types.
fn guests<'a>(scope: &'a Scope<'a>) -> impl Iterator<Item = (proc_macro2::Ident, TokenStream)> + 'a {
    interfaces(scope.world).map(|(id, guest)| {
        let (path, name) = (scope.to_module(id), ident(&guest.trait_name));
        (ident(&scope.world.modules[id.0].getter), quote!(#path #name))
    })
}
