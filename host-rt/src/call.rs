//! Calls of exports beside each other.

use crate::attach::Attach;
use std::future::Future;
use wasmtime::component::{Accessor, ComponentNamedList, Func, HasData, Lift, Lower, TypedFunc};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// Where a component's function can be called beside others: an accessor, inside of a store's `run_concurrent`, or a
/// [`Handle`](crate::Handle), anywhere.
pub trait Caller {
    /// Calls a function.
    #[doc(hidden)]
    fn call<A, P, R>(self, function: TypedFunc<P, R>, params: P) -> impl Future<Output = Result<R>> + Send
    where
        A: AttachResult<R>,
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static;
}

/// Calls a function that was found with these types.
///
/// # Safety
///
/// It was.
#[doc(hidden)]
pub unsafe fn call<A, P, R>(
    function: Func,
    mut store: impl AsContextMut<Data: Send>,
    params: P,
) -> impl Future<Output = Result<R>>
where
    A: AttachResult<R>,
    P: ComponentNamedList + Lower + Send + Sync,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    // SAFETY: the caller's promise.
    let function = unsafe { TypedFunc::<P, R>::new_unchecked(function) };
    async move {
        let mut result = function.call_async(&mut store, params).await?;
        A::attach(&mut result, &mut store.as_context_mut())?;
        Ok(result)
    }
}

/// The same beside other calls.
///
/// # Safety
///
/// As for [`call`].
#[doc(hidden)]
pub unsafe fn call_concurrent<A, P, R>(
    function: Func,
    caller: impl Caller,
    params: P,
) -> impl Future<Output = Result<R>> + Send
where
    A: AttachResult<R>,
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    // SAFETY: the caller's promise.
    let function = unsafe { TypedFunc::<P, R>::new_unchecked(function) };
    caller.call::<A, P, R>(function, params)
}

/// How the streams in a result are tied to their store.
#[doc(hidden)]
pub trait AttachResult<R>: Send + 'static {
    /// There may be some.
    const NEEDED: bool;

    /// Ties them.
    fn attach<T: Send + 'static>(result: &mut R, store: &mut StoreContextMut<'_, T>) -> Result<()>;
}

/// The result holds no streams.
#[doc(hidden)]
#[derive(Debug)]
pub struct Plain;

impl<R> AttachResult<R> for Plain {
    const NEEDED: bool = false;

    fn attach<T: Send + 'static>(_: &mut R, _: &mut StoreContextMut<'_, T>) -> Result<()> {
        Ok(())
    }
}

/// The result holds streams.
#[doc(hidden)]
#[derive(Debug)]
pub struct Streams;

impl<R: Attach> AttachResult<R> for Streams {
    const NEEDED: bool = true;

    fn attach<T: Send + 'static>(result: &mut R, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        result.attach(store)
    }
}

impl<T: Send + 'static, D: HasData + ?Sized> Caller for &Accessor<T, D> {
    async fn call<A, P, R>(self, function: TypedFunc<P, R>, params: P) -> Result<R>
    where
        A: AttachResult<R>,
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let mut result = function.call_concurrent(self, params).await?;
        if A::NEEDED {
            self.with(|mut access| A::attach(&mut result, &mut access.as_context_mut()))?;
        }
        Ok(result)
    }
}
