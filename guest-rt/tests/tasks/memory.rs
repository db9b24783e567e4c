//! What stays allocated.

use crate::export;
use crate::support::*;
use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};
use wasp_guest_rt::{block_on, spawn_local};

struct Counting;

std::thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, and two counters.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        _ = BYTES.try_with(|bytes| bytes.set(bytes.get() + layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        _ = BYTES.try_with(|bytes| bytes.set(bytes.get() - layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Fewer under an interpreter.
const ROUNDS: u32 = if cfg!(miri) { 10 } else { 100_000 };

/// Does it often, and checks that no more is allocated afterwards than after a few times.
fn stays_flat(mut round: impl FnMut()) {
    (0..20).for_each(|_| round());
    let before = BYTES.get();
    (0..ROUNDS).for_each(|_| round());
    assert_eq!(BYTES.get(), before);
}

#[test]
fn a_ready_call_allocates_nothing() {
    let round = || export!(async { import_ready(1).await });
    for _ in 0..3 {
        round();
    }
    let before = ALLOCATIONS.get();
    (0..100).for_each(|_| _ = round());
    assert_eq!(ALLOCATIONS.get(), before);
}

#[test]
fn a_pending_import_allocates_nothing() {
    let task = export!(async {
        for i in 0..12 {
            let mut call = core::pin::pin!(import(0));
            let before = Cell::new(ALLOCATIONS.get());
            core::future::poll_fn(|cx| {
                let poll = call.as_mut().poll(cx);
                // Not the first two times, when tables grow.
                assert!(i < 2 || ALLOCATIONS.get() == before.get(), "{i}");
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
