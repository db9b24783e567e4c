//! Being told of a cancellation, instead of just being dropped.

use super::fused::Fused;
use crate::task::node::QUEUED;
use crate::task::notices::{Notice, Registered};
use crate::task::spawn::{self, spawn_local};
use crate::task::{current, executor};
use alloc::rc::Rc;
use core::fmt;
use core::future::{Future, pending};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Tells whether the caller of the current task wants it cancelled.
///
/// ```
/// use wasp_guest_rt::Cancellation;
///
/// async fn count(pages: Vec<u32>) -> u32 {
///     Cancellation::heed(async |cancellation| {
///         let mut sum = 0;
///         for page in pages {
///             if cancellation.is_requested() {
///                 break; // and return what there is so far
///             }
///             sum += page;
///             wasp_guest_rt::yield_async().await;
///         }
///         sum
///     })
///     .await
/// }
/// ```
pub struct Cancellation {
    /// `None` where no task is current.
    registered: Option<Registered>,
    notice: Rc<Notice>,
}

impl Cancellation {
    /// Runs `body`, on which a cancellation by the caller of the current task has no other effect than that it is told
    /// of. It may still return a result, or [`confirm`](Self::confirm).
    ///
    /// Where the future of the export awaits this, nothing of the task is dropped by a cancellation as long as this runs.
    /// What it awaits outside of this is dropped, as always. Where a future that was
    /// [spawned](crate::spawn_local()) awaits this, `body` is told, and the future of the export is dropped if it does not
    /// heed the cancellation itself: what was spawned goes on in any case.
    pub fn heed<R>(body: impl AsyncFnOnce(&Cancellation) -> R) -> Fused<impl Future<Output = R>> {
        Fused::new(async move {
            let cancellation = Cancellation::register();
            body(&cancellation).await
        })
    }

    /// Registers for the task, and in it the future, that is being polled.
    fn register() -> Cancellation {
        let notice = Rc::<Notice>::default();
        let registered = current::running().map(|task| {
            let is_root = task.polled.get().is_none();
            if is_root && !task.slept.get() && !task.root.has(QUEUED) {
                // A task that is over at its first poll with nothing queued skips `executor::end`, which clears the list.
                task.push(task.root());
            }
            task.notices.add(&notice, is_root)
        });
        Cancellation { registered, notice }
    }

    /// Returns whether the caller wants the task cancelled.
    pub fn is_requested(&self) -> bool {
        self.notice.is_requested()
    }

    /// Waits until the caller wants the task cancelled.
    pub fn requested(&self) -> Requested<'_> {
        Requested { notice: &self.notice, key: None, completed: false }
    }

    /// Confirms the cancellation, once the caller wants that: what awaits this is dropped when the task next runs.
    ///
    /// That is the future of the export, of whose end as cancelled the caller is told; or else the spawned future that
    /// heeds the cancellation.
    pub async fn confirm(&self) -> core::convert::Infallible {
        self.requested().await;
        if let (Some(registered), Some(task)) = (&self.registered, current::running())
            && task.notices.are_of(registered)
        {
            if registered.is_root {
                // Not from inside the future that is to be dropped. A spawned future stays with its task.
                spawn_local(async move { executor::cancel_root(task) }).detach();
            } else if let Some(node) = task.polled.get() {
                spawn::cancel(node);
            }
        }
        pending().await
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancellation").field("requested", &self.is_requested()).finish()
    }
}

/// The future of [`Cancellation::requested`].
#[must_use = "futures do nothing unless polled"]
pub struct Requested<'a> {
    notice: &'a Notice,
    /// Where the notice keeps the waker.
    key: Option<usize>,
    completed: bool,
}

impl Future for Requested<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.completed {
            return Poll::Pending;
        }
        if !self.notice.is_requested() {
            self.key = Some(self.notice.wait(self.key, cx.waker()));
            // Wakers are code of users, and may have brought the request about.
            if !self.notice.is_requested() {
                return Poll::Pending;
            }
        }
        self.completed = true;
        Poll::Ready(())
    }
}

#[cfg(feature = "futures-stream")]
impl futures_core::FusedFuture for Requested<'_> {
    fn is_terminated(&self) -> bool {
        self.completed
    }
}

impl Drop for Requested<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.notice.leave(key));
        }
    }
}

impl fmt::Debug for Requested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requested").field("completed", &self.completed).finish()
    }
}
