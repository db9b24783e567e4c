//! Payloads of streams and futures: their intrinsics, and the modules that make pairs.

use crate::emit::paths::Scope;
use crate::model::{Payload, PayloadKind, ROOT, World};
use proc_macro2::TokenStream;
use quote::quote;

/// Prints the payloads and the modules `wit_stream` and `wit_future`.
pub(super) fn define(world: &World) -> TokenStream {
    let scope = Scope { world, module: ROOT };
    let payloads = world.payloads.iter().map(|payload| payload_impl(&scope, payload));
    let has = |kind| world.payloads.iter().any(|payload| payload.kind == kind);
    let streams = has(PayloadKind::Stream).then(|| {
        quote! {
            /// Streams of the types that this world has streams of.
            #[allow(dead_code, unused_imports, clippy::all)]
            pub mod wit_stream {
                use super::{__World, __rt};

                /// A type that streams of this world carry.
                pub trait StreamPayload: __rt::StreamPayload<__World> {}

                impl<T: __rt::StreamPayload<__World>> StreamPayload for T {}

                /// Makes a stream.
                pub fn new<T: StreamPayload>() -> (__rt::StreamWriter<T>, __rt::StreamReader<T>) {
                    __rt::stream_new::<__World, T>()
                }

                /// A stream of what `write` writes, which is spawned onto the current task.
                pub fn produce<T: StreamPayload, F: ::core::future::Future<Output = ()> + 'static>(
                    write: impl FnOnce(__rt::StreamWriter<T>) -> F,
                ) -> __rt::StreamReader<T> {
                    __rt::produce::<__World, T, F>(write)
                }

                /// A stream of the items of an iterator, which is asked for them as they are read.
                pub fn from_iter<T: StreamPayload>(
                    items: impl IntoIterator<Item = T, IntoIter: 'static>,
                ) -> __rt::StreamReader<T> {
                    __rt::from_iter::<__World, T, _>(items)
                }

                /// A stream of the items of a `futures::Stream`.
                pub fn from_stream<T: StreamPayload>(
                    items: impl __rt::ItemSource<T> + 'static,
                ) -> __rt::StreamReader<T> {
                    __rt::from_stream::<__World, T, _>(items)
                }
            }
        }
    });
    let futures = has(PayloadKind::Future).then(|| {
        quote! {
            /// Futures of the types that this world has futures of.
            #[allow(dead_code, unused_imports, clippy::all)]
            pub mod wit_future {
                use super::{__World, __rt};

                /// A type that futures of this world carry.
                pub trait FuturePayload: __rt::FuturePayload<__World> {}

                impl<T: __rt::FuturePayload<__World>> FuturePayload for T {}

                /// Makes a future. Its writer sends what `default` gives if it is dropped without having been written.
                pub fn new<T: FuturePayload>(default: fn() -> T) -> (__rt::FutureWriter<T>, __rt::FutureReader<T>) {
                    __rt::future_new::<__World, T>(default)
                }
            }
        }
    });
    quote! { #(#payloads)* #streams #futures }
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
