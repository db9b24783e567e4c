//! The free blocks of an export's calls.

use super::TaskRef;
use core::cell::Cell;

/// The blocks of one async export, as many as its calls that ever ran at the same time.
///
/// Generated code keeps one per export, in a static that is not generic.
pub struct Pool {
    #[cfg(target_family = "wasm")]
    free: Cell<Option<TaskRef>>,
    /// Its address is its name.
    #[cfg(not(target_family = "wasm"))]
    _not_empty: u8,
}

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more. Natively, there is nothing
// in a pool.
#[cfg(target_family = "wasm")]
unsafe impl Sync for Pool {}

impl Pool {
    /// Makes a pool without blocks.
    #[allow(clippy::new_without_default, reason = "it is only for statics")]
    pub const fn new() -> Pool {
        Pool {
            #[cfg(target_family = "wasm")]
            free: Cell::new(None),
            #[cfg(not(target_family = "wasm"))]
            _not_empty: 0,
        }
    }

    /// Returns the first block that is out of use.
    #[cfg(target_family = "wasm")]
    #[inline(always)]
    pub(super) fn free(&self) -> &Cell<Option<TaskRef>> {
        &self.free
    }

    /// Returns the first block of this thread that is out of use.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn free(&'static self) -> &'static Cell<Option<TaskRef>> {
        let pool = core::ptr::from_ref(self).addr();
        let mut pools = POOLS.borrow_mut();
        pools.entry(pool).or_insert_with(|| alloc::boxed::Box::leak(alloc::boxed::Box::new(Cell::new(None))))
    }
}

#[cfg(not(target_family = "wasm"))]
type Pools = alloc::collections::BTreeMap<usize, &'static Cell<Option<TaskRef>>>;

#[cfg(not(target_family = "wasm"))]
crate::instance::local! {
    /// The first free block of each pool, by the pool's address: a static belongs to all threads. Pools are statics, so
    /// there are few, and they stay.
    static POOLS: core::cell::RefCell<Pools> = core::cell::RefCell::new(Pools::new());
}
