//! Tasks of another runtime in the same module: futures of either in tasks of the other.

use crate::export;
use crate::peer::{Call, Peer};
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use std::rc::Rc;
use wasp_guest_rt::native::Remote;
use wasp_guest_rt::{block_on, spawn_local, yield_async};

use wasp_guest_rt::__rt;

__rt::stream_payload! { u8, World, "test", new: "new", read: "read", write: "write", cancel_read: "cancel-read",
cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }
__rt::future_payload! { u32, World, "test", new: "new", read: "read", write: "write", cancel_read: "cancel-read",
cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }

/// A place for what a future gives.
type Slot<T> = Rc<Cell<Option<T>>>;

fn into<T: 'static>(slot: &Slot<T>, future: impl Future<Output = T> + 'static) -> impl Future<Output = ()> + 'static {
    let slot = slot.clone();
    async move { slot.set(Some(future.await)) }
}

#[test]
fn a_call_of_ours_is_awaited_in_a_task_of_theirs() {
    for version in [1, 2, 3] {
        let slot = Slot::default();
        let mut peer = Peer::new(version, into(&slot, async { import_ready(3).await + import(0).await }));
        peer.run();
        assert_eq!(peer.counts(), (1, usize::from(version > 1)));
        callee(0).returns(4);
        peer.run();
        assert_eq!(slot.take(), Some(8));
        assert!(peer.is_done());
        drop(peer);
        assert_eq!(handles(), 0, "version {version}");
    }
}

#[test]
fn a_call_that_starts_late_stays_registered() {
    for version in [1, 2, 3] {
        let slot = Slot::default();
        let mut peer = Peer::new(version, into(&slot, import_string(0, Noisy("text", "text".into()))));
        peer.run();
        callee(0).starts();
        peer.run();
        assert_eq!(peer.counts().0, 1);
        callee(0).returns(4);
        peer.run();
        assert_eq!(slot.take(), Some(4));
        drop(peer);
        assert_eq!(handles(), 0);
    }
}

