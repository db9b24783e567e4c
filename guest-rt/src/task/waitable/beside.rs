//! Operations of ours in tasks of other runtimes, and theirs in ours: what the table and the counts have to do with it.

use super::{MEMBER, Operation, WAITING, Wait, arrive, arrive_adrift, move_all};
use crate::builtins::{event, subtask};
use crate::task::beside::{Callback, foreign};
use crate::task::parked::{Call, Parked};
use crate::task::table::{self, Entry};
use crate::task::{TaskRef, current, rest};
use core::ffi::c_void;
use core::ptr::NonNull;

impl Operation {
    /// Registers it with `task` for another runtime: `call` is called with its event, and has to withdraw it before it
    /// frees it.
    ///
    /// # Safety
    /// As for `register`; the operation is new.
    pub(in crate::task) unsafe fn lodge(this: *const Self, handle: u32, task: TaskRef, call: Call) {
        // SAFETY: it is new, so nobody refers to what is written; it stays in place, as the caller promises.
        unsafe {
            (*(*this).wait.get()).write(Wait::new(handle, Parked::lodger(call)));
            // If it is a subtask, its owner gets to know of the start, and then registers it again.
            Self::enlist(this, handle, WAITING, task);
        }
    }
}

/// Returns the operation that is registered for `handle`, if it is a lodger.
pub(in crate::task) fn lodger(handle: u32) -> Option<NonNull<Operation>> {
    let Entry::Operation(operation) = table::get(handle) else { return None };
    // SAFETY: invariants 1 and 2.
    unsafe { operation.as_ref().wait() }.parked.is_lodger().then_some(operation)
}

impl Wait {
    /// Registers the waitable with the task that is stood in for, instead of joining a set.
    #[cold]
    #[inline(never)]
    pub(super) fn enter_foreign(&self, task: TaskRef, is_subtask: bool) {
        // A number alone does not say which kind of event it is.
        let callback: Callback = if is_subtask { subtask_arrived } else { copy_arrived };
        // SAFETY: an operation of ours on the waitable is pending. The callbacks look for it by its handle.
        unsafe { foreign::register(task, self.handle.get(), callback) }
        // The first one brings what waits where no task is current: should all tasks be those of others, nobody else does.
        if task.members() == 1
            && foreign::is_lasting(task)
            && let Some(background) = current::background_if(current::is_busy)
        {
            move_all(background, task);
            if foreign::can_host(task) {
                current::adopt_nodes(task);
                foreign::signal(task);
            }
        }
    }

    /// The waitable leaves the set of the task that is stood in for.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_foreign(&self, task: TaskRef) {
        // SAFETY: it is registered there: a waitable that is joined to a stand-in always is.
        unsafe { foreign::unregister(task, self.handle.get()) }
        task.remove(MEMBER);
        foreign::release(task);
    }
}

/// # Safety
/// None is needed: it looks for the operation.
unsafe extern "C" fn subtask_arrived(handle: *mut c_void, code: u32) {
    arrived_elsewhere(event::SUBTASK, handle.addr() as u32, code);
}

/// # Safety
/// None is needed: it looks for the operation.
unsafe extern "C" fn copy_arrived(handle: *mut c_void, code: u32) {
    // The end of what does not matter, as long as it is no subtask.
    arrived_elsewhere(event::NONE, handle.addr() as u32, code);
}

/// Delivers the event of a waitable that was registered with another runtime, which has forgotten it by now.
#[cold]
#[inline(never)]
fn arrived_elsewhere(event: u32, handle: u32, code: u32) {
    let Entry::Operation(operation) = table::get(handle) else { return };
    // SAFETY: invariants 1 and 2.
    let wait = unsafe { operation.as_ref().wait() };
    let Some(task) = wait.joined.get().filter(|task| foreign::is(*task)) else { return };
    if event == event::SUBTASK && code == subtask::STARTED {
        // It still waits.
        wait.enter_foreign(task, true);
        return arrive(event, [handle, code]);
    }
    arrive_adrift(event, [handle, code], current::adrift());
    foreign::release(task);
    rest::if_idle();
}
