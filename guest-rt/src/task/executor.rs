//! The executor: what the engine calls, and the loop that polls.
//!
//! A call that is ready at its first poll touches its block and nothing else; all that others need is out of line.

use super::current::Previous;
use super::node::{HELD, LIVE, NodeRef, Vtable};
use super::pool::Pool;
use super::{CANCEL, Task, TaskRef, YIELD, current, handover, waitable, wake};
use crate::builtins::{self, code, event};
use crate::instance::OnUnwind;
use alloc::alloc::Layout;
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

/// This many polls without a return to the engine, then it gets a turn even if there is more to do.
const BUDGET: u32 = 64;

/// The block of a call of an export.
#[repr(C)]
struct Root<F, G> {
    task: Task,
    /// There while the root is live.
    future: UnsafeCell<ManuallyDrop<F>>,
    finish: UnsafeCell<ManuallyDrop<G>>,
}

impl<F: Future, G: Fn(F::Output)> Root<F, G> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: Self::cancel, release: |_| {} };

    /// # Safety
    /// `node` is the head of such a block and live, and nobody else is at its future.
    #[inline(always)]
    unsafe fn poll(node: NodeRef) -> bool {
        let root = node.block::<Self>();
        // SAFETY: a live root has its future and `finish`, and nobody else is at them. It stays where it is.
        unsafe {
            let mut cx = Context::from_waker(&(*root).task.waker);
            let Poll::Ready(result) = Pin::new_unchecked(&mut **(*root).future.get()).poll(&mut cx) else {
                return false;
            };
            node.remove(LIVE);
            // The parameters first: no borrow may be left when the result is returned.
            ManuallyDrop::drop(&mut *(*root).future.get());
            ManuallyDrop::take(&mut *(*root).finish.get())(result);
        }
        true
    }

    /// # Safety
    /// As for `poll`.
    unsafe fn cancel(node: NodeRef) {
        let root = node.block::<Self>();
        node.remove(LIVE);
        // SAFETY: as in `poll`.
        unsafe {
            ManuallyDrop::drop(&mut *(*root).future.get());
            ManuallyDrop::drop(&mut *(*root).finish.get());
        }
    }
}

/// Starts a call of an async export: polls the future that `make` makes inside of the task, and passes its result to
/// `finish`, which makes the `task.return`. Returns what the export returns to the engine.
///
/// # Safety
/// The engine calls the export. `pool` is for this call of `start` only, in a function that is not generic: its blocks
/// fit these types. What the future borrows lives as long as the task.
#[inline(always)]
pub unsafe fn start<F: Future, G: Fn(F::Output)>(pool: &'static Pool, make: impl FnOnce() -> F, finish: G) -> u32 {
    let free = pool.free();
    let task = match free.get() {
        Some(task) => {
            free.set(task.after.get());
            task
        }
        // SAFETY: the layout is that of a block of this pool.
        None => unsafe {
            TaskRef::allocate(Layout::new::<Root<F, G>>(), Root::<F, G>::VTABLE, Some(pool), wake::waker_of)
        },
    };
    let previous = current::enter(task);
    let unwind = OnUnwind(|| abort(task, previous));
    let future = make();
    let root = task.block::<Root<F, G>>();
    // SAFETY: blocks of the pool are `Root<F, G>`, since only this function puts them there, and this one is not in use.
    // So it has room for the future, which is live from then on.
    let done = unsafe {
        (&raw mut (*root).future).write(UnsafeCell::new(ManuallyDrop::new(future)));
        (&raw mut (*root).finish).write(UnsafeCell::new(ManuallyDrop::new(finish)));
        task.root.add(LIVE);
        Root::<F, G>::poll(task.root())
    };
    unwind.disarm();
    if done && previous.is_nothing() && task.is_untouched() {
        previous.restore();
        task.after.set(free.replace(Some(task)));
        return code::EXIT;
    }
    settle(task, previous)
}

/// After the first poll of a task that is not over, or not the only thing there is.
#[inline(never)]
fn settle(task: TaskRef, previous: Previous) -> u32 {
    let unwind = OnUnwind(|| abort(task, previous));
    if previous.is_background() {
        current::adopt_nodes(task);
        handover::sweep();
        handover::adopt_operations(task);
    }
    let answer = run(task);
    unwind.disarm();
    if answer != code::EXIT {
        builtins::context_set(task.block());
        current::sleep(task);
    }
    leave(task, answer, previous)
}

/// Continues a task: the callback of every async export. Returns what it returns to the engine.
///
/// # Safety
/// The engine calls the callback, for a task that `start` did not end.
pub unsafe fn callback(event: u32, handle: u32, code: u32) -> u32 {
    // SAFETY: the context of a task is the block that `settle` put there.
    let task = unsafe { TaskRef::from_block(builtins::context_get()) };
    // Before the event is delivered: whom it wakes has to know that this task is awake.
    let previous = current::enter(task);
    let unwind = OnUnwind(|| abort(task, previous));
    let mut woken = None;
    // Events of waitables have one, the others have not.
    if handle != 0 {
        woken = waitable::deliver(event, handle, code);
        // Most often this is all there is to do.
        if let Some(node) = woken
            && node == task.root()
            && task.pending() == 0
            && node.state.get() == LIVE
        {
            // SAFETY: it is live, and only the executor polls.
            let done = unsafe { (node.vtable.get().poll)(node) };
            if !done && !task.is_ready() {
                previous.restore();
                unwind.disarm();
                return task.wait_again();
            }
            woken = None;
        }
    } else if event == event::CANCELLED {
        cancel(task);
    }
    let answer = proceed(task, woken);
    unwind.disarm();
    leave(task, answer, previous)
}

