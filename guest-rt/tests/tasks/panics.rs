//! Natively, a panic leaves the thread's runtime usable: tests catch it and go on.

use crate::export;
use crate::support::*;
use core::cell::Cell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;
use wasp_guest_rt::{block_on, spawn_local, yield_async};

/// Panics when it is polled.
struct Panics(Rc<()>);

impl Future for Panics {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("code of users, {} owners", Rc::strong_count(&self.0))
    }
}

fn caught<T>(f: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// A call works as ever, and nothing is left.
fn the_runtime_works() {
    let ran = Rc::new(Cell::new(false));
    let note = ran.clone();
    let task = export!(async move {
        spawn_local(async move {
            yield_async().await;
            note.set(true);
        });
        import(0).await
    });
    callee(0).returns(1);
    run();
    assert!(exited(task) && ran.get());
    assert_eq!(block_on(async { 3 }), 3);
}

#[test]
fn block_on_drops_a_future_that_panics() {
    let alive = Rc::new(());
    assert!(caught(|| block_on(Panics(alive.clone()))));
    assert_eq!(Rc::strong_count(&alive), 1);
    the_runtime_works();
    assert_eq!(handles(), 0);
}

#[test]
fn a_task_that_catches_the_panic_of_a_block_on_goes_on() {
    let task = export!(async {
        assert!(caught(|| block_on(async { panic!("code of users") })));
        import(0).await
    });
    callee(0).returns(3);
    run();
    assert!(exited(task));
    the_runtime_works();
}

#[test]
fn what_was_spawned_in_a_block_on_that_panics_runs_elsewhere() {
    let ran = Rc::new(Cell::new(0));
    let count = ran.clone();
    let task = export!(async move {
        let counts = count.clone();
        assert!(caught(|| {
            block_on(async move {
                spawn_local(async move { counts.set(counts.get() + 1) });
                panic!("code of users")
            })
        }));
        yield_async().await;
        count.get()
    });
    run();
    assert!(exited(task));
    assert_eq!(ran.get(), 1);
    the_runtime_works();
}

#[test]
fn an_export_that_panics_takes_nobody_down() {
    let alive = Rc::new(());
    let sleeper = export!(async { import(5).await });
    let panics = Panics(alive.clone());
    assert!(caught(|| export!(panics)));
    assert_eq!(Rc::strong_count(&alive), 1);
    callee(5).returns(1);
    run();
    assert!(exited(sleeper));
    the_runtime_works();
}

#[test]
fn a_spawned_future_that_panics_is_dropped_and_its_handle_told() {
    let alive = Rc::new(());
    let outcome = Rc::new(Cell::new(Some(0)));
    let (panics, told) = (Panics(alive.clone()), outcome.clone());
    // The panic passes by the callback of this task, which so is over.
    assert!(caught(|| {
        export!(async move {
            let handle = spawn_local(panics);
            told.set(handle.await.map(|()| 1));
        });
        run();
    }));
    assert_eq!(Rc::strong_count(&alive), 1);
    the_runtime_works();
}

#[test]
fn a_waker_that_panics_leaves_no_block_in_two_hands() {
    struct PanicsWhenWoken;
    impl Wake for PanicsWhenWoken {
        fn wake(self: Arc<Self>) {
            panic!("a waker");
        }
    }
    assert!(caught(|| {
        export!(async {
            let mut handle = spawn_local(async { String::from("on the heap") });
            let waker = Waker::from(Arc::new(PanicsWhenWoken));
            assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
            yield_async().await;
            drop(handle);
        });
        run();
    }));
    the_runtime_works();
}
