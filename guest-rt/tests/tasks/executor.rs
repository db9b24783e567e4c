//! Calls of async exports: what they cost, and in which order things happen.

use crate::support::*;
use crate::{export, offer};
use core::future::poll_fn;
use core::task::Poll;
use wasp_guest_rt::yield_async;

#[test]
fn a_call_that_is_ready_makes_no_built_in_but_task_return() {
    record();
    let task = export!(async { 7 });
    assert!(exited(task));
    assert_eq!(trace(), ["task.return", "returned 7", "EXIT"]);
    assert_eq!(handles(), 0);
}

#[test]
fn what_a_call_holds_is_dropped_before_it_returns() {
    record();
    let held = Noisy("parameter", ());
    export!(async move {
        let _held = held;
        1
    });
    assert_eq!(trace(), ["drop parameter", "task.return", "returned 1", "EXIT"]);
}

#[test]
fn a_call_that_waits_is_continued_by_its_event() {
    record();
    let task = export!(async { import(0).await + 1 });
    assert_eq!(trace(), ["import 0", "waitable-set.new", "waitable.join 1 2", "context.set", "WAIT 2"]);
    callee(0).returns(41);
    run();
    assert!(exited(task));
    let ends = ["callback 1 1 2", "context.get", "subtask.drop 1", "task.return", "returned 42"];
    assert_eq!(trace(), [&ends[..], &["waitable-set.drop 2", "EXIT"]].concat());
}

#[test]
fn the_waitable_set_of_a_call_is_used_again_while_the_instance_is_busy() {
    let busy = Flag::default();
    export!(busy.clone());
    fn round() {
        export!(async { import(0).await });
        callee(0).returns(1);
        run();
    }
    for _ in 0..10 {
        round();
    }
    assert_eq!(calls_of("waitable-set.new"), 2);
    native::sync_export(|| busy.raise());
    run();
    assert_eq!(handles(), 0);
}

#[test]
fn tasks_wait_side_by_side() {
    fn wait(number: u32) -> TaskId {
        export!(async move { import(number).await })
    }
    let (a, b, c) = (wait(0), wait(1), wait(2));
    callee(1).returns(11);
    record();
    run();
    assert_eq!(trace(), ["callback 1 3 2", "context.get", "subtask.drop 3", "task.return", "returned 11", "EXIT"]);
    assert!(!exited(a) && exited(b) && !exited(c));
    callee(2).returns(12);
    callee(0).returns(10);
    run();
    assert!(exited(a) && exited(c));
}

#[test]
fn a_future_that_wakes_itself_lets_the_engine_have_a_turn() {
    let mut polls = 0;
    record();
    let task = export!(async move {
        poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls == 150 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    assert!(!exited(task));
    run();
    assert!(exited(task));
    let turns = trace().into_iter().filter(|mark| mark == "YIELD").count();
    assert!((2..=3).contains(&turns), "{turns}");
}

#[test]
fn yield_async_returns_to_the_engine_at_once() {
    record();
    export!(async {
        note("before");
        yield_async().await;
        note("after");
    });
    assert_eq!(trace(), ["before", "context.set", "YIELD"]);
    run();
    assert_eq!(trace(), ["callback 0 0 0", "context.get", "after", "task.return", "returned ()", "EXIT"]);
}

#[test]
fn a_task_that_only_yields_gets_its_events() {
    let task = export!(async {
        let looping = async {
            loop {
                yield_async().await;
            }
        };
        either(async { import(0).await }, looping).await
    });
    for _ in 0..5 {
        assert!(native::step());
    }
    callee(0).returns(3);
    record();
    run();
    assert!(exited(task));
    assert!(trace().contains(&"returned 3".to_owned()));
}

#[test]
fn a_task_may_sleep_on_nothing_the_engine_knows() {
    let flag = Flag::default();
    let wait = flag.clone();
    record();
    let task = export!(wait);
    assert_eq!(trace(), ["waitable-set.new", "context.set", "WAIT 1"]);
    flag.raise();
    run();
    assert!(exited(task));
}

#[test]
fn calls_inside_calls_keep_their_tasks_apart() {
    record();
    let outer = export!(async {
        // It starts when this one waits.
        let inner = offer!(async { import(1).await });
        assert!(native::starting(inner));
        let value = import(0).await;
        assert!(exited(inner));
        value
    });
    run();
    callee(1).returns(21);
    run();
    callee(0).returns(20);
    run();
    assert!(exited(outer));
    let returned: Vec<_> = trace().into_iter().filter(|mark| mark.starts_with("returned")).collect();
    assert_eq!(returned, ["returned 21", "returned 20"]);
}
