//! Streams as people write them: sinks, `AsyncRead` and its like, iterators, streams, async blocks.

use crate::export;
use crate::support::*;
use core::cell::Cell;
use core::pin::Pin;
use futures::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use futures::{SinkExt, StreamExt};
use std::io::ErrorKind;
use std::rc::Rc;
use wasp_guest_rt::__rt::{from_iter, from_stream, produce, stream_new};
use wasp_guest_rt::{ReaderDropped, spawn_local, yield_async};

/// Runs a task to its end.
pub(crate) fn runs(future: impl Future<Output = ()> + 'static) {
    let done = Rc::new(Cell::new(false));
    let flag = done.clone();
    let boxed: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
        future.await;
        flag.set(true);
    });
    let task = export!(boxed);
    run();
    assert!(exited(task) && done.get(), "the task is stuck");
    nothing_is_left();
}

fn reads() -> usize {
    counts().into_iter().find(|(name, _)| *name == "stream.read").map_or(0, |(_, count)| count)
}

#[test]
fn a_sink_writes_many_items_at_a_time_and_ends_when_it_is_closed() {
    runs(async {
        let (writer, reader) = stream::<u32>();
        let closed = Rc::new(Cell::new(false));
        let flag = closed.clone();
        let mut handle = spawn_local(async move {
            let mut sink = writer.into_sink();
            sink.send_all(&mut futures::stream::iter((0..5000).map(Ok))).await.unwrap();
            sink.feed(5000).await.unwrap();
            sink.close().await.unwrap();
            flag.set(true);
            // The reader is at the end although the sink is still there.
            core::future::pending::<()>().await;
            drop(sink);
        });
        let items: Vec<u32> = reader.into_stream().collect().await;
        assert_eq!(items, (0..=5000).collect::<Vec<_>>());
        turn().await;
        assert!(closed.get());
        handle.cancel();
    });
}

#[test]
fn a_sink_tells_that_the_reader_is_gone_and_gives_back_what_was_not_written() {
    runs(async {
        let (writer, reader) = stream::<Token>();
        let mut sink = writer.into_sink();
        sink.feed(Token::new(1)).await.unwrap();
        sink.feed(Token::new(2)).await.unwrap();
        drop(reader);
        assert_eq!(sink.flush().await, Err(ReaderDropped));
        let (_, items) = sink.into_inner();
        assert_eq!(items.iter().map(|token| token.0).collect::<Vec<_>>(), [1, 2]);
    });
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
}

#[test]
fn a_reader_of_bytes_is_an_async_read_for_every_size_of_buffer() {
    for size in [1, 3, 64, 100_000] {
        runs(async move {
            let sent: Vec<u8> = (0..2000u32).map(|n| n as u8).collect();
            let all = sent.clone();
            let (mut writer, mut reader) = stream::<u8>();
            spawn_local(async move { assert!(writer.write_all(all).await.is_empty()) }).detach();
            let (mut got, mut buf) = (Vec::new(), vec![0; size]);
            loop {
                let count = AsyncReadExt::read(&mut reader, &mut buf).await.unwrap();
                if count == 0 {
                    break;
                }
                got.extend_from_slice(&buf[..count]);
            }
            assert_eq!(got, sent);
            assert_eq!(AsyncReadExt::read(&mut reader, &mut []).await.unwrap(), 0);
        });
    }
}

#[test]
fn lines_are_read_from_a_stream_of_bytes() {
    runs(async {
        let reader = from_iter(stream_new::<World, u8>(), b"one\ntwo\nthree".to_vec());
        let lines: Vec<String> = reader.lines().map(Result::unwrap).collect().await;
        assert_eq!(lines, ["one", "two", "three"]);
    });
}

