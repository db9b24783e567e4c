//! Handles of resources.

use core::fmt;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering};

/// A handle that somebody else has taken.
const TAKEN: u32 = u32::MAX;

/// A resource type: how to give up one of its handles.
///
/// # Safety
/// `drop` calls the intrinsic that drops handles of this type.
pub unsafe trait WasmResource {
    /// Drops a handle.
    ///
    /// # Safety
    /// The handle is live, and nobody uses it any more.
    unsafe fn drop(handle: u32);
}

/// A handle to a `T`, dropped with it unless it was taken.
///
/// Handles pass by reference until the other side has really taken them, hence the atomic: whatever holds one stays
/// `Send` and `Sync`.
#[repr(transparent)]
pub struct Resource<T: WasmResource> {
    handle: AtomicU32,
    resource: PhantomData<T>,
}

impl<T: WasmResource> Resource<T> {
    /// Owns a handle.
    ///
    /// # Safety
    /// The handle is one of `T`, and nobody else owns it.
    #[inline(always)]
    pub unsafe fn from_handle(handle: u32) -> Self {
        Resource { handle: AtomicU32::new(handle), resource: PhantomData }
    }

    /// The handle, which the caller now owns.
    #[inline(always)]
    pub fn take_handle(resource: &Self) -> u32 {
        // Not a swap: nobody else is looking, and a plain load and store is smaller.
        let handle = Self::handle(resource);
        resource.handle.store(TAKEN, Ordering::Relaxed);
        handle
    }

    /// The handle; no live one where it was taken.
    #[inline(always)]
    pub fn handle(resource: &Self) -> u32 {
        resource.handle.load(Ordering::Relaxed)
    }
}

impl<T: WasmResource> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("handle", &Self::handle(self)).finish()
    }
}

impl<T: WasmResource> Drop for Resource<T> {
    #[inline]
    fn drop(&mut self) {
        let handle = *self.handle.get_mut();
        if handle != TAKEN {
            // SAFETY: this owns the handle.
            unsafe { T::drop(handle) }
        }
    }
}

/// The ABI of a resource type with `from_handle`, `handle` and `take_handle`.
#[doc(hidden)]
#[macro_export]
macro_rules! handle {
    ($resource:ty, $world:ty) => {
        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Abi<$world> for $resource {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Lift<$world> for $resource {
            #[inline(always)]
            unsafe fn lift<S_: $crate::__rt::Source<World = $world>>(from: &mut S_) -> Self {
                // SAFETY: the caller's promise.
                unsafe { <$resource>::from_handle(from.u32()) }
            }
        }

        // A borrow that an export was lent.
        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl<'a> $crate::__rt::Lift<$world> for &'a $resource {
            #[inline(always)]
            unsafe fn lift<S_: $crate::__rt::Source<World = $world>>(from: &mut S_) -> Self {
                // SAFETY: the caller's promise, who opened the borrows.
                unsafe { $crate::__rt::Borrows::keep(<$resource>::from_handle(from.u32())) }
            }
        }

        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Lower<$world> for $resource {
            const OWNS: bool = true;
            const HANDLE: bool = true;

            #[inline(always)]
            unsafe fn lower<S_: $crate::__rt::Sink<World = $world>>(&self, to: &mut S_) {
                // SAFETY: the caller's promise.
                unsafe { to.u32(<$resource>::handle(self)) }
            }

            #[inline(always)]
            unsafe fn disown(&self) {
                _ = <$resource>::take_handle(self);
            }
        }
    };
}

/// The ABI of a type that stands in for a resource and is only ever passed by value: all it needs is `from_handle` and
/// `take_handle`. Its handle is given up as soon as it is lowered, there being no way to only look at it.
#[doc(hidden)]
#[macro_export]
macro_rules! owned_handle {
    ($resource:ty, $world:ty) => {
        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Abi<$world> for $resource {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Lift<$world> for $resource {
            #[inline(always)]
            #[allow(unused_unsafe)]
            unsafe fn lift<S_: $crate::__rt::Source<World = $world>>(from: &mut S_) -> Self {
                // SAFETY: the caller's promise.
                unsafe { <$resource>::from_handle(from.u32()) }
            }
        }

        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl $crate::__rt::Lower<$world> for $resource {
            // Lowered a second time, it would have no handle.
            const OWNS: bool = true;

            #[inline(always)]
            unsafe fn lower<S_: $crate::__rt::Sink<World = $world>>(&self, to: &mut S_) {
                // SAFETY: the caller's promise.
                unsafe { to.u32(<$resource>::take_handle(self)) }
            }
        }
    };
}

/// The ABI of a borrow of a resource that this component exports: an address that it gave away, with `lift`.
#[doc(hidden)]
#[macro_export]
macro_rules! exported_borrow {
    ($($borrow:ident)::+, $world:ty) => {
        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl<'a> $crate::__rt::Abi<$world> for $($borrow)::+<'a> {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        // SAFETY: a handle is one index of 32 bits (or, of a borrow of an own resource, an address).
        unsafe impl<'a> $crate::__rt::Lift<$world> for $($borrow)::+<'a> {
            #[inline(always)]
            unsafe fn lift<S_: $crate::__rt::Source<World = $world>>(from: &mut S_) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $($borrow)::+::lift(::core::ptr::with_exposed_provenance_mut(from.u32() as usize)) }
            }
        }
    };
}
