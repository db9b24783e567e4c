//! Handles of resources.

use crate::instance::local;
use alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
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

local! {
    /// What was lent to the export whose parameters were lifted last.
    static LENT: Cell<*mut Chain> = Cell::new(ptr::null_mut());
}

/// The imported resources that the running export was lent, as values that references can point to.
///
/// Their handles must be dropped before the export returns, so this is opened before its parameters are lifted and
/// dropped before its result goes back.
pub struct Borrows {
    chain: NonNull<Chain>,
}

/// Everything lent to one export. Parameters are lifted at once after it was opened, with nobody's code in between, so
/// that the instance keeps the last one only.
pub(crate) struct Chain {
    head: *mut Lent<()>,
}

/// A lent value with its place in the chain in front.
#[repr(C)]
struct Lent<T> {
    next: *mut Lent<()>,
    free: unsafe fn(*mut Lent<()>),
    value: T,
}

impl Borrows {
    /// Starts to collect what is lent.
    pub fn open() -> Borrows {
        let chain = NonNull::from(Box::leak(Box::new(Chain { head: ptr::null_mut() })));
        LENT.set(chain.as_ptr());
        Borrows { chain }
    }

    /// Keeps a value for as long as the borrows that were opened last; where there are none, for ever.
    ///
    /// # Safety
    /// The reference is not used after those borrows were dropped.
    pub unsafe fn keep<'a, T: 'a>(value: T) -> &'a T {
        let lent = Box::into_raw(Box::new(Lent { next: ptr::null_mut(), free: Lent::<T>::free, value }));
        let chain = LENT.get();
        // SAFETY: a chain is live as long as the instance points to it; `Lent` starts with the same fields whatever it holds.
        unsafe {
            if !chain.is_null() {
                (*lent).next = (*chain).head;
                (*chain).head = lent.cast();
            }
            &(*lent).value
        }
    }
}

impl<T> Lent<T> {
    unsafe fn free(lent: *mut Lent<()>) {
        // SAFETY: the chain holds what `keep` boxed, with this function as its type's.
        drop(unsafe { Box::from_raw(lent.cast::<Lent<T>>()) });
    }
}

impl Drop for Borrows {
    fn drop(&mut self) {
        let chain = self.chain.as_ptr();
        if LENT.get() == chain {
            LENT.set(ptr::null_mut());
        }
        // SAFETY: `open` leaked the chain for us, and its members are freed once each.
        unsafe {
            let mut lent = Box::from_raw(chain).head;
            while let Some(this) = NonNull::new(lent) {
                lent = this.as_ref().next;
                (this.as_ref().free)(this.as_ptr());
            }
        }
    }
}

/// The ABI of a resource type with `from_handle`, `handle` and `take_handle`.
#[doc(hidden)]
#[macro_export]
macro_rules! handle {
    ($resource:ty, $world:ty) => {
        impl $crate::__rt::Abi<$world> for $resource {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        impl $crate::__rt::Lift<$world> for $resource {
            #[inline(always)]
            unsafe fn lift<S: $crate::__rt::Source<World = $world>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { <$resource>::from_handle(from.u32()) }
            }
        }

        // A borrow that an export was lent.
        impl<'a> $crate::__rt::Lift<$world> for &'a $resource {
            #[inline(always)]
            unsafe fn lift<S: $crate::__rt::Source<World = $world>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise, who opened the borrows.
                unsafe { $crate::__rt::Borrows::keep(<$resource>::from_handle(from.u32())) }
            }
        }

        impl $crate::__rt::Lower<$world> for $resource {
            const OWNS: bool = true;
            const HANDLE: bool = true;

            #[inline(always)]
            unsafe fn lower<S: $crate::__rt::Sink<World = $world>>(&self, to: &mut S) {
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
        impl $crate::__rt::Abi<$world> for $resource {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        impl $crate::__rt::Lift<$world> for $resource {
            #[inline(always)]
            #[allow(unused_unsafe)]
            unsafe fn lift<S: $crate::__rt::Source<World = $world>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { <$resource>::from_handle(from.u32()) }
            }
        }

        impl $crate::__rt::Lower<$world> for $resource {
            // Lowered a second time, it would have no handle.
            const OWNS: bool = true;

            #[inline(always)]
            unsafe fn lower<S: $crate::__rt::Sink<World = $world>>(&self, to: &mut S) {
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
        impl<'a> $crate::__rt::Abi<$world> for $($borrow)::+<'a> {
            const SHAPE: $crate::__rt::Shape = $crate::__rt::Shape::scalar(4);
        }

        impl<'a> $crate::__rt::Lift<$world> for $($borrow)::+<'a> {
            #[inline(always)]
            unsafe fn lift<S: $crate::__rt::Source<World = $world>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $($borrow)::+::lift(::core::ptr::with_exposed_provenance_mut(from.u32() as usize)) }
            }
        }
    };
}
