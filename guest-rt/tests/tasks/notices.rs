//! Who is told of a cancellation, and whom that keeps.

use crate::export;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::{Future, pending, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Wake;
use wasp_guest_rt::__rt::Pool;
use wasp_guest_rt::{Cancellation, Either, Requested, select, spawn_local, yield_async};

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// Calls an export whose calls all have the same type, and so the same block.
fn call(pool: &'static Pool, future: impl Future<Output = ()> + 'static) -> native::TaskId {
    let future: Boxed = Box::pin(future);
    crate::support::export(pool, future)
}

/// A call that polls a future that heeds once, and does this with it then.
async fn polls_once(keep: fn(Boxed)) {
    let mut heed: Boxed = Box::pin(Cancellation::heed(async |_| pending::<()>().await));
    assert!(poll_fn(|cx| Poll::Ready(heed.as_mut().poll(cx))).await.is_pending());
    keep(heed);
}

#[test]
fn a_future_that_heeds_and_is_forgotten_has_no_part_in_later_calls() {
    static POOL: Pool = Pool::new();
    assert!(exited(call(&POOL, polls_once(core::mem::forget))));
    let second = call(&POOL, pending());
    native::cancel(second);
    run();
    assert!(exited(second), "the first call has swallowed the cancellation of the second");
}

#[test]
fn a_future_that_heeds_and_outlives_its_call_has_no_part_in_later_calls() {
    thread_local!(static KEPT: RefCell<Vec<Boxed>> = const { RefCell::new(Vec::new()) });
    static POOL: Pool = Pool::new();
    assert!(exited(call(&POOL, polls_once(|heed| KEPT.with_borrow_mut(|kept| kept.push(heed))))));
    let second = call(&POOL, pending());
    native::cancel(second);
    run();
    assert!(exited(second), "the first call has swallowed the cancellation of the second");
    // Nor has its end.
    let third = call(&POOL, Cancellation::heed(async |cancellation| cancellation.requested().await));
    drop(KEPT.take());
    native::cancel(third);
    run();
    assert!(exited(third));
}

#[test]
fn a_request_wakes_only_who_still_waits_for_it() {
    struct Counts(Arc<Mutex<u32>>);
    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }
    fn poll(requested: &mut Pin<Box<Requested<'_>>>, count: &Arc<Mutex<u32>>) -> Poll<()> {
        let waker = Waker::from(Arc::new(Counts(count.clone())));
        requested.as_mut().poll(&mut Context::from_waker(&waker))
    }
    let count = Arc::new(Mutex::new(0));
    let woken = count.clone();
    let task = export!(async move {
        Cancellation::heed(async |cancellation| {
            for _ in 0..1000 {
                assert!(poll(&mut Box::pin(cancellation.requested()), &woken).is_pending());
            }
            assert_eq!(Arc::strong_count(&woken), 2, "wakers of dropped futures are kept");
            let mut waits = Box::pin(cancellation.requested());
            for _ in 0..10 {
                assert!(poll(&mut waits, &woken).is_pending());
            }
            let mut other = Box::pin(cancellation.requested());
            assert!(poll(&mut other, &woken).is_pending());
            assert_eq!(Arc::strong_count(&woken), 4);
            cancellation.requested().await;
            assert_eq!((*woken.lock().unwrap(), Arc::strong_count(&woken)), (2, 2));
            assert!(poll(&mut waits, &woken).is_ready());
            assert!(poll(&mut waits, &woken).is_pending());
        })
        .await;
    });
    native::cancel(task);
    run();
    assert!(exited(task));
}

#[test]
fn a_spawned_future_that_heeds_is_told_and_does_not_keep_the_call() {
    record();
    let held = Noisy("held", ());
    let task = export!(async move {
        let _held = held;
        spawn_local(Cancellation::heed(async |cancellation| {
            cancellation.requested().await;
            note(format!("told, {}", import(0).await));
        }))
        .detach();
        pending::<()>().await;
    });
    native::cancel(task);
    run();
    let marks = trace();
    assert!(marks.contains(&"drop held".to_owned()) && marks.contains(&"task.cancel".to_owned()), "{marks:?}");
    assert!(!exited(task), "what was spawned goes on");
    callee(0).returns(5);
    run();
    assert!(exited(task) && trace().contains(&"told, 5".to_owned()));
}

#[test]
fn a_spawned_future_that_confirms_ends_itself() {
    record();
    let task = export!(async {
        let held = Noisy("held", ());
        let child = spawn_local(async move {
            let _held = held;
            Cancellation::heed(async |cancellation| cancellation.confirm().await).await;
        });
        // The export itself goes on.
        Cancellation::heed(async |cancellation| {
            cancellation.requested().await;
            assert_eq!(child.await, None);
            note("joined");
        })
        .await;
    });
    native::cancel(task);
    run();
    assert!(exited(task));
    let marks = trace();
    let told =
        marks.iter().filter(|mark| ["drop held", "joined", "returned ()", "task.cancel"].contains(&mark.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), ["drop held", "joined", "returned ()"]);
}

#[test]
fn who_heeds_after_the_request_knows_of_it() {
    let seen = Rc::new(Cell::new(0));
    let (first, second) = (seen.clone(), seen.clone());
    let task = export!(async move {
        spawn_local(async move {
            import(0).await;
            // The export is gone by now.
            Cancellation::heed(async |cancellation| cancellation.requested().await).await;
            first.set(first.get() + 1);
        })
        .detach();
        pending::<()>().await;
    });
    native::cancel(task);
    run();
    callee(0).returns(0);
    run();
    assert!(exited(task));
    let task = export!(async move {
        Cancellation::heed(async |cancellation| cancellation.requested().await).await;
        Cancellation::heed(async |cancellation| cancellation.requested().await).await;
        second.set(second.get() + 1);
    });
    native::cancel(task);
    run();
    assert!(exited(task));
    assert_eq!(seen.get(), 2);
    // The next call of a block starts anew.
    static POOL: Pool = Pool::new();
    for cancels in [true, false] {
        let seen = Rc::new(Cell::new(None));
        let told = seen.clone();
        let task = call(&POOL, async move {
            Cancellation::heed(async |cancellation| {
                let turns = pin!(async {
                    yield_async().await;
                    yield_async().await;
                });
                let first = select(cancellation.requested(), turns).await;
                told.set(Some(matches!(first, Either::Left(_))));
            })
            .await;
        });
        if cancels {
            native::cancel(task);
        }
        run();
        assert!(exited(task));
        assert_eq!(seen.get(), Some(cancels));
    }
}

#[test]
fn a_waker_that_a_request_wakes_may_cancel_and_drop_what_it_likes() {
    thread_local!(static SLOT: RefCell<Option<Box<dyn core::any::Any>>> = const { RefCell::new(None) });
    struct Drops;
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(SLOT.take());
        }
    }
    let task = export!(async {
        // The future that waits is dropped by the waker that it had registered.
        let mut child = Box::pin(Cancellation::heed(async |cancellation| {
            let waker = Waker::from(Arc::new(Drops));
            poll_fn(|_| pin!(cancellation.requested()).poll(&mut Context::from_waker(&waker))).await;
            pending::<()>().await;
        }));
        assert!(poll_fn(|cx| Poll::Ready(child.as_mut().poll(cx))).await.is_pending());
        SLOT.set(Some(Box::new(child)));
        Cancellation::heed(async |cancellation| cancellation.requested().await).await;
        SLOT.take();
    });
    native::cancel(task);
    run();
    assert!(exited(task));
}
