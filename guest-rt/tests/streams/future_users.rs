//! Futures and the code of users that they run: wakers, destructors and defaults come back at any time, and panic.

use crate::counting::stays_flat;
use crate::export;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use futures::future::FusedFuture;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;
use wasp_guest_rt::__rt;
use wasp_guest_rt::{FutureRead, FutureWrite, FutureWriteCancel};

/// A value that does something when it is dropped.
#[derive(Debug)]
struct Probe(u32);

thread_local! {
    /// How often each probe was dropped.
    static DROPPED: RefCell<[u32; 8]> = const { RefCell::new([0; 8]) };
    /// What the next destructor, waker or default does.
    static NEXT: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// Does what was said is to be done next.
fn act() {
    if let Some(action) = NEXT.take() {
        action();
    }
}

fn next(action: impl FnOnce() + 'static) {
    NEXT.set(Some(Box::new(action)));
}

fn panics() {
    resume_unwind(Box::new("code of users"));
}

/// How often each was dropped since the last time.
fn dropped() -> [u32; 3] {
    let all = DROPPED.take();
    [all[0], all[1], all[2]]
}

impl Drop for Probe {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped[self.0 as usize] += 1);
        act();
    }
}

// SAFETY: it crosses as a number.
unsafe impl<W> __rt::Abi<W> for Probe {
    const SHAPE: __rt::Shape = __rt::Shape::scalar(4);
}

// SAFETY: it crosses as a number.
unsafe impl<W> __rt::Lift<W> for Probe {
    unsafe fn lift<S: __rt::Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller promises that a value of this type is next, which is a number.
        Probe(unsafe { from.u32() })
    }
}

// SAFETY: it crosses as a number.
unsafe impl<W> __rt::Lower<W> for Probe {
    unsafe fn lower<S: __rt::Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller promises that a value of this type is next, which is a number.
        unsafe { to.u32(self.0) }
    }
}

__rt::future_payload! { Probe, World, "test", new: "new", read: "read", write: "write", cancel_read: "cancel-read",
cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }

/// A pair whose default does what is next, and then is the probe 1.
fn pair() -> (FutureWriter<Probe>, FutureReader<Probe>) {
    future::<Probe>(|| {
        act();
        Probe(1)
    })
}

/// A waker that acts when it is woken, or else when its last clone is dropped.
struct Acts {
    when_woken: bool,
}

impl Wake for Acts {
    fn wake(self: Arc<Self>) {
        if self.when_woken {
            act();
        }
    }
}

impl Drop for Acts {
    fn drop(&mut self) {
        if !self.when_woken {
            act();
        }
    }
}

fn poll_with<F: Future + Unpin>(future: &mut F, when_woken: bool) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::new(Acts { when_woken }))))
}

fn waiting_read(reader: FutureReader<Probe>, when_woken: bool) -> FutureRead<Probe> {
    let mut read = reader.into_future();
    assert!(poll_with(&mut read, when_woken).is_pending());
    read
}

fn waiting_write(writer: FutureWriter<Probe>, when_woken: bool) -> FutureWrite<Probe> {
    let mut write = writer.write(Probe(0));
    assert!(poll_with(&mut write, when_woken).is_pending());
    write
}

#[test]
fn a_reader_that_is_woken_may_drop_its_end_at_once() {
    // By a write, by a value that is sent, and by a writer that is dropped.
    for how in 0..3 {
        let (writer, reader) = pair();
        let read = waiting_read(reader, true);
        next(move || drop(read));
        match how {
            0 => assert!(matches!(poll_once(&mut writer.write(Probe(0))), Poll::Ready(Ok(())))),
            1 => writer.write_and_forget(Probe(0)),
            _ => drop(writer),
        }
        assert_eq!(dropped(), if how < 2 { [1, 0, 0] } else { [0, 0, 0] });
    }
}

#[test]
fn a_writer_that_is_woken_may_drop_its_end_at_once() {
    for reads in [true, false] {
        let (writer, reader) = pair();
        let write = waiting_write(writer, true);
        next(move || drop(write));
        if reads {
            assert!(matches!(poll_once(&mut reader.into_future()), Poll::Ready(Probe(0))));
        } else {
            drop(reader);
        }
        assert_eq!(dropped(), [1, 0, 0]);
    }
}

