//! Wakers and destructors of items that do what they like: use or drop the other end, or panic.

use crate::adapters::runs;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use wasp_guest_rt::StreamRead;

/// What a waker does when it is woken, cloned and dropped.
#[derive(Default)]
struct Does {
    wake: RefCell<Option<Box<dyn FnOnce()>>>,
    clone: RefCell<Option<Box<dyn FnOnce()>>>,
    drop: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Does {
    fn run(what: &RefCell<Option<Box<dyn FnOnce()>>>) {
        let what = what.borrow_mut().take();
        if let Some(what) = what {
            what();
        }
    }

    fn wakes(what: impl FnOnce() + 'static) -> (Rc<Does>, Waker) {
        let does = Rc::new(Does::default());
        does.wake.replace(Some(Box::new(what)));
        (does.clone(), waker(does))
    }
}

/// A waker for this thread only.
fn waker(does: Rc<Does>) -> Waker {
    /// # Safety
    /// `data` was made of an `Rc<Does>` that lives for `'a`.
    unsafe fn of<'a>(data: *const ()) -> &'a Does {
        // SAFETY: as the caller promises.
        unsafe { &*data.cast::<Does>() }
    }
    static TABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            // SAFETY: it was made of such an `Rc`, which the waker owns; the clone owns one more.
            unsafe {
                Rc::increment_strong_count(data.cast::<Does>());
                Does::run(&of(data).clone);
            }
            RawWaker::new(data, &TABLE)
        },
        |data| {
            // SAFETY: as above; the waker is used up.
            let does = unsafe { Rc::from_raw(data.cast::<Does>()) };
            Does::run(&does.wake);
        },
        // SAFETY: as above.
        |data| unsafe { Does::run(&of(data).wake) },
        |data| {
            // SAFETY: as above; the waker is used up.
            let does = unsafe { Rc::from_raw(data.cast::<Does>()) };
            Does::run(&does.drop);
        },
    );
    // SAFETY: the functions do what they should, for what the data is; it stays on this thread.
    unsafe { Waker::from_raw(RawWaker::new(Rc::into_raw(does).cast(), &TABLE)) }
}

fn poll_with<F: Future + Unpin>(waker: &Waker, future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

fn panics<T>(f: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(f)).is_err());
}

/// Something that is held until it is dropped by whoever finds it there.
fn held<T: 'static>(value: T) -> (Rc<RefCell<Option<T>>>, impl FnOnce() + 'static) {
    let held = Rc::new(RefCell::new(Some(value)));
    let theirs = held.clone();
    (held, move || drop(theirs.take()))
}

#[test]
fn items_are_in_one_place_when_a_readers_waker_panics() {
    let (mut writer, mut reader) = stream::<String>();
    let mut read = reader.read(Vec::with_capacity(4));
    let (_does, waker) = Does::wakes(|| panic!("a waker"));
    assert!(poll_with(&waker, &mut read).is_pending());
    let mut write = writer.write(vec!["one".into(), "two".into()]);
    panics(|| poll_once(&mut write));
    drop(write);
    assert_eq!(poll_once(&mut read), Poll::Ready((StreamResult::Complete(2), vec!["one".into(), "two".into()])));
}

#[test]
fn items_are_in_one_place_when_a_writers_waker_panics() {
    for ahead in [false, true] {
        let (mut writer, mut reader) = stream::<Token>();
        let mut write = writer.write(Token::many(0..2));
        let (_does, waker) = Does::wakes(|| panic!("a waker"));
        assert!(poll_with(&waker, &mut write).is_pending());
        let got: Vec<Token> = if ahead {
            panics(|| reader.poll_next(&mut Context::from_waker(Waker::noop())));
            let Poll::Ready(Some(token)) = reader.poll_next(&mut Context::from_waker(Waker::noop())) else {
                panic!("nothing was read ahead")
            };
            vec![token]
        } else {
            let mut read = reader.read(Vec::with_capacity(1));
            panics(|| poll_once(&mut read));
            drop(read);
            Vec::new()
        };
        let Poll::Ready((result, rest)) = poll_once(&mut write) else { panic!("nothing was written") };
        assert_eq!((result, rest.remaining()), (StreamResult::Complete(1), 1));
        drop((rest, got));
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Dropped; 2]);
    }
}

