//! What stays allocated.

use crate::counting::{allocations, stays_flat};
use crate::export;
use crate::support::*;
use core::cell::Cell;
use wasp_guest_rt::{block_on, spawn_local};

#[test]
fn a_ready_call_allocates_nothing() {
    let round = || export!(async { import_ready(1).await });
    for _ in 0..3 {
        round();
    }
    let before = allocations();
    (0..100).for_each(|_| _ = round());
    assert_eq!(allocations(), before);
}

#[test]
fn a_pending_import_allocates_nothing() {
    let task = export!(async {
        for i in 0..12 {
            let mut call = core::pin::pin!(import(0));
            let before = Cell::new(allocations());
            core::future::poll_fn(|cx| {
                let poll = call.as_mut().poll(cx);
                // Not the first two times, when tables grow.
                assert!(i < 2 || allocations() == before.get(), "{i}");
                poll
            })
            .await;
        }
    });
    for _ in 0..12 {
        callee(0).returns(0);
        run();
    }
    assert!(exited(task));
}

#[test]
fn memory_stays_flat_over_pending_calls() {
    stays_flat(|| {
        export!(async { import(0).await });
        callee(0).returns(0);
        run();
    });
}

#[test]
fn memory_stays_flat_over_spawns() {
    stays_flat(|| {
        export!(async {
            let handle = spawn_local(async { import(0).await });
            drop(spawn_local(async { vec![1, 2, 3] }));
            handle.await
        });
        callee(0).returns(0);
        run();
    });
}

#[test]
fn memory_stays_flat_over_cancellations() {
    stays_flat(|| {
        let task = export!(async {
            let text = String::from("held");
            join(import(0), import_string(1, Noisy("text", text))).await
        });
        native::cancel(task);
        run();
    });
}

#[test]
fn memory_stays_flat_over_wakes_across_tasks() {
    stays_flat(|| {
        let flag = Flag::default();
        let wait = flag.clone();
        export!(wait);
        native::sync_export(|| flag.raise());
        run();
    });
}

#[test]
fn memory_stays_flat_over_block_on() {
    stays_flat(|| {
        later(|| callee(0).returns(0));
        block_on(import(0));
    });
}

#[test]
fn memory_stays_flat_over_operations_without_a_task() {
    stays_flat(|| {
        let mut call = Box::pin(import(0));
        let waker = Foreign::new(None).into();
        let mut cx = core::task::Context::from_waker(&waker);
        native::sync_export(|| _ = call.as_mut().poll(&mut cx));
        callee(0).returns(0);
        native::sync_export(|| spawn_local(async { 1 }));
        export!(async {});
    });
}
