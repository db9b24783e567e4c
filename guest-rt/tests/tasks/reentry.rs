//! Code of users comes back to the runtime: wakers that act at once, destructors, and what exports do before they await.

use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::any::Any;
use std::sync::Arc;
use std::task::Wake;
use wasp_guest_rt::__rt::{self, Pool};
use wasp_guest_rt::{JoinHandle, spawn_local, yield_async};

thread_local! {
    static SLOT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// A waker that drops what is in the slot when it is woken.
struct DropsWhenWoken;

impl Wake for DropsWhenWoken {
    fn wake(self: Arc<Self>) {
        drop(SLOT.take());
    }
}

/// A waker that drops what is in the slot when it is dropped itself.
struct DropsWhenDropped;

impl Wake for DropsWhenDropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for DropsWhenDropped {
    fn drop(&mut self) {
        drop(SLOT.take());
    }
}

/// Polls a handle with a waker that drops it when it is woken.
fn is_dropped_by_its_waker<T: 'static>(mut handle: JoinHandle<T>) {
    let waker = Waker::from(Arc::new(DropsWhenWoken));
    assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
    SLOT.set(Some(Box::new(handle)));
}

/// Two futures that fit into the same block, each with a result that shows if it is the other's.
async fn two_futures_have_a_block_each() {
    let text = spawn_local(async {
        yield_async().await;
        String::from("on the heap")
    });
    let words = spawn_local(async {
        yield_async().await;
        [0x41_u64; 3]
    });
    assert_eq!(text.await.as_deref(), Some("on the heap"));
    assert_eq!(words.await, Some([0x41; 3]));
}

#[test]
fn a_block_is_released_once_when_the_waker_of_its_end_drops_the_handle() {
    let task = export!(async {
        is_dropped_by_its_waker(spawn_local(async {
            yield_async().await;
            7
        }));
        yield_async().await;
        yield_async().await;
        assert!(SLOT.take().is_none());
        two_futures_have_a_block_each().await;
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_block_is_released_once_when_the_waker_of_its_cancellation_drops_the_handle() {
    let task = export!(async {
        let mut handle = spawn_local(pending::<u32>());
        handle.cancel();
        is_dropped_by_its_waker(handle);
        yield_async().await;
        yield_async().await;
        assert!(SLOT.take().is_none());
        two_futures_have_a_block_each().await;
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_spawned_future_may_drop_its_own_handle_when_it_is_dropped() {
    let task = export!(async {
        let slot = std::rc::Rc::new(RefCell::new(None));
        let own = slot.clone();
        let mut handle = spawn_local(async move {
            let _handle = own;
            pending::<u32>().await
        });
        handle.cancel();
        slot.replace(Some(handle));
        drop(slot);
        yield_async().await;
        yield_async().await;
        two_futures_have_a_block_each().await;
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_joiner_whose_replaced_waker_ends_the_future_hears_of_that() {
    let task = export!(async {
        let mut handle = spawn_local(pending::<u32>());
        {
            let first = Waker::from(Arc::new(DropsWhenDropped));
            assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&first)).is_pending());
        }
        // When this task parks instead, the first waker goes, and with it this, which cancels the future by then.
        struct Cancels(Option<Box<dyn FnOnce()>>);
        impl Drop for Cancels {
            fn drop(&mut self) {
                self.0.take().expect("it is dropped once")();
            }
        }
        let cancelled = std::rc::Rc::new(core::cell::Cell::new(false));
        let note = cancelled.clone();
        SLOT.set(Some(Box::new(Cancels(Some(Box::new(move || note.set(true)))))));
        let result = poll_fn(|cx| {
            let polled = Pin::new(&mut handle).poll(cx);
            if cancelled.take() {
                handle.cancel();
            }
            polled
        });
        assert_eq!(result.await, None);
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_handle_that_gave_its_result_stays_pending() {
    let task = export!(async {
        let mut handle = spawn_local(async { 3 });
        assert_eq!((&mut handle).await, Some(3));
        let again = poll_fn(|cx| Poll::Ready(Pin::new(&mut handle).poll(cx))).await;
        assert!(again.is_pending());
    });
    run();
    assert!(exited(task));
}

#[test]
fn what_an_export_does_before_it_awaits_belongs_to_its_own_task() {
    static POOL: Pool = Pool::new();
    fn eager() -> impl Future<Output = u32> {
        spawn_local(async {
            import(1).await;
        })
        .detach();
        async { 5 }
    }
    let sleeper = export!(async { import(0).await });
    // SAFETY: as in `export!`.
    let second = native::call(|| unsafe { __rt::start(&POOL, eager, |_| native::task_return()) });
    callee(0).returns(1);
    run();
    assert!(exited(sleeper), "it does not wait for what the second call spawned");
    assert!(!exited(second));
    callee(1).returns(1);
    run();
    assert!(exited(second));
}
