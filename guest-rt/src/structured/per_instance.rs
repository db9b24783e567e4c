//! Statics whose value belongs to a component instance.

/// The value of a static, one for each component instance.
///
/// On wasm an instance has its own statics, so it is the static itself. Natively a thread stands in for an instance, and
/// statics belong to all of them: each thread has its own value, under the address of the static.
pub(super) struct PerInstance<T> {
    #[cfg(target_family = "wasm")]
    value: T,
    /// Makes the address that of one value only. An atomic, since constants without cells may be merged.
    #[cfg(not(target_family = "wasm"))]
    _place: core::sync::atomic::AtomicU8,
    #[cfg(not(target_family = "wasm"))]
    value: core::marker::PhantomData<fn() -> T>,
}

/// A type that has a first value.
pub(super) trait First: 'static {
    /// The first value.
    const FIRST: Self;
}

impl First for core::cell::Cell<*const ()> {
    const FIRST: Self = core::cell::Cell::new(core::ptr::null());
}

impl First for core::cell::Cell<u32> {
    const FIRST: Self = core::cell::Cell::new(0);
}

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more.
#[cfg(target_family = "wasm")]
unsafe impl<T> Sync for PerInstance<T> {}

impl<T: First> PerInstance<T> {
    /// Returns a static whose value is the first of its type in each instance.
    pub(super) const fn new() -> PerInstance<T> {
        PerInstance {
            #[cfg(target_family = "wasm")]
            value: T::FIRST,
            #[cfg(not(target_family = "wasm"))]
            _place: core::sync::atomic::AtomicU8::new(0),
            #[cfg(not(target_family = "wasm"))]
            value: core::marker::PhantomData,
        }
    }

    /// Calls `f` with the value of this instance.
    #[cfg(target_family = "wasm")]
    #[inline(always)]
    pub(super) fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.value)
    }

    /// Calls `f` with the value of the instance that this thread stands in for.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        use alloc::collections::BTreeMap;
        use alloc::rc::Rc;
        use core::any::Any;
        use core::cell::RefCell;
        use core::mem::ManuallyDrop;
        use core::ptr;
        type Values = RefCell<BTreeMap<usize, Rc<dyn Any>>>;
        // Never dropped: the destructor of another thread-local may still come here.
        std::thread_local!(static VALUES: ManuallyDrop<Values> = const {
            ManuallyDrop::new(RefCell::new(BTreeMap::new()))
        });
        let address = ptr::from_ref(self).addr();
        let known = VALUES.with(|values| values.borrow().get(&address).cloned());
        let value = match known.and_then(|value| value.downcast::<T>().ok()) {
            Some(value) => value,
            None => {
                let value = Rc::new(T::FIRST);
                VALUES.with(|values| values.borrow_mut().insert(address, value.clone()));
                value
            }
        };
        f(&value)
    }
}