#[test]
fn a_slice_is_not_read_after_it_is_gone() {
    runs(async {
        let (mut writer, mut reader) = stream::<u32>();
        let (_does, waker) = Does::wakes(|| panic!("a waker"));
        // One that waits for the writer, and takes nothing.
        let mut read = reader.read(Vec::new());
        assert!(poll_with(&waker, &mut read).is_pending());
        let slice = vec![0x4141; 1000];
        let mut write = Box::pin(writer.write_slice(&slice));
        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(&mut write)));
        assert!(polled.is_err() || polled.is_ok_and(|polled| polled.is_pending()));
        drop(write);
        drop((slice, read));
        let mut read = reader.read(Vec::with_capacity(1000));
        assert!(poll_here(&mut read).await.is_pending());
    });
}

#[test]
fn a_waker_may_drop_the_end_that_it_belongs_to() {
    // The writer goes, and wakes somebody who drops the reader: that frees the channel.
    let (writer, mut reader) = stream::<Token>();
    let (does, waker) = Does::wakes(|| ());
    assert!(reader.poll_next(&mut Context::from_waker(&waker)).is_pending());
    let (_reader, drops) = held(reader);
    does.wake.replace(Some(Box::new(drops)));
    drop(writer);

    // The other way round.
    let (mut writer, reader) = stream::<Token>();
    let (does, waker) = Does::wakes(|| ());
    let mut items = Token::many(0..2);
    assert!(writer.poll_write_from(&mut Context::from_waker(&waker), &mut items).is_pending());
    let (_writer, drops) = held(writer);
    does.wake.replace(Some(Box::new(drops)));
    drop(reader);
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
}

#[test]
fn a_waker_may_drop_its_end_while_the_other_one_copies() {
    let (mut writer, mut reader) = stream::<Token>();
    let (does, waker) = Does::wakes(|| ());
    assert!(reader.poll_next(&mut Context::from_waker(&waker)).is_pending());
    let (_reader, drops) = held(reader);
    does.wake.replace(Some(Box::new(drops)));
    // The first one is the reader's, and dropped with it.
    let Poll::Ready((result, rest)) = poll_once(&mut writer.write(Token::many(0..2))) else { panic!("it waits") };
    assert_eq!((result, rest.remaining()), (StreamResult::Complete(1), 1));
    assert_eq!(poll_once(&mut writer.write_buf(rest)).map(|(result, _)| result), Poll::Ready(StreamResult::Dropped));

    let (mut writer, mut reader) = stream::<Token>();
    let (does, waker) = Does::wakes(|| ());
    let mut items = Token::many(2..5);
    assert!(writer.poll_write_from(&mut Context::from_waker(&waker), &mut items).is_pending());
    let (_writer, drops) = held(writer);
    does.wake.replace(Some(Box::new(drops)));
    // What the writer still has is left to the reader.
    let mut got = Vec::new();
    while let Poll::Ready(Some(token)) = reader.poll_next(&mut Context::from_waker(Waker::noop())) {
        got.push(token.0);
    }
    assert_eq!(got, [2, 3, 4]);
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
}

