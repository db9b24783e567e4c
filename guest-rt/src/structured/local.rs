//! Values that belong to a future and what it calls.

use super::per_instance::PerInstance;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, ready};

/// Declares task-locals: values that are there while a future is polled, without being passed through everything that
/// it calls.
///
/// ```
/// wasp_guest_rt::task_local! {
///     /// The request that is being served.
///     static REQUEST: u64;
/// }
///
/// async fn log(text: &str) -> String {
///     REQUEST.with(|id| format!("{id}: {text}"))
/// }
///
/// # wasp_guest_rt::block_on(async {
/// assert_eq!(REQUEST.scope(7, log("hello")).await, "7: hello");
/// # });
/// ```
#[macro_export]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $ty:ty;)*) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::LocalKey<$ty> = $crate::LocalKey::__new();
    )*};
}

/// A task-local: see [`task_local!`](crate::task_local).
///
/// Each key has a slot of its own, which only ever holds a `T`. A key is neither covariant nor contravariant in `T`,
/// since values are both put in and taken out:
///
/// ```compile_fail
/// # use wasp_guest_rt::LocalKey;
/// fn weaken(key: &'static LocalKey<for<'a> fn(&'a str)>) -> &'static LocalKey<fn(&'static str)> {
///     key
/// }
/// ```
pub struct LocalKey<T: 'static> {
    /// The value of the innermost scope, while there is one.
    slot: PerInstance<Cell<*const ()>>,
    value: PhantomData<fn(T) -> T>,
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

impl<T> LocalKey<T> {
    /// Returns a key without a value.
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "it is only for statics")]
    pub const fn __new() -> LocalKey<T> {
        LocalKey { slot: PerInstance::new(), value: PhantomData }
    }

    /// Runs a future with a value. What it spawns does not have it: wrap that as well.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scoped<T, F> {
        Scoped { key: self, value, future: Some(future) }
    }

    /// Runs a function with a value.
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let _entered = self.enter(&value);
        f()
    }

    /// Calls `f` with the value of the innermost scope.
    ///
    /// # Panics
    ///
    /// Outside of all scopes; see [`try_with`](Self::try_with).
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Some(result) => result,
            None => panic!("a task-local was used outside of its scope"),
        }
    }

    /// Calls `f` with the value of the innermost scope. Returns `None` outside of all.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Option<R> {
        let value = self.slot.with(Cell::get);
        // SAFETY: only `enter` puts a pointer into the slot, made from a reference to a `T` that outlives what it returns,
        // and that takes it out again. What entered is further up the stack, so it outlives this call.
        unsafe { value.cast::<T>().as_ref() }.map(f)
    }

    /// Returns a clone of the value of the innermost scope.
    ///
    /// # Panics
    ///
    /// Outside of all scopes.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Makes `value` the current one until the returned guard is dropped. The guard must not be forgotten, so it does not
    /// leave this file.
    fn enter<'a>(&'static self, value: &'a T) -> Entered<'a, T> {
        let before = self.slot.with(|slot| slot.replace(ptr::from_ref(value).cast()));
        Entered { key: self, before, value: PhantomData }
    }
}

/// A value is the current one until this is dropped.
struct Entered<'a, T: 'static> {
    key: &'static LocalKey<T>,
    before: *const (),
    value: PhantomData<&'a T>,
}

impl<T> Drop for Entered<'_, T> {
    fn drop(&mut self) {
        self.key.slot.with(|slot| slot.set(self.before));
    }
}

/// A future with a task-local value: see [`LocalKey::scope`].
///
/// The future is dropped when it completes, and this is pending for ever from then on.
#[must_use = "futures do nothing unless polled"]
pub struct Scoped<T: 'static, F> {
    key: &'static LocalKey<T>,
    value: T,
    /// `None` when it has completed.
    future: Option<F>,
}

impl<T, F: Future> Future for Scoped<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future does not move: it is polled and dropped in place. The value is only borrowed.
        let this = unsafe { self.get_unchecked_mut() };
        let _entered = this.key.enter(&this.value);
        let Some(future) = &mut this.future else { return Poll::Pending };
        // SAFETY: it is pinned with this.
        let result = ready!(unsafe { Pin::new_unchecked(future) }.poll(cx));
        // What is dropped in the future may use the value.
        this.future = None;
        Poll::Ready(result)
    }
}

#[cfg(feature = "futures-stream")]
impl<T, F: Future> futures_core::FusedFuture for Scoped<T, F> {
    fn is_terminated(&self) -> bool {
        self.future.is_none()
    }
}

impl<T, F> Drop for Scoped<T, F> {
    fn drop(&mut self) {
        // What is dropped in the future may use the value.
        let _entered = self.key.enter(&self.value);
        self.future = None;
    }
}

impl<T, F> fmt::Debug for Scoped<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").field("completed", &self.future.is_none()).finish()
    }
}
