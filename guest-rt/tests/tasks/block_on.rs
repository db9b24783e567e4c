//! Blocking, alone and inside tasks.

use crate::export;
use crate::support::*;
use core::task::Poll;
use wasp_guest_rt::{BackpressureGuard, block_on, yield_async, yield_blocking};

#[test]
fn it_waits_for_what_the_future_awaits() {
    record();
    later(|| callee(0).returns(5));
    assert_eq!(block_on(async { import(0).await + import_ready(1).await }), 7);
    let waits = ["import 0", "waitable-set.new", "waitable.join 1 2", "waitable-set.wait 2", "subtask.drop 1"];
    assert_eq!(trace(), [&waits[..], &["waitable-set.drop 2"]].concat());
}

#[test]
fn it_costs_nothing_when_the_future_is_ready() {
    assert_eq!(block_on(async { 3 }), 3);
    assert_eq!(count(), 0);
}

#[test]
fn it_uses_its_set_again_while_the_instance_is_busy() {
    let busy = Flag::default();
    export!(busy.clone());
    let before = calls_of("waitable-set.new");
    for _ in 0..10 {
        later(|| callee(0).returns(0));
        block_on(import(0));
    }
    assert_eq!(calls_of("waitable-set.new") - before, 1);
    native::sync_export(|| busy.raise());
    run();
    assert_eq!(handles(), 0);
}

#[test]
fn it_keeps_the_operations_of_the_task_around_it_apart() {
    record();
    let task = export!(async {
        let mut outer = Box::pin(import(0));
        core::future::poll_fn(|cx| {
            assert!(outer.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        // The outer one is done first, while the inner one is waited for.
        later(|| callee(0).returns(10));
        later(|| callee(1).returns(11));
        let inner = block_on(import(1));
        (inner, outer.await)
    });
    run();
    assert!(exited(task));
    assert!(trace().contains(&"returned (11, 10)".to_owned()));
}

#[test]
fn an_operation_may_move_into_it_and_out_again() {
    record();
    let task = export!(async {
        let mut call = Box::pin(import(0));
        core::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        block_on(core::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        }));
        call.await
    });
    assert!(!exited(task));
    callee(0).returns(12);
    run();
    assert!(exited(task));
    assert!(trace().contains(&"returned 12".to_owned()));
}

#[test]
fn it_nests() {
    later(|| callee(1).returns(1));
    later(|| callee(0).returns(0));
    let value = block_on(async {
        let inner = block_on(async { block_on(import(1)) });
        inner + import(0).await
    });
    assert_eq!(value, 1);
}

#[test]
fn it_lets_the_engine_have_a_turn_when_the_future_only_wakes_itself() {
    let flag = std::rc::Rc::new(core::cell::Cell::new(false));
    let set = flag.clone();
    later(move || set.set(true));
    block_on(core::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if flag.get() { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert_eq!(calls_of("thread.yield"), 1);
}

#[test]
fn yield_async_inside_gives_the_engine_a_turn() {
    block_on(yield_async());
    assert_eq!(calls_of("thread.yield"), 1);
}

#[test]
fn a_synchronous_export_wakes_it_while_it_waits() {
    let flag = Flag::default();
    let raise = flag.clone();
    later(move || native::sync_export(|| raise.raise()));
    block_on(flag);
    assert_eq!(calls_of("stream.write"), 1);
}

#[test]
fn the_task_around_it_may_be_woken_from_inside_without_a_built_in() {
    let flag = Flag::default();
    let wait = flag.clone();
    let task = export!(async move {
        join(wait, async move {
            yield_async().await;
            block_on(async { flag.raise() });
        })
        .await
    });
    run();
    assert!(exited(task));
    assert_eq!(calls_of("stream.write"), 0);
}

#[test]
fn events_of_many_operations_arrive() {
    for i in 0..20 {
        later(move || callee(i).returns(i));
    }
    let (values, _) = block_on(async { join_all((0..20).map(import).collect()).await });
    assert_eq!(values, (0..20).collect::<Vec<_>>());
}

#[test]
fn yield_blocking_says_whether_to_go_on() {
    assert!(yield_blocking());
    assert_eq!(calls_of("thread.yield cancellable"), 1);
}

#[test]
fn a_guard_takes_its_backpressure_back() {
    wasp_guest_rt::backpressure_inc();
    {
        let _guard = BackpressureGuard::new();
        assert_eq!(native::backpressure(), 2);
    }
    wasp_guest_rt::backpressure_dec();
    assert_eq!(native::backpressure(), 0);
}
