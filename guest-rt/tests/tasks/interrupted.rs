//! What comes in between: a cancel that a blocking call is told of, panics while something is under way, and other code of
//! the instance in the middle of a call.

use crate::support::*;
use crate::{export, offer};
use core::cell::{Cell, RefCell};
use core::future::{Future, pending};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;
use wasp_guest_rt::__rt;
use wasp_guest_rt::{JoinHandle, block_on, spawn_local, yield_blocking};

fn caught<T>(f: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}

/// The caller of the running task cancels it when that next gives way.
fn cancel_me() {
    let me = native::current().expect("a task runs");
    later(move || native::cancel(me));
}

#[test]
fn a_spawned_future_that_owns_its_handle_is_dropped_once_when_its_task_panics() {
    struct Holder(Rc<RefCell<Option<JoinHandle<()>>>>);
    impl Drop for Holder {
        fn drop(&mut self) {
            let handle = self.0.borrow_mut().take();
            drop(handle);
        }
    }
    assert!(caught(|| {
        export!(async {
            let slot = Rc::new(RefCell::new(None));
            let holder = Holder(slot.clone());
            let handle = spawn_local(async move {
                let _holder = holder;
                pending::<()>().await;
            });
            *slot.borrow_mut() = Some(handle);
            drop(slot);
            panic!("code of users")
        })
    }));
    // Its block is free once, so these two have one each.
    let handles = Rc::new(RefCell::new(None));
    let keep = handles.clone();
    export!(async move {
        *keep.borrow_mut() =
            Some((spawn_local(async { String::from("a text") }), spawn_local(async { [1usize, 2, 3] })));
    });
    run();
    let (text, numbers) = handles.borrow_mut().take().expect("it ran");
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(pin!(text).as_mut().poll(&mut cx), Poll::Ready(Some(text)) if text == "a text"));
    assert_eq!(pin!(numbers).as_mut().poll(&mut cx), Poll::Ready(Some([1, 2, 3])));
}

#[test]
fn a_cancel_that_yield_blocking_has_told_drops_the_task_when_it_waits() {
    let task = export!(async {
        import(0).await;
        assert!(!yield_blocking(), "it was cancelled");
        pending::<()>().await;
    });
    callee(0).returns(1);
    later(move || native::cancel(task));
    run();
    assert!(exited(task));
}

#[test]
fn a_cancel_that_one_call_was_told_does_not_hit_the_next() {
    fn call(first: bool) -> TaskId {
        export!(async move {
            if first {
                cancel_me();
                assert!(!yield_blocking(), "it was cancelled");
            } else {
                import(0).await;
            }
        })
    }
    let first = call(true);
    run();
    assert!(exited(first));
    let second = call(false);
    run();
    assert!(!exited(second));
    callee(0).returns(1);
    run();
    assert!(exited(second));
}

#[test]
fn a_block_on_goes_on_when_the_task_around_it_is_cancelled() {
    record();
    let task = export!(async {
        cancel_me();
        let text: Box<u32> = block_on(async {
            assert!(!yield_blocking(), "it was cancelled");
            Box::new(import_ready(4).await)
        });
        note(format!("got {text}"));
        pending::<()>().await;
    });
    run();
    assert!(exited(task) && trace().contains(&"task.cancel".to_owned()));
}

#[test]
fn a_waker_that_panics_when_the_background_is_looked_through_takes_its_task_along() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("code of users");
        }
    }
    let mut call = Box::pin(import(0));
    let waker = Waker::from(Arc::new(Panics));
    native::sync_export(|| assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()));
    callee(0).returns(1);
    let alive = Rc::new(());
    let owner = alive.clone();
    assert!(caught(|| {
        export!(async move {
            import(1).await;
            drop(owner);
        })
    }));
    assert_eq!(Rc::strong_count(&alive), 1, "the future of the export was dropped");
    let ran = Rc::new(Cell::new(false));
    let note = ran.clone();
    native::sync_export(|| spawn_local(async move { note.set(true) }).detach());
    export!(async {});
    run();
    assert!(ran.get());
}

/// Calls a synchronous import. The engine does `meanwhile` while the callee starts.
fn sync_import(meanwhile: impl FnOnce()) {
    // SAFETY: the stand-in answers as such an import does.
    let _: u32 = unsafe {
        __rt::sync_call::<World, (u32,), u32, 1>((0,), |_| {
            meanwhile();
            0
        })
    };
}

#[test]
fn what_is_spawned_after_a_call_goes_to_a_task_that_has_gone_to_sleep_meanwhile() {
    let ran = Rc::new(Cell::new(0));
    let (first, second) = (ran.clone(), ran.clone());
    native::sync_export(|| {
        spawn_local(async move { first.set(first.get() + 1) });
        sync_import(|| {
            // A call that was queued starts.
            offer!(import(0));
            native::callee_starts();
        });
        spawn_local(async move { second.set(second.get() + 1) });
    });
    run();
    assert_eq!(ran.get(), 2);
}

#[test]
fn what_a_synchronous_export_spawns_in_the_middle_of_a_call_is_not_lost() {
    let ran = Rc::new(Cell::new(0));
    let count = ran.clone();
    native::sync_export(|| {
        sync_import(|| {
            native::sync_export(|| {
                spawn_local(async move { count.set(count.get() + 1) });
            });
        });
    });
    export!(async {});
    run();
    assert_eq!(ran.get(), 1);
}

#[test]
fn a_synchronous_export_in_the_middle_of_a_task_s_call_does_not_block() {
    let pending_call = Rc::new(RefCell::new(None));
    let held = pending_call.clone();
    let task = export!(async move {
        let mut call = Box::pin(import(0));
        core::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        *held.borrow_mut() = Some(call as Pin<Box<dyn Future<Output = u32>>>);
        let held = held.clone();
        sync_import(move || {
            native::sync_export(|| {
                let call = held.borrow_mut().take();
                drop(call);
            });
        });
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_notice_of_one_call_does_not_keep_the_next_from_being_cancelled() {
    thread_local! {
        static KEPT: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
    }
    fn call(first: bool) -> TaskId {
        static POOL: __rt::Pool = __rt::Pool::new();
        let make = move || {
            if first {
                // As `fn export() -> impl Future` may do, before it returns its future.
                let mut heeds: Pin<Box<dyn Future<Output = ()>>> =
                    Box::pin(wasp_guest_rt::Cancellation::heed(async |_| pending().await));
                assert!(heeds.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                KEPT.set(Some(heeds));
            }
            async move {
                if !first {
                    import(0).await;
                }
            }
        };
        // SAFETY: nobody else uses the pool.
        native::call(move || unsafe { __rt::start(&POOL, make, |()| native::task_return()) })
    }
    assert!(exited(call(true)));
    let second = call(false);
    native::cancel(second);
    run();
    assert!(exited(second), "nobody in this call heeds a cancellation");
}
