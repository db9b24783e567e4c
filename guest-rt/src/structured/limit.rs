//! How many calls of an export run at a time.

use crate::BackpressureGuard;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

/// A limit for calls that run at the same time, kept by back-pressure: while it is reached, the engine starts no other
/// call of the component's async exports, and callers wait.
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
#[derive(Debug)]
pub struct ConcurrencyLimit {
    most: u32,
    running: AtomicU32,
    guard: Guard,
}

#[derive(Debug)]
struct Guard(UnsafeCell<Option<BackpressureGuard>>);

// SAFETY: only who brings `running` to `most`, or down from it, is at the guard. A component instance has one thread at a
// time; natively, a limit is used by the thread that stands in for one.
unsafe impl Sync for Guard {}

impl ConcurrencyLimit {
    /// A limit of so many calls, at least one.
    pub const fn new(most: u32) -> ConcurrencyLimit {
        let most = if most == 0 { 1 } else { most };
        ConcurrencyLimit { most, running: AtomicU32::new(0), guard: Guard(UnsafeCell::new(None)) }
    }

    /// A call has begun; it ends when the permit is dropped. Called first in an export.
    ///
    /// Calls that the engine started before it heard of the limit are let in as well: it is told by the call that
    /// reaches it.
    pub fn enter(&'static self) -> Permit {
        if self.running.fetch_add(1, Ordering::Relaxed) + 1 == self.most {
            // SAFETY: see `Guard`.
            unsafe { *self.guard.0.get() = Some(BackpressureGuard::new()) }
        }
        Permit(self)
    }

    /// How many permits there are now.
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }
}

/// One of the calls that a [`ConcurrencyLimit`] counts, until it is dropped.
#[derive(Debug)]
#[must_use = "the call is over when this is dropped"]
pub struct Permit(&'static ConcurrencyLimit);

impl Drop for Permit {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::Relaxed) == self.0.most {
            // SAFETY: see `Guard`.
            unsafe { *self.0.guard.0.get() = None }
        }
    }
}
