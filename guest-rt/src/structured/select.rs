//! The first of two.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

/// Which of two was first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// The first.
    Left(A),
    /// The second.
    Right(B),
}

/// Awaits both futures until one is done: its result, and the other one, which can go on.
///
/// The first is polled first, and wins if both are done. Futures that are not `Unpin` are passed as
/// `core::pin::pin!(future)` or `Box::pin(future)`. References work as well: `select(&mut read, &mut timer)`.
///
/// ```
/// # use wasp_guest_rt::{Either, block_on, select};
/// # block_on(async {
/// let first = select(core::future::ready(1), core::future::pending::<()>()).await;
/// assert!(matches!(first, Either::Left((1, _))));
/// # });
/// ```
pub async fn select<A, B>(first: A, second: B) -> Either<(A::Output, B), (B::Output, A)>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    let (mut first, mut second) = (first, second);
    let done = poll_fn(|cx| {
        if let Poll::Ready(result) = Pin::new(&mut first).poll(cx) {
            return Poll::Ready(Either::Left(result));
        }
        Pin::new(&mut second).poll(cx).map(Either::Right)
    });
    match done.await {
        Either::Left(result) => Either::Left((result, second)),
        Either::Right(result) => Either::Right((result, first)),
    }
}

/// Awaits a future until a timer is done, whatever that is: a call of `wasi:clocks`' `wait-for`, say.
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
pub async fn timeout<F: Future + Unpin>(future: F, timer: impl Future + Unpin) -> Result<F::Output, F> {
    match select(future, timer).await {
        Either::Left((result, _)) => Ok(result),
        Either::Right((_, future)) => Err(future),
    }
}
