//! The waker for one event.

use core::cell::Cell;
use core::task::Waker;

/// The waker of the future that waits for an event.
///
/// Wakers are code of users: cloning, waking or dropping one may come back here, and may cause the event. So the future
/// looks for the event again *after* [`register`](WakerCell::register), and [`wake`](WakerCell::wake) is called last.
pub(super) struct WakerCell(Cell<Option<Waker>>);

impl WakerCell {
    /// Returns a cell without a waker.
    pub(super) const fn new() -> WakerCell {
        WakerCell(Cell::new(None))
    }

    /// Has the event wake `waker` instead of the one that was registered.
    pub(super) fn register(&self, waker: &Waker) {
        let registered = self.0.take();
        let is_same = registered.as_ref().is_some_and(|registered| registered.will_wake(waker));
        self.0.set(registered);
        if !is_same {
            let waker = waker.clone();
            let before = self.0.replace(Some(waker));
            drop(before);
        }
    }

    /// Removes the registered waker, and returns it, to be woken or dropped last.
    #[must_use = "dropping a waker runs code of users, so it is dropped last"]
    pub(super) fn take(&self) -> Option<Waker> {
        self.0.take()
    }

    /// Wakes the registered waker, once.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}