#[test]
fn a_waker_that_panics_neither_doubles_nor_loses_a_value() {
    let caught = |f: &mut dyn FnMut()| assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
    // It wakes a reader.
    let (writer, reader) = pair();
    let mut read = waiting_read(reader, true);
    let mut write = writer.write(Probe(0));
    next(panics);
    caught(&mut || drop(poll_once(&mut write)));
    assert!(poll_once(&mut write).is_pending() && write.is_terminated());
    assert!(matches!(Pin::new(&mut write).cancel(), FutureWriteCancel::AlreadySent));
    drop(write);
    assert_eq!(dropped(), [0, 0, 0]);
    assert!(matches!(poll_once(&mut read), Poll::Ready(Probe(0))));
    assert_eq!(dropped(), [1, 0, 0]);
    // And a writer, when its value is dropped or read.
    for reads in [true, false] {
        let (writer, reader) = pair();
        let mut write = waiting_write(writer, true);
        next(panics);
        let mut reader = Some(reader);
        caught(&mut || {
            let reader = reader.take().unwrap();
            if reads { drop(poll_once(&mut reader.into_future())) } else { drop(reader) }
        });
        match poll_once(&mut write) {
            Poll::Ready(Ok(())) => assert!(reads),
            Poll::Ready(Err(error)) => assert!(!reads && error.value.0 == 0),
            Poll::Pending => panic!("the write is over"),
        }
        assert_eq!(dropped(), [1, 0, 0]);
    }
}

