//! Where no task is current: synchronous exports, destructors, `main`.

use crate::export;
use crate::support::*;
use core::future::Future;
use core::task::{Context, Poll, Waker};
use wasp_guest_rt::spawn_local;

#[test]
fn what_a_synchronous_export_spawns_runs_on_a_task_that_sleeps() {
    let sleeper = export!(async { import(0).await });
    record();
    native::sync_export(|| {
        spawn_local(async {
            note("spawned");
            import(1).await;
            note("done");
        });
        note("exported");
    });
    run();
    assert_eq!(trace()[..4], ["stream.new", "stream.read 3", "waitable.join 3 2", "stream.write 4"].map(str::to_owned));
    callee(0).returns(0);
    run();
    assert!(!exited(sleeper));
    callee(1).returns(1);
    run();
    assert!(exited(sleeper));
    assert!(trace().contains(&"done".to_owned()));
}

#[test]
fn without_a_task_it_runs_on_the_next_one() {
    record();
    let handle = native::sync_export(|| {
        spawn_local(async {
            note("spawned");
            import(0).await
        })
    });
    run();
    assert_eq!(trace(), [""; 0]);
    let task = export!(async { note("root") });
    assert!(!exited(task));
    callee(0).returns(3);
    run();
    assert!(exited(task));
    let notes: Vec<_> = trace().into_iter().filter(|mark| mark == "root" || mark == "spawned").collect();
    assert_eq!(notes, ["root", "spawned"]);
    // Its result waits for whoever holds the handle.
    record();
    export!(handle);
    assert_eq!(trace(), ["task.return", "returned Some(3)", "EXIT"]);
}

#[test]
fn a_task_that_is_ready_at_once_runs_what_was_spawned_before() {
    native::sync_export(|| {
        spawn_local(async { note("spawned") });
    });
    record();
    let task = export!(async {});
    assert!(exited(task));
    assert_eq!(trace(), ["task.return", "returned ()", "spawned", "EXIT"]);
    // And after that, a call is as cheap as ever.
    let before = count();
    export!(async {});
    assert_eq!(count() - before, 1);
}

#[test]
fn a_spawned_future_may_be_cancelled_before_any_task_runs_it() {
    record();
    let held = Noisy("held", ());
    let mut handle = native::sync_export(|| spawn_local(async move { drop(held) }));
    handle.cancel();
    drop(handle);
    export!(async {});
    assert_eq!(trace(), ["task.return", "returned ()", "drop held", "EXIT"]);
}

#[test]
fn an_operation_polled_without_a_task_is_served_by_one_that_sleeps() {
    let sleeper = export!(core::future::pending::<()>());
    let mut call = Box::pin(import(0));
    let foreign = Foreign::new(None);
    let waker: Waker = foreign.clone().into();
    native::sync_export(|| assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
    callee(0).returns(1);
    run();
    assert_eq!(foreign.count(), 1);
    native::sync_export(|| {
        assert_eq!(call.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(1));
    });
    assert!(!exited(sleeper));
}

#[test]
fn without_one_it_is_served_by_the_next() {
    let mut call = Box::pin(import(0));
    let foreign = Foreign::new(None);
    let waker: Waker = foreign.clone().into();
    native::sync_export(|| assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
    let sleeper = export!(core::future::pending::<()>());
    callee(0).returns(1);
    run();
    assert_eq!(foreign.count(), 1);
    assert!(!exited(sleeper));
}

#[test]
fn a_task_that_ends_at_once_looks_after_it_in_passing() {
    let mut call = Box::pin(import(0));
    let foreign = Foreign::new(None);
    let waker: Waker = foreign.clone().into();
    native::sync_export(|| assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
    callee(0).returns(1);
    assert_eq!(foreign.count(), 0);
    let task = export!(async {});
    assert!(exited(task));
    assert_eq!(foreign.count(), 1);
}

#[test]
fn a_pending_call_may_be_dropped_where_no_task_is() {
    let mut call = Box::pin(import(0));
    native::sync_export(|| {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(call);
    });
    // No synchronous export may wait for the callee: the next task cancels the call.
    export!(async {});
    assert_eq!(calls_of("subtask.cancel"), 1);
    assert_eq!(handles(), 0);
}

#[test]
fn a_call_started_by_a_task_may_be_dropped_after_it() {
    let slot = std::rc::Rc::new(core::cell::RefCell::new(None));
    let keep = slot.clone();
    export!(async move {
        let mut call = Box::pin(import(0));
        core::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        *keep.borrow_mut() = Some(call);
    });
    native::sync_export(|| slot.take());
    // The task that stayed for it is told to end.
    run();
    assert_eq!(handles(), 0);
}

#[test]
fn what_a_synchronous_export_spawns_keeps_no_block_on_from_returning() {
    record();
    later(|| {
        native::sync_export(|| spawn_local(core::future::pending::<()>()).detach());
        callee(0).returns(3);
    });
    export!(async { wasp_guest_rt::block_on(import(0)) });
    run();
    assert!(trace().contains(&"returned 3".to_owned()));
}

/// What an export of a world does that has no async exports.
fn export_without_tasks<T>(export: impl FnOnce() -> T) -> T {
    native::sync_export(|| {
        let _outside = wasp_guest_rt::__rt::Outside::without_tasks();
        export()
    })
}

#[test]
fn what_no_task_will_ever_run_is_refused_with_a_message() {
    let value = std::rc::Rc::new(());
    let kept = value.clone();
    let spawned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        export_without_tasks(|| {
            spawn_local(async move { drop(kept) });
        });
    }));
    let why = spawned.unwrap_err();
    assert!(why.downcast_ref::<String>().unwrap().contains("without async exports"));
    // Nothing of it is left.
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
    export!(async {});
    assert_eq!(native::owned(), [""; 0]);
}

#[test]
fn what_a_task_may_run_is_not_refused() {
    // Within its own time, for a task that sleeps, and when another world had a call.
    export_without_tasks(|| {
        wasp_guest_rt::block_on(async { assert_eq!(spawn_local(async { 7 }).await, Some(7)) });
    });
    let sleeper = export!(async { import(0).await });
    export_without_tasks(|| spawn_local(async { note("in the sleeper") }));
    callee(0).returns(0);
    run();
    assert!(exited(sleeper));
    let spawned = export_without_tasks(|| spawn_local(async { 8 }));
    export!(async move { assert_eq!(spawned.await, Some(8)) });
}
