//! How the value behind an exported resource is kept in memory.

use core::any::TypeId;
use core::sync::atomic::{AtomicUsize, Ordering};

/// A type that can be an exported resource; all types are.
pub trait Resource: Sized + 'static {
    /// What is kept in memory for it: `Option<Self>`, so that it can be taken out.
    type Rep: ResourceRep<Self>;
}

impl<T: 'static> Resource for T {
    type Rep = Option<T>;
}

/// Remembers which type implements an exported resource: with a second one, memory of one would be taken for another.
#[doc(hidden)]
pub struct Implementer(AtomicUsize);

impl Implementer {
    /// None yet.
    pub const fn new() -> Implementer {
        Implementer(AtomicUsize::new(0))
    }

    /// Remembers the first type, and refuses any other.
    ///
    /// # Panics
    /// With a type other than the first: nothing of the resource may be touched then.
    #[inline]
    pub fn check<T: 'static>(&self) {
        // A function of its own for each type, whose address stands for the type. Two types whose functions are merged
        // would pass for one, so the function has the type's id in it.
        let this = (identity::<T> as fn() -> TypeId as *const ()).expose_provenance();
        let first = self.0.load(Ordering::Relaxed);
        if first == 0 {
            self.0.store(this, Ordering::Relaxed);
        } else if first != this && first_id(first) != TypeId::of::<T>() {
            panic!("an exported resource is implemented by one type, and this is a second one");
        }
    }
}

impl Default for Implementer {
    fn default() -> Implementer {
        Implementer::new()
    }
}

fn identity<T: 'static>() -> TypeId {
    TypeId::of::<T>()
}

/// The type that an address of [`identity`] stands for.
fn first_id(identity: usize) -> TypeId {
    // SAFETY: only addresses of such functions are remembered.
    let identity =
        unsafe { core::mem::transmute::<*const (), fn() -> TypeId>(core::ptr::with_exposed_provenance(identity)) };
    identity()
}

/// Access to the `T` in what is kept in memory.
///
/// # Safety
/// All functions reach the value that `rep_new` was given.
pub unsafe trait ResourceRep<T> {
    /// Wraps a value.
    fn rep_new(inner: T) -> Self;

    /// The value behind a pointer.
    ///
    /// # Safety
    /// The pointer is valid for reads for `'a`, and the value was not taken.
    unsafe fn rep_as_ref<'a>(rep: *const Self) -> &'a T;

    /// The value behind a pointer, for writing.
    ///
    /// # Safety
    /// The pointer is valid for writes for `'a`, nobody else uses it, and the value was not taken.
    unsafe fn rep_as_mut<'a>(rep: *mut Self) -> &'a mut T;

    /// Takes the value out; what is left is dropped later, without it.
    ///
    /// # Safety
    /// The pointer is valid for writes, nobody else uses it, and the value was not taken before.
    unsafe fn rep_take(rep: *mut Self) -> T;
}

// SAFETY: the value is the option's.
unsafe impl<T> ResourceRep<T> for Option<T> {
    fn rep_new(inner: T) -> Self {
        Some(inner)
    }

    unsafe fn rep_as_ref<'a>(rep: *const Self) -> &'a T {
        // SAFETY: the caller's promise.
        match unsafe { &*rep } {
            Some(value) => value,
            None => crate::trap::invalid(),
        }
    }

    unsafe fn rep_as_mut<'a>(rep: *mut Self) -> &'a mut T {
        // SAFETY: the caller's promise.
        match unsafe { &mut *rep } {
            Some(value) => value,
            None => crate::trap::invalid(),
        }
    }

    unsafe fn rep_take(rep: *mut Self) -> T {
        // SAFETY: the caller's promise.
        match unsafe { (*rep).take() } {
            Some(value) => value,
            None => crate::trap::invalid(),
        }
    }
}
