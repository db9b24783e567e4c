//! What belongs to an instance, and natively to a thread: limits and task-locals.

use crate::support::*;
use core::cell::Cell;
use core::future::{Future, pending};
use core::pin::pin;
use core::task::{Context, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasp_guest_rt::{ConcurrencyLimit, block_on, task_local, yield_async};

task_local! {
    static NUMBER: u64;
    static TEXT: String;
}

#[test]
fn a_limit_counts_the_calls_of_each_thread_on_its_own() {
    static LIMIT: ConcurrencyLimit = ConcurrencyLimit::new(1);
    let count = || {
        for _ in 0..if cfg!(miri) { 20 } else { 20_000 } {
            let first = LIMIT.enter();
            assert_eq!((LIMIT.running(), native::backpressure()), (1, 1));
            let second = LIMIT.enter();
            assert_eq!((LIMIT.running(), native::backpressure()), (2, 1));
            drop(first);
            assert_eq!((LIMIT.running(), native::backpressure()), (1, 1));
            drop(second);
            assert_eq!((LIMIT.running(), native::backpressure()), (0, 0));
        }
    };
    let threads = [std::thread::spawn(count), std::thread::spawn(count)];
    count();
    for thread in threads {
        thread.join().expect("no thread sees the calls of another");
    }
}

#[test]
fn a_limit_and_a_task_local_are_as_before_after_a_panic() {
    static LIMIT: ConcurrencyLimit = ConcurrencyLimit::new(1);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut future = pin!(NUMBER.scope(1, async {
            let _permit = LIMIT.enter();
            NUMBER.sync_scope(2, || assert_eq!(NUMBER.get(), 3, "a panic in two scopes"));
        }));
        future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }));
    assert!(result.is_err());
    assert_eq!((LIMIT.running(), native::backpressure()), (0, 0));
    assert_eq!(NUMBER.try_with(|number| *number), None);
    assert_eq!(NUMBER.sync_scope(4, || NUMBER.get()), 4);
}

#[test]
fn each_task_local_has_a_value_of_its_own() {
    NUMBER.sync_scope(0x4141, || {
        assert_eq!(TEXT.try_with(String::len), None);
        TEXT.sync_scope("text".into(), || assert_eq!((NUMBER.get(), TEXT.get().as_str()), (0x4141, "text")));
        let other = std::thread::spawn(|| NUMBER.try_with(|number| *number));
        assert_eq!(other.join().unwrap(), None, "threads are instances");
    });
}

#[test]
fn a_future_with_a_task_local_may_go_to_another_thread() {
    let mut future = Box::pin(NUMBER.scope(6, async {
        struct Sees;
        impl Drop for Sees {
            fn drop(&mut self) {
                assert_eq!(NUMBER.get(), 6);
            }
        }
        let _sees = Sees;
        assert_eq!(NUMBER.get(), 6);
        pending::<()>().await;
    }));
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    std::thread::spawn(move || {
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    })
    .join()
    .unwrap();
}

#[test]
fn the_value_is_there_until_the_future_that_completed_is_dropped() {
    struct Sees<'a>(&'a Cell<u64>);
    impl Drop for Sees<'_> {
        fn drop(&mut self) {
            self.0.set(NUMBER.get());
        }
    }
    let seen = Cell::new(0);
    let sees = Sees(&seen);
    block_on(async {
        let mut future = pin!(NUMBER.scope(8, async move {
            yield_async().await;
            drop(sees);
        }));
        future.as_mut().await;
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    assert_eq!(seen.get(), 8);
}
