//! What passes between the runtimes and between the tasks.

use futures::channel::oneshot;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

pub(crate) type Boxed<T = ()> = Pin<Box<dyn Future<Output = T>>>;
/// Spawns onto the current task, in the way of the runtime that it is of.
pub(crate) type Spawn = fn(Boxed);

thread_local! {
    static LEFT: RefCell<Option<Boxed<u32>>> = const { RefCell::new(None) };
    /// Who waits for another task.
    pub(crate) static WAITS: RefCell<Option<oneshot::Sender<u32>>> = const { RefCell::new(None) };
    /// What the export without parameters runs: importer and case. Afterwards what came of it.
    pub(crate) static CHOSEN: RefCell<[String; 2]> = const { RefCell::new([String::new(), String::new()]) };
}

/// Leaves a future to another task.
pub(crate) fn leave(future: Boxed<u32>) {
    let before = LEFT.with_borrow_mut(|left| left.replace(future));
    drop(before);
}

/// Takes what a task left.
pub(crate) fn take_left() -> Option<Boxed<u32>> {
    LEFT.with_borrow_mut(|left| left.take())
}
