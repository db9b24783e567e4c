//! What a writer has accepted is delivered, or it is reported that it is not: also when the writer is gone.

use crate::adapters::runs;
use crate::export;
use crate::support::*;
use core::cell::RefCell;
use core::task::Poll;
use futures::io::AsyncWriteExt;
use futures::{FutureExt, SinkExt};
use std::io::ErrorKind;
use std::rc::Rc;
use wasp_guest_rt::{StreamWriter, spawn_local, yield_async};

/// Reads everything that is written elsewhere, at most `chunk` bytes at a time, to the end of the stream.
fn drain(remote: &Remote, chunk: usize) -> Vec<u8> {
    let mut got = Vec::new();
    for _ in 0..100 {
        remote.read(chunk);
        run();
        match remote.outcome() {
            Some((result, count)) => {
                // SAFETY: the items are bytes.
                got.extend(unsafe { remote.items::<u8>(count) });
                if result == 1 {
                    return got;
                }
            }
            None => panic!("the reader waits for something that never comes, after {got:?}"),
        }
    }
    panic!("there is no end")
}

async fn write_two(mut writer: StreamWriter<u8>) {
    AsyncWriteExt::write_all(&mut writer, b"hello, ").await.unwrap();
    AsyncWriteExt::write_all(&mut writer, b"world").await.unwrap();
}

#[test]
fn bytes_that_were_accepted_are_read_elsewhere_when_the_writer_is_gone() {
    for chunk in [1, 5, 100] {
        let (writer, reader) = stream::<u8>();
        let remote = give(reader);
        let task = export!(write_two(writer));
        run();
        assert_eq!(drain(&remote, chunk), b"hello, world");
        assert!(exited(task));
        drop(remote);
        nothing_is_left();
    }
}

#[test]
fn bytes_that_were_accepted_are_read_here_when_the_writer_is_gone() {
    runs(async {
        let (writer, reader) = stream::<u8>();
        let read = spawn_local(reader.collect());
        write_two(writer).await;
        assert_eq!(read.await.unwrap(), b"hello, world");
    });
    runs(async {
        // Nobody reads before the writer is gone.
        let (mut writer, reader) = stream::<u8>();
        AsyncWriteExt::write_all(&mut writer, b"hello").await.unwrap();
        drop(writer);
        assert_eq!(reader.collect().await, b"hello");
    });
}

#[test]
fn bytes_that_were_left_leave_with_the_reader() {
    for read_before in [0, 2] {
        let given = Rc::new(RefCell::new(None));
        let theirs = given.clone();
        let task = export!(async move {
            let (mut writer, mut reader) = stream::<u8>();
            AsyncWriteExt::write_all(&mut writer, b"hello").await.unwrap();
            drop(writer);
            if read_before > 0 {
                let (_, got) = reader.read(Vec::with_capacity(read_before)).await;
                assert_eq!(got, b"hello"[..read_before]);
            }
            theirs.replace(Some(give(reader)));
        });
        run();
        let remote = given.take().unwrap();
        assert_eq!(drain(&remote, 3), b"hello"[read_before..]);
        assert!(exited(task));
        drop(remote);
        nothing_is_left();
    }
}

#[test]
fn bytes_that_were_accepted_are_left_where_no_task_is() {
    let (writer, reader) = stream::<u8>();
    let remote = give(reader);
    let kept = Rc::new(RefCell::new(Some(writer)));
    let theirs = kept.clone();
    export!(async move {
        let mut writer = theirs.take().unwrap();
        AsyncWriteExt::write_all(&mut writer, b"hello").await.unwrap();
        theirs.replace(Some(writer));
    });
    run();
    native::sync_export(|| drop(kept.take()));
    // The next task takes care of it.
    export!(turn());
    run();
    assert_eq!(drain(&remote, 3), b"hello");
    drop(remote);
    nothing_is_left();
}

#[test]
fn what_was_sent_to_a_sink_is_read_when_the_sink_is_gone() {
    for elsewhere in [false, true] {
        for flushing in [false, true] {
            let (writer, reader) = stream::<u8>();
            let (remote, local) = if elsewhere { (Some(give(reader)), None) } else { (None, Some(reader)) };
            let task = export!(async move {
                let mut sink = writer.into_sink();
                sink.feed(1).await.unwrap();
                if flushing {
                    // It is being written, and something else comes after it.
                    assert!(sink.flush().now_or_never().is_none());
                    sink.feed(2).await.unwrap();
                }
                drop(sink);
                if let Some(reader) = local {
                    assert_eq!(reader.collect().await, [1, 2][..1 + usize::from(flushing)]);
                }
            });
            run();
            if let Some(remote) = remote {
                assert_eq!(drain(&remote, 1), [1, 2][..1 + usize::from(flushing)]);
            }
            assert!(exited(task), "{elsewhere} {flushing}");
            nothing_is_left();
        }
    }
}

