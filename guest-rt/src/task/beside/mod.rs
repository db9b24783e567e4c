//! Other runtimes in the same module: `wit-bindgen`'s, and other versions of this one.
//!
//! They all follow the C ABI that `wit-bindgen` calls `wasip3_task`, in its versions 1 to 3. A future of any of them can
//! be awaited in a task of any other: it finds the task that polls it in a word they share, and has that task tell it when
//! its waitable has an event.
//!
//! # The contract
//!
//! What the ABI has each runtime do, and what the unsafe code here relies on by these numbers:
//!
//! 1. The word is null, or points to a `wasip3_task` ([`Published`]) that is valid as long as it is in the word: while
//!    the task runs, and what it calls. Whoever enters a task swaps the word, and puts back what was there.
//! 2. `version` says which fields there are: the table since 2, `rust_spawn` in the table since 3. Later versions only
//!    add fields.
//! 3. `ptr` is the first argument of the functions, and the same each time a task is in the word. A clone is the same
//!    pointer, valid until it is dropped, also when the task has ended.
//! 4. Where there is no `clone` (version 1), `ptr` is valid while a waitable is registered with it: a task that ended
//!    before would drop a set that is not empty, for which the engine ends the component.
//! 5. `waitable_register(ptr, waitable, callback, argument)`: the waitable is the caller's, has an operation pending, and
//!    joins the task's set. `callback(argument, code)` is called with its event, once, after it has left the set and was
//!    forgotten; a subtask's STARTED is such an event. If it was registered there before, the older argument is returned,
//!    otherwise null.
//! 6. `waitable_unregister(ptr, waitable)`: it leaves its set and is forgotten. The argument it was registered with is
//!    returned, or null if it was not.
//! 7. An argument is valid until its callback was called, it was unregistered, or another was registered instead.
//! 8. `rust_spawn(ptr, future)` is called while the task is in the word, by code of the same compiler. The task polls the
//!    future to its end.
//! 9. Any of these functions may be called while the word is null, but `rust_spawn`.
//!
//! # How tasks and operations of several runtimes meet
//!
//! ```text
//!                       a task of ours              a task of theirs
//!   operation of ours   `waitable`                  `foreign`: a stand-in for the task
//!   theirs              `lodger`: an operation      does not concern us
//!                       that calls them
//!   spawned by us       `spawn`                     `hosted`: a future of theirs that runs the stand-in's queue
//! ```
//!
//! A *stand-in* is a block of ours for a task of another runtime, as long as an operation or a spawned future of ours is in
//! that. It is a [`Task`](super::Task) like any other to the rest of the runtime, but that it has no set: where a waitable
//! would join that, it is registered with the other runtime.

pub(super) mod foreign;
pub(super) mod hosted;
mod lodger;

use super::Task;
use alloc::boxed::Box;
use core::ffi::c_void;
use core::future::Future;
use core::ptr::{self, NonNull};

/// Is told the code of an event; the first argument is what it was registered with.
pub(super) type Callback = unsafe extern "C" fn(*mut c_void, u32);
type Register = unsafe extern "C" fn(*mut c_void, u32, Callback, *mut c_void) -> *mut c_void;
type Unregister = unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void;
type Clone = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type Drop = unsafe extern "C" fn(*mut c_void);
type Spawn = unsafe fn(*mut c_void, Box<dyn Future<Output = ()>>);

/// The version that our tasks have.
const VERSION: u32 = 3;

/// What other runtimes see of a task: `wasip3_task`, with the fields that its version has.
#[derive(Copy, core::clone::Clone)]
#[repr(C)]
pub(super) struct Published {
    version: u32,
    ptr: *mut c_void,
    register: Register,
    unregister: Unregister,
    /// Since version 2.
    table: *const Table,
}

/// What can be done with a task that is not current: `wasip3_task_vtable`.
#[repr(C)]
struct Table {
    register: Register,
    unregister: Unregister,
    clone: Clone,
    drop: Drop,
    /// Since version 3.
    spawn: Option<Spawn>,
}

impl Published {
    /// Makes what others see of the task at the head of this block.
    pub(super) fn new(block: NonNull<Task>) -> Published {
        let Table { register, unregister, .. } = lodger::TABLE;
        Published {
            version: VERSION,
            ptr: block.as_ptr().cast(),
            register,
            unregister,
            table: &raw const lodger::TABLE,
        }
    }

    /// Returns whether it is a task of this copy of the runtime. Another copy looks the same but for its functions, which
    /// are not merged with ours since they use statics of their own.
    #[inline(always)]
    pub(super) fn is_ours(&self) -> bool {
        // Both are read from the table: a function may have several addresses.
        ptr::fn_addr_eq(self.register, lodger::TABLE.register)
    }
}
