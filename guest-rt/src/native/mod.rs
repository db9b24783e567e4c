//! What stands in for the engine where there is none: one component instance per thread, with its table of handles, its
//! tasks and the built-ins that the runtime calls.
//!
//! It keeps the rules of the canonical ABI: what traps in an engine panics here. Everything that an engine may choose is
//! chosen in one place, [`choose()`], and nothing here depends on time or addresses; so a test can drive an instance
//! through any order of events, and repeat it.
//!
//! Everything that happens is counted, and recorded in the [`trace()`], where tests add marks of their own.

pub(crate) mod builtins;
mod error_contexts;
mod streams;
mod subtasks;
pub(crate) mod table;
mod tasks;
mod trace;

pub use error_contexts::{error_context, error_message};
pub use streams::{
    Items, Remote, future_cancel, future_drop, future_new, future_read, future_write, stream_cancel, stream_drop,
    stream_new, stream_read, stream_write, streams,
};
pub use subtasks::{on_cancel, open_subtasks, returned, started, subtask_started, subtask_starting};
pub use table::handles;
pub use tasks::{
    TaskId, backpressure, call, cancel, choose, exited, later, run, runnable, step, sync_export, task_return,
};
pub use trace::{count, counts, mark, note, record, trace};

/// What the engine does to a component that breaks the rules.
#[cold]
#[track_caller]
pub(crate) fn trap(why: &str) -> ! {
    panic!("trap: {why}")
}
