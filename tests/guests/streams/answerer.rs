//! The other side of the driver's streams.

use exports::wasp::streams::partner::Guest;
use std::cell::RefCell;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use wasp_guest_rt::{FutureRead, FutureReader, FutureWrite, StreamReader, StreamWriter, spawn_local};

wasp_guest_rt::generate!({ path: "../guests/streams/streams.wit", world: "answerer" });

#[path = "../memory.rs"]
mod memory;

struct Answerer;

export!(Answerer);

#[derive(Default)]
struct Held {
    reader: Option<StreamReader<String>>,
    read: Option<FutureRead<String>>,
    writer: Option<StreamWriter<String>>,
    write: Option<FutureWrite<String>>,
}

thread_local!(static HELD: RefCell<Held> = RefCell::default());

impl Guest for Answerer {
    async fn sum(mut s: StreamReader<u32>) -> u32 {
        let mut sum = 0;
        while let Some(item) = s.next().await {
            sum += item;
        }
        sum
    }

    async fn count(n: u32, chunk: u32) -> StreamReader<u32> {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            let items: Vec<_> = (0..n).collect();
            for items in items.chunks(chunk as usize) {
                if !writer.write_all(items.to_vec()).await.is_empty() {
                    return;
                }
            }
        });
        reader
    }

    async fn upper(mut s: StreamReader<String>) -> StreamReader<String> {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            while let Some(item) = s.next().await {
                if writer.write_one(item.to_uppercase()).await.is_some() {
                    return;
                }
            }
        });
        reader
    }

    fn back(s: StreamReader<String>) -> StreamReader<String> {
        s
    }

    async fn skip(mut s: StreamReader<u32>, n: u32) -> StreamReader<u32> {
        for _ in 0..n {
            s.next().await;
        }
        s
    }

    async fn hold_reader(mut s: StreamReader<String>, f: FutureReader<String>) {
        let mut read = f.into_future();
        poll_fn(|cx| {
            assert!(s.poll_next(cx).is_pending());
            assert!(Pin::new(&mut read).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        HELD.with_borrow_mut(|held| (held.reader, held.read) = (Some(s), Some(read)));
    }

    async fn hold_writer() -> (StreamReader<String>, FutureReader<String>) {
        let (writer, reader) = wit_stream::new();
        let (future_writer, future_reader) = wit_future::new(|| "default".into());
        // Once the readers have gone.
        spawn_local(async move {
            let (mut writer, mut write) = (writer, future_writer.write("value".into()));
            poll_fn(|cx| {
                assert!(writer.poll_write_from(cx, &mut vec!["item".into(); 3]).is_pending());
                assert!(Pin::new(&mut write).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            HELD.with_borrow_mut(|held| (held.writer, held.write) = (Some(writer), Some(write)));
        });
        (reader, future_reader)
    }

    async fn accept() -> StreamReader<String> {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move {
            poll_fn(|cx| {
                assert!(writer.poll_write_from(cx, &mut vec!["item".into(); 3]).is_pending());
                Poll::Ready(())
            })
            .await;
        });
        reader
    }

    fn let_go() {
        drop(HELD.take());
    }

    async fn refuse(f: FutureReader<StreamReader<String>>) {
        drop(f);
    }

    fn live() -> u32 {
        memory::live()
    }
}
