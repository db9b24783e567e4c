//! Futures that run beside the one that spawned them.

use crate::export;
use crate::support::*;
use wasp_guest_rt::{block_on, spawn_local, yield_async};

#[test]
fn what_is_spawned_runs_after_what_spawned_it_and_its_result_is_awaited() {
    record();
    let task = export!(async {
        let handle = spawn_local(async {
            note("spawned");
            5
        });
        note("root");
        handle.await
    });
    assert!(exited(task));
    assert_eq!(trace(), ["root", "spawned", "task.return", "returned Some(5)", "EXIT"]);
}

#[test]
fn a_task_goes_on_after_its_result_until_all_it_spawned_is_done() {
    record();
    let task = export!(async {
        spawn_local(async {
            note(format!("got {}", import(0).await));
        });
        "result"
    });
    assert!(!exited(task));
    let marks = trace();
    assert!(marks.iter().position(|mark| mark == "task.return") < marks.iter().position(|mark| mark == "import 0"));
    callee(0).returns(3);
    run();
    assert!(exited(task));
    assert_eq!(trace(), ["callback 1 1 2", "context.get", "subtask.drop 1", "got 3", "waitable-set.drop 2", "EXIT"]);
}

#[test]
fn spawned_futures_take_turns() {
    record();
    export!(async {
        for name in ["a", "b"] {
            spawn_local(async move {
                for i in 0..2 {
                    note(format!("{name}{i}"));
                    // Wakes itself: the other is before it in the queue.
                    let mut first = true;
                    core::future::poll_fn(|cx| {
                        cx.waker().wake_by_ref();
                        if core::mem::take(&mut first) {
                            core::task::Poll::Pending
                        } else {
                            core::task::Poll::Ready(())
                        }
                    })
                    .await;
                }
            });
        }
    });
    assert_eq!(trace(), ["task.return", "returned ()", "a0", "b0", "a1", "b1", "EXIT"]);
}

#[test]
fn cancelling_drops_the_future_on_its_turn() {
    record();
    let task = export!(async {
        let held = Noisy("held", ());
        let mut handle = spawn_local(async move {
            let _held = held;
            import(0).await
        });
        yield_async().await;
        yield_async().await;
        handle.cancel();
        note("cancelled");
        handle.await
    });
    native::step();
    trace();
    run();
    assert!(exited(task));
    assert_eq!(
        trace(),
        [
            "callback 0 0 0",
            "context.get",
            "waitable-set.poll 2",
            "cancelled",
            "waitable.join 1 0",
            "subtask.cancel 1",
            "subtask.drop 1",
            "drop held",
            "task.return",
            "returned None",
            "waitable-set.drop 2",
            "EXIT"
        ]
    );
}

#[test]
fn cancelling_what_is_done_changes_nothing() {
    record();
    export!(async {
        let mut handle = spawn_local(async { 4 });
        yield_async().await;
        handle.cancel();
        handle.await
    });
    run();
    assert!(trace().contains(&"returned Some(4)".to_owned()));
}

#[test]
fn a_future_may_cancel_itself() {
    record();
    let task = export!(async {
        let slot = std::rc::Rc::new(core::cell::RefCell::new(None::<wasp_guest_rt::JoinHandle<()>>));
        let mine = slot.clone();
        let handle = spawn_local(async move {
            yield_async().await;
            if let Some(handle) = mine.borrow_mut().as_mut() {
                handle.cancel();
            }
            core::future::pending().await
        });
        *slot.borrow_mut() = Some(handle);
    });
    run();
    assert!(exited(task));
    // Its block is free once: two futures do not get the same one.
    record();
    export!(async {
        let handles = [1, 2].map(|number| {
            spawn_local(async move {
                yield_async().await;
                number
            })
        });
        for handle in handles {
            note(format!("{:?}", handle.await));
        }
    });
    run();
    let marks = trace();
    assert!(marks.contains(&"Some(1)".to_owned()) && marks.contains(&"Some(2)".to_owned()), "{marks:?}");
}

