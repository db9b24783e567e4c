//! How the value behind an exported resource is kept in memory.

/// A type that can be an exported resource; all types are.
pub trait Resource: Sized + 'static {
    /// What is kept in memory for it: `Option<Self>`, so that it can be taken out.
    type Rep: ResourceRep<Self>;
}

impl<T: 'static> Resource for T {
    type Rep = Option<T>;
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
            None => crate::call::invalid(),
        }
    }

    unsafe fn rep_as_mut<'a>(rep: *mut Self) -> &'a mut T {
        // SAFETY: the caller's promise.
        match unsafe { &mut *rep } {
            Some(value) => value,
            None => crate::call::invalid(),
        }
    }

    unsafe fn rep_take(rep: *mut Self) -> T {
        // SAFETY: the caller's promise.
        match unsafe { (*rep).take() } {
            Some(value) => value,
            None => crate::call::invalid(),
        }
    }
}
