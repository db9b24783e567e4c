//! Natively, what reaches another thread is harmless there.

use crate::export;
use crate::support::*;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use std::sync::{Arc, Mutex};
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
    assert_eq!(native::wakes_abroad(), 0);
}

#[test]
fn many_wakes_of_one_future_are_one() {
    let flag = Flag::default();
    let task = export!(flag.clone());
    let waker = flag.waker().expect("it waits");
    std::thread::spawn(move || (0..100).for_each(|_| waker.wake_by_ref())).join().expect("they are harmless there");
    assert!(native::wakes_abroad() <= 1);
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
