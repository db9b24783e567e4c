//! Futures of ours that were spawned in a task of another runtime. The numbers are those of the contract in [`super`].
//!
//! They are nodes of the task's stand-in. The other runtime gets one future of ours, which runs the stand-in's ready queue.

use super::foreign;
use crate::builtins::code;
use crate::task::{TaskRef, current, executor, rest};
use alloc::boxed::Box;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Prepares a task to have a spawned future: the stand-in of one of another runtime has that run its queue.
///
/// # Panics
/// When the other runtime cannot spawn for us.
#[inline(always)]
pub(in crate::task) fn prepare(task: TaskRef) {
    if foreign::is(task) || current::is_background(task) {
        prepare_host(task);
    }
}

#[cold]
#[inline(never)]
fn prepare_host(task: TaskRef) {
    foreign::set_host(host);
    if foreign::is(task) && !foreign::can_host(task) {
        crate::trap::trap(
            "`spawn_local` was called in a task of another runtime that spawns nothing for others: an older `wit-bindgen`, \
             or one without its feature `async-spawn`",
        );
    }
}

/// Has the other runtime run the ready queue of a stand-in.
#[cold]
#[inline(never)]
fn host(task: TaskRef) {
    let block = foreign::block(task);
    if block.is_hosted.get() {
        // Once: it is polled now, and leaves another.
        if let Some(waker) = block.waker.take() {
            waker.wake();
        }
    } else if let Some((spawn, ptr)) = foreign::spawner(task) {
        block.is_hosted.set(true);
        // SAFETY: `ptr` is valid by 3. Nodes are made while the task is in the word, as 8 has it. (Should a future that runs
        // them have been dropped before its end, this one takes its place.)
        unsafe { spawn(ptr, Box::new(Hosted(task))) }
    }
}

/// Runs the ready queue of a stand-in, until nothing is spawned there.
struct Hosted(TaskRef);

impl Future for Hosted {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let task = self.0;
        let waker = cx.waker().clone();
        drop(foreign::block(task).waker.replace(Some(waker)));
        let answer = executor::run(task);
        if task.spawned.get() == 0 {
            return Poll::Ready(());
        }
        if answer == code::YIELD {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Hosted {
    /// Nobody runs the queue any more. If it is not at its end (natively, a panic may have passed by), another will.
    fn drop(&mut self) {
        let task = self.0;
        let block = foreign::block(task);
        block.is_hosted.set(false);
        let waker = block.waker.take();
        if task.is_ready() {
            host(task);
        }
        foreign::release(task);
        rest::if_idle();
        drop(waker);
    }
}
