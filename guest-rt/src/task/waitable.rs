//! Pending operations: what awaits an event of a subtask, or of an end of a stream or future.
//!
//! One [`Operation`] per operation that did not finish at once, kept in the pinned future that made it. It is found by
//! the number of its waitable when an event is delivered (`TABLE[handle]`), and wakes whom it was parked for.
//!
//! # Life of an operation
//!
//! `new` → `register` (the built-in answered BLOCKED, STARTING or STARTED) → `poll` until it gives the code of the
//! event. It can be registered again afterwards. To give it up before that: `withdraw`, then the synchronous cancel,
//! when there was no code yet.
//!
//! # Which set a waitable is in
//!
//! That of the task that polls: an operation that is polled by another task moves there. What is polled where no task
//! is current (a synchronous export, a destructor of a resource, `main`, a `Drop` after the task ended) goes to some
//! task that sleeps, or when there is none, to the *background*: the next async call adopts it when it starts to wait.
//! When a task ends, the operations it leaves behind that wake somebody else are handed on in the same way. So nothing
//! here can fail for want of a task.
//!
//! # Invariants
//!
//! - An entry of the table is a live `Operation` exactly while that is registered: `register` writes it, delivery and
//!   `withdraw` clear it. (A forgotten future is leaked memory, so it stays live: that is what pinning promises.)
//! - `Task::pending` counts the registered operations whose waitable is in the task's set.

use crate::builtins;
use crate::instance::{Instance, instance};
use crate::task::background;
use crate::task::wake;
use crate::task::{Node, Parked, Target, Task};
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr;
use core::task::Context;

/// Will not be registered again.
const OVER: u32 = u32::MAX - 4;
/// Not registered any more: there was an event, in a set that the operation was handed on to.
const MOVED: u32 = u32::MAX - 3;
/// Not registered.
const IDLE: u32 = u32::MAX - 2;
/// Registered; the callee of the subtask has its parameters, which was not polled yet.
const STARTED: u32 = u32::MAX - 1;
/// Registered.
const WAITING: u32 = u32::MAX;

/// A pending operation on a waitable. It must not move while it is registered.
///
/// All functions take a pointer, since events are delivered to it while its future is borrowed: keep it in an
/// `UnsafeCell` of a future that is `!Unpin` (`PhantomPinned`).
pub(crate) struct Operation {
    /// One of the five above, or else the code of the event that was delivered.
    code: u32,
    /// Written by `register`, so that an operation that finishes at once does not pay for it.
    wait: MaybeUninit<Wait>,
}

struct Wait {
    handle: u32,
    /// Whose set the waitable is in; null when that task has ended.
    task: *mut Task,
    parked: Parked,
    /// The set it was handed on to without its owner's knowledge, or 0. Written only while no node of ours is parked:
    /// none is in what was handed on.
    moved: MaybeUninit<u32>,
    /// The code of its event there, once there was one.
    late: MaybeUninit<u32>,
}

impl Wait {
    /// Parks whom `cx` wakes, in what was not written yet.
    ///
    /// # Safety
    /// `this` is valid for writes.
    #[inline(always)]
    unsafe fn park(this: *mut Wait, cx: &Context<'_>) {
        // SAFETY: the caller's promise.
        unsafe {
            if !Parked::park_at(&raw mut (*this).parked, cx) {
                (&raw mut (*this).moved).write(MaybeUninit::new(0));
            }
        }
    }

    /// The set it was handed on to, or 0.
    fn moved(&self) -> u32 {
        if Parked::is_node(self.parked.node()) {
            return 0;
        }
        // SAFETY: it is written whenever something else is parked.
        unsafe { self.moved.assume_init() }
    }
}

impl Operation {
    /// An operation that is not registered.
    #[inline(always)]
    pub(crate) const fn new() -> Operation {
        Operation { code: IDLE, wait: MaybeUninit::uninit() }
    }

