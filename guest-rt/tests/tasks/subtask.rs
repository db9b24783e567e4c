//! Calls of async imports: what they cost, who owns the parameters when, and what dropping them does.

use crate::export;
use crate::support::*;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

#[test]
fn a_call_that_returns_at_once_makes_no_built_in() {
    export!(async { import_ready(0).await });
    let before = count();
    let task = export!(async {
        let mut sum = 0;
        for i in 0..1000 {
            sum += import_ready(i).await;
        }
        assert_eq!(sum, 500_500);
    });
    assert!(exited(task));
    assert_eq!(count() - before, 1);
}

#[test]
fn a_call_that_waits_costs_a_join_and_a_drop() {
    // Fewer under an interpreter.
    const N: u32 = if cfg!(miri) { 50 } else { 1000 };
    let task = export!(async {
        for i in 0..N {
            assert_eq!(import(i).await, i * 2);
        }
    });
    for i in 0..N {
        callee(i).returns(i * 2);
        run();
    }
    assert!(exited(task));
    // One join and one drop each, the set and the return.
    assert_eq!(count(), 2 * N as usize + 3);
    assert_eq!(calls_of("context.get") + calls_of("context.set"), N as usize + 1);
}

#[test]
fn waiting_for_many_is_linear_in_built_ins_and_in_polls() {
    const N: u32 = if cfg!(miri) { 20 } else { 500 };
    record();
    let task = export!(async {
        let (values, polls) = join_all((0..N).map(import).collect()).await;
        note(format!("{} values, {polls} polls", values.len()));
    });
    for i in 0..N {
        callee(i).returns(i);
    }
    run();
    assert!(exited(task));
    assert!(trace().contains(&format!("{N} values, 2 polls")));
    // A join, a drop and a poll of the set for each (but for the first, which the callback told), the set and the return.
    assert_eq!(count(), 3 * N as usize + 2);
}

#[test]
fn one_event_at_a_time_of_many_is_linear_in_built_ins() {
    const N: u32 = if cfg!(miri) { 20 } else { 100 };
    let task = export!(async { join_all((0..N).map(import).collect()).await.0.len() });
    for i in 0..N {
        callee(i).returns(i);
        run();
    }
    assert!(exited(task));
    assert_eq!(count(), 3 * N as usize + 2);
    assert_eq!(calls_of("waitable.join"), N as usize);
}

#[test]
fn parameters_are_kept_until_the_callee_has_started() {
    record();
    export!(import_string(0, Noisy("text", "hello".into())));
    assert_eq!(trace(), ["import 0", "waitable-set.new", "waitable.join 1 2", "context.set", "WAIT 2"]);
    callee(0).starts();
    run();
    assert_eq!(trace(), ["callback 1 1 1", "context.get", "waitable-set.poll 2", "taken text", "drop text", "WAIT 2"]);
    callee(0).returns(5);
    run();
    assert_eq!(
        trace(),
        ["callback 1 1 2", "context.get", "subtask.drop 1", "task.return", "returned 5", "waitable-set.drop 2", "EXIT"]
    );
}

#[test]
fn a_callee_may_start_and_return_before_the_caller_hears_of_it() {
    record();
    export!(import_string(0, Noisy("text", "hello".into())));
    callee(0).starts();
    callee(0).returns(5);
    trace();
    run();
    assert_eq!(
        trace(),
        [
            "callback 1 1 2",
            "context.get",
            "taken text",
            "drop text",
            "subtask.drop 1",
            "task.return",
            "returned 5",
            "waitable-set.drop 2",
            "EXIT"
        ]
    );
}

#[test]
fn start_and_return_may_be_delivered_before_the_next_poll() {
    // Two operations, so that the set is drained: first the start of one, then its return.
    record();
    let task = export!(async { join(import_string(0, Noisy("text", "hello".into())), import(1)).await });
    callee(0).starts();
    callee(1).returns(1);
    native::step();
    callee(0).returns(5);
    run();
    assert!(exited(task));
    assert!(trace().contains(&"returned (5, 1)".to_owned()));
}

#[test]
fn a_call_that_was_never_polled_is_never_made() {
    record();
    drop(import_string(0, Noisy("text", "hello".into())));
    assert_eq!(trace(), ["drop text"]);
}

