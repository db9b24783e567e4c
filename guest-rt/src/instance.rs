//! State of the component instance that the runtime runs in: on wasm a static, natively one value per thread.
//!
//! Each module that has such state owns it: see [`local`].

use core::ops::Deref;

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!(
    "a component instance has one thread, and this runtime shares its state without locks: build for a target without \
     `+atomics`"
);

/// Declares a static that belongs to the component instance. Natively each thread stands in for an instance.
macro_rules! local {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $ty:ty = $init:expr;) => {
        $(#[$attribute])*
        #[cfg(target_family = "wasm")]
        $visibility static $name: $crate::instance::Local<$ty> = $crate::instance::Local($init);

        $(#[$attribute])*
        #[cfg(not(target_family = "wasm"))]
        $visibility static $name: $crate::instance::Local<$ty> = {
            // Never dropped: a destructor of another thread-local may still come here.
            std::thread_local!(static OF_THREAD: core::mem::ManuallyDrop<$ty> =
                const { core::mem::ManuallyDrop::new($init) });
            fn get() -> &'static $ty {
                // SAFETY: the state has cells and so is not `Sync`: no reference to it leaves the thread. Nothing drops it.
                OF_THREAD.with(|state| unsafe { &*core::ptr::from_ref::<$ty>(state) })
            }
            $crate::instance::Local(get)
        };
    };
}

pub(crate) use local;

/// A value that belongs to the component instance.
#[cfg(target_family = "wasm")]
#[repr(transparent)]
pub(crate) struct Local<T: 'static>(pub(crate) T);

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more.
#[cfg(target_family = "wasm")]
unsafe impl<T> Sync for Local<T> {}

#[cfg(target_family = "wasm")]
impl<T> Deref for Local<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A value that belongs to the thread that stands in for a component instance.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct Local<T: 'static>(pub(crate) fn() -> &'static T);

#[cfg(not(target_family = "wasm"))]
impl<T> Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (self.0)()
    }
}

/// Returns a number that only this thread has ever had.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn thread() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local!(static THREAD: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    THREAD.with(|thread| *thread)
}

/// Runs its function when it is dropped by a panic that passes by. Natively a panic must leave the thread's runtime
/// usable; on wasm a panic ends the instance, and nothing is left of this.
pub(crate) struct OnUnwind<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> OnUnwind<F> {
    /// Forgets the function: there was no panic.
    #[inline(always)]
    pub(crate) fn disarm(self) {
        core::mem::forget(self);
    }
}

impl<F: FnMut()> Drop for OnUnwind<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