    /// Waits for the event of `handle` on behalf of whom `cx` wakes.
    ///
    /// `joined` is the set the waitable is in (0: none). Who owns the handle keeps it as long as the handle, and so a
    /// stream end that is read again and again joins a set once.
    ///
    /// # Safety
    /// `this` is not registered, and does not move or go away before it has an event or was withdrawn. An operation on
    /// `handle` is pending, and this instance owns it.
    #[inline(never)]
    pub(crate) unsafe fn register(this: *mut Self, handle: u32, joined: &Cell<u32>, cx: &mut Context<'_>) {
        // SAFETY: the caller's promise.
        unsafe {
            Self::displace(handle);
            Wait::park((*this).wait.as_mut_ptr(), cx);
            let set = Self::enlist(this, handle);
            join(handle, joined, set);
        }
    }

    /// Forgets the operation that is registered for `handle`, if there is one: that of a future that was forgotten.
    #[inline(always)]
    unsafe fn displace(handle: u32) {
        let operation = instance().table.get(handle);
        if operation.addr() & 1 == 0 {
            // SAFETY: it is registered, and so live.
            unsafe {
                (*operation).code = IDLE;
                forget_one((*operation).wait.assume_init_ref().task);
            }
        }
    }

    /// As `register`, for a waitable that is new, and gone after its event. Instead of a note of its set, any but that
    /// of a set that exists will do for the other functions, such as [`Operation::SOME_SET`].
    ///
    /// # Safety
    /// As for `register`.
    #[inline(never)]
    pub(crate) unsafe fn register_new(this: *mut Self, handle: u32, cx: &mut Context<'_>) {
        // SAFETY: the caller's promise.
        unsafe {
            Wait::park((*this).wait.as_mut_ptr(), cx);
            builtins::waitable_join(handle, Self::enlist(this, handle));
        }
    }

    /// Says that a waitable is in a set, and not in which.
    pub(crate) const SOME_SET: u32 = u32::MAX;

