//! Running a future where there is nobody to return to.

use crate::builtins::{self, code};
use crate::instance::{Instance, instance};
use crate::task::background;
use crate::task::executor;
use crate::task::{LIVE, Node, Task, Vtable};
use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

/// Runs a future, and what it spawns, until all of it is done. The result of the future.
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
        // SAFETY: the frame stays here until `drive` returns, which it does when the result is there.
        unsafe {
            drive(Frame::<F>::VTABLE, (&raw const frame).cast());
            frame.result.into_inner().assume_init()
        }
    }
    begin(future)
}

/// What is on the stack of the caller.
struct Frame<F: Future> {
    future: UnsafeCell<ManuallyDrop<F>>,
    result: UnsafeCell<MaybeUninit<F::Output>>,
}

/// The block of a `block_on`.
#[repr(C)]
struct Blocking {
    task: Task,
    frame: UnsafeCell<*const ()>,
}

impl<F: Future> Frame<F> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: |_| {}, release: |_| {} };

    unsafe fn poll(node: *mut Node) -> bool {
        let blocking = node.cast::<Blocking>();
        // SAFETY: while the root is live, the frame is there with its future, which nobody else is at.
        unsafe {
            let frame = (*(*blocking).frame.get()).cast::<Self>();
            let future = Pin::new_unchecked(&mut **(*frame).future.get());
            let Poll::Ready(result) = future.poll(&mut Context::from_waker(&(*blocking).task.waker)) else {
                return false;
            };
            (*node).state.set((*node).state.get() & !LIVE);
            (*(*frame).result.get()).write(result);
            ManuallyDrop::drop(&mut *(*frame).future.get());
        }
        true
    }
}

/// # Safety
/// `frame` is what the functions in `vtable` expect, until this returns.
#[inline(never)]
unsafe fn drive(vtable: &'static Vtable, frame: *const ()) {
    let instance = instance();
    let task = take(instance);
    // SAFETY: tasks are live for ever; this one is ours alone.
    unsafe {
        *(*task.cast::<Blocking>()).frame.get() = frame;
        (*task).root.vtable.set(vtable);
        (*task).root.state.set(LIVE);
        let outer = instance.current.replace(task);
        (*task).outer.set(outer);
        (*task).push(task.cast());
        loop {
            let answer = executor::run(task);
            match answer & 15 {
                code::EXIT => break,
                code::YIELD => _ = asleep(instance, task, || builtins::thread_yield() != 0),
                _ => {
                    let mut payload = [0; 2];
                    let event = asleep(instance, task, || builtins::waitable_set_wait(answer >> 4, &mut payload));
                    executor::arrive(instance, event, payload);
                }
            }
            if (*task).pending.get() > 0 {
                executor::drain(instance, task);
            }
        }
        (*task).outer.set(ptr::null_mut());
        let heir = if background::is(instance, outer) { ptr::null_mut() } else { outer };
        executor::end(instance, task, heir);
        (*task).after.set(instance.blocking.replace(task));
        background::leave(instance, outer);
    }
}

/// Lets the engine run others, which find the task among those that sleep.
unsafe fn asleep<T>(instance: &Instance, task: *mut Task, wait: impl FnOnce() -> T) -> T {
    background::sleep(instance, task);
    instance.current.set(ptr::null_mut());
    let result = wait();
    instance.current.set(task);
    background::awake(instance, task);
    result
}

fn take(instance: &Instance) -> *mut Task {
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_| {} };
    let task = instance.blocking.get();
    // SAFETY: tasks are live for ever; fresh memory is fit for one.
    unsafe {
        if task.is_null() {
            let block = Box::into_raw(Box::<Blocking>::new_uninit()).cast::<Blocking>();
            block
                .write(Blocking { task: Task::new(block.cast(), &NOTHING, None), frame: UnsafeCell::new(ptr::null()) });
            return block.cast();
        }
        instance.blocking.set((*task).after.get());
        task
    }
}
