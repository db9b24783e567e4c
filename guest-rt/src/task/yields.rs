//! Letting others run.

use super::node::QUEUED;
use super::{CANCEL, TaskRef, YIELD, current};
use crate::builtins;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Returns to the engine once, so that other tasks of this component and others can run, and then goes on.
///
/// When the task is cancelled meanwhile, the future that awaits this is dropped.
pub async fn yield_async() {
    Yield(false).await;
}

struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        if let Some(task) = current::known() {
            task.interrupt(YIELD);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Blocks until the engine has given others a turn: the current function waits, and with it everything else on its task.
/// Asynchronous functions should rather await [`yield_async`].
///
/// Returns whether to go on: `false` means that the caller of the export has cancelled it meanwhile, and so it should return
/// soon. When the export's future next waits instead, it is dropped.
#[allow(clippy::redundant_closure, reason = "an imported function is no closure")]
pub fn yield_blocking() -> bool {
    let call = current::running().map(TaskRef::outermost);
    let cancelled = current::blocking(|| builtins::thread_yield_cancellable()) != 0;
    if cancelled && let Some(call) = call {
        call.interrupt(CANCEL);
        // Its root is being polled: with something in its queue, the executor looks again.
        if !call.root.has(QUEUED) {
            call.push(call.root());
        }
    }
    !cancelled
}
