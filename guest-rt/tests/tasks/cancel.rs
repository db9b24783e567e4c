//! The caller of a task cancels it.

use crate::export;
use crate::support::*;
use wasp_guest_rt::{spawn_local, yield_async};

#[test]
fn the_future_is_dropped_and_the_cancellation_confirmed() {
    record();
    let held = Noisy("held", ());
    let task = export!(async move {
        let _held = held;
        import(0).await
    });
    trace();
    native::cancel(task);
    run();
    assert!(exited(task));
    assert_eq!(
        trace(),
        [
            "callback 6 0 0",
            "context.get",
            "waitable.join 1 0",
            "subtask.cancel 1",
            "subtask.drop 1",
            "drop held",
            "task.cancel",
            "waitable-set.drop 2",
            "EXIT"
        ]
    );
    assert_eq!(handles(), 0);
}

/// Runs a task up to its nth wait, cancels it there, and lets all its imports return late.
fn cancelled_at(wait: u32) -> bool {
    let task = export!(async {
        let a = import(0).await;
        yield_async().await;
        let b = join(import(1), import(2)).await;
        let handle = spawn_local(import(3));
        let c = handle.await;
        (a, b, c)
    });
    for turn in 0..wait {
        match turn {
            0 => callee(0).returns(0),
            2 => callee(1).returns(1),
            3 => callee(2).returns(2),
            4 => callee(3).returns(3),
            _ => {}
        }
        native::step();
    }
    if exited(task) {
        return false;
    }
    native::cancel(task);
    run();
    if !exited(task) {
        // What was spawned goes on.
        callee(3).returns(3);
        run();
    }
    assert!(exited(task), "cancelled at {wait}");
    assert_eq!(handles(), 0, "cancelled at {wait}");
    true
}

#[test]
fn a_task_can_be_cancelled_at_each_of_its_waits() {
    let waits = (0..10).take_while(|wait| cancelled_at(*wait)).count();
    assert_eq!(waits, 5);
}

#[test]
fn what_was_spawned_goes_on() {
    record();
    let task = export!(async {
        spawn_local(async {
            import(0).await;
            note("spawned");
        });
        core::future::pending::<()>().await;
    });
    native::cancel(task);
    run();
    assert!(!exited(task));
    callee(0).returns(1);
    run();
    assert!(exited(task));
    let marks = trace();
    assert!(marks.iter().position(|mark| mark == "task.cancel") < marks.iter().position(|mark| mark == "spawned"));
}

#[test]
fn a_destructor_may_wake_and_spawn_while_the_root_is_dropped() {
    struct Busy(Flag);
    impl Drop for Busy {
        fn drop(&mut self) {
            self.0.raise();
            spawn_local(async {
                import(1).await;
                note("cleaned up");
            });
        }
    }
    record();
    let flag = Flag::default();
    let busy = Busy(flag.clone());
    let task = export!(async move {
        let _busy = busy;
        flag.await;
    });
    native::cancel(task);
    run();
    assert!(!exited(task));
    callee(1).returns(1);
    run();
    assert!(exited(task));
    assert!(trace().contains(&"cleaned up".to_owned()));
}

#[test]
fn a_cancellation_that_comes_with_the_result_is_still_one() {
    let task = export!(async { import(0).await });
    callee(0).returns(1);
    native::cancel(task);
    record();
    run();
    assert!(exited(task));
    // The event waits in the set; the call is withdrawn with it.
    assert!(trace().contains(&"task.cancel".to_owned()));
    let next = export!(async { import(0).await });
    callee(0).returns(2);
    run();
    assert!(exited(next));
}