#[test]
fn a_call_that_starts_and_returns_before_it_is_polled_is_over() {
    let slot = Slot::default();
    let mut peer = Peer::new(3, into(&slot, import_string(0, Noisy("text", "text".into()))));
    peer.run();
    callee(0).starts();
    callee(0).returns(4);
    peer.run();
    assert_eq!(slot.take(), Some(4));
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn what_is_dropped_in_a_task_of_theirs_is_unregistered_and_cancelled() {
    for version in [1, 2, 3] {
        let slot = Slot::default();
        let mut peer = Peer::new(version, into(&slot, either(import(0), import(1))));
        peer.run();
        callee(1).returns(7);
        peer.run();
        assert_eq!(slot.take(), Some(7));
        assert!(peer.is_done());
        drop(peer);
        let mut peer = Peer::new(version, into(&slot, import(0)));
        peer.run();
        peer.cancel();
        assert!(peer.is_done());
        drop(peer);
        assert_eq!(handles(), 0, "version {version}");
    }
}

#[test]
fn streams_of_ours_are_read_and_given_up_in_a_task_of_theirs() {
    let (remote, reader) = Remote::stream::<u8>();
    // SAFETY: the reader is one of the component, of this type.
    let (mut reader,) = unsafe { __rt::lift_params::<World, (__rt::StreamReader<u8>,), 1>([u64::from(reader)]) };
    let slot = Slot::default();
    let mut peer = Peer::new(3, {
        let slot = slot.clone();
        async move {
            let first = reader.next().await;
            let mut second = Box::pin(reader.next());
            assert!(futures::poll!(&mut second).is_pending());
            drop(second);
            slot.set(Some((first, reader.next().await, reader.next().await)));
        }
    });
    peer.run();
    assert_eq!(peer.counts(), (1, 1));
    remote.write(&[1_u8]);
    peer.run();
    remote.write(&[2_u8]);
    peer.run();
    drop(remote);
    peer.run();
    assert_eq!(slot.take(), Some((Some(1), Some(2), None)));
    assert!(peer.is_done());
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn a_call_of_ours_moves_between_tasks_of_both() {
    type Shared = Rc<RefCell<Pin<Box<dyn Future<Output = u32>>>>>;
    async fn poll_once(call: Shared) -> Option<u32> {
        core::future::poll_fn(|cx| {
            core::task::Poll::Ready(match call.borrow_mut().as_mut().poll(cx) {
                core::task::Poll::Ready(value) => Some(value),
                core::task::Poll::Pending => None,
            })
        })
        .await
    }
    let call: Shared = Rc::new(RefCell::new(Box::pin(import(0))));
    let slot = Slot::default();
    let mut first = Peer::new(3, into(&slot, poll_once(call.clone())));
    let mut second = Peer::new(2, into(&slot, poll_once(call.clone())));
    first.run();
    assert_eq!(first.counts(), (1, 1));
    second.run();
    assert_eq!((first.counts(), second.counts()), ((0, 0), (1, 1)));
    let polled = call.clone();
    let task = export!(async move {
        assert_eq!(poll_once(polled).await, None);
        yield_async().await;
    });
    assert_eq!((first.counts(), second.counts()), ((0, 0), (0, 0)));
    let mut third = Peer::new(1, into(&slot, poll_once(call.clone())));
    third.run();
    assert_eq!(third.counts(), (1, 0));
    run();
    assert!(exited(task));
    callee(0).returns(5);
    third.run();
    let polled = call.clone();
    export!(async move { assert_eq!(poll_once(polled).await, Some(5)) });
    drop((first, second, third, call));
    assert_eq!(handles(), 0);
}

#[test]
fn a_call_of_theirs_is_awaited_in_a_task_of_ours() {
    let call = Call::new(false);
    let (handle, codes) = (call.handle(), call.codes());
    let task = export!(call);
    native::started(handle);
    run();
    assert_eq!(codes.take(), [1]);
    native::returned(handle);
    run();
    assert_eq!(codes.take(), [2]);
    assert!(exited(task));
    assert_eq!(handles(), 0);
}

#[test]
fn a_call_of_theirs_that_is_dropped_leaves_our_task() {
    // Before and after its start was told, which it then has not polled.
    for tells in [false, true] {
        let (call, flag) = (Call::new(false), Flag::default());
        let (handle, raised) = (call.handle(), flag.clone());
        let task = export!(async {
            let mut call = Box::pin(call);
            _ = futures::poll!(&mut call);
            flag.await;
            drop(call);
        });
        if tells {
            native::started(handle);
        }
        raised.raise();
        run();
        assert!(exited(task));
        assert_eq!(handles(), 0);
    }
}

#[test]
fn our_task_stays_while_theirs_waits_in_it() {
    let call = Call::new(true);
    let (handle, codes) = (call.handle(), call.codes());
    let left = Rc::new(RefCell::new(Some(Box::pin(call))));
    let kept = left.clone();
    let task = export!(async move {
        let mut call = kept.take().expect("it is there");
        _ = futures::poll!(&mut call);
        kept.replace(Some(call));
    });
    assert!(!exited(task), "its waitable is in the task's set");
    native::returned(handle);
    run();
    assert!(exited(task));
    assert_eq!(codes.take(), [2]);
    // The event was told, so that whoever polls it now learns of it.
    let call = left.take().expect("it is there");
    export!(call);
    assert_eq!(handles(), 0);
}

#[test]
fn our_task_ends_when_theirs_no_longer_waits_in_it() {
    let left = Rc::new(RefCell::new(Some(Box::pin(Call::new(true)))));
    let kept = left.clone();
    let task = export!(async move {
        let mut call = kept.take().expect("it is there");
        _ = futures::poll!(&mut call);
        kept.replace(Some(call));
    });
    assert!(!exited(task));
    let mut peer = Peer::new(3, async move { drop(left.take()) });
    peer.run();
    run();
    assert!(exited(task));
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn a_caller_cancels_a_task_of_ours_in_which_theirs_waits() {
    let task = export!(async {
        let spawned = spawn_local(async { import(0).await });
        Call::new(true).await;
        drop(spawned);
    });
    native::cancel(task);
    run();
    // What was spawned goes on.
    assert!(!exited(task));
    callee(0).returns(1);
    run();
    assert!(exited(task));
    assert_eq!(handles(), 0);
}

#[test]
fn a_future_that_is_spawned_in_a_task_of_theirs_runs_there() {
    let slot = Slot::default();
    let flag = Flag::default();
    let raised = flag.clone();
    let mut peer = Peer::new(3, {
        into(&slot, async move {
            let first = spawn_local(async { import(0).await });
            let mut second = spawn_local(core::future::pending::<u32>());
            let third = spawn_local(async move {
                flag.await;
                yield_async().await;
                3
            });
            yield_async().await;
            let first = first.await;
            second.cancel();
            (first, (&mut second).await, third.await)
        })
    });
    peer.run();
    assert_eq!(peer.counts(), (1, 1));
    callee(0).returns(1);
    peer.run();
    assert_eq!(slot.take(), None);
    raised.raise();
    assert!(peer.is_woken());
    peer.run();
    assert_eq!(slot.take(), Some((Some(1), None, Some(3))));
    assert!(peer.is_done());
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn a_future_that_they_drop_before_its_end_goes_to_another() {
    let slot = Slot::default();
    let inner = slot.clone();
    let mut peer = Peer::new(3, async {});
    native::call(|| {
        peer.enter(|peer| {
            drop(spawn_local(into(&inner, async { import(0).await })));
            assert_eq!(peer.drop_spawned(), 1);
        });
        native::task_return();
        0
    });
    peer.run();
    callee(0).returns(5);
    peer.run();
    assert_eq!(slot.take(), Some(5));
    assert!(peer.is_done());
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
#[should_panic(expected = "`spawn_local` was called in a task of another runtime")]
fn spawning_in_a_task_that_cannot_is_refused() {
    let mut peer = Peer::new(2, async { drop(spawn_local(async {})) });
    peer.run();
}

#[test]
fn what_they_spawn_in_a_task_of_ours_runs_there() {
    let slot = Slot::default();
    let inner = slot.clone();
    let task = export!(async move {
        crate::peer::spawn_in_current(Box::new(into(&inner, async { import(0).await })));
    });
    assert!(!exited(task));
    callee(0).returns(5);
    run();
    assert!(exited(task));
    assert_eq!(slot.take(), Some(5));
    assert_eq!(handles(), 0);
}

#[test]
fn a_write_that_is_left_behind_ends_in_a_task_of_theirs() {
    for version in [1, 2, 3] {
        let (writer, reader) = __rt::future_new::<World, u32>(|| 7);
        let remote = Remote::lift(__rt::return_flat::<World, _>(reader) as u32);
        let mut peer = Peer::new(version, async move { drop(writer) });
        peer.run();
        // One of version 1 could not be cancelled any more: another takes it over.
        assert_eq!(peer.counts(), if version == 1 { (0, 0) } else { (1, 1) });
        let mut other = Peer::new(3, async { _ = import(0).await });
        other.run();
        assert_eq!(other.counts(), if version == 1 { (2, 1) } else { (1, 1) });
        callee(0).returns(1);
        remote.read(1);
        // SAFETY: its items are of this type.
        assert_eq!(unsafe { remote.items::<u32>(1) }, [7]);
        peer.run();
        other.run();
        assert!(peer.is_done() && other.is_done());
        drop((peer, other, remote));
        assert_eq!(handles(), 0, "version {version}");
    }
}

#[test]
fn a_task_of_ours_blocks_one_of_theirs() {
    let slot = Slot::default();
    let mut peer = Peer::new(
        3,
        into(&slot, async {
            let value = block_on(async {
                let spawned = spawn_local(async { import(0).await });
                native::later(|| callee(0).returns(3));
                spawned.await
            });
            (value, import(1).await)
        }),
    );
    peer.run();
    callee(1).returns(4);
    peer.run();
    assert_eq!(slot.take(), Some((Some(3), 4)));
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn what_waits_for_a_task_is_taken_over_by_one_of_theirs() {
    let slot = Slot::default();
    let (inner, flag) = (slot.clone(), Flag::default());
    let raised = flag.clone();
    native::sync_export(|| {
        drop(spawn_local(into(&inner, async move {
            flag.await;
            import(0).await
        })))
    });
    let mut peer = Peer::new(3, async { _ = import(1).await });
    peer.run();
    raised.raise();
    assert!(peer.is_woken());
    peer.run();
    callee(0).returns(9);
    callee(1).returns(0);
    peer.run();
    assert_eq!(slot.take(), Some(9));
    assert!(peer.is_done());
    drop(peer);
    assert_eq!(handles(), 0);
}

#[test]
fn tasks_of_both_wake_each_other() {
    let (ours, theirs) = (Flag::default(), Flag::default());
    let (wake_ours, wake_theirs) = (ours.clone(), theirs.clone());
    let task = export!(async move {
        ours.await;
        wake_theirs.raise();
    });
    let mut peer = Peer::new(3, async move {
        wake_ours.raise();
        theirs.await;
    });
    peer.run();
    assert!(!peer.is_done());
    run();
    assert!(exited(task));
    assert!(peer.is_woken());
    peer.run();
    assert!(peer.is_done());
    drop(peer);
    assert_eq!(handles(), 0);
}
