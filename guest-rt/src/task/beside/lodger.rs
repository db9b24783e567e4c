//! Operations of other runtimes in our tasks. The numbers are those of the contract in [`super`].

use super::{Callback, Table, foreign};
use crate::task::waitable::{self, Operation};
use crate::task::{TaskRef, current, rest, spawn};
use alloc::boxed::Box;
use core::ffi::c_void;
use core::future::Future;
use core::pin::Pin;
use core::ptr;

/// What others call for a task of ours.
pub(super) static TABLE: Table = Table { register, unregister, clone, drop: forget, spawn: Some(spawn) };

/// A waitable of another runtime in a set of ours: an operation that tells its owner.
#[repr(C)]
struct Lodger {
    /// The first field, so that the rest is found by its address.
    operation: Operation,
    callback: Callback,
    argument: *mut c_void,
}

/// # Safety
/// As by 3, 5 and 7, for a task of ours. (Blocks are never freed, so that every `ptr` is valid for ever.)
unsafe extern "C" fn register(
    task: *mut c_void,
    handle: u32,
    callback: Callback,
    argument: *mut c_void,
) -> *mut c_void {
    let lodger = Box::into_raw(Box::new(Lodger { operation: Operation::new(), callback, argument }));
    // SAFETY: `ptr` is a block, by 3. The box stays in place until it is not registered any more. The operation is pending,
    // and the waitable this instance's, by 5.
    unsafe {
        let before = evict(handle);
        Operation::lodge(&raw const (*lodger).operation, handle, TaskRef::from_block(task.cast()), arrived);
        before
    }
}

/// The waitable has an event: it leaves its set, then its owner is told.
///
/// # Safety
/// The operation is that of a lodger, and was just delivered to.
unsafe fn arrived(operation: *const Operation, code: u32) {
    // SAFETY: it is a lodger's. The owner may register it again, so it is gone before that is told. The argument is valid
    // by 7.
    unsafe {
        drop((*operation).withdraw());
        (*operation).leave_set();
        let (callback, argument) = take(operation);
        callback(argument, code);
    }
}

/// # Safety
/// As by 6, for a task of ours.
unsafe extern "C" fn unregister(_: *mut c_void, handle: u32) -> *mut c_void {
    evict(handle)
}

/// Forgets the lodger of a waitable, wherever that is: its task may have handed it on. Returns the argument that it was
/// registered with, or null if there was none.
#[cold]
#[inline(never)]
fn evict(handle: u32) -> *mut c_void {
    let Some(operation) = waitable::lodger(handle) else { return ptr::null_mut() };
    // By 9 the word may be null here while a task runs, which may not look like one.
    // SAFETY: it is registered, and so live.
    foreign::busy(|| _ = unsafe { operation.as_ref() }.withdraw());
    if current::is_told() {
        rest::if_idle();
    }
    // SAFETY: it is a lodger's, and not registered any more.
    unsafe { take(operation.as_ptr()).1 }
}

/// Frees a lodger.
///
/// # Safety
/// The operation is that of a lodger, and not registered.
#[cold]
#[inline(never)]
unsafe fn take(operation: *const Operation) -> (Callback, *mut c_void) {
    // SAFETY: `register` made it, in a box that nobody uses when it is not registered any more.
    unsafe {
        let lodger = Box::from_raw(operation.cast_mut().cast::<Lodger>());
        (lodger.callback, lodger.argument)
    }
}

/// Blocks are for ever, so nobody counts.
///
/// # Safety
/// None is needed: this does nothing with the pointer.
unsafe extern "C" fn clone(task: *mut c_void) -> *mut c_void {
    task
}

/// # Safety
/// None is needed: this does nothing.
unsafe extern "C" fn forget(_: *mut c_void) {}

/// # Safety
/// As by 3 and 8, for a task of ours.
unsafe fn spawn(task: *mut c_void, future: Box<dyn Future<Output = ()>>) {
    // SAFETY: `ptr` is a block, by 3.
    let task = unsafe { TaskRef::from_block(task.cast()) };
    spawn::spawn_boxed(task, Pin::from(future));
}