#[test]
fn bytes_are_copied_from_a_reader_to_a_writer_by_their_traits() {
    runs(async {
        let sent: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let source = from_iter(stream_new::<World, u8>(), sent.clone());
        let (mut writer, reader) = stream::<u8>();
        spawn_local(async move {
            assert_eq!(futures::io::copy(source, &mut writer).await.unwrap(), 200_000);
            writer.close().await.unwrap();
        })
        .detach();
        assert_eq!(reader.collect().await, sent);
    });
}

#[test]
fn an_async_write_fails_when_the_reader_is_gone() {
    runs(async {
        let (mut writer, mut reader) = stream::<u8>();
        // This one is in flight.
        assert_eq!(AsyncWriteExt::write(&mut writer, b"ab").await.unwrap(), 2);
        let (result, buf) = reader.read(Vec::with_capacity(1)).await;
        assert_eq!((result, &buf[..]), (StreamResult::Complete(1), &b"a"[..]));
        drop(reader);
        assert_eq!(writer.flush().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert_eq!(AsyncWriteExt::write(&mut writer, b"c").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn an_iterator_is_asked_as_it_is_read_and_dropped_with_its_reader() {
    runs(async {
        let asked = Rc::new(Cell::new(0u32));
        let count = asked.clone();
        let token = Token::new(7);
        let mut reader = from_iter(
            stream_new::<World, u32>(),
            (0u32..).inspect(move |_| {
                let _held = &token;
                count.set(count.get() + 1);
            }),
        );
        for expected in 0..10 {
            assert_eq!(reader.next().await, Some(expected));
        }
        turn().await;
        assert!(asked.get() < 10_000, "{} were made for ten", asked.get());
        drop(reader);
    });
    assert_eq!(fates()[&7], Fate::Dropped);
}

#[test]
fn items_of_a_stream_that_are_there_together_are_passed_on_together() {
    runs(async {
        let (late, fourth) = futures::channel::oneshot::channel();
        let items = futures::stream::iter(0..3).chain(futures::stream::once(async { fourth.await.unwrap() }));
        let remote = give(from_stream(stream_new::<World, u32>(), items));
        remote.read(10);
        turn().await;
        assert_eq!(remote.outcome(), Some((0, 3)));
        remote.read(10);
        late.send(3).unwrap();
        turn().await;
        assert_eq!(remote.outcome().map(|(_, count)| count), Some(1));
    });
}

#[test]
fn what_an_async_block_writes_is_read() {
    runs(async {
        let mut reader = produce(stream_new::<World, String>(), |mut writer| async move {
            for word in ["one", "two"] {
                yield_async().await;
                writer.write_one(word.to_owned()).await;
            }
        });
        assert_eq!(reader.next().await.as_deref(), Some("one"));
        assert_eq!(reader.next().await.as_deref(), Some("two"));
        assert_eq!(reader.next().await, None);
    });
}

#[test]
fn a_reader_that_is_passed_on_is_not_read() {
    let (remote, handle) = Remote::stream::<u8>();
    runs(async move {
        let reader: StreamReader<u8> = lift(handle);
        let taken = give(reader);
        taken.read(3);
        remote.write(b"abc");
        turn().await;
        assert_eq!((taken.outcome(), reads()), (Some((0, 3)), 0));
        drop((remote, taken));
    });
}

#[test]
fn a_slice_is_written_from_where_it_is_when_the_reader_waits() {
    runs(async {
        let (mut writer, reader) = stream::<u8>();
        let remote = give(reader);
        remote.read(4);
        turn().await;
        let bytes = vec![1u8, 2, 3, 4, 5, 6];
        let mut write = Box::pin(writer.write_slice(&bytes));
        // Four are taken at once, the rest is copied and waits.
        assert!(poll_here(&mut write).await.is_pending());
        assert_eq!(remote.outcome(), Some((0, 4)));
        remote.read(9);
        assert_eq!(write.await, 6);
        assert_eq!(remote.outcome(), Some((0, 2)));
        drop(remote);
        assert_eq!(writer.write_slice(&bytes).await, 0);
    });
}
