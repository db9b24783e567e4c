//! The built-ins, under the names that `builtins.rs` gives them.

pub(crate) use super::error_contexts::{error_context_debug_message, error_context_drop, error_context_new};
use super::rules::{Kept, allowed, builtin, builtin_unit, waiting_builtin};
use super::transmit::{self, Items, Side};
use super::{ends, frames, schedule, subtasks, table, tasks};
use crate::builtins::event;
use core::ptr;

/// `waitable-set.new`
pub fn waitable_set_new() -> u32 {
    builtin("waitable-set.new", &[], || Ok(table::new_set()))
}

/// `waitable-set.drop`
pub fn waitable_set_drop(set: u32) {
    builtin_unit("waitable-set.drop", &[set], || table::drop_set(set));
}

pub(crate) fn waitable_set_wait(set: u32, payload: &mut [u32; 2]) -> u32 {
    waiting_builtin("waitable-set.wait", &[set], || {
        frames::check_blocking()?;
        table::wait_on(set, true)?;
        let waited = tasks::block(|| table::oldest(set).is_some());
        table::wait_on(set, false)?;
        waited?;
        take(set, payload)
    })
}

/// `waitable-set.poll`
pub fn waitable_set_poll(set: u32, payload: &mut [u32; 2]) -> u32 {
    builtin("waitable-set.poll", &[set], || take(set, payload))
}

fn take(set: u32, payload: &mut [u32; 2]) -> Kept<u32> {
    table::check_set(set)?;
    let waitable = schedule::choose_event(set);
    let [event, waitable, code] = waitable.map_or([event::NONE, 0, 0], deliver);
    *payload = [waitable, code];
    super::trace::result("event", u64::from(waitable) << 32 | u64::from(code));
    Ok(event)
}

/// Takes the event of a waitable, which the component then knows of.
pub(super) fn deliver(waitable: u32) -> [u32; 3] {
    let Some(event) = table::take_event(waitable) else { return [event::NONE, 0, 0] };
    subtasks::delivered(event.kind, waitable, event.code);
    transmit::delivered(waitable, &event);
    [event.kind, waitable, event.code]
}

/// `waitable.join`
pub fn waitable_join(waitable: u32, set: u32) {
    builtin_unit("waitable.join", &[waitable, set], || table::join(waitable, set));
}

/// `subtask.drop`
pub fn subtask_drop(subtask: u32) {
    builtin_unit("subtask.drop", &[subtask], || subtasks::drop(subtask));
}

/// `subtask.cancel`
pub fn subtask_cancel(subtask: u32) -> u32 {
    builtin("subtask.cancel", &[subtask], || subtasks::cancel(subtask, true))
}

#[allow(dead_code, reason = "built-ins are listed here whether they are used or not")]
#[cfg(any(test, feature = "async-cancel"))]
pub(crate) fn subtask_cancel_async(subtask: u32) -> u32 {
    builtin("subtask.cancel async", &[subtask], || subtasks::cancel(subtask, false))
}

pub(crate) fn context_get() -> *mut u8 {
    super::trace::builtin("context.get", &[]);
    context(None)
}

pub(crate) fn context_set(value: *mut u8) {
    super::trace::builtin("context.set", &[]);
    context(Some(value));
}

fn context(new: Option<*mut u8>) -> *mut u8 {
    let mut old = ptr::null_mut();
    allowed("the context is used", tasks::context(new).map(|context| old = context));
    old
}

pub(crate) fn thread_yield() -> u32 {
    builtin("thread.yield", &[], || {
        tasks::give_way();
        Ok(0u32)
    })
}

#[allow(dead_code, reason = "built-ins are listed here whether they are used or not")]
pub(crate) fn thread_yield_cancellable() -> u32 {
    builtin("thread.yield cancellable", &[], || {
        if tasks::take_cancel() {
            return Ok(1);
        }
        tasks::give_way();
        Ok(u32::from(tasks::take_cancel()))
    })
}

pub(crate) fn backpressure_inc() {
    builtin_unit("backpressure.inc", &[], || tasks::add_backpressure(1));
}

pub(crate) fn backpressure_dec() {
    builtin_unit("backpressure.dec", &[], || tasks::add_backpressure(-1));
}

pub(crate) fn task_cancel() {
    builtin_unit("task.cancel", &[], tasks::resolve_cancelled);
}

pub(crate) fn unit_stream_new() -> u64 {
    // The caller wants the writer in the high half, as the built-in has it.
    builtin("stream.new", &[], || ends::new(Items::SIGNAL, false))
}

pub(crate) fn unit_stream_read(reader: u32, _nothing: usize, count: usize) -> u32 {
    builtin("stream.read", &[reader], || {
        // SAFETY: items that are nothing need no memory.
        unsafe { ends::copy(reader, false, Side::Read, ptr::dangling_mut(), count) }
    })
}

pub(crate) fn unit_stream_write(writer: u32, _nothing: usize, count: usize) -> u32 {
    builtin("stream.write", &[writer], || {
        // SAFETY: items that are nothing need no memory.
        unsafe { ends::copy(writer, false, Side::Write, ptr::dangling_mut(), count) }
    })
}

pub(crate) fn unit_stream_drop_readable(reader: u32) {
    builtin_unit("stream.drop", &[reader], || ends::drop_end(reader, false));
}

pub(crate) fn unit_stream_drop_writable(writer: u32) {
    builtin_unit("stream.drop", &[writer], || ends::drop_end(writer, false));
}
