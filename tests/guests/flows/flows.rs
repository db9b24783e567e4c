//! Streams to and from the host.

use wasp::flows::backend::{self, Conn, Response};
use wasp_guest_rt::{FutureReader, ResultStream, StreamReader, spawn_local};

wasp_guest_rt::generate!({ path: "../guests/flows/flows.wit", world: "flows" });

struct Flows;

export!(Flows);

impl Guest for Flows {
    async fn sum(mut numbers: StreamReader<u32>) -> u64 {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += u64::from(number);
        }
        sum
    }

    async fn sum_points(mut points: StreamReader<Point>) -> u64 {
        let mut sum = 0;
        while let Some(point) = points.next().await {
            sum += u64::from(point.x) + u64::from(point.y);
        }
        sum
    }

    async fn count_bytes(mut bytes: StreamReader<u8>) -> u64 {
        let mut count = 0;
        while let Some(chunk) = bytes.next_chunk().await {
            count += chunk.len() as u64;
        }
        count
    }

    async fn shout(mut bytes: StreamReader<u8>) -> StreamReader<u8> {
        wit_stream::produce(|mut writer| async move {
            while let Some(mut chunk) = bytes.next_chunk().await {
                chunk.make_ascii_uppercase();
                if !writer.write_all(chunk).await.is_empty() {
                    return;
                }
            }
        })
    }

    async fn numbers(n: u32) -> StreamReader<u32> {
        wit_stream::from_iter(0..n)
    }

    async fn endless() -> (StreamReader<u32>, FutureReader<u32>) {
        let (mut writer, reader) = wit_stream::new();
        let (written, result) = wit_future::new(|| 0);
        spawn_local(async move {
            let mut number = 0;
            while writer.write_one(number).await.is_none() {
                number += 1;
            }
            written.write_and_forget(number);
        })
        .detach();
        (reader, result)
    }

    async fn back(numbers: StreamReader<u32>) -> StreamReader<u32> {
        numbers
    }

    async fn later(x: u32) -> FutureReader<u32> {
        let (writer, reader) = wit_future::new(|| 0);
        spawn_local(async move {
            wasp_guest_rt::yield_async().await;
            writer.write_and_forget(x);
        })
        .detach();
        reader
    }

    async fn plus(x: FutureReader<u32>, y: u32) -> u32 {
        x.await + y
    }

    async fn forward(n: u32) -> u64 {
        backend::take(backend::numbers(n)).await
    }

    async fn send(n: u32, some: Option<u32>) -> u64 {
        let numbers = wit_stream::from_iter(0..n);
        match some {
            Some(some) => backend::take_some(numbers, some).await,
            None => backend::take(numbers).await,
        }
    }

    async fn send_bytes(n: u32) -> u64 {
        backend::take_bytes(wit_stream::from_iter((0..n).map(|n| n as u8))).await
    }

    async fn send_points(n: u32) -> u64 {
        backend::take_points(wit_stream::from_iter((0..n).map(|x| Point { x, y: 1 }))).await
    }

    async fn refused() -> u32 {
        let (mut writer, reader) = wit_stream::new();
        backend::refuse(reader);
        let left = writer.write_all((0..100).collect()).await;
        left.len() as u32
    }

    async fn waits(x: u32) -> u32 {
        let (writer, reader) = wit_future::new(|| 0);
        let (first, second) = futures::join!(backend::wait(reader), async {
            writer.write(x).await.is_ok().then_some(()).expect("the host reads");
            backend::later(x).await
        });
        first + second
    }

    async fn names(n: u32) -> Vec<String> {
        let mut items = backend::items(n).await;
        let mut names = Vec::new();
        while let Some(item) = items.next().await {
            names.push(format!("{} {}", item.id, item.name));
        }
        names
    }

    async fn read(n: u32, fails: bool) -> Result<u64, String> {
        let Response { body, ended } = backend::fetch(n, fails).await;
        let mut body = ResultStream::from((body, ended));
        let mut count = 0;
        while let Some(chunk) = body.next_chunk().await? {
            count += chunk.len() as u64;
        }
        Ok(count)
    }

    async fn conns(n: u32) -> u32 {
        (0..n).map(|n| Conn::new(n).get()).fold(0, u32::wrapping_add)
    }

    async fn hang() {
        backend::never().await;
    }

    async fn trap() {
        panic!("as asked");
    }

    async fn echo(text: String) -> String {
        text
    }
}
