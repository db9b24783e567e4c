//! What is lowered into a stream or a future: code of users runs before or after that, never in the middle.

use crate::export;
use crate::support::*;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use wasp_guest_rt::{__rt, FutureRead};

__rt::stream_payload! { FutureReader<u32>, World, "test", new: "new", read: "read", write: "write",
cancel_read: "cancel-read", cancel_write: "cancel-write", drop_readable: "drop-readable",
drop_writable: "drop-writable" }
__rt::future_payload! { FutureReader<u32>, World, "test", new: "new", read: "read", write: "write",
cancel_read: "cancel-read", cancel_write: "cancel-write", drop_readable: "drop-readable",
drop_writable: "drop-writable" }

thread_local! {
    static OUTER: RefCell<Option<FutureRead<FutureReader<u32>>>> = const { RefCell::new(None) };
    static ITEMS: RefCell<Option<StreamReader<FutureReader<u32>>>> = const { RefCell::new(None) };
    static STREAMS: RefCell<Option<StreamReader<StreamReader<u8>>>> = const { RefCell::new(None) };
    static MADE: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_default_may_read_and_drop_the_future_that_its_reader_is_written_to() {
    fn default() -> u32 {
        MADE.set(MADE.get() + 1);
        if let Some(mut read) = OUTER.take()
            && let Poll::Ready(inner) = poll_once(&mut read)
        {
            drop(inner);
        }
        1
    }
    let task = export!(async {
        let (outer_writer, outer) = future::<FutureReader<u32>>(|| unreachable!());
        // It is lowered, and comes back.
        assert_ne!(offer(&outer), 0);
        OUTER.set(Some(outer.into_future()));
        let (writer, inner) = future::<u32>(default);
        drop(writer);
        outer_writer.write_and_forget(inner);
        assert_eq!(MADE.take(), 1);
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

#[test]
fn a_default_may_read_the_stream_that_its_reader_is_written_to() {
    fn default() -> u32 {
        MADE.set(MADE.get() + 1);
        if let Some(mut reader) = ITEMS.take() {
            let polled = reader.poll_next(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Some(_))), "it was written");
            ITEMS.set(Some(reader));
        }
        1
    }
    let task = export!(async {
        let (mut items, reader) = stream::<FutureReader<u32>>();
        assert_ne!(offer(&reader), 0);
        ITEMS.set(Some(reader));
        let (writer, inner) = future::<u32>(default);
        drop(writer);
        let mut write = items.write(vec![inner]);
        drop(poll_here(&mut write).await);
        assert_eq!(MADE.take(), 1);
        drop(write);
        drop(ITEMS.take());
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

/// Reads from the stream of streams when it is dropped.
struct Reads;

impl std::task::Wake for Reads {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Reads {
    fn drop(&mut self) {
        if let Some(mut reader) = STREAMS.take() {
            let polled = reader.poll_next(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Ready(Some(_))), "it was written");
            MADE.set(MADE.get() + 1);
            STREAMS.set(Some(reader));
        }
    }
}

#[test]
fn a_waker_of_a_reader_may_read_the_stream_that_the_reader_is_written_to() {
    let task = export!(async {
        let (mut items, reader) = stream::<StreamReader<u8>>();
        assert_ne!(offer(&reader), 0);
        STREAMS.set(Some(reader));
        // The reader waits, and stops when it is written.
        let (inner_writer, mut inner) = stream::<u8>();
        let waker = Waker::from(Arc::new(Reads));
        assert!(inner.poll_next(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let mut write = items.write(vec![inner]);
        drop(poll_here(&mut write).await);
        assert_eq!(MADE.take(), 1);
        drop(write);
        drop(STREAMS.take());
        drop(inner_writer);
    });
    run();
    assert!(exited(task));
    nothing_is_left();
}

/// How many copies were cancelled.
fn cancels() -> usize {
    counts().into_iter().filter(|(name, _)| name.contains("cancel")).map(|(_, count)| count).sum()
}

#[test]
fn a_reader_that_waits_for_the_engine_is_written_without_waiting() {
    let task = export!(async {
        let (mut items, reader) = stream::<StreamReader<u8>>();
        let outer = give(reader);
        // It comes from elsewhere, and reads.
        let (from, handle) = Remote::stream::<u8>();
        let mut inner = lift::<StreamReader<u8>>(handle);
        assert!(inner.poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
        let cancels = cancels();
        let mut write = items.write(vec![inner]);
        drop(poll_here(&mut write).await);
        assert_eq!(self::cancels(), cancels, "nothing was cancelled in the middle of the write");
        drop((write, outer, from));
    });
    run();
    assert!(exited(task));
}

#[test]
fn a_default_is_written_before_the_call_that_its_reader_is_lowered_for() {
    native::sync_export(|| {
        let (writer, reader) = future::<u32>(|| {
            MADE.set(MADE.get() + 1);
            7
        });
        drop(writer);
        assert_eq!(MADE.get(), 0);
        let remote = give(reader);
        assert_eq!(MADE.take(), 1);
        drop(remote);
    });
    run();
}