#[test]
fn a_dropped_handle_detaches_and_its_result_is_dropped() {
    record();
    export!(async {
        drop(spawn_local(async { Noisy("result", ()) }));
        let done = spawn_local(async { Noisy("kept", ()) });
        yield_async().await;
        note("handle");
        drop(done);
        note("end");
    });
    run();
    let marks = trace();
    assert_eq!(
        marks.iter().filter(|mark| !mark.contains('c') && !mark.contains("YIELD")).collect::<Vec<_>>(),
        ["drop result", "handle", "drop kept", "end", "task.return", "returned ()", "EXIT"]
    );
}

#[test]
fn a_handle_may_outlive_its_task_and_be_awaited_by_another() {
    let slot = std::rc::Rc::new(core::cell::Cell::new(None));
    let give = slot.clone();
    let first = export!(async move { give.set(Some(spawn_local(import(0)))) });
    record();
    let second = export!(async move {
        match slot.take() {
            Some(handle) => handle.await,
            None => None,
        }
    });
    callee(0).returns(9);
    run();
    assert!(exited(first) && exited(second));
    assert!(trace().contains(&"returned Some(9)".to_owned()));
}

#[test]
fn spawning_from_what_was_spawned_stays_on_the_task() {
    record();
    let task = export!(async {
        spawn_local(async {
            spawn_local(async {
                import(0).await;
                note("innermost");
            });
        });
    });
    assert!(!exited(task));
    callee(0).returns(0);
    run();
    assert!(exited(task));
    assert!(trace().contains(&"innermost".to_owned()));
}

#[test]
fn big_and_overaligned_futures_are_spawned_too() {
    #[repr(align(64))]
    struct Aligned(u8);
    let task = export!(async {
        let big = [7u8; 20_000];
        let a = spawn_local(async move {
            yield_async().await;
            big.iter().map(|byte| u32::from(*byte)).sum::<u32>()
        });
        let aligned = Aligned(3);
        let b = spawn_local(async move {
            yield_async().await;
            let place = &raw const aligned;
            assert_eq!(place.addr() % 64, 0);
            aligned.0
        });
        assert_eq!((a.await, b.await), (Some(140_000), Some(3)));
    });
    run();
    assert!(exited(task));
}

#[test]
fn block_on_waits_for_what_was_spawned_in_it() {
    record();
    later(|| callee(0).returns(1));
    let value = block_on(async {
        spawn_local(async {
            import(0).await;
            note("spawned");
        });
        8
    });
    note(format!("{value}"));
    let marks = trace();
    assert_eq!(marks[marks.len() - 3..], ["spawned", "waitable-set.drop 2", "8"]);
}

#[test]
fn what_an_export_does_before_its_first_await_runs_in_its_task() {
    let sleeper = export!(async { import(0).await });
    static POOL: wasp_guest_rt::__rt::Pool = wasp_guest_rt::__rt::Pool::new();
    /// As an implementer may write it: the call itself spawns, and its future does not.
    fn eager() -> impl Future<Output = u32> {
        spawn_local(async { import(1).await }).detach();
        async { 5 }
    }
    // SAFETY: the pool is for this future.
    let second = call(|| unsafe { wasp_guest_rt::__rt::start(&POOL, eager, |_| native::task_return()) });
    run();
    callee(0).returns(1);
    run();
    assert!(exited(sleeper), "what the second call has spawned keeps the first one");
    assert!(!exited(second));
    callee(1).returns(1);
    run();
    assert!(exited(second));
}

#[test]
fn a_large_result_has_room_of_its_own() {
    let task = export!(async {
        let handle = spawn_local(async { [7_u8; 1 << 15] });
        let around: Vec<_> = (0..64).map(|_| vec![1_u8; 4096]).collect();
        let result = handle.await.expect("it was not cancelled");
        assert!(result.iter().all(|byte| *byte == 7));
        assert!(around.iter().flatten().all(|byte| *byte == 1), "somebody else's memory was overwritten");
        // One that nobody takes is dropped.
        drop(spawn_local(async { [const { String::new() }; 500].map(|_| String::from("on the heap")) }));
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_result_of_large_alignment_is_aligned() {
    #[repr(align(64))]
    struct Aligned(u8);
    let task = export!(async {
        let handles: Vec<_> = (0..8).map(|i| spawn_local(async move { Aligned(i) })).collect();
        for (i, handle) in handles.into_iter().enumerate() {
            assert_eq!(usize::from(handle.await.expect("it was not cancelled").0), i);
        }
    });
    run();
    assert!(exited(task));
}
