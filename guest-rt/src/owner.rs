//! Whose a value is: natively each thread stands in for an instance, and its values mean nothing to another.

/// The thread that a value belongs to. On wasm, where an instance has one thread, there is nothing to know.
///
/// A type that has one may be `Send` and `Sync` whatever it points to, if nothing that is neither is touched before a
/// [`check`](Owner::check), or in a destructor before [`is_here`](Owner::is_here): elsewhere nothing is touched. A value that
/// is used elsewhere panics; one that is dropped elsewhere is forgotten there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    #[cfg(not(target_family = "wasm"))]
    thread: usize,
}

impl Owner {
    /// Returns the owner of what is made now.
    #[inline(always)]
    pub(crate) fn here() -> Owner {
        Owner {
            #[cfg(not(target_family = "wasm"))]
            thread: crate::instance::thread(),
        }
    }

    /// Returns the owner of what belongs to no thread yet: it is everywhere at home.
    #[inline(always)]
    pub(crate) const fn nobody() -> Owner {
        Owner {
            #[cfg(not(target_family = "wasm"))]
            thread: usize::MAX,
        }
    }

    /// Returns whether this is the owner's thread.
    #[inline(always)]
    pub(crate) fn is_here(self) -> bool {
        self == Owner::nobody() || self == Owner::here()
    }

    /// Refuses to go on where the value means nothing.
    ///
    /// # Panics
    ///
    /// Natively, on another thread than the owner's. Nothing was touched then.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn check(self) {
        if !self.is_here() {
            elsewhere()
        }
    }
}

#[cold]
#[track_caller]
fn elsewhere() -> ! {
    panic!(
        "a stream, future or task of one component instance was used on a thread that stands in for another instance"
    )
}

/// `Send` and `Sync` for types whose values check their [`Owner`]. Those that have a `T` themselves, and not in memory that
/// the owner keeps, say so by `holds`: they are what a `T` is.
///
/// On wasm an instance has one thread: this crate does not compile there with more.
macro_rules! one_thread {
    ($($ty:ident<$($lt:lifetime,)? $T:ident $(: $bound:lifetime)?>),* $(,)?) => {$(
        // SAFETY: nothing is touched elsewhere than on the owner's thread, see `Owner`.
        unsafe impl<$($lt,)? $T $(: $bound)?> Send for $ty<$($lt,)? $T> {}
        // SAFETY: as above.
        unsafe impl<$($lt,)? $T $(: $bound)?> Sync for $ty<$($lt,)? $T> {}
    )*};
    (holds $($ty:ident<$($lt:lifetime,)? $T:ident $(: $bound:lifetime)?>),* $(,)?) => {$(
        // SAFETY: the one thread of an instance is all there is.
        #[cfg(target_family = "wasm")]
        unsafe impl<$($lt,)? $T $(: $bound)?> Send for $ty<$($lt,)? $T> {}
        // SAFETY: as above.
        #[cfg(target_family = "wasm")]
        unsafe impl<$($lt,)? $T $(: $bound)?> Sync for $ty<$($lt,)? $T> {}
        // SAFETY: but for a `T`, nothing is touched elsewhere than on the owner's thread.
        #[cfg(not(target_family = "wasm"))]
        unsafe impl<$($lt,)? $T: Send $(+ $bound)?> Send for $ty<$($lt,)? $T> {}
        // SAFETY: as above.
        #[cfg(not(target_family = "wasm"))]
        unsafe impl<$($lt,)? $T: Sync $(+ $bound)?> Sync for $ty<$($lt,)? $T> {}
    )*};
}

pub(crate) use one_thread;