/// Drops a call after the test did something to it, in a task that does not end.
fn dropped(prepare: impl FnOnce() + 'static, before_the_event: bool) -> Vec<String> {
    let flag = Flag::default();
    let wait = flag.clone();
    let task = export!(async move {
        {
            let mut call = pin!(import_string(0, Noisy("text", "hello".into())));
            core::future::poll_fn(|cx| {
                assert!(call.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            if !before_the_event {
                wait.await;
            }
            note("now");
        }
        note("dropped");
        core::future::pending::<()>().await;
    });
    record();
    prepare();
    flag.raise();
    run();
    assert!(!exited(task));
    trace().into_iter().skip_while(|mark| mark != "now").take_while(|mark| mark != "dropped").skip(1).collect()
}

#[test]
fn a_call_dropped_before_it_starts_keeps_its_parameters() {
    let marks = dropped(|| {}, false);
    assert_eq!(marks, ["waitable.join 1 0", "subtask.cancel 1", "subtask.drop 1", "drop text"]);
}

#[test]
fn a_call_dropped_after_it_has_started_has_given_its_parameters_away() {
    let marks = dropped(|| callee(0).starts(), false);
    assert_eq!(marks, ["waitable.join 1 0", "subtask.cancel 1", "subtask.drop 1", "taken text", "drop text"]);
}

#[test]
fn a_call_dropped_with_its_result_delivered_is_not_cancelled() {
    let marks = dropped(|| callee(0).returns(4), false);
    assert_eq!(marks, ["subtask.drop 1", "taken text", "drop text"]);
}

#[test]
fn a_callee_may_return_although_it_is_cancelled() {
    let marks = dropped(
        || {
            callee(0).starts();
            callee(0).returns_when_cancelled(9);
        },
        false,
    );
    assert_eq!(marks, ["waitable.join 1 0", "subtask.cancel 1", "subtask.drop 1", "taken text", "drop text"]);
}

#[test]
fn the_result_of_a_cancelled_call_is_dropped() {
    record();
    export!(async {
        // SAFETY: the stand-in answers as such an import does.
        let call = unsafe {
            wasp_guest_rt::__rt::async_call::<World, _, Noisy<u32>, 0, 1>((), |_, result| {
                called(0, native::subtask_started(), result)
            })
        };
        let mut call = Box::pin(call);
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        callee(0).returns_when_cancelled(9);
        drop(call);
    });
    let marks = trace();
    assert!(marks.ends_with(&[
        "drop result".into(),
        "task.return".into(),
        "returned ()".into(),
        "waitable-set.drop 2".into(),
        "EXIT".into()
    ]));
}

#[test]
fn a_forgotten_call_harms_nobody() {
    fn round(forget: bool) {
        let task = export!(async move {
            let mut call = Box::pin(import(1));
            core::future::poll_fn(|cx| {
                _ = call.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
            if forget {
                core::mem::forget(call)
            } else {
                drop(call)
            }
            import(0).await
        });
        if forget {
            callee(1).returns(1);
        }
        run();
        callee(0).returns(1);
        run();
        assert!(exited(task));
    }
    for i in 0..20 {
        round(i % 4 == 0);
    }
}

#[test]
fn a_call_may_be_polled_without_a_task_and_awaited_by_one() {
    let mut call = Box::pin(import(0));
    native::sync_export(|| {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    record();
    let task = export!(call);
    callee(0).returns(6);
    run();
    assert!(exited(task));
    assert!(trace().contains(&"returned 6".to_owned()));
}

#[test]
fn a_call_moves_to_the_task_that_polls_it() {
    let shared = std::rc::Rc::new(core::cell::RefCell::new(Box::pin(import(0))));
    let first = shared.clone();
    let a = export!(async move {
        core::future::poll_fn(|cx| {
            _ = first.borrow_mut().as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        Flag::default().await;
    });
    record();
    let b = export!(core::future::poll_fn(move |cx| shared.borrow_mut().as_mut().poll(cx)));
    assert_eq!(trace(), ["waitable-set.new", "waitable.join 1 3", "context.set", "WAIT 3"]);
    callee(0).returns(8);
    run();
    assert!(exited(b) && !exited(a));
}

#[test]
fn what_the_import_owns_stays_until_a_call_that_is_left_behind_is_over() {
    record();
    let owned = Noisy("owned", ());
    // SAFETY: the stand-in answers as such an import does.
    let call = unsafe {
        wasp_guest_rt::__rt::async_call::<World, _, u32, 1, 1>((0,), move |_: [u64; 1], result| {
            _ = &owned;
            called(0, native::subtask_started(), result)
        })
    };
    native::sync_export(|| {
        let mut call = Box::pin(call);
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(call);
        note("left behind");
    });
    callee(0).returns_when_cancelled(7);
    export!(async {});
    run();
    let kept = ["left behind", "subtask.cancel 1", "drop owned"];
    assert_eq!(trace().into_iter().filter(|mark| kept.contains(&mark.as_str())).collect::<Vec<_>>(), kept);
    assert_eq!(handles(), 0);
}

#[test]
fn a_call_polled_with_a_waker_whose_clone_panics_can_be_dropped() {
    use core::task::{RawWaker, RawWakerVTable};
    static PANICS: RawWakerVTable = RawWakerVTable::new(|_| panic!("code of users"), |_| {}, |_| {}, |_| {});
    // SAFETY: the functions use nothing.
    let waker = unsafe { Waker::from_raw(RawWaker::new(core::ptr::null(), &PANICS)) };
    let mut call = Box::pin(import_string(0, Noisy("text", String::from("text"))));
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }));
    assert!(polled.is_err());
    drop(call);
    export!(async {});
    run();
    assert_eq!(handles(), 0, "the callee would still read the parameters");
}
