//! The raw built-ins of the canonical ABI, in this one file; natively, the stand-in of one component instance.
//!
//! The types of payload are generated code's business: their stream and future built-ins come from there.

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::native::builtins::*;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::*;

/// A string that the engine had `cabi_realloc` allocate.
#[repr(C)]
pub(crate) struct Message {
    pub(crate) bytes: *mut u8,
    pub(crate) len: usize,
}

/// What a copy (a read or a write) returns when it has not finished.
pub(crate) const BLOCKED: u32 = u32::MAX;

/// The events that a callback, `waitable-set.wait` and `waitable-set.poll` tell of.
pub(crate) mod event {
    /// Nothing happened: the task had yielded, or a poll found nothing.
    pub(crate) const NONE: u32 = 0;
    /// A subtask moved on; the code is its [state](super::subtask).
    pub(crate) const SUBTASK: u32 = 1;
    /// The caller of the task wants it cancelled.
    pub(crate) const CANCELLED: u32 = 6;
}

/// The states of a subtask: the low four bits of what an async-lowered import returns.
pub(crate) mod subtask {
    /// The callee has not read its parameters.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) const STARTING: u32 = 0;
    /// The callee has its parameters.
    pub(crate) const STARTED: u32 = 1;
    /// The result is there.
    pub(crate) const RETURNED: u32 = 2;
    /// Cancelled; the parameters are still the caller's.
    pub(crate) const CANCELLED_BEFORE_STARTED: u32 = 3;
}

/// What a callback returns.
pub(crate) mod code {
    /// The task is over.
    pub(crate) const EXIT: u32 = 0;
    /// Call again soon.
    pub(crate) const YIELD: u32 = 1;
    /// Call again when the waitable set in the upper bits has an event.
    pub(crate) const WAIT: u32 = 2;
}

#[cfg(target_family = "wasm")]
mod wasm {
    #[link(wasm_import_module = "$root")]
    unsafe extern "C" {
        #[link_name = "[waitable-set-new]"]
        pub(crate) safe fn waitable_set_new() -> u32;
        // Traps while there are waitables in the set, or somebody waits on it.
        #[link_name = "[waitable-set-drop]"]
        pub(crate) safe fn waitable_set_drop(set: u32);
        // The waitable and the code of the event are written to `payload`.
        #[link_name = "[waitable-set-wait]"]
        pub(crate) safe fn waitable_set_wait(set: u32, payload: &mut [u32; 2]) -> u32;
        #[link_name = "[waitable-set-poll]"]
        pub(crate) safe fn waitable_set_poll(set: u32, payload: &mut [u32; 2]) -> u32;
        // Set 0: the waitable leaves the set it is in.
        #[link_name = "[waitable-join]"]
        pub(crate) safe fn waitable_join(waitable: u32, set: u32);
        #[link_name = "[subtask-drop]"]
        pub(crate) safe fn subtask_drop(subtask: u32);
        // Traps while the subtask is in a set; blocks until it has a final state, which is returned.
        #[link_name = "[subtask-cancel]"]
        pub(crate) safe fn subtask_cancel(subtask: u32) -> u32;
        // Returns the final state, or `BLOCKED` if the callee goes on for now: then its event follows.
        #[cfg(feature = "async-cancel")]
        #[link_name = "[async-lower][subtask-cancel]"]
        pub(crate) safe fn subtask_cancel_async(subtask: u32) -> u32;
        #[link_name = "[context-get-0]"]
        pub(crate) safe fn context_get() -> *mut u8;
        #[link_name = "[context-set-0]"]
        pub(crate) safe fn context_set(value: *mut u8);
        // Returns 0: this form is not told of a cancel.
        #[link_name = "[thread-yield]"]
        pub(crate) safe fn thread_yield() -> u32;
        // Returns whether the task was cancelled, which counts as told.
        #[link_name = "[cancellable][thread-yield]"]
        pub(crate) safe fn thread_yield_cancellable() -> u32;
        #[link_name = "[error-context-new-utf8]"]
        pub(crate) fn error_context_new(message: *const u8, len: usize) -> u32;
        #[link_name = "[error-context-drop]"]
        pub(crate) safe fn error_context_drop(context: u32);
        #[link_name = "[error-context-debug-message-utf8]"]
        pub(crate) safe fn error_context_debug_message(context: u32, to: &mut super::Message);
        #[link_name = "[backpressure-inc]"]
        pub(crate) safe fn backpressure_inc();
        #[link_name = "[backpressure-dec]"]
        pub(crate) safe fn backpressure_dec();
        // The readable end in the low half, the writable one in the high half.
        #[link_name = "[stream-new-unit]"]
        pub(crate) safe fn unit_stream_new() -> u64;
        #[link_name = "[async-lower][stream-read-unit]"]
        pub(crate) safe fn unit_stream_read(reader: u32, nothing: usize, count: usize) -> u32;
        #[link_name = "[async-lower][stream-write-unit]"]
        pub(crate) safe fn unit_stream_write(writer: u32, nothing: usize, count: usize) -> u32;
        #[link_name = "[stream-drop-readable-unit]"]
        pub(crate) safe fn unit_stream_drop_readable(reader: u32);
        #[link_name = "[stream-drop-writable-unit]"]
        pub(crate) safe fn unit_stream_drop_writable(writer: u32);
    }

    #[link(wasm_import_module = "[export]$root")]
    unsafe extern "C" {
        #[link_name = "[task-cancel]"]
        pub(crate) safe fn task_cancel();
    }
}
