//! Scopes, task-locals, notices of cancellation, the first of two, limits.

use crate::support::*;
use crate::{export, offer};
use core::cell::{Cell, RefCell};
use core::future::pending;
use core::pin::pin;
use std::rc::Rc;
use wasp_guest_rt::{
    Cancellation, ConcurrencyLimit, Either, ScopedHandle, scope, select, spawn_local, task_local, timeout, yield_async,
};

task_local! {
    /// Which request this is.
    static REQUEST: u32;
    static NAME: String;
}

#[test]
fn a_scope_ends_after_all_that_was_spawned_in_it() {
    record();
    let task = export!(async {
        let words = ["zero".to_owned(), "one".to_owned()];
        let sum = Cell::new(0);
        let result = scope(async |scope| {
            for (number, word) in (0..).zip(&words) {
                let sum = &sum;
                scope
                    .spawn(async move {
                        let got = import(number).await;
                        sum.set(sum.get() + got);
                        note(format!("{word} is done"));
                    })
                    .detach();
            }
            note("the body is done");
            "result"
        })
        .await;
        note("the scope is done");
        (result, sum.get())
    });
    callee(1).returns(20);
    run();
    assert!(!exited(task));
    callee(0).returns(3);
    run();
    assert!(exited(task));
    let marks: Vec<_> = trace().into_iter().filter(|mark| mark.contains("done") || mark.contains("returned")).collect();
    assert_eq!(
        marks,
        ["the body is done", "one is done", "zero is done", "the scope is done", "returned (\"result\", 23)"]
    );
}

#[test]
fn the_handles_of_a_scope_give_results_and_are_cancelled_alone() {
    let task = export!(async {
        let dropped = Rc::new(Cell::new(0));
        let got = scope(async |scope| {
            let first = scope.spawn(import(0));
            let second = scope.spawn(held(&dropped, 1));
            let third = scope.spawn(held(&dropped, 2));
            yield_async().await;
            second.cancel();
            assert_eq!(dropped.get(), 0, "when the task next runs it");
            assert_eq!(second.await, None);
            assert_eq!(dropped.get(), 1);
            let got = first.await;
            // Nothing waits for the third any more.
            scope.cancel_all();
            assert_eq!(third.await, None);
            got
        })
        .await;
        assert_eq!((got, dropped.get()), (Some(9), 2));
    });
    callee(0).returns(9);
    run();
    assert!(exited(task));
}

/// Holds something for ever; counts when it is dropped.
async fn held(dropped: &Rc<Cell<u32>>, _name: u32) {
    struct Count<'a>(&'a Cell<u32>);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let _count = Count(dropped);
    pending().await
}

