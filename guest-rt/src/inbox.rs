//! A queue that any thread may fill and one owner empties.

use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

/// Items for one owner, which is woken when the first of them comes.
///
/// Wakers are `Send` and `Sync` by type, and natively they do get to other threads: a timer of somebody else's runtime
/// has one. What a waker reaches is therefore behind an inbox, and only its owner looks at the rest.
///
/// The owner calls [`arm`](Inbox::arm) before [`take_into`](Inbox::take_into). Then no item is missed: it is taken, or
/// it wakes.
pub(crate) struct Inbox<T>(Lock<State<T>>);

struct State<T> {
    items: Vec<T>,
    owner: Option<Waker>,
}

impl<T: Send> Inbox<T> {
    /// Returns an inbox without items, which wakes nobody.
    pub(crate) const fn new() -> Inbox<T> {
        Inbox(Lock::new(State { items: Vec::new(), owner: None }))
    }

    /// Has the next item wake `owner`, once.
    pub(crate) fn arm(&self, owner: &Waker) {
        if self.0.with(|state| state.owner.as_ref().is_some_and(|armed| armed.will_wake(owner))) {
            return;
        }
        // Cloning and dropping a waker runs code of users: neither happens under the lock.
        let owner = owner.clone();
        let before = self.0.with(|state| state.owner.replace(owner));
        drop(before);
    }

    /// Adds an item, then wakes the owner if that is armed.
    pub(crate) fn push(&self, item: T) {
        let owner = self.0.with(|state| {
            state.items.push(item);
            state.owner.take()
        });
        if let Some(owner) = owner {
            owner.wake();
        }
    }

    /// Moves all items to `batch`, which is empty; its memory is used for those that come later.
    pub(crate) fn take_into(&self, batch: &mut Vec<T>) {
        debug_assert!(batch.is_empty());
        self.0.with(|state| mem::swap(&mut state.items, batch));
    }

    /// Wakes nobody any more. Returns the waker that was armed, which is to be dropped when nothing is borrowed.
    #[must_use = "dropping a waker runs code of users, so it is dropped last"]
    pub(crate) fn disarm(&self) -> Option<Waker> {
        self.0.with(|state| state.owner.take())
    }
}

/// A value that one thread at a time can reach.
#[cfg(not(target_family = "wasm"))]
struct Lock<T>(std::sync::Mutex<T>);

#[cfg(not(target_family = "wasm"))]
impl<T> Lock<T> {
    const fn new(value: T) -> Lock<T> {
        Lock(std::sync::Mutex::new(value))
    }

    /// Calls `f`, which must not run code of users: that may come back here.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// A value behind a lock that is always free: there is only one thread.
#[cfg(target_family = "wasm")]
struct Lock<T>(core::cell::UnsafeCell<T>);

// SAFETY: a component instance has one thread: this crate does not compile for wasm with more.
#[cfg(target_family = "wasm")]
unsafe impl<T: Send> Sync for Lock<T> {}

#[cfg(target_family = "wasm")]
impl<T> Lock<T> {
    const fn new(value: T) -> Lock<T> {
        Lock(core::cell::UnsafeCell::new(value))
    }

    /// Calls `f`, which must not run code of users: that may come back here.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: this is the only reference to the value: `f` is one of the closures above, which call nothing back.
        f(unsafe { &mut *self.0.get() })
    }
}
