//! Futures that can be polled again after they have completed.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// A future that drops what it was made of when that completes, and is pending for ever from then on.
#[must_use = "futures do nothing unless polled"]
pub struct Fused<F>(Option<F>);

impl<F> Fused<F> {
    pub(super) fn new(future: F) -> Fused<F> {
        Fused(Some(future))
    }
}

impl<F: Future> Future for Fused<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the field is pinned with this: nothing moves it out, and there is no other access to it.
        let mut inner = unsafe { self.as_mut().map_unchecked_mut(|this| &mut this.0) };
        let Some(future) = inner.as_mut().as_pin_mut() else { return Poll::Pending };
        let result = ready!(future.poll(cx));
        inner.set(None);
        Poll::Ready(result)
    }
}

#[cfg(feature = "futures-stream")]
impl<F: Future> futures_core::FusedFuture for Fused<F> {
    fn is_terminated(&self) -> bool {
        self.0.is_none()
    }
}

impl<F> fmt::Debug for Fused<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fused").field("completed", &self.0.is_none()).finish()
    }
}
