//! Exports whose bindings were printed elsewhere.

use crate::task::executor::start;
use crate::task::pool::Pool;
use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;

/// Starts a call of an async export: polls a future that passes the result to `task.return` itself. Returns what the
/// export returns to the engine.
///
/// Only for an export whose callback is [`callback`](crate::rt::async_support::callback).
pub fn start_task(task: impl Future<Output = ()> + 'static) -> i32 {
    static POOL: Pool = Pool::new();
    let task: Pin<Box<dyn Future<Output = ()>>> = Box::pin(task);
    // SAFETY: the engine calls the export. All blocks of the pool have a future of the one type it is boxed as.
    unsafe { start(&POOL, || task, |()| ()) as i32 }
}

/// Stands in a call of an export until its result is passed on.
///
/// It has nothing to do: when the caller cancels the call, the runtime drops its future and then tells the engine.
#[derive(Debug, Default)]
pub struct TaskCancelOnDrop(());

impl TaskCancelOnDrop {
    /// The result was not passed on.
    pub fn new() -> TaskCancelOnDrop {
        TaskCancelOnDrop(())
    }

    /// The result is passed on.
    pub fn forget(self) {}
}