    /// Waits for the event of `handle` on behalf of nobody: `done(this, code)` is called when it comes, and may free
    /// the operation. For what must end well after its owner is gone, such as the write of a default value.
    ///
    /// It does not keep a task from ending. Before that, it looks for what has ended in the background, so that an
    /// instance that never waits does not heap up such operations.
    ///
    /// # Safety
    /// As for `register`. `done` runs while an event is delivered: it must neither poll nor run code of users.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn detach(this: *mut Self, handle: u32, joined: &Cell<u32>, done: unsafe fn(*mut Self, u32)) {
        // SAFETY: the caller's promise.
        unsafe {
            background::sweep();
            let wait = (*this).wait.as_mut_ptr();
            (&raw mut (*wait).parked).write(Parked::call(done));
            (&raw mut (*wait).moved).write(MaybeUninit::new(0));
            let set = Self::enlist(this, handle);
            join(handle, joined, set);
        }
    }

    /// The code of the event, once: the operation is then no longer registered. Otherwise whom `cx` wakes will be woken
    /// by it, and the waitable has moved to the set of the current task.
    ///
    /// There is one exception: that a subtask has STARTED is told as well, and leaves the operation registered.
    ///
    /// # Safety
    /// `this` was registered, for this `joined`.
    #[inline(always)]
    pub(crate) unsafe fn poll(this: *mut Self, joined: &Cell<u32>, cx: &mut Context<'_>) -> Option<u32> {
        // SAFETY: the operation is live, and nobody else is at it.
        unsafe {
            let code = (*this).code;
            if code < OVER {
                (*this).code = IDLE;
                return Some(code);
            }
            Self::wait_on(this, joined, cx)
        }
    }

    /// It was not registered, or its event was polled.
    ///
    /// # Safety
    /// `this` is live.
    #[inline(always)]
    pub(crate) unsafe fn is_idle(this: *mut Self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { (*this).code == IDLE }
    }

    /// It was [finished](Operation::finish).
    ///
    /// # Safety
    /// `this` is live.
    #[inline(always)]
    pub(crate) unsafe fn is_over(this: *mut Self) -> bool {
        // SAFETY: the caller's promise.
        unsafe { (*this).code == OVER }
    }

    /// Whether its event was delivered, with this code, and not polled; a short way past `poll`.
    ///
    /// # Safety
    /// `this` is live.
    #[inline(always)]
    pub(crate) unsafe fn has(this: *mut Self, code: u32) -> bool {
        // SAFETY: the caller's promise.
        unsafe { (*this).code == code }
    }

    /// Notes that it will not be registered again. For its owner; nothing here depends on it.
    ///
    /// # Safety
    /// `this` is live and not registered.
    #[inline(always)]
    pub(crate) unsafe fn finish(this: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { (*this).code = OVER }
    }

    /// The waitable.
    ///
    /// # Safety
    /// `this` was registered.
    #[inline(always)]
    pub(crate) unsafe fn handle(this: *mut Self) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { (*this).wait.assume_init_ref().handle }
    }

    /// Gives up waiting: the code of the event if it was delivered already. If not, the waitable has left its set, and
    /// the operation can be cancelled synchronously (which traps in a set). Harmless when nothing is registered.
    ///
    /// # Safety
    /// `this` is live, and was never registered or for this `joined`.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn withdraw(this: *mut Self, joined: &Cell<u32>) -> Option<u32> {
        // SAFETY: while it is registered, the operation and its entry of the table are ours.
        unsafe {
            match core::mem::replace(&mut (*this).code, IDLE) {
                IDLE | OVER => None,
                STARTED | WAITING => {
                    let wait = (*this).wait.assume_init_mut();
                    instance().table.clear(wait.handle);
                    forget_one(wait.task);
                    wait.parked.clear();
                    if joined.replace(0) != 0 {
                        builtins::waitable_join(wait.handle, 0);
                    }
                    None
                }
                MOVED => Some(Self::arrive(this, joined)),
                code => Some(code),
            }
        }
    }

    /// The code of the event that an operation had where it was handed on to. Its owner learns which set that was.
    unsafe fn arrive(this: *mut Self, joined: &Cell<u32>) -> u32 {
        // SAFETY: it was registered and has had its event.
        unsafe {
            let wait = (*this).wait.assume_init_ref();
            joined.set(wait.moved.assume_init());
            wait.late.assume_init()
        }
    }

    /// All of `register` but whom to wake and the join; the set to join.
    #[inline(always)]
    unsafe fn enlist(this: *mut Self, handle: u32) -> u32 {
        let instance = instance();
        let task = background::home(instance);
        // SAFETY: tasks are live for ever; the operation is, by the caller's promise.
        unsafe {
            (*this).code = WAITING;
            let wait = (*this).wait.as_mut_ptr();
            (&raw mut (*wait).handle).write(handle);
            (&raw mut (*wait).task).write(task);
            instance.table.set(handle, this);
            (*task).pending.set((*task).pending.get() + 1);
            (*task).set()
        }
    }

    /// Not delivered: moves to the current task, and wakes whom `cx` wakes.
    #[inline(never)]
    unsafe fn wait_on(this: *mut Self, joined: &Cell<u32>, cx: &mut Context<'_>) -> Option<u32> {
        // SAFETY: the caller of `poll` promises that it was registered.
        unsafe {
            let code = (*this).code;
            match code {
                IDLE | OVER => return None,
                MOVED => {
                    (*this).code = IDLE;
                    return Some(Self::arrive(this, joined));
                }
                _ => {}
            }
            let wait = (*this).wait.assume_init_mut();
            if let moved @ 1.. = wait.moved() {
                joined.set(moved);
            }
            wait.moved.write(0);
            let instance = instance();
            let current = instance.current.get();
            if wait.task.is_null() || (wait.task != current && !current.is_null()) {
                let task = background::home(instance);
                Self::rehome(wait, task);
                join(wait.handle, joined, (*task).set());
            }
            wait.parked.update(cx);
            if code == STARTED {
                (*this).code = WAITING;
                return Some(builtins::subtask::STARTED);
            }
            None
        }
    }

    /// Counts the operation with another task (null: with none).
    unsafe fn rehome(wait: &mut Wait, task: *mut Task) {
        // SAFETY: tasks are live for ever.
        unsafe {
            forget_one(wait.task);
            wait.task = task;
            if !task.is_null() {
                (*task).pending.set((*task).pending.get() + 1);
            }
        }
    }
}

