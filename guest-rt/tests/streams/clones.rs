//! Wakers whose clone does what it likes: each poll clones one at most once, before anything else.

use crate::export;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use wasp_guest_rt::FutureWriteCancel;

/// What the clone of a waker does, of which this is the number.
struct OnClone {
    number: u32,
    clones: Cell<u32>,
    act: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl OnClone {
    fn new(number: u32, act: impl FnOnce() + 'static) -> Rc<OnClone> {
        Rc::new(OnClone { number, clones: Cell::new(0), act: RefCell::new(Some(Box::new(act))) })
    }
}

/// A waker for this thread only.
fn waker(on: &Rc<OnClone>) -> Waker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            let on = data.cast::<OnClone>();
            // SAFETY: it was made of such an `Rc`, which the waker owns.
            let this = unsafe { &*on };
            this.clones.set(this.clones.get() + 1);
            let act = if this.clones.get() == this.number { this.act.borrow_mut().take() } else { None };
            if let Some(act) = act {
                act();
            }
            // SAFETY: as above; the clone owns one more.
            unsafe { Rc::increment_strong_count(on) };
            RawWaker::new(data, &TABLE)
        },
        // SAFETY: as above; the waker is used up.
        |data| unsafe { Rc::decrement_strong_count(data.cast::<OnClone>()) },
        |_| {},
        // SAFETY: as above; the waker is used up.
        |data| unsafe { Rc::decrement_strong_count(data.cast::<OnClone>()) },
    );
    // SAFETY: the functions do what a waker's have to, on this thread.
    unsafe { Waker::from_raw(RawWaker::new(Rc::into_raw(on.clone()).cast(), &TABLE)) }
}

#[test]
fn a_clone_that_panics_leaves_a_value_with_its_write() {
    let (writer, reader) = future::<String>(|| String::from("the default"));
    let mut write = Box::pin(writer.write(String::from("a value")));
    let waker = waker(&OnClone::new(1, || panic!("code of users")));
    let polled = catch_unwind(AssertUnwindSafe(|| write.as_mut().poll(&mut Context::from_waker(&waker))));
    assert!(polled.is_err());
    let FutureWriteCancel::Cancelled(value, writer) = write.as_mut().cancel() else { panic!("it was not written") };
    assert_eq!(value, "a value");
    drop(writer);
    assert_eq!(poll_once(&mut reader.into_future()), Poll::Ready(String::from("the default")));
}

#[test]
fn a_clone_may_read_what_its_write_writes() {
    // Before the built-in is called, and if there were other clones, between that and what is noted of it.
    for number in 1..=3 {
        let got = Rc::new(Cell::new(None));
        let note = got.clone();
        let task = export!(async move {
            let (writer, reader) = future::<u32>(|| 0);
            assert_ne!(offer(&reader), 0);
            let read = Rc::new(RefCell::new(reader.into_future()));
            let (reads, notes) = (read.clone(), note.clone());
            let on = OnClone::new(number, move || {
                if let Poll::Ready(value) = poll_once(&mut *reads.borrow_mut()) {
                    notes.set(Some(value));
                }
            });
            let mut write = writer.write(7);
            let waker = waker(&on);
            drop(Pin::new(&mut write).poll(&mut Context::from_waker(&waker)));
            assert!(on.clones.get() <= 1, "a poll clones the waker once");
            // The first write was pending, or has written to a reader that waits.
            drop(poll_here(&mut write).await);
            if let Poll::Ready(value) = poll_once(&mut *read.borrow_mut()) {
                note.set(Some(value));
            }
            drop(write);
            drop(waker);
            assert_eq!(Rc::strong_count(&on), 1, "a waker was never dropped");
        });
        run();
        assert_eq!(got.get(), Some(7));
        assert!(exited(task));
        nothing_is_left();
    }
}

#[test]
fn a_clone_in_a_later_poll_may_end_the_write() {
    for number in 1..=3 {
        let task = export!(async move {
            let (writer, reader) = future::<u32>(|| 0);
            assert_ne!(offer(&reader), 0);
            let mut write = writer.write(7);
            assert!(poll_once(&mut write).is_pending());
            let mut read = Some(reader.into_future());
            let on = OnClone::new(number, move || {
                if let Some(mut read) = read.take() {
                    assert_eq!(poll_once(&mut read), Poll::Ready(7));
                }
            });
            let waker = waker(&on);
            for _ in 0..3 {
                drop(Pin::new(&mut write).poll(&mut Context::from_waker(&waker)));
            }
            assert!(poll_here(&mut write).await.is_pending(), "it has ended");
            drop(write);
            drop(waker);
            assert_eq!(Rc::strong_count(&on), 1, "a waker was never dropped");
        });
        run();
        assert!(exited(task));
        nothing_is_left();
    }
}
