//! What async functions of a host are given to reach it: a way in that is open between their awaits.

use std::marker::PhantomData;
use wasmtime::component::{Accessor, HasData};

/// Says that a store's data has an `H` in it.
#[doc(hidden)]
pub struct Own<H>(PhantomData<fn() -> H>);

impl<H: 'static> HasData for Own<H> {
    type Data<'a> = &'a mut H;
}

/// An accessor whose store's data may be anything with an `H` in it.
#[doc(hidden)]
pub trait Erased<H>: Send + Sync {
    /// Calls the function, once.
    fn with(&self, f: &mut dyn FnMut(&mut H));
}

impl<T: 'static, H: 'static> Erased<H> for Accessor<T, Own<H>> {
    fn with(&self, f: &mut dyn FnMut(&mut H)) {
        Accessor::with(self, |mut access| f(access.get()));
    }
}

/// The host, for an async function of it: several such functions run at the same time, and each has the host for itself
/// only while it does not wait.
///
/// ```
/// use wasp_host_rt::Cx;
///
/// struct Counter {
///     calls: u32,
/// }
///
/// async fn count(cx: Cx<'_, Counter>) -> u32 {
///     cx.with(|counter| {
///         counter.calls += 1;
///         counter.calls
///     })
/// }
/// ```
pub struct Cx<'a, H>(&'a dyn Erased<H>);

impl<H> Copy for Cx<'_, H> {}

impl<H> Clone for Cx<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'a, H> Cx<'a, H> {
    #[doc(hidden)]
    pub fn new(erased: &'a dyn Erased<H>) -> Self {
        Self(erased)
    }

    /// Gives the host to a function.
    ///
    /// # Panics
    ///
    /// When called from within another call of it, or where the engine is not running the async function that this is of.
    pub fn with<R>(self, f: impl FnOnce(&mut H) -> R) -> R {
        let (mut f, mut result) = (Some(f), None);
        self.0.with(&mut |host| result = f.take().map(|f| f(host)));
        match result {
            Some(result) => result,
            None => unreachable!("an accessor calls what it is given"),
        }
    }
}