/// Polls, and again if the waker is woken by then.
fn poll_told<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    struct Told(std::sync::atomic::AtomicBool);
    impl Wake for Told {
        fn wake(self: Arc<Self>) {
            self.0.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let told = Arc::new(Told(false.into()));
    let waker = Waker::from(told.clone());
    match Pin::new(&mut *future).poll(&mut Context::from_waker(&waker)) {
        Poll::Pending if told.0.load(std::sync::atomic::Ordering::Relaxed) => poll_once(future),
        polled => polled,
    }
}

#[test]
fn what_happens_while_a_waker_is_replaced_is_not_missed() {
    // The old waker's destructor writes.
    let (writer, reader) = pair();
    let mut read = waiting_read(reader, false);
    next(|| writer.write_and_forget(Probe(0)));
    assert!(matches!(poll_told(&mut read), Poll::Ready(Probe(0))));
    // It reads.
    let (writer, reader) = pair();
    let mut write = waiting_write(writer, false);
    next(|| assert!(matches!(poll_once(&mut reader.into_future()), Poll::Ready(Probe(0)))));
    assert!(matches!(poll_told(&mut write), Poll::Ready(Ok(()))));
    // It drops the reader.
    let (writer, reader) = pair();
    let mut write = waiting_write(writer, false);
    next(|| drop(reader));
    assert!(matches!(poll_told(&mut write), Poll::Ready(Err(_))));
    assert_eq!(dropped(), [3, 0, 0]);
}

#[test]
fn a_default_may_use_the_reader_that_it_is_for() {
    // The reader was lowered in vain, and reads while the default is made: so the value stays here.
    let (writer, reader) = pair();
    offer(&reader);
    let task = export!(async move {
        let read = std::rc::Rc::new(RefCell::new(reader.into_future()));
        let reads = read.clone();
        next(move || assert!(poll_once(&mut *reads.borrow_mut()).is_pending()));
        drop(writer);
        assert!(matches!(poll_once(&mut *read.borrow_mut()), Poll::Ready(Probe(1))));
    });
    run();
    assert!(exited(task));
    nothing_is_left();
    // It goes while the default is made.
    let (writer, reader) = pair();
    let remote = give(reader);
    next(|| drop(remote));
    export!(async move { drop(writer) });
    run();
    // Here as well.
    let (writer, reader) = pair();
    offer(&reader);
    next(|| drop(reader));
    export!(async move { drop(writer) });
    run();
    assert_eq!(dropped(), [0, 3, 0]);
    nothing_is_left();
}

#[test]
fn destructors_and_defaults_that_panic_leave_nothing_here() {
    let caught = |f: &mut dyn FnMut()| assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
    let mut round = 0;
    stays_flat(|| {
        let (writer, reader) = pair();
        let (mut writer, mut reader) = (Some(writer), Some(reader));
        round += 1;
        match round % 4 {
            // A value that is sent, and not wanted.
            0 => {
                writer.take().unwrap().write_and_forget(Probe(0));
                next(panics);
                caught(&mut || drop(reader.take()));
            }
            // A value that is sent where nobody is.
            1 => {
                drop(reader.take());
                next(panics);
                caught(&mut || writer.take().unwrap().write_and_forget(Probe(0)));
            }
            // The default, where it is read.
            2 => {
                drop(writer.take());
                next(panics);
                caught(&mut || drop(poll_once(&mut reader.take().unwrap().into_future())));
            }
            // The waker of a reader that goes.
            _ => {
                let mut read = Some(waiting_read(reader.take().unwrap(), false));
                next(panics);
                caught(&mut || drop(read.take()));
                drop(writer.take());
            }
        }
        NEXT.take();
        dropped();
    });
}

#[test]
fn a_destructor_that_an_event_runs_may_write_drop_and_wait_for_others() {
    for panic in [false, true] {
        let (writer, reader) = pair();
        let (second, other) = pair();
        let (remote, next_remote) = (give(reader), give(other));
        native::sync_export(|| writer.write_and_forget(Probe(0)));
        remote.read(1);
        next(move || {
            // A write for nobody, and the sweep that goes with it.
            second.write_and_forget(Probe(2));
            if panic {
                panics();
            }
        });
        let delivered = catch_unwind(AssertUnwindSafe(|| {
            export!(turn());
            run();
        }));
        assert_eq!(delivered.is_err(), panic);
        next_remote.read(1);
        // SAFETY: probes are numbers.
        assert_eq!(unsafe { next_remote.items::<u32>(1) }, [2]);
        if panic {
            // What was pending in the task that the panic ended is lost with it.
            assert_eq!(dropped(), [1, 0, 0]);
            return;
        }
        export!(turn());
        run();
        drop((remote, next_remote));
        assert_eq!(dropped(), [1, 0, 1]);
        nothing_is_left();
    }
}

#[test]
fn a_read_that_ends_without_a_value_is_pending_for_ever() {
    let (remote, handle) = Remote::future::<u32>();
    let mut read = lift::<FutureReader<u32>>(handle).into_future();
    let task = export!(async move {
        assert!(poll_here(&mut read).await.is_pending());
        turn().await;
        for _ in 0..3 {
            assert!(poll_here(&mut read).await.is_pending());
        }
        assert!(read.is_terminated());
    });
    drop(remote);
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_reader_that_leaves_clones_no_waker_of_its_writer() {
    thread_local!(static CLONES: Cell<u32> = const { Cell::new(0) });
    const COUNTS: RawWakerVTable = RawWakerVTable::new(
        |data| {
            CLONES.set(CLONES.get() + 1);
            RawWaker::new(data, &COUNTS)
        },
        |_| act(),
        |_| act(),
        |_| (),
    );
    let (writer, reader) = pair();
    let mut write = writer.write(Probe(0));
    // SAFETY: nothing is behind the pointer, and nothing is done with it.
    let waker = unsafe { Waker::from_raw(RawWaker::new(core::ptr::null(), &COUNTS)) };
    assert!(Pin::new(&mut write).poll(&mut Context::from_waker(&waker)).is_pending());
    let clones = CLONES.get();
    let remote = give(reader);
    assert_eq!(CLONES.get(), clones);
    // It is woken by the event.
    let woken = std::rc::Rc::new(Cell::new(false));
    let wakes = woken.clone();
    next(move || wakes.set(true));
    export!(async {});
    remote.read(1);
    export!(turn());
    run();
    assert!(woken.get());
    assert!(matches!(poll_once(&mut write), Poll::Ready(Ok(()))));
    drop(remote);
    nothing_is_left();
}

#[test]
fn futures_that_have_completed_say_so() {
    let (writer, reader) = pair();
    let (mut write, mut read) = (writer.write(Probe(0)), reader.into_future());
    assert!(!write.is_terminated() && !read.is_terminated());
    assert!(poll_once(&mut write).is_pending() && !write.is_terminated());
    assert!(poll_once(&mut read).is_ready() && read.is_terminated() && !write.is_terminated());
    assert!(poll_once(&mut write).is_ready() && write.is_terminated());
    assert!(poll_once(&mut read).is_pending() && poll_once(&mut write).is_pending());
    let spent = Pin::new(&mut read).cancel().unwrap_err().into_future();
    assert!(spent.is_terminated());
    let task = export!(async {
        let (writer, reader) = future::<u32>(|| 0);
        let (mut write, mut read) = (writer.write(7), reader.into_future());
        let (mut wrote, mut got) = (false, 0);
        for _ in 0..2 {
            futures::select! {
                result = write => wrote = result.is_ok(),
                value = read => got = value,
            }
        }
        assert!(wrote && got == 7);
    });
    run();
    assert!(exited(task));
}

#[test]
fn ends_may_go_to_other_threads_and_are_used_on_their_own() {
    fn may_go<T: Send + Sync>(_: &T) {}
    let elsewhere = |f: &mut (dyn FnMut() + Send)| {
        std::thread::scope(|scope| {
            let result = scope.spawn(move || catch_unwind(AssertUnwindSafe(f)).is_err()).join();
            assert!(result.unwrap(), "it was used on another thread");
        });
    };
    let (writer, reader) = pair();
    may_go(&writer);
    may_go(&reader);
    // There and back.
    let (writer, reader) = std::thread::spawn(move || (writer, reader)).join().unwrap();
    elsewhere(&mut || _ = reader.handle());
    let (mut write, mut read) = (writer.write(Probe(0)), reader.into_future());
    may_go(&write);
    may_go(&read);
    elsewhere(&mut || drop(poll_once(&mut read)));
    elsewhere(&mut || drop(poll_once(&mut write)));
    elsewhere(&mut || drop(Pin::new(&mut read).cancel()));
    assert!(poll_once(&mut read).is_pending());
    elsewhere(&mut || drop(poll_once(&mut read)));
    assert!(matches!(poll_once(&mut write), Poll::Ready(Ok(()))));
    assert!(matches!(poll_once(&mut read), Poll::Ready(Probe(0))));
    // What is dropped there is lost, and harms nobody.
    let (writer, reader) = pair();
    let waiting = waiting_read(reader, false);
    let mut waiting = Some(waiting);
    std::thread::scope(|scope| scope.spawn(|| drop(waiting.take())).join().unwrap());
    writer.write_and_forget(Probe(0));
    let (writer, reader) = pair();
    let mut writer = Some(writer);
    std::thread::scope(|scope| scope.spawn(|| drop(writer.take())).join().unwrap());
    assert!(format!("{reader:?}").contains("handle"));
    assert!(poll_once(&mut reader.into_future()).is_pending());
    assert_eq!(dropped(), [1, 0, 0]);
}

/// A pair that lowers by its vtable, which moves the value out of the pair and so drops what is left of it.
fn pair_by_vtable() -> (FutureWriter<Probe>, FutureReader<Probe>) {
    // SAFETY: it is the vtable of this type.
    unsafe { wasp_guest_rt::rt::async_support::future_new(|| Probe(1), __rt::future_vtable::<World, Probe>()) }
}

#[test]
fn a_destructor_that_runs_for_a_value_lowered_by_its_vtable_may_read_it() {
    let task = export!(async {
        let (writer, reader) = pair_by_vtable();
        offer(&reader);
        let read = reader.into_future();
        let value = Rc::new(Cell::new(None));
        let seen = value.clone();
        next(move || {
            let mut read = read;
            seen.set(Some(poll_once(&mut read)));
        });
        let mut write = writer.write(Probe(0));
        assert!(poll_here(&mut write).await.is_pending());
        // While the value was stored, the pair was in use: the destructor came after that.
        assert!(matches!(value.take(), Some(Poll::Ready(Probe(0)))));
        write.await.unwrap();
    });
    run();
    assert!(exited(task));
    // What the vtable has moved out, and what was read.
    assert_eq!(dropped(), [2, 0, 0]);
    nothing_is_left();
}

#[test]
fn a_destructor_that_runs_for_a_value_lowered_by_its_vtable_may_panic() {
    let (writer, reader) = pair_by_vtable();
    let remote = give(reader);
    next(panics);
    let write = catch_unwind(AssertUnwindSafe(|| writer.write_and_forget(Probe(0))));
    assert!(write.is_err());
    remote.read(1);
    // SAFETY: a probe is a number.
    assert_eq!(unsafe { remote.items::<u32>(1) }, [0]);
    drop(remote);
    run();
    export!(async {});
    nothing_is_left();
}
