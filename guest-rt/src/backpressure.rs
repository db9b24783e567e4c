//! Keeping new calls from starting.

use crate::builtins;

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
#[derive(Debug)]
#[must_use = "calls can start again when this is dropped"]
pub struct BackpressureGuard(());

impl BackpressureGuard {
    /// Calls [`backpressure_inc`].
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> BackpressureGuard {
        backpressure_inc();
        BackpressureGuard(())
    }
}

impl Drop for BackpressureGuard {
    fn drop(&mut self) {
        backpressure_dec();
    }
}
