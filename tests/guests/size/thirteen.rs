//! Thirteen functions, of which each does the least: what is measured is what the bindings and the runtime add.

use exports::wasp::size::api::{Guest, Point};
use wasp::size::backend;
use wasp_guest_rt::{StreamReader, StreamResult};

wasp_guest_rt::generate!({ path: "../guests/size/size.wit", world: "thirteen", runtime_path: "wasp_guest_rt::rt" });

const PIECE: usize = 64 * 1024;

struct Size;

export!(Size);

impl Guest for Size {
    async fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    async fn echo_string(text: String) -> String {
        text
    }

    async fn echo_points(points: Vec<Point>) -> Vec<Point> {
        points
    }

    async fn call_ready(n: u32) -> u32 {
        backend::ready(n).await
    }

    async fn call_later(n: u32) -> u32 {
        backend::later(n).await
    }

    async fn call_sum(n: u32) -> u64 {
        backend::sum(vec![1; n as usize]).await
    }

    async fn read_bytes(mut bytes: StreamReader<u8>) -> u64 {
        let (mut buffer, mut sum) = (Vec::with_capacity(PIECE), 0);
        loop {
            let (result, read) = bytes.read(buffer).await;
            sum += read.len() as u64;
            if result == StreamResult::Dropped {
                return sum;
            }
            buffer = read;
            buffer.clear();
        }
    }

    async fn write_bytes(pieces: u32) -> u64 {
        let (mut writer, reader) = wit_stream::new::<u8>();
        let mut write = core::pin::pin!(async move {
            for _ in 0..pieces {
                writer.write_all(vec![1; PIECE]).await;
            }
        });
        let mut taken = core::pin::pin!(backend::take(reader));
        let mut written = false;
        core::future::poll_fn(|cx| {
            written = written || write.as_mut().poll(cx).is_ready();
            taken.as_mut().poll(cx)
        })
        .await
    }

    async fn read_points(mut points: StreamReader<Point>) -> u64 {
        let mut sum = 0;
        while let Some(point) = points.next().await {
            sum += u64::from(point.x);
        }
        sum
    }
}
