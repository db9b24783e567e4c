//! Waking across tasks.

use crate::export;
use crate::support::*;
use core::task::{Context, Poll};

#[test]
fn another_task_wakes_a_sleeping_one_for_three_built_ins() {
    let flag = Flag::default();
    let wait = flag.clone();
    let sleeper = export!(wait);
    record();
    export!(async move {
        flag.raise();
        note("raised");
    });
    assert_eq!(
        trace(),
        [
            "stream.new",
            "stream.read 2",
            "waitable.join 2 1",
            "stream.write 3",
            "raised",
            "task.return",
            "returned ()",
            "EXIT"
        ]
    );
    run();
    assert!(exited(sleeper));
    let woken = ["callback 2 2 16", "context.get", "task.return", "returned ()"];
    let at_rest = ["stream.drop 3", "stream.drop 2", "waitable-set.drop 1", "EXIT"];
    assert_eq!(trace(), [woken, at_rest].concat());
}

#[test]
fn a_task_that_is_woken_again_and_again_is_joined_once() {
    let flags: Vec<Flag> = (0..10).map(|_| Flag::default()).collect();
    let wait = flags.clone();
    let sleeper = export!(async move {
        for flag in wait {
            flag.await;
        }
    });
    for flag in &flags {
        native::sync_export(|| flag.raise());
        run();
    }
    assert!(exited(sleeper));
    assert_eq!((calls_of("stream.new"), calls_of("waitable.join")), (1, 1));
    assert_eq!((calls_of("stream.read"), calls_of("stream.write")), (10, 10));
}

#[test]
fn several_wakes_before_the_sleeper_runs_are_one() {
    let (a, b) = (Flag::default(), Flag::default());
    let (wait_a, wait_b) = (a.clone(), b.clone());
    let sleeper = export!(async move { join(wait_a, wait_b).await });
    native::sync_export(|| {
        a.raise();
        b.raise();
    });
    assert_eq!(calls_of("stream.write"), 1);
    run();
    assert!(exited(sleeper));
}

#[test]
fn a_wake_inside_the_task_needs_no_built_in() {
    let flag = Flag::default();
    let wait = flag.clone();
    let before = count();
    let task = export!(async move {
        join(wait, async move {
            wasp_guest_rt::yield_async().await;
            flag.raise();
        })
        .await
    });
    run();
    assert!(exited(task));
    assert_eq!(count() - before, 1);
}

#[test]
fn a_waker_may_outlive_its_task() {
    let flag = Flag::default();
    let wait = flag.clone();
    fn sleep(flag: Flag) -> TaskId {
        export!(async move { either(flag, async { _ = import(0).await }).await })
    }
    let first = sleep(wait);
    let stale = flag.waker();
    callee(0).returns(0);
    run();
    assert!(exited(first));
    // The block is free: nothing happens.
    let before = count();
    if let Some(waker) = &stale {
        waker.wake_by_ref();
    }
    assert_eq!(count(), before);
    // The block is used again: woken for nothing.
    let second = sleep(Flag::default());
    if let Some(waker) = stale {
        waker.wake();
    }
    run();
    assert!(!exited(second));
    callee(0).returns(0);
    run();
    assert!(exited(second));
}

#[test]
fn a_wake_that_its_sleeper_never_sees_harms_nobody() {
    fn sleep(flag: Flag) -> TaskId {
        export!(async move { either(flag, async { _ = import(0).await }).await })
    }
    for _ in 0..20 {
        let flag = Flag::default();
        let task = sleep(flag.clone());
        // Both at once: one of the events stays in the set.
        flag.raise();
        callee(0).returns(0);
        run();
        assert!(exited(task));
        assert_eq!(handles(), 0);
    }
}

#[test]
fn tasks_wake_each_other_in_turns() {
    let flags: Vec<Flag> = (0..100).map(|_| Flag::default()).collect();
    let spawn = |odd: usize| {
        let flags = flags.clone();
        export!(async move {
            for (i, flag) in flags.iter().enumerate() {
                if i % 2 == odd { flag.raise() } else { flag.clone().await }
            }
        })
    };
    let (a, b) = (spawn(0), spawn(1));
    run();
    assert!(exited(a) && exited(b));
}

#[test]
fn many_tasks_are_woken_at_once() {
    // Fewer under an interpreter.
    const N: usize = if cfg!(miri) { 20 } else { 200 };
    fn sleep(flag: Flag) -> TaskId {
        export!(flag)
    }
    let busy = Flag::default();
    sleep(busy.clone());
    for _ in 0..2 {
        let flags: Vec<Flag> = (0..N).map(|_| Flag::default()).collect();
        let tasks: Vec<TaskId> = flags.iter().map(|flag| sleep(flag.clone())).collect();
        native::sync_export(|| flags.iter().for_each(Flag::raise));
        run();
        assert!(tasks.into_iter().all(exited));
    }
    // While the instance is busy, sets and pairs are used again.
    assert_eq!(calls_of("waitable-set.new"), N + 1);
    assert_eq!(calls_of("stream.new"), N);
    native::sync_export(|| busy.raise());
    run();
    assert_eq!(handles(), 0);
}

#[test]
fn wakers_of_others_are_woken() {
    let task = export!(async {
        let mut call = Box::pin(import(0));
        let mut foreign = None;
        core::future::poll_fn(move |cx| {
            let foreign = foreign.get_or_insert_with(|| Foreign::new(Some(cx.waker().clone())));
            let waker = foreign.clone().into();
            let poll = call.as_mut().poll(&mut Context::from_waker(&waker));
            assert_eq!(foreign.count(), usize::from(poll.is_ready()));
            poll
        })
        .await
    });
    callee(0).returns(2);
    run();
    assert!(exited(task));
}

#[test]
fn an_operation_whose_task_ends_still_wakes_who_waits_for_it() {
    // A call polled by one task under somebody else's waker, as a shared set of futures does.
    let shared = std::rc::Rc::new(core::cell::RefCell::new(Box::pin(import(0))));
    let first = shared.clone();
    let foreign = Foreign::new(None);
    let watched = foreign.clone();
    let sleeper = export!(core::future::poll_fn(move |cx| {
        if watched.count() == 0 {
            watched.wakes(cx.waker());
            return Poll::Pending;
        }
        shared.borrow_mut().as_mut().poll(cx)
    }));
    let ends = export!(async move {
        let waker = foreign.into();
        assert!(first.borrow_mut().as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    });
    // It has nothing more to do, but stays for the call that is pending in its set.
    assert!(!exited(ends) && !exited(sleeper));
    record();
    callee(0).returns(4);
    run();
    assert!(exited(ends) && exited(sleeper));
    assert!(trace().contains(&"returned 4".to_owned()));
}

#[test]
fn a_wake_from_another_thread_is_left_to_the_task_s_own() {
    let flag = Flag::default();
    let task = export!(flag.clone());
    let waker = flag.waker().expect("it waits");
    flag.raise_quietly();
    std::thread::spawn(move || waker.wake()).join().expect("the wake is harmless there");
    // A component instance of that thread is another one.
    assert_eq!(calls_of("stream.write"), 0);
    assert!(!exited(task));
    run();
    assert!(exited(task));
}
