//! The first of two futures.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// Which of two was first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// The first.
    Left(A),
    /// The second.
    Right(B),
}

/// Awaits both futures until one completes. Returns its result, and the other one, which can go on.
///
/// The first is polled first, and wins if both are ready. Futures that are not `Unpin` are passed as
/// `core::pin::pin!(future)` or `Box::pin(future)`. References work as well: `select(&mut read, &mut timer)`.
///
/// ```
/// # use wasp_guest_rt::{Either, block_on, select};
/// # block_on(async {
/// let first = select(core::future::ready(1), core::future::pending::<()>()).await;
/// assert!(matches!(first, Either::Left((1, _))));
/// # });
/// ```
pub fn select<A, B>(first: A, second: B) -> Select<A, B>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    Select(Some((first, second)))
}

/// The future of [`select`].
#[must_use = "futures do nothing unless polled"]
pub struct Select<A, B>(Option<(A, B)>);

impl<A, B> Unpin for Select<A, B> {}

impl<A, B> Future for Select<A, B>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    type Output = Either<(A::Output, B), (B::Output, A)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((first, second)) = &mut self.0 else { return Poll::Pending };
        let winner = match Pin::new(first).poll(cx) {
            Poll::Ready(result) => Either::Left(result),
            Poll::Pending => Either::Right(ready!(Pin::new(second).poll(cx))),
        };
        let Some((first, second)) = self.0.take() else { return Poll::Pending };
        Poll::Ready(match winner {
            Either::Left(result) => Either::Left((result, second)),
            Either::Right(result) => Either::Right((result, first)),
        })
    }
}

#[cfg(feature = "futures-stream")]
impl<A, B> futures_core::FusedFuture for Select<A, B>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    fn is_terminated(&self) -> bool {
        self.0.is_none()
    }
}

impl<A, B> fmt::Debug for Select<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").field("completed", &self.0.is_none()).finish()
    }
}

/// Awaits `future` until `timer` completes, whatever that is: a call of `wasi:clocks`' `wait-for`, say.
///
/// Both are futures, so nothing tells when they are swapped: the timer is the second. [`Deadline`] does the same and
/// takes them by name.
///
/// # Errors
///
/// The future, which can go on, when the timer was first. Nothing is lost: with `&mut read` it is the caller's anyway.
///
/// ```
/// # use wasp_guest_rt::{block_on, timeout};
/// # async fn wait_for(_: u64) {}
/// # block_on(async {
/// let timer = core::pin::pin!(wait_for(1_000_000));
/// assert!(timeout(core::future::pending::<()>(), timer).await.is_err());
/// # });
/// ```
pub fn timeout<F: Future + Unpin, T: Future + Unpin>(future: F, timer: T) -> Timeout<F, T> {
    Timeout(select(future, timer))
}

/// A timer that says when to stop waiting: [`timeout`] with its arguments by name.
///
/// A timer has no result. So something else that is passed in its place, such as the call to be limited, mostly does not
/// compile.
///
/// ```
/// # use wasp_guest_rt::{Deadline, block_on};
/// # async fn wait_for(_: u64) {}
/// # async fn fetch() -> u32 { 5 }
/// # block_on(async {
/// let deadline = Deadline::new(Box::pin(wait_for(1_000_000)));
/// let answer = deadline.limit(Box::pin(fetch())).await;
/// assert!(matches!(answer, Ok(5)));
/// # });
/// ```
///
/// ```compile_fail
/// # async fn fetch() -> u32 { 5 }
/// let swapped = wasp_guest_rt::Deadline::new(Box::pin(fetch()));
/// ```
#[must_use = "a deadline does nothing unless it limits something"]
pub struct Deadline<T>(T);

impl<T: Future<Output = ()> + Unpin> Deadline<T> {
    /// Returns the deadline at which `timer` completes.
    pub fn new(timer: T) -> Deadline<T> {
        Deadline(timer)
    }

    /// Awaits `future` until the deadline.
    ///
    /// # Errors
    ///
    /// The future, which can go on, when the deadline was first.
    pub fn limit<F: Future + Unpin>(self, future: F) -> Timeout<F, T> {
        timeout(future, self.0)
    }
}

impl<T> fmt::Debug for Deadline<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").finish_non_exhaustive()
    }
}

/// The future of [`timeout`] and of [`Deadline::limit`].
#[must_use = "futures do nothing unless polled"]
pub struct Timeout<F, T>(Select<F, T>);

impl<F: Future + Unpin, T: Future + Unpin> Future for Timeout<F, T> {
    type Output = Result<F::Output, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
            Either::Left((result, _)) => Ok(result),
            Either::Right((_, future)) => Err(future),
        })
    }
}

#[cfg(feature = "futures-stream")]
impl<F: Future + Unpin, T: Future + Unpin> futures_core::FusedFuture for Timeout<F, T> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

impl<F, T> fmt::Debug for Timeout<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("completed", &self.0.0.is_none()).finish()
    }
}
