//! Polling after completion, and `futures::select!`.

use crate::support::*;
use core::future::{Future, pending, ready};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use futures::future::FusedFuture;
use wasp_guest_rt::{Cancellation, Deadline, Either, block_on, scope, select, task_local, timeout, yield_async};

task_local! { static NUMBER: u32; }

/// Polls to completion and then again: it is pending, and says that it is terminated.
fn stays_pending<F: FusedFuture>(future: F) -> F::Output {
    let mut future = pin!(future);
    assert!(!future.is_terminated());
    let result = block_on(future.as_mut());
    for _ in 0..3 {
        assert!(future.is_terminated());
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    result
}

#[test]
fn futures_that_have_completed_are_pending_for_ever() {
    assert!(matches!(stays_pending(select(ready(1), pending::<()>())), Either::Left((1, _))));
    assert!(matches!(stays_pending(select(pending::<()>(), ready(2))), Either::Right((2, _))));
    assert_eq!(stays_pending(timeout(ready(3), pending::<()>())).ok(), Some(3));
    assert!(stays_pending(timeout(pending::<()>(), ready(4))).is_err());
    assert_eq!(stays_pending(Deadline::new(pending::<()>()).limit(ready(5))).ok(), Some(5));
    assert!(stays_pending(Deadline::new(Box::pin(yield_async())).limit(pending::<()>())).is_err());
    assert_eq!(stays_pending(scope(async |scope| scope.spawn(async { 6 }).await)), Some(6));
    assert_eq!(stays_pending(Cancellation::heed(async |_| 7)), 7);
    assert_eq!(stays_pending(NUMBER.scope(8, async { NUMBER.get() })), 8);
    let inside = block_on(scope(async |scope| {
        let mut handle = scope.spawn(async { 9 });
        let result = (&mut handle).await;
        assert!(handle.is_terminated());
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        result
    }));
    assert_eq!(inside, Some(9));
}

#[test]
fn the_select_of_the_futures_crate_takes_them_as_they_are() {
    let result = block_on(scope(async |scope| {
        let mut first = scope.spawn(async { 1 });
        let mut second = scope.spawn(async { yield_async().await });
        let mut sum = 0;
        for _ in 0..2 {
            futures::select! {
                number = first => sum += number.unwrap(),
                _ = second => sum += 10,
            }
        }
        sum
    }));
    assert_eq!(result, 11);
    note("done");
    let polled = pin!(select(pending::<()>(), pending::<()>())).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
}