/// Joins a waitable to a set, unless it is there.
#[inline(always)]
fn join(handle: u32, joined: &Cell<u32>, set: u32) {
    if joined.replace(set) != set {
        builtins::waitable_join(handle, set);
    }
}

/// One operation less is pending in the set of `task`.
#[inline(always)]
unsafe fn forget_one(task: *mut Task) {
    if !task.is_null() {
        // SAFETY: tasks are live for ever.
        unsafe { (*task).pending.set((*task).pending.get() - 1) }
    }
}

/// Delivers an event to the operation of `handle`, if there is one: strays come from forgotten operations.
/// The node to wake, if it is one of ours; all others are woken here.
///
/// # Safety
/// The event comes from a set of this instance.
#[inline(always)]
pub(crate) unsafe fn deliver(instance: &Instance, event: u32, handle: u32, code: u32) -> *mut Node {
    if code == builtins::subtask::STARTED && event == builtins::event::SUBTASK {
        return deliver_start(instance, handle);
    }
    let operation = instance.table.take(handle);
    // SAFETY: entries of the table are registered operations, but for those with an odd address.
    unsafe {
        if operation.addr() & 1 == 1 {
            wake::recycle(instance, operation);
            return ptr::null_mut();
        }
        (*operation).code = code;
        let wait = (*operation).wait.assume_init_mut();
        forget_one(wait.task);
        let node = wait.parked.node();
        if Parked::is_node(node) { node } else { deliver_elsewhere(operation, code) }
    }
}

/// Delivers that a subtask has started: its operation stays registered.
#[cold]
#[inline(never)]
fn deliver_start(instance: &Instance, handle: u32) -> *mut Node {
    let operation = instance.table.get(handle);
    // SAFETY: entries of the table are registered operations, but for those with an odd address, which no subtask has.
    unsafe {
        if operation.addr() & 1 == 1 {
            return ptr::null_mut();
        }
        (*operation).code = STARTED;
        let node = (*operation).wait.assume_init_ref().parked.node();
        if Parked::is_node(node) { node } else { deliver_elsewhere(operation, builtins::subtask::STARTED) }
    }
}

/// Delivers to what does not wake one of our nodes.
#[cold]
#[inline(never)]
unsafe fn deliver_elsewhere(operation: *mut Operation, code: u32) -> *mut Node {
    // SAFETY: the operation was just found in the table.
    unsafe {
        let wait = (*operation).wait.assume_init_mut();
        if wait.moved() != 0 && (*operation).code != STARTED {
            wait.late.write(code);
            (*operation).code = MOVED;
        }
        match wait.parked.take() {
            Target::Waker(waker) => waker.wake(),
            Target::Call(done) => done(operation, code),
            Target::Nobody => {}
        }
    }
    ptr::null_mut()
}

/// Hands the operations of a task on, from its set to that of `to`; those that wake only the ended task itself stay
/// behind, and are counted with nobody.
///
/// # Safety
/// `from` is a task that has ended, or the background.
#[cold]
#[inline(never)]
pub(crate) unsafe fn hand_on(instance: &Instance, from: *mut Task, to: *mut Task) {
    // SAFETY: entries of the table are registered operations, but for those with an odd address; tasks are live for ever.
    unsafe {
        let mut handle = 0;
        while (*from).pending.get() > 0 && handle < instance.table.len() {
            let operation = instance.table.get(handle);
            if operation.addr() & 1 == 0 {
                let wait = (*operation).wait.assume_init_mut();
                if wait.task == from {
                    if wait.parked.is_of(from) {
                        Operation::rehome(wait, ptr::null_mut());
                    } else {
                        let set = (*to).set();
                        Operation::rehome(wait, to);
                        // Its owner, who keeps a note of the set, learns of this with the event.
                        wait.moved.write(set);
                        wait.parked.make_foreign();
                        builtins::waitable_join(handle, set);
                    }
                }
            }
            handle += 1;
        }
    }
}
