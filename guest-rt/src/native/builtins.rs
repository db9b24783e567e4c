//! The built-ins, under the names that `builtins.rs` gives them.

pub(crate) use super::error_contexts::{error_context_debug_message, error_context_drop, error_context_new};
use super::trace::builtin;
use super::{streams, subtasks, table, tasks, trap};
use crate::builtins::{BLOCKED, event};
use alloc::collections::BTreeMap;
use core::cell::RefCell;

pub(crate) fn waitable_set_new() -> u32 {
    builtin("waitable-set.new", &[]);
    table::new_set()
}

pub(crate) fn waitable_set_wait(set: u32, payload: &mut [u32; 2]) -> u32 {
    builtin("waitable-set.wait", &[set]);
    table::wait_on(set, true);
    tasks::block(|| table::has_event(set));
    table::wait_on(set, false);
    take(set, payload)
}

pub(crate) fn waitable_set_poll(set: u32, payload: &mut [u32; 2]) -> u32 {
    builtin("waitable-set.poll", &[set]);
    take(set, payload)
}

fn take(set: u32, payload: &mut [u32; 2]) -> u32 {
    let (event, waitable, code) = table::next_event(set).unwrap_or((event::NONE, 0, 0));
    subtasks::delivered(event, waitable, code);
    streams::delivered(event, waitable, code);
    *payload = [waitable, code];
    event
}

pub(crate) fn waitable_set_drop(set: u32) {
    builtin("waitable-set.drop", &[set]);
    table::remove_set(set);
}

pub(crate) fn waitable_join(waitable: u32, set: u32) {
    builtin("waitable.join", &[waitable, set]);
    table::join(waitable, set);
}

pub(crate) fn subtask_drop(subtask: u32) {
    builtin("subtask.drop", &[subtask]);
    subtasks::drop(subtask);
}

pub(crate) fn subtask_cancel(subtask: u32) -> u32 {
    builtin("subtask.cancel", &[subtask]);
    subtasks::cancel(subtask)
}

#[cfg(feature = "async-cancel")]
pub(crate) fn subtask_cancel_async(subtask: u32) -> u32 {
    builtin("subtask.cancel async", &[subtask]);
    subtasks::cancel(subtask)
}

pub(crate) fn context_get() -> *mut u8 {
    builtin("context.get", &[]);
    tasks::context(None)
}

pub(crate) fn context_set(value: *mut u8) {
    builtin("context.set", &[]);
    tasks::context(Some(value));
}

pub(crate) fn thread_yield() -> u32 {
    builtin("thread.yield", &[]);
    tasks::turn();
    0
}

pub(crate) fn backpressure_inc() {
    builtin("backpressure.inc", &[]);
    tasks::add_backpressure(1);
}

pub(crate) fn backpressure_dec() {
    builtin("backpressure.dec", &[]);
    tasks::add_backpressure(-1);
}

pub(crate) fn task_cancel() {
    builtin("task.cancel", &[]);
    tasks::resolve_cancelled();
}

std::thread_local! {
    /// The state of each unit stream, by both of its ends: the other end, and how many items a pending copy is for.
    static UNITS: RefCell<BTreeMap<u32, (u32, Option<u32>)>> = const { RefCell::new(BTreeMap::new()) };
}

const STREAM_READ: u32 = 2;
const STREAM_WRITE: u32 = 3;

pub(crate) fn unit_stream_new() -> u64 {
    builtin("stream.new", &[]);
    let (reader, writer) = (table::new_waitable("reader"), table::new_waitable("writer"));
    UNITS.with_borrow_mut(|units| {
        units.insert(reader, (writer, None));
        units.insert(writer, (reader, None));
    });
    u64::from(writer) << 32 | u64::from(reader)
}

pub(crate) fn unit_stream_read(reader: u32, _nothing: usize, count: usize) -> u32 {
    builtin("stream.read", &[reader]);
    table::expect(reader, "reader");
    copy(reader, count as u32, STREAM_WRITE)
}

pub(crate) fn unit_stream_write(writer: u32, _nothing: usize, count: usize) -> u32 {
    builtin("stream.write", &[writer]);
    table::expect(writer, "writer");
    copy(writer, count as u32, STREAM_READ)
}

pub(crate) fn unit_stream_drop_readable(reader: u32) {
    builtin("stream.drop-readable", &[reader]);
    table::expect(reader, "reader");
    drop_unit(reader);
}

pub(crate) fn unit_stream_drop_writable(writer: u32) {
    builtin("stream.drop-writable", &[writer]);
    table::expect(writer, "writer");
    drop_unit(writer);
}

fn drop_unit(end: u32) {
    let pending = UNITS.with_borrow_mut(|units| units.remove(&end)).is_some_and(|(_, pending)| pending.is_some());
    if pending {
        trap("dropped while a copy is pending");
    }
    table::remove(end);
}

/// Meets the copy that is pending at the other end, which then has the given event, or becomes pending.
fn copy(end: u32, count: u32, event: u32) -> u32 {
    UNITS.with_borrow_mut(|units| {
        let Some(&(other, pending)) = units.get(&end) else { trap("not a unit stream") };
        if pending.is_some() {
            trap("a copy is pending");
        }
        let Some((_, theirs)) = units.get_mut(&other) else { trap("the other end is gone") };
        match theirs.take() {
            Some(theirs) => {
                let copied = count.min(theirs);
                table::post(other, event, copied << 4);
                copied << 4
            }
            None => {
                units.insert(end, (other, Some(count)));
                BLOCKED
            }
        }
    })
}
