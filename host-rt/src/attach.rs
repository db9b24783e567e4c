//! Streams that came out of a component are tied to its store before the embedder sees them.

use crate::exported::{Borrow, Owner};
use crate::resource::Res;
use std::collections::HashMap;
use wasmtime::component::ErrorContext;
use wasmtime::{Result, StoreContextMut};

/// A value that may hold streams and futures.
#[doc(hidden)]
pub trait Attach {
    /// Ties those it holds to the store, in which they are read or closed later.
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        let _ = store;
        Ok(())
    }
}

macro_rules! nothing_in {
    ($($ty:ty)*) => { $(impl Attach for $ty {})* };
}

nothing_in!(() bool char u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 String ErrorContext Owner Borrow);

impl<R> Attach for Res<R> {}

impl<V: Attach> Attach for Vec<V> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        self.iter_mut().try_for_each(|item| item.attach(store))
    }
}

impl<V: Attach, const N: usize> Attach for [V; N] {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        self.iter_mut().try_for_each(|item| item.attach(store))
    }
}

impl<K, V: Attach> Attach for HashMap<K, V> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        self.values_mut().try_for_each(|item| item.attach(store))
    }
}

impl<V: Attach> Attach for Option<V> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        self.as_mut().map_or(Ok(()), |value| value.attach(store))
    }
}

impl<V: Attach, E: Attach> Attach for Result<V, E> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        match self {
            Ok(value) => value.attach(store),
            Err(error) => error.attach(store),
        }
    }
}

macro_rules! tuples {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first: Attach, $($rest: Attach),*> Attach for ($first, $($rest,)*) {
            #[allow(non_snake_case)]
            fn attach<T_: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T_>) -> Result<()> {
                let ($first, $($rest,)*) = self;
                $first.attach(store)?;
                $($rest.attach(store)?;)*
                Ok(())
            }
        }
        tuples!($($rest)*);
    };
}

tuples!(A B C D E F G H I J K L M N O P Q);