#[test]
fn a_waker_may_use_the_other_end_of_its_channel() {
    // The reader's waker reads, and asks for more, while the writer writes.
    let (mut writer, reader) = stream::<u32>();
    let reader = Rc::new(RefCell::new(reader));
    let got = Rc::new(RefCell::new(Vec::new()));
    fn read(reader: Rc<RefCell<StreamReader<u32>>>, got: Rc<RefCell<Vec<u32>>>) {
        loop {
            let next = {
                let (reader, got) = (reader.clone(), got.clone());
                Does::wakes(move || read(reader, got))
            };
            match reader.borrow_mut().poll_next(&mut Context::from_waker(&next.1)) {
                Poll::Ready(Some(item)) => got.borrow_mut().push(item),
                _ => return,
            }
        }
    }
    read(reader.clone(), got.clone());
    for item in 0..5 {
        let mut write = writer.write_one(item);
        // SAFETY: it does not move any more.
        assert_eq!(poll_once(&mut unsafe { Pin::new_unchecked(&mut write) }), Poll::Ready(None));
    }
    assert_eq!(*got.borrow(), [0, 1, 2, 3, 4]);
}

#[test]
fn cloning_and_dropping_wakers_may_use_the_other_end() {
    for when in 0..2 {
        let (writer, mut reader) = stream::<u32>();
        let writer = Rc::new(RefCell::new(Some(writer)));
        let theirs = writer.clone();
        let write = move || {
            if let Some(writer) = &mut *theirs.borrow_mut() {
                _ = writer.poll_write_all(&mut Context::from_waker(Waker::noop()), vec![1, 2]);
            }
        };
        let does = Rc::new(Does::default());
        let slot = if when == 0 { &does.clone } else { &does.drop };
        slot.replace(Some(Box::new(write)));
        let waker = waker(does.clone());
        let woken = Rc::new(Cell::new(0));
        let mut got = Vec::new();
        for _ in 0..6 {
            let (count, first) = (woken.clone(), got.is_empty());
            let (_does, other) = Does::wakes(move || count.set(count.get() + 1));
            let waker = if first { &waker } else { &other };
            let read =
                |waker: &Waker, reader: &mut StreamReader<u32>| reader.poll_next(&mut Context::from_waker(waker));
            if let Poll::Ready(Some(item)) = read(waker, &mut reader) {
                got.push(item);
            }
            if let Poll::Ready(Some(item)) = read(&other, &mut reader) {
                got.push(item);
            }
        }
        assert_eq!(got, [1, 2], "{when}");
        drop(writer.take());
        assert_eq!(reader.poll_next(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
    }
}

/// Does something when it is dropped, once.
struct Bomb(Option<Box<dyn FnOnce()>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        if let Some(explode) = self.0.take() {
            explode();
        }
    }
}

wasp_guest_rt::__rt::stream_payload! { Bomb, World, "test", new: "new", read: "read", write: "write",
cancel_read: "cancel-read", cancel_write: "cancel-write", drop_readable: "drop-readable", drop_writable: "drop-writable" }

// SAFETY: it crosses as a number.
unsafe impl<W> wasp_guest_rt::__rt::Abi<W> for Bomb {
    const SHAPE: wasp_guest_rt::__rt::Shape = wasp_guest_rt::__rt::Shape::scalar(4);
}

// SAFETY: it crosses as a number.
unsafe impl<W> wasp_guest_rt::__rt::Lift<W> for Bomb {
    unsafe fn lift<S: wasp_guest_rt::__rt::Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise is the same.
        _ = unsafe { from.u32() };
        Bomb(None)
    }
}

// SAFETY: it crosses as a number.
unsafe impl<W> wasp_guest_rt::__rt::Lower<W> for Bomb {
    unsafe fn lower<S: wasp_guest_rt::__rt::Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise is the same.
        unsafe { to.u32(7) }
    }
    unsafe fn disown(&self) {}
}

fn bomb(explode: impl FnOnce() + 'static) -> Bomb {
    Bomb(Some(Box::new(explode)))
}

