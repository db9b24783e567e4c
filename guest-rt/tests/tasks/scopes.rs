//! Scopes and code of users that runs where one would not expect it: wakers, destructors, panics, other threads.

use crate::counting::stays_flat;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Wake;
use wasp_guest_rt::{ScopedHandle, block_on, scope, yield_async};

/// A waker that does nothing but hold something.
struct Holds<T>(T);

impl<T: Send + Sync> Wake for Holds<T> {
    fn wake(self: Arc<Self>) {}
}

/// A waker that does something when it is dropped.
struct OnDrop(fn());

impl Wake for OnDrop {
    fn wake(self: Arc<Self>) {}
}

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn poll_with<F: Future + ?Sized>(future: &mut Pin<Box<F>>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    poll_with(future, Waker::noop())
}

thread_local! {
    static CHILD: RefCell<Option<Waker>> = const { RefCell::new(None) };
    static SCOPE: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = const { RefCell::new(None) };
}

/// A child that notes its waker in `CHILD` when it is polled.
async fn child() {
    poll_fn(|cx| {
        CHILD.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await
}

#[test]
fn a_scope_that_is_dropped_with_a_woken_child_holds_no_waker() {
    let alive = Arc::new(());
    let mut future = Box::pin(scope(async |scope| {
        scope.spawn(child()).detach();
        pending::<()>().await;
    }));
    assert!(poll_with(&mut future, &Waker::from(Arc::new(Holds(alive.clone())))).is_pending());
    CHILD.take().unwrap().wake();
    drop(future);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_waker_of_a_child_that_is_gone_holds_nothing_but_itself() {
    let alive = Arc::new(());
    let mut future = Box::pin(scope(async |scope| {
        scope.spawn(child()).detach();
        pending::<()>().await;
    }));
    assert!(poll_with(&mut future, &Waker::from(Arc::new(Holds(alive.clone())))).is_pending());
    drop(future);
    let kept = CHILD.take().unwrap();
    assert_eq!(Arc::strong_count(&alive), 1);
    kept.wake_by_ref();
    kept.wake();
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn scopes_that_are_cancelled_leave_nothing_allocated() {
    stays_flat(|| {
        let mut future = Box::pin(scope(async |scope| {
            scope.spawn(child()).detach();
            scope.spawn(pending::<()>()).cancel();
            pending::<()>().await;
        }));
        assert!(poll(&mut future).is_pending());
        let kept = CHILD.take().unwrap();
        kept.wake_by_ref();
        drop(future);
        kept.wake();
    });
}

#[test]
fn the_waker_that_a_scope_replaces_may_wake_a_child_when_it_is_dropped() {
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let mut future = Box::pin(scope(async move |scope| {
        let counted = counted.clone();
        scope
            .spawn(poll_fn(move |cx| {
                counted.set(counted.get() + 1);
                CHILD.set(Some(cx.waker().clone()));
                Poll::<()>::Pending
            }))
            .detach();
        pending::<()>().await;
    }));
    let first = Waker::from(Arc::new(OnDrop(|| CHILD.take().unwrap().wake())));
    assert!(poll_with(&mut future, &first).is_pending());
    drop(first);
    assert!(poll(&mut future).is_pending());
    assert_eq!(polls.get(), 2);
    CHILD.take();
}

#[test]
fn the_waker_that_a_handle_replaces_may_end_the_scope_when_it_is_dropped() {
    let slot = Rc::new(RefCell::new(None));
    let given = slot.clone();
    SCOPE.set(Some(Box::pin(scope(async move |scope| {
        given.replace(Some(scope.spawn(pending::<()>())));
        pending::<()>().await;
    }))));
    SCOPE.with_borrow_mut(|scope| assert!(poll(scope.as_mut().unwrap()).is_pending()));
    let mut handle = Box::pin(slot.take().unwrap());
    let first = Waker::from(Arc::new(OnDrop(|| drop(SCOPE.take()))));
    assert!(poll_with(&mut handle, &first).is_pending());
    drop(first);
    // The handle sees at once what happened while its waker was replaced.
    assert_eq!(poll(&mut handle), Poll::Ready(None));
    assert_eq!(poll(&mut handle), Poll::Pending);
}

#[test]
fn a_child_is_woken_from_another_thread() {
    let done = Arc::new(Mutex::new(false));
    futures::executor::block_on(scope(async |scope| {
        let mut thread = None;
        let seen = done.clone();
        let handle = scope.spawn(poll_fn(move |cx| {
            if *seen.lock().unwrap() {
                return Poll::Ready(5);
            }
            if thread.is_none() {
                let (waker, done) = (cx.waker().clone(), seen.clone());
                thread = Some(std::thread::spawn(move || {
                    *done.lock().unwrap() = true;
                    waker.wake_by_ref();
                    drop(waker);
                }));
            }
            Poll::Pending
        }));
        assert_eq!(handle.await, Some(5));
    }));
}

#[test]
fn wakers_of_children_may_be_used_by_other_threads_while_their_scope_ends() {
    for _ in 0..if cfg!(miri) { 5 } else { 200 } {
        let mut future = Box::pin(scope(async |scope| {
            scope.spawn(child()).detach();
            pending::<()>().await;
        }));
        assert!(poll(&mut future).is_pending());
        let waker = CHILD.take().unwrap();
        let thread = std::thread::spawn(move || (0..3).for_each(|_| waker.wake_by_ref()));
        assert!(poll(&mut future).is_pending());
        drop(future);
        thread.join().unwrap();
        CHILD.take();
    }
}

#[test]
fn a_handle_cancels_when_the_scope_runs_next_and_not_before() {
    struct Notes(Rc<RefCell<Vec<&'static str>>>, &'static str);
    impl Drop for Notes {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let order = Rc::new(RefCell::new(Vec::new()));
    let all = order.clone();
    block_on(scope(async move |scope| {
        let held = Notes(all.clone(), "dropped");
        let handle = scope.spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        yield_async().await;
        handle.cancel();
        handle.cancel();
        all.borrow_mut().push("cancelled");
        assert_eq!(handle.await, None);
        all.borrow_mut().push("joined");
        // Who is done has its result, whatever is asked of it afterwards.
        let handle = scope.spawn(async { 7 });
        yield_async().await;
        handle.cancel();
        assert_eq!(handle.await, Some(7));
        // All at once, and from inside.
        let inner = scope.clone();
        let held = Notes(all.clone(), "dropped, too");
        let handle = scope.spawn(async move {
            let _held = held;
            inner.cancel_all();
            pending::<()>().await;
        });
        let other = scope.spawn(pending::<()>());
        assert_eq!((handle.await, other.await), (None, None));
    }));
    assert_eq!(*order.borrow(), ["cancelled", "dropped", "joined", "dropped, too"]);
}

#[test]
fn what_panics_in_a_scope_drops_the_others_and_leaves_the_thread_usable() {
    struct Panics(bool, Arc<Mutex<u32>>);
    impl Drop for Panics {
        fn drop(&mut self) {
            *self.1.lock().unwrap() += 1;
            if self.0 && !std::thread::panicking() {
                panic!("a destructor");
            }
        }
    }
    let dropped = Arc::new(Mutex::new(0));
    let alive = Arc::new(());
    let waker = Waker::from(Arc::new(Holds(alive.clone())));
    for in_poll in [true, false] {
        let (held, others) = (dropped.clone(), dropped.clone());
        let mut future = Box::pin(scope(async move |scope| {
            for panics in [false, true, false] {
                let held = Panics(panics && !in_poll, held.clone());
                scope
                    .spawn(async move {
                        let held = held;
                        yield_async().await;
                        assert!(!(panics && in_poll), "a child");
                        pending::<()>().await;
                        drop(held);
                    })
                    .detach();
            }
            let _last = Panics(false, others.clone());
            pending::<()>().await;
        }));
        assert!(poll_with(&mut future, &waker).is_pending());
        let polled = catch_unwind(AssertUnwindSafe(|| poll_with(&mut future, &waker)));
        assert_eq!(polled.is_err(), in_poll);
        let ended = catch_unwind(AssertUnwindSafe(|| drop(future)));
        assert_eq!(ended.is_err(), !in_poll);
        assert_eq!(std::mem::take(&mut *dropped.lock().unwrap()), 4, "each once");
    }
    drop(waker);
    assert_eq!(Arc::strong_count(&alive), 1);
    assert_eq!(block_on(scope(async |scope| scope.spawn(async { import_ready(1).await }).await)), Some(2));
}

#[test]
fn a_handle_outlives_its_scope() {
    let handle = RefCell::new(None::<ScopedHandle<'_, u32>>);
    block_on(scope(async |scope| {
        handle.replace(Some(scope.spawn(async { 3 })));
    }));
    let handle = handle.take().unwrap();
    handle.cancel();
    assert_eq!(block_on(handle), Some(3));
}
