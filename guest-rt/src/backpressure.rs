//! Keeping new calls from starting.

use crate::builtins;
use crate::owner::Owner;

/// Keeps new async calls of this component's exports from starting, until [`backpressure_dec`] was called as often as
/// this. Calls that have started go on. See [`BackpressureGuard`] for one that cannot be forgotten.
pub fn backpressure_inc() {
    builtins::backpressure_inc();
}

/// Takes one [`backpressure_inc`] back.
///
/// More of these than of those is a trap.
pub fn backpressure_dec() {
    builtins::backpressure_dec();
}

/// Keeps new async calls of this component's exports from starting until it is dropped.
///
/// Natively it belongs to the thread that it was made on: dropping it on another one changes nothing there.
#[derive(Debug)]
#[must_use = "calls can start again when this is dropped"]
pub struct BackpressureGuard {
    owner: Owner,
}

impl BackpressureGuard {
    /// Calls [`backpressure_inc`].
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> BackpressureGuard {
        backpressure_inc();
        BackpressureGuard { owner: Owner::here() }
    }
}

impl Drop for BackpressureGuard {
    fn drop(&mut self) {
        if self.owner.is_here() {
            backpressure_dec();
        }
    }
}