#[test]
fn destructors_may_drop_the_other_end() {
    // Of what was read ahead.
    let (mut writer, mut reader) = stream::<Bomb>();
    let other: Rc<RefCell<Option<Box<dyn Any>>>> = Rc::default();
    let explode = {
        let other = other.clone();
        move || drop(other.take())
    };
    let mut items = vec![Bomb(None), Bomb(None), bomb(explode.clone()), Bomb(None)];
    assert!(writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items).is_pending());
    for _ in 0..2 {
        assert!(reader.poll_next(&mut Context::from_waker(Waker::noop())).is_ready());
    }
    other.replace(Some(Box::new(writer)));
    drop(reader);
    assert!(other.borrow().is_none());

    // Of what is left when the reader goes.
    let (mut writer, reader) = stream::<Bomb>();
    let mut items = vec![bomb(explode.clone()), Bomb(None)];
    assert!(writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items).is_pending());
    drop(writer);
    drop(reader);

    // Of what the engine has taken.
    let (mut writer, reader) = stream::<Bomb>();
    let remote = give(reader);
    remote.read(4);
    let mut items = vec![bomb(explode.clone()), Bomb(None)];
    other.replace(Some(Box::new(remote)));
    let written = writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items);
    assert_eq!(written, Poll::Ready(StreamResult::Complete(2)));
    assert!(other.borrow().is_none());
    assert_eq!(
        poll_once(&mut writer.write(vec![Bomb(None)])).map(|(result, _)| result),
        Poll::Ready(StreamResult::Dropped)
    );
    drop(writer);
    nothing_is_left();
}

#[test]
fn a_destructor_that_panics_loses_nothing_but_its_neighbours() {
    let fallen = Rc::new(Cell::new(0));
    let counts = |fallen: &Rc<Cell<u32>>| {
        let fallen = fallen.clone();
        bomb(move || fallen.set(fallen.get() + 1))
    };
    // What a reader has read ahead: `drop_in_place` goes on with the rest.
    let (mut writer, mut reader) = stream::<Bomb>();
    let mut items = vec![bomb(|| panic!("a destructor")), counts(&fallen)];
    assert!(reader.poll_chunk(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items).is_ready());
    assert!(matches!(reader.poll_fill(&mut Context::from_waker(Waker::noop())), Poll::Ready([_, _])));
    panics(|| drop(reader));
    assert_eq!(fallen.get(), 1);
    assert_eq!(
        poll_once(&mut writer.write(vec![Bomb(None)])).map(|(result, _)| result),
        Poll::Ready(StreamResult::Dropped)
    );

    // What is consumed one by one.
    let (mut writer, mut reader) = stream::<Bomb>();
    assert!(reader.poll_chunk(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut items = vec![bomb(|| panic!("a destructor")), counts(&fallen)];
    assert!(writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items).is_ready());
    assert!(matches!(reader.poll_fill(&mut Context::from_waker(Waker::noop())), Poll::Ready([_, _])));
    panics(|| reader.consume(1));
    assert_eq!(reader.buffer().len(), 1);
    reader.consume(1);
    assert_eq!(fallen.get(), 2);

    // What was in the buffer of a read that is abandoned.
    let (mut writer, mut reader) = stream::<Bomb>();
    let mut buf = Vec::with_capacity(4);
    buf.push(bomb(|| panic!("a destructor")));
    let mut read = reader.read(buf);
    assert!(poll_once(&mut read).is_pending());
    let mut items = vec![counts(&fallen)];
    assert!(writer.poll_write_from(&mut Context::from_waker(Waker::noop()), &mut items).is_ready());
    panics(|| drop::<StreamRead<'_, Bomb>>(read));
    assert_eq!(reader.buffer().len(), 1, "what had arrived is there");
    drop(reader);
    assert_eq!(fallen.get(), 3);
}

#[test]
fn a_waker_that_panics_when_the_writer_goes_leaves_an_ended_stream() {
    let (writer, mut reader) = stream::<Token>();
    let (_does, waker) = Does::wakes(|| panic!("a waker"));
    assert!(reader.poll_next(&mut Context::from_waker(&waker)).is_pending());
    panics(|| drop(writer));
    assert!(matches!(reader.poll_next(&mut Context::from_waker(Waker::noop())), Poll::Ready(None)));
}
