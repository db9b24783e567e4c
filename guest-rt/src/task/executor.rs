//! The executor: what the engine calls, and the loop that polls.
//!
//! A call that is ready at its first poll touches its block and nothing else; all that others need is out of line.

use crate::builtins::{self, code, event};
use crate::instance::{Instance, instance};
use crate::task::background;
use crate::task::waitable;
use crate::task::wake::wake;
use crate::task::{LIVE, Node, Pool, QUEUED, Task, Vtable};
use alloc::alloc::{Layout, alloc};
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

/// So many polls without a return to the engine, then it gets a turn even if there is more to do.
const BUDGET: u32 = 64;

/// Whether the current function may wait, and so cancel what it began: it runs in a call of an async export.
#[inline(never)]
pub(crate) fn may_wait() -> bool {
    let instance = instance();
    let mut task = instance.current.get();
    if task.is_null() || background::is(instance, task) {
        return false;
    }
    // SAFETY: tasks are live for ever.
    unsafe {
        while !(*task).outer.get().is_null() {
            task = (*task).outer.get();
        }
        (*task).pool.is_some()
    }
}

/// The block of a call of an export.
#[repr(C)]
struct Root<F, G> {
    task: Task,
    future: UnsafeCell<ManuallyDrop<F>>,
    finish: UnsafeCell<ManuallyDrop<G>>,
}

impl<F: Future, G: Fn(F::Output)> Root<F, G> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: Self::cancel, release: |_| {} };

    /// # Safety
    /// `node` is the head of such a block, and live.
    #[inline(always)]
    unsafe fn poll(node: *mut Node) -> bool {
        let root = node.cast::<Self>();
        // SAFETY: a live root has its future and `finish`, and nobody else is at them. It stays where it is.
        unsafe {
            let mut cx = Context::from_waker(&(*root).task.waker);
            let Poll::Ready(result) = Pin::new_unchecked(&mut **(*root).future.get()).poll(&mut cx) else {
                return false;
            };
            (*node).state.set((*node).state.get() & !LIVE);
            // The parameters first: no borrow may be left when the result is returned.
            ManuallyDrop::drop(&mut *(*root).future.get());
            ManuallyDrop::take(&mut *(*root).finish.get())(result);
        }
        true
    }

    /// # Safety
    /// `node` is the head of such a block, and live.
    unsafe fn cancel(node: *mut Node) {
        let root = node.cast::<Self>();
        // SAFETY: as in `poll`.
        unsafe {
            (*node).state.set((*node).state.get() & !LIVE);
            ManuallyDrop::drop(&mut *(*root).future.get());
            ManuallyDrop::drop(&mut *(*root).finish.get());
        }
    }
}

/// Starts a call of an async export: makes the future in the call's task, polls it, and passes its result to `finish`,
/// which makes the `task.return`. Returns what the export returns to the engine.
///
/// # Safety
/// The engine calls the export. `pool` is for this call of `start` only, in a function that is not generic: its blocks
/// fit these types. What the future borrows lives as long as the task.
#[inline(always)]
pub unsafe fn start<F: Future, G: Fn(F::Output)>(pool: &'static Pool, make: impl FnOnce() -> F, finish: G) -> u32 {
    let instance = instance();
    let free = pool.free();
    let mut task = free.get();
    // SAFETY: blocks of the pool are `Root<F, G>`, since only this function puts them there, and are not in use.
    unsafe {
        if task.is_null() {
            task = fresh(Layout::new::<Root<F, G>>(), Root::<F, G>::VTABLE, pool);
        } else {
            free.set((*task).after.get());
        }
        let root = task.cast::<Root<F, G>>();
        // The task is current before the implementer's code runs: part of that may come before the first `.await`.
        let previous = instance.current.replace(task);
        (&raw mut (*root).future).write(UnsafeCell::new(ManuallyDrop::new(make())));
        (&raw mut (*root).finish).write(UnsafeCell::new(ManuallyDrop::new(finish)));
        (*task).root.state.set(LIVE);
        if Root::<F, G>::poll(task.cast())
            && previous.is_null()
            && (*task).head.get().is_null()
            && (*task).spawned.get() | (*task).pending.get() == 0
        {
            instance.current.set(previous);
            (*task).after.set(free.replace(task));
            return code::EXIT;
        }
        settle(instance, task, previous)
    }
}

#[cold]
#[inline(never)]
unsafe fn fresh(layout: Layout, vtable: &'static Vtable, pool: &'static Pool) -> *mut Task {
    // SAFETY: the layout is that of a block, which starts with a task.
    unsafe {
        let task = alloc(layout).cast::<Task>();
        if task.is_null() {
            crate::trap::out_of_memory(layout);
        }
        task.write(Task::new(task, vtable, Some(pool)));
        task
    }
}

/// After the first poll of a task that is not over, or not the only thing there is.
#[inline(never)]
unsafe fn settle(instance: &Instance, task: *mut Task, previous: *mut Task) -> u32 {
    // SAFETY: tasks are live for ever.
    unsafe {
        let adopts = background::is(instance, previous);
        if adopts {
            background::adopt_nodes(instance, task);
        }
        let answer = run(task);
        if adopts {
            background::adopt_operations(instance, task, answer);
        }
        if answer == code::EXIT {
            end(instance, task, ptr::null_mut());
        } else {
            builtins::context_set(task.cast());
            background::sleep(instance, task);
        }
        background::leave(instance, previous);
        answer
    }
}