#[test]
fn what_nobody_reads_any_more_is_dropped() {
    for elsewhere in [false, true] {
        let (writer, reader) = stream::<Token>();
        let (remote, local) = if elsewhere { (Some(give(reader)), None) } else { (None, Some(reader)) };
        let task = export!(async move {
            let mut sink = writer.into_sink();
            sink.feed(Token::new(1)).await.unwrap();
            assert!(sink.flush().now_or_never().is_none());
            sink.feed(Token::new(2)).await.unwrap();
            drop(sink);
            turn().await;
            drop(local);
        });
        run();
        drop(remote);
        run();
        assert!(exited(task));
        assert_eq!(fates().into_values().collect::<Vec<_>>(), [Fate::Dropped; 2]);
        nothing_is_left();
    }
}

#[test]
fn flushing_waits_until_all_was_read_and_closing_does_so_first() {
    for elsewhere in [false, true] {
        let (mut writer, reader) = stream::<u8>();
        let (remote, mut local) = if elsewhere { (Some(give(reader)), None) } else { (None, Some(reader)) };
        let task = export!(async move {
            AsyncWriteExt::write_all(&mut writer, b"abc").await.unwrap();
            assert!(writer.flush().now_or_never().is_none());
            if let Some(reader) = &mut local {
                assert_eq!(reader.read(Vec::with_capacity(2)).await.1, b"ab");
                assert!(writer.flush().now_or_never().is_none());
                assert!(writer.close().now_or_never().is_none());
                assert_eq!(reader.read(Vec::with_capacity(2)).await.1, b"c");
                writer.close().await.unwrap();
                assert_eq!(reader.next().await, None);
            } else {
                writer.close().await.unwrap();
            }
        });
        run();
        if let Some(remote) = remote {
            assert!(!exited(task));
            assert_eq!(drain(&remote, 2), b"abc");
        }
        assert!(exited(task));
        nothing_is_left();
    }
}

#[test]
fn a_write_comes_after_what_was_accepted_before() {
    for elsewhere in [false, true] {
        let (mut writer, reader) = stream::<u8>();
        let (remote, local) = if elsewhere { (Some(give(reader)), None) } else { (None, Some(reader)) };
        let task = export!(async move {
            AsyncWriteExt::write_all(&mut writer, b"abc").await.unwrap();
            let read = local.map(|reader| spawn_local(reader.collect()));
            // One that is given up while it waits for the other writes nothing.
            let mut never = writer.write(b"never".to_vec());
            assert!(poll_here(&mut never).await.is_pending());
            drop(never);
            assert_eq!(writer.write_slice(b"def").await, 3);
            AsyncWriteExt::write_all(&mut writer, b"ghi").await.unwrap();
            assert!(writer.write_all(b"jkl".to_vec()).await.is_empty());
            drop(writer);
            if let Some(read) = read {
                assert_eq!(read.await.unwrap(), b"abcdefghijkl");
            }
        });
        run();
        if let Some(remote) = remote {
            assert_eq!(drain(&remote, 2), b"abcdefghijkl");
        }
        assert!(exited(task));
        nothing_is_left();
    }
}

#[test]
fn it_is_reported_that_what_was_accepted_is_not_read() {
    runs(async {
        let (mut writer, reader) = stream::<u8>();
        AsyncWriteExt::write_all(&mut writer, b"abc").await.unwrap();
        drop(reader);
        let (result, rest) = writer.write(vec![1, 2]).await;
        assert_eq!((result, rest.into_vec()), (StreamResult::Dropped, vec![1, 2]));
        assert_eq!(writer.flush().await.map_err(|error| error.kind()), Ok(()), "it was told of before");
    });
    runs(async {
        let (mut writer, mut reader) = stream::<u8>();
        AsyncWriteExt::write_all(&mut writer, b"abc").await.unwrap();
        assert_eq!(reader.read(Vec::with_capacity(1)).await.1, b"a");
        drop(reader);
        assert_eq!(writer.close().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_pending_write_of_a_poll_function_is_left_as_well() {
    runs(async {
        let (mut writer, mut reader) = stream::<Token>();
        let mut items = Token::many(0..3);
        let polled = core::future::poll_fn(|cx| Poll::Ready(writer.poll_write_from(cx, &mut items))).await;
        assert!(polled.is_pending());
        drop(writer);
        yield_async().await;
        let mut got = Vec::new();
        while let Some(token) = reader.next().await {
            got.push(token.0);
        }
        assert_eq!(got, [0, 1, 2]);
    });
    assert!(fates().values().all(|fate| *fate == Fate::Dropped));
}
