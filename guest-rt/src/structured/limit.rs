//! How many calls of an export run at a time.

use super::per_instance::PerInstance;
use crate::builtins;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// A limit for calls that run at the same time, kept by back-pressure: while it is reached, the engine starts no other
/// call of the component's async exports, and callers wait.
///
/// Calls are counted for each component instance, as back-pressure is. Natively a thread stands in for an instance, so
/// each thread counts its own calls.
///
/// ```
/// # use wasp_guest_rt::ConcurrencyLimit;
/// static LIMIT: ConcurrencyLimit = ConcurrencyLimit::new(16);
///
/// async fn handle() {
///     let _permit = LIMIT.enter();
///     // At most 16 calls are here.
/// }
/// ```
pub struct ConcurrencyLimit {
    most: u32,
    running: PerInstance<Cell<u32>>,
}

impl ConcurrencyLimit {
    /// Returns a limit of `most` calls; of one call if that is zero.
    pub const fn new(most: u32) -> ConcurrencyLimit {
        let most = if most == 0 { 1 } else { most };
        ConcurrencyLimit { most, running: PerInstance::new() }
    }

    /// Counts a call until the returned permit is dropped. To be called first in an export.
    ///
    /// Calls that the engine started before it heard of the limit are let in as well: the call that reaches the limit
    /// tells it.
    pub fn enter(&'static self) -> Permit {
        if self.count(1) == self.most {
            builtins::backpressure_inc();
        }
        Permit { limit: self, instance: PhantomData }
    }

    /// Returns how many permits of this instance there are now.
    pub fn running(&self) -> u32 {
        self.running.with(Cell::get)
    }

    /// Adds to the number of permits. Returns the new number.
    fn count(&self, more: i32) -> u32 {
        self.running.with(|running| {
            running.set(running.get().wrapping_add_signed(more));
            running.get()
        })
    }
}

impl fmt::Debug for ConcurrencyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConcurrencyLimit").field("most", &self.most).field("running", &self.running()).finish()
    }
}

/// One of the calls that a [`ConcurrencyLimit`] counts, until it is dropped.
///
/// Natively it stays on its thread, which is the one that counts it: there it is neither `Send` nor `Sync`.
#[derive(Debug)]
#[must_use = "the call is over when this is dropped"]
pub struct Permit {
    limit: &'static ConcurrencyLimit,
    instance: PhantomData<*const ()>,
}

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more.
#[cfg(target_family = "wasm")]
unsafe impl Send for Permit {}
// SAFETY: as above.
#[cfg(target_family = "wasm")]
unsafe impl Sync for Permit {}

impl Drop for Permit {
    fn drop(&mut self) {
        // This call and no other brought the number to where it is now: back-pressure was raised when it got there.
        if self.limit.count(-1) == self.limit.most - 1 {
            builtins::backpressure_dec();
        }
    }
}