/// Continues a task: the callback of every async export. What it returns to the engine.
///
/// # Safety
/// The engine calls the callback, for a task that `start` did not end.
pub unsafe fn callback(event: u32, waitable: u32, code: u32) -> u32 {
    let instance = instance();
    let task = builtins::context_get().cast::<Task>();
    // Before the event is delivered: whom it wakes has to know that this task is awake.
    let previous = instance.current.replace(task);
    // SAFETY: the context of a task is the block that `settle` put there. Tasks and nodes are live for ever.
    unsafe {
        let mut woken = ptr::null_mut();
        if event.wrapping_sub(1) < event::CANCELLED - 1 {
            woken = waitable::deliver(instance, event, waitable, code);
            // Most often this is all there is to do.
            if woken == task.cast() && (*task).pending.get() == 0 && (*woken).state.get() == LIVE {
                if !((*woken).vtable.get().poll)(woken) && (*task).head.get().is_null() {
                    instance.current.set(previous);
                    return (*task).wait.get();
                }
                woken = ptr::null_mut();
            }
        } else if event == event::CANCELLED {
            cancel(task);
        }
        proceed(instance, task, woken, previous)
    }
}

/// The rest of a callback, in which `woken` is still to be woken, unless it is null.
#[inline(never)]
unsafe fn proceed(instance: &Instance, task: *mut Task, woken: *mut Node, previous: *mut Task) -> u32 {
    // SAFETY: tasks and nodes are live for ever; the task is the current one.
    unsafe {
        if !woken.is_null() {
            wake(woken);
        }
        if (*task).pending.get() > 0 {
            drain(instance, task);
        }
        let answer = run(task);
        if answer == code::EXIT {
            end(instance, task, ptr::null_mut());
        }
        background::leave(instance, previous);
        answer
    }
}

/// More operations are pending: delivers what else is ready before anything is polled, so that a future that polls all
/// its children does so once and not once per event.
///
/// # Safety
/// `task` is the current task, and has a set.
#[inline(never)]
pub(crate) unsafe fn drain(instance: &Instance, task: *mut Task) {
    let mut payload = [0; 2];
    // SAFETY: tasks and nodes are live for ever.
    unsafe {
        // What was delivered is not in the count: nothing is left in the set when that is zero.
        while (*task).pending.get() > 0 {
            let event = builtins::waitable_set_poll((*task).set.get(), &mut payload);
            if event == event::NONE {
                break;
            }
            arrive(instance, event, payload);
        }
    }
}

/// Delivers an event of a set, and wakes who waits for it.
pub(crate) fn arrive(instance: &Instance, event: u32, [waitable, code]: [u32; 2]) {
    // SAFETY: nodes are live for ever.
    unsafe {
        let node = waitable::deliver(instance, event, waitable, code);
        if !node.is_null() {
            wake(node);
        }
    }
}

/// The caller wants the task cancelled: tells those who want to know, or drops its root.
///
/// # Safety
/// The task is current.
#[cold]
#[inline(never)]
unsafe fn cancel(task: *mut Task) {
    // SAFETY: the caller's promise; tasks are live for ever.
    unsafe {
        if !(*task).notices.request() {
            withdraw(task);
        }
    }
}

/// Ends a task as its caller wanted: drops its root. What was spawned goes on.
///
/// # Safety
/// The task is current, but its root is not being polled; its caller has cancelled it.
#[inline(never)]
pub(crate) unsafe fn withdraw(task: *mut Task) {
    // SAFETY: the task is current; its root is live where that is said.
    unsafe {
        let root = &(*task).root;
        if root.state.get() & LIVE != 0 {
            (root.vtable.get().cancel)(task.cast());
            builtins::task_cancel();
        }
    }
}

/// Polls the ready queue, until nothing is ready or the engine should have a turn. What to tell the engine.
///
/// # Safety
/// `task` is the current task.
#[inline(never)]
pub(crate) unsafe fn run(task: *mut Task) -> u32 {
    // SAFETY: nodes and tasks are live for ever; only live nodes are polled.
    unsafe {
        let mut budget = BUDGET;
        loop {
            if (*task).head.get().is_null() {
                return if (*task).is_over() { code::EXIT } else { (*task).wait() };
            }
            if budget == 0 || (*task).yielding.replace(false) {
                return code::YIELD;
            }
            budget -= 1;
            let node = (*task).pop();
            let vtable = (*node).vtable.get();
            if (*node).state.get() & LIVE == 0 {
                (vtable.release)(node);
            } else if (vtable.poll)(node) && node != task.cast() {
                (*task).spawned.set((*task).spawned.get() - 1);
                if (*node).state.get() & QUEUED == 0 {
                    (vtable.release)(node);
                }
            }
        }
    }
}

/// A task is over: what it leaves behind is handed on, to `heir` unless that is null, and its block goes to its pool.
///
/// # Safety
/// The task is over and its queue is empty.
#[inline(never)]
pub(crate) unsafe fn end(instance: &Instance, task: *mut Task, heir: *mut Task) {
    // SAFETY: tasks are live for ever.
    unsafe {
        if (*task).slept.get() {
            background::awake(instance, task);
        }
        if (*task).pending.get() > 0 {
            background::bequeath(instance, task, heir);
        }
        (*task).yielding.set(false);
        if let Some(pool) = (*task).pool {
            (*task).after.set(pool.free().replace(task));
        }
    }
}
