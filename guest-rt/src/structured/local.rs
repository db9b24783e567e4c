//! Values that belong to a future and what it calls.

use core::cell::Cell;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

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
        $visibility static $name: $crate::LocalKey<$ty> = {
            $crate::__task_local_slot!();
            $crate::LocalKey::__new(slot)
        };
    )*};
}

/// A component instance has one thread.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __task_local_slot {
    () => {
        fn slot() -> *const $crate::Slot {
            static SLOT: $crate::Slot = $crate::Slot::new();
            &raw const SLOT
        }
    };
}

#[cfg(not(all(target_family = "wasm", not(target_feature = "atomics"))))]
#[doc(hidden)]
#[macro_export]
macro_rules! __task_local_slot {
    () => {
        fn slot() -> *const $crate::Slot {
            ::std::thread_local!(static SLOT: $crate::Slot = const { $crate::Slot::new() });
            SLOT.with(|slot| ::core::ptr::from_ref(slot))
        }
    };
}

/// Where the value is, while there is one.
#[derive(Debug)]
pub struct Slot(Cell<*const ()>);

// SAFETY: a component instance has one thread at a time.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
unsafe impl Sync for Slot {}

impl Slot {
    /// Nothing.
    #[allow(clippy::new_without_default, reason = "it is only for statics")]
    pub const fn new() -> Slot {
        Slot(Cell::new(ptr::null()))
    }
}

/// A task-local: see [`task_local!`](crate::task_local).
pub struct LocalKey<T: 'static> {
    slot: fn() -> *const Slot,
    value: PhantomData<fn() -> T>,
}

impl<T> core::fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

impl<T> LocalKey<T> {
    #[doc(hidden)]
    pub const fn __new(slot: fn() -> *const Slot) -> LocalKey<T> {
        LocalKey { slot, value: PhantomData }
    }

    /// Runs a future with a value. What it spawns does not have it: wrap that as well.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scoped<T, F> {
        Scoped { key: self, value, future: ManuallyDrop::new(future) }
    }

    /// Runs a function with a value.
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let _entered = self.enter(&value);
        f()
    }

    /// The value of the innermost scope.
    ///
    /// # Panics
    ///
    /// Outside of all; see [`try_with`](Self::try_with).
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Some(result) => result,
            None => panic!("a task-local was used outside of its scope"),
        }
    }

    /// The value of the innermost scope; `None` outside of all.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: slots are statics, or live as long as the thread. What they point to is a `T`, since only `enter` puts
        // it there, and stays as long as what was entered, which this is inside of.
        unsafe { (*(self.slot)()).0.get().cast::<T>().as_ref() }.map(f)
    }

    /// A copy of the value of the innermost scope.
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

    fn enter<'a>(&'static self, value: &'a T) -> Entered<'a> {
        let slot = (self.slot)();
        // SAFETY: slots are statics, or live as long as the thread.
        let before = unsafe { (*slot).0.replace(ptr::from_ref(value).cast()) };
        Entered { slot, before, value: PhantomData }
    }
}

/// A value is the current one until this is dropped.
struct Entered<'a> {
    slot: *const Slot,
    before: *const (),
    value: PhantomData<&'a ()>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // SAFETY: slots are statics, or live as long as the thread.
        unsafe { (*self.slot).0.set(self.before) }
    }
}

/// A future with a task-local value: see [`LocalKey::scope`].
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Scoped<T: 'static, F> {
    key: &'static LocalKey<T>,
    value: T,
    future: ManuallyDrop<F>,
}

impl<T, F: Future> Future for Scoped<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future does not move; the value is only borrowed.
        let this = unsafe { self.get_unchecked_mut() };
        let _entered = this.key.enter(&this.value);
        // SAFETY: it is pinned with this.
        unsafe { Pin::new_unchecked(&mut *this.future) }.poll(cx)
    }
}

impl<T, F> Drop for Scoped<T, F> {
    fn drop(&mut self) {
        // What is dropped in the future may use the value.
        let _entered = self.key.enter(&self.value);
        // SAFETY: it is not used again.
        unsafe { ManuallyDrop::drop(&mut self.future) }
    }
}