#[test]
fn a_scope_that_is_dropped_drops_all_that_is_in_it() {
    let task = export!(async {
        let dropped = Rc::new(Cell::new(0));
        let handle = RefCell::new(None::<ScopedHandle<'_, ()>>);
        {
            let inner = pin!(scope(async |scope| {
                for name in 0..3 {
                    scope.spawn(held(&dropped, name)).detach();
                }
                *handle.borrow_mut() = Some(scope.spawn(held(&dropped, 3)));
                let nested = scope.clone();
                scope.spawn(async move { nested.spawn(pending::<()>()).await }).detach();
                pending::<()>().await;
            }));
            assert!(matches!(select(inner, Box::pin(yield_async())).await, Either::Right(_)));
        }
        assert_eq!(dropped.get(), 4);
        // A handle that is left over tells so.
        assert_eq!(handle.take().unwrap().await, None);
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_child_of_a_scope_may_cancel_itself_and_spawn() {
    let task = export!(async {
        let order = RefCell::new(Vec::new());
        let (order, slot) = (&order, Rc::new(RefCell::new(None::<ScopedHandle<'_, ()>>)));
        scope(async |scope| {
            let (own, inner) = (slot.clone(), scope.clone());
            let handle = scope.spawn(async move {
                order.borrow_mut().push("child");
                inner.spawn(async { order.borrow_mut().push("grandchild") }).detach();
                if let Some(handle) = &*own.borrow() {
                    handle.cancel();
                }
                yield_async().await;
                order.borrow_mut().push("never");
            });
            *slot.borrow_mut() = Some(handle);
        })
        .await;
        slot.take();
        assert_eq!(*order.borrow(), ["child", "grandchild"]);
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_thousand_children_of_a_scope_are_polled_only_when_they_are_woken() {
    const N: u32 = if cfg!(miri) { 20 } else { 1000 };
    let task = export!(async {
        let polls = Rc::new(Cell::new(0));
        scope(async |scope| {
            for number in 0..N {
                let (polls, mut call) = (polls.clone(), Box::pin(import(number)));
                scope
                    .spawn(core::future::poll_fn(move |cx| {
                        polls.set(polls.get() + 1);
                        call.as_mut().poll(cx).map(drop)
                    }))
                    .detach();
            }
        })
        .await;
        polls.get()
    });
    record();
    for number in 0..N {
        callee(number).returns(number);
    }
    run();
    assert!(exited(task));
    assert!(trace().contains(&format!("returned {}", 2 * N)));
}

#[test]
fn a_task_local_is_there_inside_of_its_scope_and_nowhere_else() {
    let task = export!(async {
        assert_eq!(REQUEST.try_with(|id| *id), None);
        let outer = REQUEST.scope(1, async {
            let before = REQUEST.get();
            let inner = REQUEST.scope(2, async {
                yield_async().await;
                REQUEST.get()
            });
            // Two with a different value take turns.
            let both = join(inner, async {
                yield_async().await;
                REQUEST.get()
            });
            (before, both.await, NAME.sync_scope("x".into(), || NAME.with(String::len)), REQUEST.get())
        });
        assert_eq!(outer.await, (1, (2, 1), 1, 1));
        assert_eq!(REQUEST.try_with(|id| *id), None);
        // What is spawned has none unless it is given one.
        let spawned = REQUEST.scope(3, async { spawn_local(async { REQUEST.try_with(|id| *id) }).await }).await;
        assert_eq!(spawned, Some(None));
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_task_local_is_there_when_what_is_in_its_scope_is_dropped() {
    struct Sees(Rc<Cell<u32>>);
    impl Drop for Sees {
        fn drop(&mut self) {
            self.0.set(REQUEST.get());
        }
    }
    let seen = Rc::new(Cell::new(0));
    let held = Sees(seen.clone());
    let mut future = Box::pin(REQUEST.scope(7, async move {
        let _held = held;
        pending::<()>().await;
    }));
    let waker = core::task::Waker::noop();
    assert!(future.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_pending());
    drop(future);
    assert_eq!((seen.get(), REQUEST.try_with(|id| *id)), (7, None));
}

#[test]
fn a_task_that_heeds_a_cancellation_still_returns() {
    record();
    let task = export!(async {
        Cancellation::heed(async |cancellation| {
            let (call, notice) = (pin!(import(0)), pin!(cancellation.requested()));
            let first = select(call, notice).await;
            assert!(matches!(first, Either::Right(_)) && cancellation.is_requested());
            "so far"
        })
        .await
    });
    native::cancel(task);
    run();
    assert!(exited(task));
    let marks = trace();
    assert!(
        marks.contains(&"returned \"so far\"".to_owned()) && !marks.contains(&"task.cancel".to_owned()),
        "{marks:?}"
    );
    assert_eq!(handles(), 0);
}

#[test]
fn a_task_that_heeds_a_cancellation_may_confirm_it() {
    record();
    let held = Noisy("held", ());
    let task = export!(async move {
        let _held = held;
        Cancellation::heed(async |cancellation| {
            cancellation.requested().await;
            // Some work that must be done.
            note(format!("cleaned up {}", import(1).await));
            cancellation.confirm().await;
        })
        .await;
        5
    });
    native::cancel(task);
    run();
    assert!(!exited(task));
    callee(1).returns(2);
    run();
    assert!(exited(task));
    let marks = trace();
    let tail = marks.iter().skip_while(|mark| *mark != "cleaned up 2").map(String::as_str).collect::<Vec<_>>();
    assert_eq!(tail, ["cleaned up 2", "drop held", "task.cancel", "waitable-set.drop 1", "EXIT"]);
    assert_eq!(handles(), 0);
}

#[test]
fn outside_of_heed_a_cancellation_drops_the_task_as_always() {
    record();
    let task = export!(async {
        let told = Cancellation::heed(async |cancellation| cancellation.is_requested()).await;
        assert!(!told);
        import(0).await
    });
    native::cancel(task);
    run();
    assert!(exited(task) && trace().contains(&"task.cancel".to_owned()));
    assert_eq!(handles(), 0);
}

#[test]
fn what_loses_against_a_timer_goes_on_later() {
    let task = export!(async {
        let mut call = pin!(import(0));
        assert!(timeout(call.as_mut(), pin!(yield_async())).await.is_err());
        let timer = pin!(import(1));
        let Either::Left((first, timer)) = select(call, timer).await else { panic!("the timer was first") };
        assert_eq!(first, 5);
        assert_eq!(timer.await, 6);
    });
    native::step();
    native::step();
    callee(0).returns(5);
    run();
    callee(1).returns(6);
    run();
    assert!(exited(task));
    assert_eq!(handles(), 0);
}

#[test]
fn a_limit_keeps_further_calls_waiting_while_it_is_reached() {
    static LIMIT: ConcurrencyLimit = ConcurrencyLimit::new(2);
    let call = |number| {
        let boxed: core::pin::Pin<Box<dyn Future<Output = u32>>> = Box::pin(async move {
            let _permit = LIMIT.enter();
            import(number).await
        });
        offer!(boxed)
    };
    let first = call(0);
    assert_eq!((LIMIT.running(), native::backpressure()), (1, 0));
    let second = call(1);
    assert_eq!((LIMIT.running(), native::backpressure()), (2, 1));
    let third = call(2);
    run();
    assert_eq!((LIMIT.running(), native::backpressure(), native::starting(third)), (2, 1, true));
    callee(1).returns(0);
    run();
    assert_eq!((LIMIT.running(), native::backpressure(), exited(second)), (2, 1, true));
    assert!(!native::starting(third));
    native::cancel(third);
    run();
    assert_eq!((LIMIT.running(), native::backpressure()), (1, 0));
    callee(0).returns(0);
    run();
    assert!(exited(first));
    assert_eq!((LIMIT.running(), native::backpressure()), (0, 0));
}
