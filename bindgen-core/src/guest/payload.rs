//! Payloads of streams and futures: their intrinsics, and the modules that make pairs.

use crate::emit::paths::Scope;
use crate::model::{Payload, PayloadKind, ROOT, Type, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints the payloads and the modules `wit_stream` and `wit_future`.
pub(super) fn define(world: &World) -> TokenStream {
    let scope = Scope { world, module: ROOT };
    let payloads = world.payloads.iter().map(|payload| payload_impl(&scope, payload));
    let payloads: TokenStream = payloads.collect();
    let lints = lints(world);
    let payloads = match &lints {
        Some(lints) => quote! { #lints const _: () = { #payloads }; },
        None => payloads,
    };
    let (streams, futures) = (streams(&scope, lints.as_ref()), futures(&scope, lints.as_ref()));
    quote! { #payloads #streams #futures }
}

/// What lets payloads be deprecated types, if some are: they are named here, at the root.
fn lints(world: &World) -> Option<TokenStream> {
    fn is_deprecated(world: &World, ty: &Type) -> bool {
        match ty {
            Type::Named(id, _) => world.types[id.0].docs.deprecated.is_some(),
            ty => ty.parts().into_iter().any(|part| is_deprecated(world, part)),
        }
    }
    let mut types = world.payloads.iter().filter_map(|payload| payload.ty.as_ref());
    types.any(|ty| is_deprecated(world, ty)).then(|| quote!(#[allow(deprecated)]))
}

/// The types that streams, or futures, of this world carry.
fn types<'a>(scope: &'a Scope<'_>, kind: PayloadKind) -> impl Iterator<Item = TokenStream> + 'a {
    let payloads = scope.world.payloads.iter().filter(move |payload| payload.kind == kind);
    payloads.map(|payload| payload.ty.as_ref().map_or_else(|| quote!(()), |ty| scope.ty(ty)))
}

fn streams(scope: &Scope<'_>, lints: Option<&TokenStream>) -> Option<TokenStream> {
    let types: Vec<_> = types(scope, PayloadKind::Stream).collect();
    (!types.is_empty()).then(|| {
        quote! {
            /// Streams of the types that this world has streams of.
            #[allow(dead_code, unused_imports, clippy::all)]
            pub mod wit_stream {
                use super::{__World, __rt};

                /// A type that streams of this world carry.
                pub trait StreamPayload: Sized + 'static {
                    /// What carries it, for traits of other worlds that this one is forwarded to.
                    const VTABLE: &'static __rt::StreamVtable<Self>;

                    #[doc(hidden)]
                    fn __new() -> (__rt::StreamWriter<Self>, __rt::StreamReader<Self>) {
                        unsafe { __rt::stream_of(Self::VTABLE) }
                    }
                }

                /// Makes a stream.
                pub fn new<T: StreamPayload>() -> (__rt::StreamWriter<T>, __rt::StreamReader<T>) {
                    T::__new()
                }

                /// A stream of what `write` writes, which is spawned onto the current task.
                pub fn produce<T: StreamPayload, F: ::core::future::Future<Output = ()> + 'static>(
                    write: impl FnOnce(__rt::StreamWriter<T>) -> F,
                ) -> __rt::StreamReader<T> {
                    __rt::produce(T::__new(), write)
                }

                /// A stream of the items of an iterator, which is asked for them as they are read.
                pub fn from_iter<T: StreamPayload>(
                    items: impl IntoIterator<Item = T, IntoIter: 'static>,
                ) -> __rt::StreamReader<T> {
                    __rt::from_iter(T::__new(), items)
                }

                /// A stream of the items of a `futures::Stream`.
                pub fn from_stream<T: StreamPayload>(
                    items: impl __rt::ItemSource<T> + 'static,
                ) -> __rt::StreamReader<T> {
                    __rt::from_stream(T::__new(), items)
                }
            }

            #lints
            const _: () = {
                #(
                    impl wit_stream::StreamPayload for #types {
                        const VTABLE: &'static __rt::StreamVtable<Self> = __rt::stream_vtable::<__World, Self>();

                        fn __new() -> (__rt::StreamWriter<Self>, __rt::StreamReader<Self>) {
                            __rt::stream_new::<__World, Self>()
                        }
                    }
                )*
            };
        }
    })
}

fn futures(scope: &Scope<'_>, lints: Option<&TokenStream>) -> Option<TokenStream> {
    let types: Vec<_> = types(scope, PayloadKind::Future).collect();
    (!types.is_empty()).then(|| {
        quote! {
            /// Futures of the types that this world has futures of.
            #[allow(dead_code, unused_imports, clippy::all)]
            pub mod wit_future {
                use super::{__World, __rt};

                /// A type that futures of this world carry.
                pub trait FuturePayload: Sized + 'static {
                    /// What carries it, for traits of other worlds that this one is forwarded to.
                    const VTABLE: &'static __rt::FutureVtable<Self>;

                    #[doc(hidden)]
                    fn __new(default: fn() -> Self) -> (__rt::FutureWriter<Self>, __rt::FutureReader<Self>) {
                        unsafe { __rt::future_of(default, Self::VTABLE) }
                    }
                }

                /// Makes a future. Its writer sends what `default` gives if it is dropped without having been written.
                pub fn new<T: FuturePayload>(default: fn() -> T) -> (__rt::FutureWriter<T>, __rt::FutureReader<T>) {
                    T::__new(default)
                }
            }

            #lints
            const _: () = {
                #(
                    impl wit_future::FuturePayload for #types {
                        const VTABLE: &'static __rt::FutureVtable<Self> = __rt::future_vtable::<__World, Self>();

                        fn __new(default: fn() -> Self) -> (__rt::FutureWriter<Self>, __rt::FutureReader<Self>) {
                            __rt::future_new::<__World, Self>(default)
                        }
                    }
                )*
            };
        }
    })
}

fn payload_impl(scope: &Scope<'_>, payload: &Payload) -> TokenStream {
    let ty = payload.ty.as_ref().map_or_else(|| quote!(()), |ty| scope.ty(ty));
    let (module, names) = (&payload.module, &payload.intrinsics);
    let (new, read, write) = (&names.new, &names.read, &names.write);
    let (cancel_read, cancel_write) = (&names.cancel_read, &names.cancel_write);
    let (drop_readable, drop_writable) = (&names.drop_readable, &names.drop_writable);
    let kind = match payload.kind {
        PayloadKind::Stream => quote!(stream_payload),
        PayloadKind::Future => quote!(future_payload),
    };
    quote! {
        __rt::#kind! {
            #ty, __World, #module,
            new: #new,
            read: #read,
            write: #write,
            cancel_read: #cancel_read,
            cancel_write: #cancel_write,
            drop_readable: #drop_readable,
            drop_writable: #drop_writable,
        }
    }
}
