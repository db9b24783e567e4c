//! What stands in for the engine where there is none: one component instance per thread, with its table of handles, its
//! tasks and the built-ins that the runtime calls. Tests play the engine's and the other components' part.
//!
//! It keeps the rules of the canonical ABI, and where that leaves something open those of wasmtime: what traps there
//! panics here, with the rule that was broken. Everything that an engine may choose is chosen in one place, `schedule`,
//! and nothing here depends on time or addresses; so a test can drive an instance through any order of events, and
//! repeat it.
//!
//! Everything that happens is counted, and recorded in the [`trace()`], where tests add marks of their own.
//!
//! A panic, whether it is a trap or comes from a user's code, takes the call along that it happens in. Nothing else: the
//! thread's instance can be used further, if the test catches the panic.

pub(crate) mod builtins;
mod ends;
mod error_contexts;
mod frames;
mod remote;
mod rules;
mod schedule;
mod subtasks;
mod table;
mod tasks;
#[cfg(test)]
mod tests;
mod trace;
mod transmit;

#[cfg(feature = "beside")]
pub use crate::task::wasip3_task_set;
pub use builtins::{
    subtask_cancel, subtask_drop, waitable_join, waitable_set_drop, waitable_set_new, waitable_set_poll,
};
pub use ends::{
    future_cancel, future_drop, future_new, future_read, future_write, stream_cancel, stream_drop, stream_new,
    stream_read, stream_write,
};
pub use error_contexts::{error_context, error_message};
pub use frames::{post_return, realloc, sync_export};
pub use remote::Remote;
pub use schedule::{Guide, Next, callee_starts, choose, guide, later, run, runnable, step, when_idle};
pub use subtasks::{
    cancelled, goes_on_when_cancelled, on_cancel, open_subtasks, returned, started, subtask_started, subtask_starting,
};
pub use table::handles;
pub use tasks::{TaskId, backpressure, call, cancel, current, exited, offer, resolved, starting, task_return};
pub use trace::{count, counts, mark, note, record, record_results, recorded, trace};
pub use transmit::{Items, streams};

/// Returns what the instance still owns, each as its handle and what that is of, and the tasks that are not over.
///
/// An idle instance owns nothing.
pub fn owned() -> alloc::vec::Vec<alloc::string::String> {
    let handles = table::all().into_iter().map(|(handle, kind)| alloc::format!("{handle}: {kind}"));
    let tasks = tasks::all(|tasks| tasks.keys().map(|id| alloc::format!("task {id}")).collect::<alloc::vec::Vec<_>>());
    handles.chain(tasks).collect()
}

/// Returns how many wakes from other threads wait for the one of the future that `waker` wakes.
///
/// # Panics
///
/// When it is not a waker of this runtime.
pub fn wakes_abroad(waker: &core::task::Waker) -> usize {
    assert!(crate::task::wake::is_ours(waker), "the waker is not one of this runtime");
    crate::task::wake::abroad::count(waker)
}
