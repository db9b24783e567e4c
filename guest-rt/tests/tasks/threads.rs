//! Natively, what reaches another thread is harmless there.

use crate::export;
use crate::support::*;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use wasp_guest_rt::rt::async_support::Subtask as _;
use wasp_guest_rt::spawn_local;

#[test]
fn a_waker_may_be_woken_on_another_thread_while_its_block_is_used_again() {
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 500 };
    let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
    let kept = slot.clone();
    export!(async move {
        spawn_local(poll_fn(move |cx| {
            *kept.lock().unwrap() = Some(cx.waker().clone());
            Poll::Ready(())
        }));
    });
    let waker = slot.lock().unwrap().take().expect("the future was polled");
    let thread = std::thread::spawn(move || (0..ROUNDS).for_each(|_| waker.wake_by_ref()));
    for _ in 0..ROUNDS {
        let task = export!(async {
            spawn_local(async {});
        });
        assert!(exited(task));
    }
    thread.join().expect("the wakes are harmless there");
    run();
}

#[test]
fn wakes_of_two_threads_reach_their_own() {
    fn round() {
        for _ in 0..if cfg!(miri) { 5 } else { 100 } {
            let flag = Flag::default();
            let task = export!(flag.clone());
            let waker = flag.waker().expect("it waits");
            flag.raise_quietly();
            std::thread::spawn(move || waker.wake()).join().expect("the wake is harmless there");
            run();
            assert!(exited(task));
        }
    }
    let threads = [std::thread::spawn(round), std::thread::spawn(round)];
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn wakes_for_a_thread_that_has_ended_are_forgotten() {
    let ended =
        std::thread::spawn(|| wasp_guest_rt::block_on(core::future::poll_fn(|cx| Poll::Ready(cx.waker().clone()))));
    let waker = ended.join().expect("it ends");
    for _ in 0..if cfg!(miri) { 10 } else { 100_000 } {
        waker.wake_by_ref();
    }
    assert_eq!(native::wakes_abroad(&waker), 0);
}

#[test]
fn many_wakes_of_one_future_are_one() {
    let flag = Flag::default();
    let task = export!(flag.clone());
    let waker = flag.waker().expect("it waits");
    let elsewhere = waker.clone();
    std::thread::spawn(move || (0..100).for_each(|_| elsewhere.wake_by_ref())).join().expect("they are harmless there");
    assert_eq!(native::wakes_abroad(&waker), 1);
    flag.raise();
    run();
    assert!(exited(task));
}

#[test]
fn what_belongs_to_another_thread_changes_nothing_here() {
    let theirs = std::thread::spawn(|| wasp_guest_rt::ErrorContext::new("theirs")).join().expect("it ends");
    let ours = wasp_guest_rt::ErrorContext::new("ours");
    assert_eq!(theirs.debug_message(), "");
    drop(theirs);
    assert_eq!(ours.debug_message(), "ours");
    let theirs = std::thread::spawn(wasp_guest_rt::BackpressureGuard::new).join().expect("it ends");
    let ours = wasp_guest_rt::BackpressureGuard::new();
    drop(theirs);
    assert_eq!(native::backpressure(), 1);
    drop(ours);
}

/// Drops a future on another thread, after polling it there if it is `pending`, which must be refused.
fn drop_elsewhere<F: Future + Send>(future: core::pin::Pin<Box<F>>, pending: bool) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let mut future = future;
            let mut poll = || drop(future.as_mut().poll(&mut Context::from_waker(Waker::noop())));
            assert!(!pending || catch_unwind(AssertUnwindSafe(&mut poll)).is_err(), "it was polled on another thread");
        });
        thread.join().expect("dropping it harms nobody");
    });
}

#[test]
fn a_call_may_be_sent_and_is_left_alone_where_it_means_nothing() {
    record();
    // One that was not made, with all that it has.
    drop_elsewhere(Box::pin(import_string(0, Noisy("text", "hello".into()))), false);
    let mut import_printed = crate::printed::Import;
    drop_elsewhere(Box::pin(import_printed.call((0, crate::printed::text()))), false);
    // One whose callee works, one whose callee has not started, and a printed one.
    let task = export!(async {
        let (mut working, mut starting) =
            (Box::pin(import(0)), Box::pin(import_string(1, Noisy("kept", "text".into()))));
        assert!(futures::poll!(&mut working).is_pending() && futures::poll!(&mut starting).is_pending());
        drop_elsewhere(working, true);
        drop_elsewhere(starting, true);
        let mut import_printed = crate::printed::Import;
        let mut printed = Box::pin(import_printed.call((2, crate::printed::text())));
        assert!(futures::poll!(&mut printed).is_pending());
        drop_elsewhere(printed, true);
        import(3).await
    });
    callee(1).starts();
    for number in 0..3 {
        callee(number).returns(number);
    }
    run();
    callee(3).returns(3);
    run();
    let trace = trace();
    assert!(trace.iter().any(|mark| mark == "returned 3"), "{trace:?}");
    assert!(!trace.iter().any(|mark| mark == "drop kept" || mark.starts_with("subtask.cancel")), "{trace:?}");
    _ = task;
}

#[test]
fn a_call_goes_back_and_forth_before_it_is_made_and_after_it_is_over() {
    let call = Box::pin(import_ready(1));
    let call = std::thread::spawn(move || call).join().unwrap();
    let slot = Arc::new(Mutex::new(None));
    let kept = slot.clone();
    export!(async move {
        let mut call = call;
        assert_eq!(call.as_mut().await, 2);
        let mut waits = Box::pin(import(0));
        assert!(futures::poll!(&mut waits).is_pending());
        native::later(|| callee(0).returns(5));
        assert_eq!(waits.as_mut().await, 5);
        *kept.lock().unwrap() = Some((call, waits));
    });
    run();
    let (call, waits) = slot.lock().unwrap().take().expect("both are over");
    drop_elsewhere(call, false);
    drop_elsewhere(waits, false);
}

#[test]
fn back_pressure_is_of_the_thread_that_made_it() {
    let guard = wasp_guest_rt::BackpressureGuard::new();
    std::thread::spawn(move || {
        drop(guard);
        assert_eq!(calls_of("backpressure.dec"), 0);
    })
    .join()
    .expect("it is harmless there");
    assert_eq!((calls_of("backpressure.inc"), calls_of("backpressure.dec")), (1, 0));
}
