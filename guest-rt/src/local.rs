//! Statics of the component instance: on wasm plain ones, natively one per thread, as instances are.

/// A static that only the one thread of an instance uses.
#[cfg(target_family = "wasm")]
pub(crate) struct Only<T>(pub(crate) T);

// SAFETY: a component instance has one thread at a time.
#[cfg(target_family = "wasm")]
unsafe impl<T> Sync for Only<T> {}

#[cfg(target_family = "wasm")]
impl<T> Only<T> {
    /// Calls `f` with the value, as `LocalKey::with` does.
    #[inline(always)]
    pub(crate) fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.0)
    }
}

/// Declares a static of the instance; its type must not need to be dropped.
macro_rules! local {
    ($(#[$attribute:meta])* static $name:ident: $ty:ty = $value:expr;) => {
        $(#[$attribute])*
        #[cfg(target_family = "wasm")]
        static $name: $crate::local::Only<$ty> = $crate::local::Only($value);

        #[cfg(not(target_family = "wasm"))]
        std::thread_local! {
            $(#[$attribute])*
            static $name: $ty = const { $value };
        }
    };
}

pub(crate) use local;
