//! Running a future where there is nobody to return to.

use super::node::{LIVE, NodeRef, QUEUED, Vtable};
use super::wake::{wake, waker_of};
use super::{Task, TaskRef, current, executor, handover, sets, waitable};
use crate::builtins::{self, code};
use crate::instance::{OnUnwind, local};
use alloc::alloc::Layout;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

/// Runs a future, and what it spawns, until all of it is done. Returns the result of the future.
///
/// This blocks: nothing else of the current task runs meanwhile, and the engine starts no other async export of the
/// component. It may be used inside a task, and inside itself. The engine traps when it would have to wait in an export
/// that WIT does not declare `async`.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    fn begin<F: Future>(future: F) -> F::Output {
        let frame = Frame {
            future: UnsafeCell::new(ManuallyDrop::new(future)),
            result: UnsafeCell::new(MaybeUninit::uninit()),
        };
        // SAFETY: the frame stays here until `drive` returns, which it does when the result is there. If it panics, the
        // future was dropped.
        unsafe {
            drive(Frame::<F>::VTABLE, (&raw const frame).cast());
            frame.result.into_inner().assume_init()
        }
    }
    begin(future)
}

/// What is on the stack of the caller.
struct Frame<F: Future> {
    /// There while the root is live.
    future: UnsafeCell<ManuallyDrop<F>>,
    /// There when it is not.
    result: UnsafeCell<MaybeUninit<F::Output>>,
}

/// The block of a `block_on`.
#[repr(C)]
struct Blocking {
    task: Task,
    frame: Cell<*const ()>,
}

local! {
    /// Blocks that are out of use, linked by `Task::after`.
    static FREE: Cell<Option<TaskRef>> = Cell::new(None);
}

impl<F: Future> Frame<F> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: Self::cancel, release: |_| {} };

    fn of(node: NodeRef) -> *const Self {
        // SAFETY: nodes with this table are the roots of such blocks, which are never freed.
        unsafe { (*node.block::<Blocking>()).frame.get().cast() }
    }

    /// # Safety
    /// `node` is the root of a block with such a frame, live, and nobody else is at its future.
    unsafe fn poll(node: NodeRef) -> bool {
        let frame = Self::of(node);
        // SAFETY: while the root is live, the frame is there with its future, which nobody else is at.
        unsafe {
            let future = Pin::new_unchecked(&mut **(*frame).future.get());
            let waker = &(*node.block::<Blocking>()).task.waker;
            let Poll::Ready(result) = future.poll(&mut Context::from_waker(waker)) else { return false };
            node.remove(LIVE);
            (*(*frame).result.get()).write(result);
            ManuallyDrop::drop(&mut *(*frame).future.get());
        }
        true
    }

    /// # Safety
    /// As for `poll`.
    unsafe fn cancel(node: NodeRef) {
        node.remove(LIVE);
        // SAFETY: as in `poll`.
        unsafe { ManuallyDrop::drop(&mut *(*Self::of(node)).future.get()) }
    }
}

/// # Safety
/// `frame` is what the functions in `vtable` expect, until this returns or panics.
#[allow(clippy::redundant_closure, reason = "an imported function is no closure")]
#[inline(never)]
unsafe fn drive(vtable: &'static Vtable, frame: *const ()) {
    let task = take();
    // SAFETY: the block is one of `Blocking`, which is never freed.
    unsafe { (*task.block::<Blocking>()).frame.set(frame) };
    let root = task.root();
    root.vtable.set(vtable);
    root.state.set(LIVE);
    let previous = current::enter(task);
    task.outer.set(previous.task());
    let unwind = OnUnwind(|| {
        if root.has(LIVE) {
            // SAFETY: the root is live, and the poll that panicked is over.
            unsafe { (vtable.cancel)(root) };
        }
        end(task, previous);
    });
    task.push(root);
    loop {
        let answer = executor::run(task);
        match answer & 15 {
            code::EXIT => break,
            code::YIELD => _ = current::blocking(|| builtins::thread_yield()),
            _ => {
                let mut payload = [0; 2];
                let event = current::blocking(|| builtins::waitable_set_wait(answer >> 4, &mut payload));
                waitable::arrive(event, payload);
            }
        }
        if task.pending() > 0 {
            executor::drain(task);
        }
    }
    unwind.disarm();
    // Not where a panic passes by: a future that was spawned may still wait for a wake in there.
    task.after.set(FREE.replace(Some(task)));
    end(task, previous);
}

/// What is left in the block goes to others, and the task under it, which so far may have had no reason to, looks after the
/// set when it ends. (Something is left in its queue only when a panic passes by.)
fn end(task: TaskRef, previous: current::Previous) {
    task.outer.set(None);
    if task.pending() > 0 {
        handover::bequeath(task, previous);
    }
    task.interrupts.set(0);
    task.notices.clear();
    previous.restore();
    if let Some(outer) = previous.task()
        && sets::any()
        && !outer.root.has(QUEUED)
    {
        outer.push(outer.root());
    }
    while let Some(node) = task.pop() {
        if node.has(LIVE) {
            let heir = current::for_new_work();
            node.task.set(Some(heir));
            heir.spawned.set(heir.spawned.get() + 1);
            wake(node);
        }
    }
    if previous.task().is_none() {
        handover::leave(previous);
    }
}

fn take() -> TaskRef {
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_| {} };
    if let Some(task) = FREE.get() {
        FREE.set(task.after.get());
        return task;
    }
    // SAFETY: the layout is that of such a block, of which the rest is written here.
    unsafe {
        let task = TaskRef::allocate(Layout::new::<Blocking>(), &NOTHING, None, waker_of);
        (&raw mut (*task.block::<Blocking>()).frame).write(Cell::new(ptr::null()));
        task
    }
}
