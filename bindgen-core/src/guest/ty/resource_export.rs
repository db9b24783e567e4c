//! Resources that this component exports: a handle to what the implementer keeps, its borrow, and the implementer's trait.

use super::attributes;
use crate::emit::ident;
use crate::emit::paths::Scope;
use crate::guest::{export, root_lints};
use crate::model::{ExportedResource, TypeId};
use proc_macro2::TokenStream;
use quote::quote;

pub(super) fn define(scope: &Scope<'_>, id: TypeId, resource: &ExportedResource) -> TokenStream {
    let owned = owned(scope, id, resource);
    let borrow = borrow(scope, id, resource);
    let guest = guest(scope, id, resource);
    quote! { #owned #borrow #guest }
}

fn owned(scope: &Scope<'_>, id: TypeId, resource: &ExportedResource) -> TokenStream {
    let def = &scope.world.types[id.0];
    let (attributes, name, lints) = (attributes(scope, def), ident(&def.name), root_lints(scope));
    let guest = ident(&resource.trait_name);
    let outside = export::outside(scope);
    let (module, drop, rep) = (&resource.module, &resource.drop, &resource.rep);
    quote! {
        #attributes
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct #name {
            handle: __rt::Resource<#name>,
        }

        #lints
        impl #name {
            /// Makes a resource of a value of the type that implements it.
            pub fn new<T_: #guest>(value: T_) -> Self {
                Self::implemented_by::<T_>();
                let rep = <T_::Rep as __rt::resource::ResourceRep<T_>>::rep_new(value);
                unsafe { Self::from_handle(T_::_resource_new(T_::resource_into_raw_(rep).cast())) }
            }

            /// The value behind the resource.
            pub fn get<T_: #guest>(&self) -> &T_ {
                unsafe { <T_::Rep as __rt::resource::ResourceRep<T_>>::rep_as_ref(self.rep::<T_>()) }
            }

            /// The value behind the resource, to change it.
            pub fn get_mut<T_: #guest>(&mut self) -> &mut T_ {
                unsafe { <T_::Rep as __rt::resource::ResourceRep<T_>>::rep_as_mut(self.rep::<T_>()) }
            }

            /// Gives up the resource and takes the value that was behind it.
            pub fn into_inner<T_: #guest>(self) -> T_ {
                unsafe { <T_::Rep as __rt::resource::ResourceRep<T_>>::rep_take(self.rep::<T_>()) }
            }

            #[doc(hidden)]
            pub unsafe fn from_handle(handle: u32) -> Self {
                Self { handle: unsafe { __rt::Resource::from_handle(handle) } }
            }

            #[doc(hidden)]
            pub fn take_handle(&self) -> u32 {
                __rt::Resource::take_handle(&self.handle)
            }

            #[doc(hidden)]
            pub fn handle(&self) -> u32 {
                __rt::Resource::handle(&self.handle)
            }

            #[doc(hidden)]
            pub unsafe fn dtor<T_: #guest>(rep: *mut u8) {
                let _outside = #outside;
                Self::implemented_by::<T_>();
                drop(unsafe { T_::resource_from_raw_(rep.cast()) });
            }

            fn rep<T_: #guest>(&self) -> *mut T_::Rep {
                Self::implemented_by::<T_>();
                Self::__rep(self.handle()).cast()
            }

            /// What the engine has for a handle. Not a function of the trait: implementers could give another address.
            fn __rep(handle: u32) -> *mut u8 {
                __rt::import!(#module, #rep, fn import(handle: u32) -> usize);
                unsafe { ::core::ptr::with_exposed_provenance_mut(import(handle)) }
            }

            /// One type implements a resource, or memory of one would be taken for another.
            fn implemented_by<T_: #guest>() {
                static IMPLEMENTER: __rt::resource::Implementer = __rt::resource::Implementer::new();
                IMPLEMENTER.check::<T_>();
            }
        }

        #lints
        unsafe impl __rt::WasmResource for #name {
            #[inline]
            unsafe fn drop(handle: u32) {
                __rt::import!(#module, #drop, fn import(handle: u32));
                unsafe { import(handle) }
            }
        }
    }
}

fn borrow(scope: &Scope<'_>, id: TypeId, resource: &ExportedResource) -> TokenStream {
    let lints = root_lints(scope);
    let (name, borrow, guest) =
        (ident(&scope.world.types[id.0].name), ident(&resource.borrow_name), ident(&resource.trait_name));
    let text = format!(" A borrowed [`{name}`].");
    quote! {
        #[doc = #text]
        #lints
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct #borrow<'a> {
            rep: *const u8,
            resource: ::core::marker::PhantomData<&'a #name>,
        }

        #lints
        impl<'a> #borrow<'a> {
            #[doc(hidden)]
            pub unsafe fn lift(rep: *const u8) -> Self {
                Self { rep, resource: ::core::marker::PhantomData }
            }

            /// The value behind the resource.
            pub fn get<T_: #guest>(&self) -> &'a T_ {
                #name::implemented_by::<T_>();
                unsafe { <T_::Rep as __rt::resource::ResourceRep<T_>>::rep_as_ref(self.rep.cast()) }
            }
        }
    }
}

fn guest(scope: &Scope<'_>, id: TypeId, resource: &ExportedResource) -> TokenStream {
    let lints = root_lints(scope);
    let guest = ident(&resource.trait_name);
    let (module, new) = (&resource.module, &resource.new);
    let name = ident(&scope.world.types[id.0].name);
    let functions = resource.functions.iter().map(|function| export::signature(scope, function));
    let glue = resource.functions.iter().map(|function| export::glue(scope, function, &resource.trait_name));
    let text = format!(" What implements the resource `{}`.", scope.world.types[id.0].wit_name);
    quote! {
        #[doc = #text]
        #lints
        pub trait #guest: __rt::resource::Resource {
            #[doc(hidden)]
            unsafe fn _resource_new(rep: *mut u8) -> u32
            where
                Self: ::core::marker::Sized,
            {
                __rt::import!(#module, #new, fn import(rep: usize) -> u32);
                unsafe { import(rep.expose_provenance()) }
            }

            #[doc(hidden)]
            fn _resource_rep(handle: u32) -> *mut u8
            where
                Self: ::core::marker::Sized,
            {
                #name::__rep(handle)
            }

            /// Puts a value where it stays until [`Self::resource_from_raw_`] takes it back: in a box.
            ///
            /// # Safety
            /// Who overrides one of the two must override both, and the address must stay valid in between.
            #[doc(hidden)]
            unsafe fn resource_into_raw_(rep: Self::Rep) -> *mut Self::Rep {
                __rt::Box::into_raw(__rt::Box::new(rep))
            }

            /// Takes a value back from where [`Self::resource_into_raw_`] put it.
            ///
            /// # Safety
            /// The address is one of those, and is used for the last time.
            #[doc(hidden)]
            unsafe fn resource_from_raw_(rep: *mut Self::Rep) -> Self::Rep {
                *unsafe { __rt::Box::from_raw(rep) }
            }

            #(#functions)*
        }

        #(#glue)*
    }
}

pub(super) fn abi(scope: &Scope<'_>, id: TypeId, _resource: &ExportedResource) -> TokenStream {
    let (name, borrow) = (scope.name(id), scope.borrow_name(id));
    quote! {
        __rt::handle!(#name, __World);
        __rt::exported_borrow!(#borrow, __World);
    }
}