/// The rest of a callback, in which `woken` is still to be woken.
#[inline(never)]
fn proceed(task: TaskRef, woken: Option<NodeRef>) -> u32 {
    if let Some(node) = woken {
        wake::wake(node);
    }
    if task.pending() > 0 {
        drain(task);
    }
    run(task)
}

/// The task returns `answer` to the engine, which is returned.
fn leave(task: TaskRef, answer: u32, previous: Previous) -> u32 {
    if answer == code::EXIT {
        end(task);
    }
    handover::leave(previous);
    answer
}

/// More operations are pending: delivers what else is ready before anything is polled, so that a future that polls all
/// its children does so once and not once per event.
#[inline(never)]
pub(super) fn drain(task: TaskRef) {
    let mut payload = [0; 2];
    // What was delivered is not in the count: nothing is left in the set when that is zero.
    while task.pending() > 0 {
        let event = builtins::waitable_set_poll(task.set(), &mut payload);
        if event == event::NONE {
            break;
        }
        waitable::arrive(event, payload);
    }
}

/// The caller wants the task cancelled: tells those who want to know, or drops its root.
#[cold]
#[inline(never)]
fn cancel(task: TaskRef) {
    if !task.notices.request() {
        cancel_root(task);
    }
}

/// Drops the root of the current task, which its caller has cancelled. What was spawned goes on.
///
/// The root is not being polled.
#[inline(never)]
pub(crate) fn cancel_root(task: TaskRef) {
    let root = task.root();
    if root.has(LIVE) {
        // SAFETY: it is live, and only the executor is at its future.
        unsafe { (root.vtable.get().cancel)(root) };
        builtins::task_cancel();
    }
}

/// Polls the ready queue, until nothing is ready or the engine should have a turn. Returns what to tell the engine.
///
/// `task` is the current task.
#[inline(never)]
pub(super) fn run(task: TaskRef) -> u32 {
    #[cfg(not(target_family = "wasm"))]
    wake::abroad::receive();
    let mut budget = BUDGET;
    loop {
        if task.interrupts.get() != 0 && interrupted(task) {
            return code::YIELD;
        }
        if !task.is_ready() {
            return if task.is_over() { code::EXIT } else { task.wait() };
        }
        if budget == 0 {
            return code::YIELD;
        }
        budget -= 1;
        if let Some(node) = task.pop() {
            poll(task, node);
        }
    }
}

/// Does what is to be done before the next poll. Returns whether that is to give the engine a turn.
#[cold]
#[inline(never)]
fn interrupted(task: TaskRef) -> bool {
    let interrupts = task.interrupts.take();
    if interrupts & CANCEL != 0 {
        cancel(task);
    }
    interrupts & YIELD != 0 && task.is_ready()
}

/// Polls a node that has left the ready queue of its task.
fn poll(task: TaskRef, node: NodeRef) {
    let vtable = node.vtable.get();
    if !node.has(LIVE) {
        (vtable.release)(node);
        return;
    }
    let over = || {
        task.polled.set(None);
        node.remove(HELD);
        if node != task.root() {
            task.spawned.set(task.spawned.get() - 1);
        }
        (vtable.release)(node);
    };
    node.add(HELD);
    task.polled.set((node != task.root()).then_some(node));
    let unwind = OnUnwind(|| {
        if node.has(LIVE) {
            // SAFETY: it is live, and the poll that panicked is over.
            unsafe { (vtable.cancel)(node) };
        }
        over();
    });
    // SAFETY: it is live, and only the executor polls.
    let done = unsafe { (vtable.poll)(node) };
    unwind.disarm();
    if done {
        over();
    } else {
        task.polled.set(None);
        node.remove(HELD);
    }
}

/// A task is over: its block goes to its pool.
#[inline(never)]
fn end(task: TaskRef) {
    if task.slept.get() {
        current::awake(task);
    }
    task.interrupts.set(0);
    task.notices.clear();
    if let Some(pool) = task.pool {
        task.after.set(pool.free().replace(Some(task)));
    }
}

/// A panic passes by a task of the stand-in: it is over as it is. Its block is not used again.
#[cold]
fn abort(task: TaskRef, previous: Previous) {
    let root = task.root();
    if root.has(LIVE) {
        // SAFETY: it is live, and the poll that panicked is over.
        unsafe { (root.vtable.get().cancel)(root) };
    }
    while let Some(node) = task.pop() {
        // Held, since its future may own its handle.
        node.add(HELD);
        if node.has(LIVE) && node != root {
            // SAFETY: it is live, and no poll of it is under way: those that are polled are in no queue.
            unsafe { (node.vtable.get().cancel)(node) };
        }
        node.remove(HELD);
        (node.vtable.get().release)(node);
    }
    if task.slept.get() {
        current::awake(task);
    }
    handover::leave(previous);
}
