//! The guest of the bench of hosts.

use exports::wasp::host_bench::api::Guest;
use wasp::host_bench::backend;
use wasp::host_bench::types::{Item, Point};
use wasp_guest_rt::{StreamReader, StreamResult};

wasp_guest_rt::generate!({ path: "../benches/host.wit", world: "bench" });

const PIECE: usize = 64 * 1024;

struct Bench;

export!(Bench);

impl Guest for Bench {
    fn add(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    async fn add_later(a: u32, b: u32) -> u32 {
        a.wrapping_add(b)
    }

    async fn wait() -> u32 {
        backend::pending().await
    }

    fn bytes(bytes: Vec<u8>) -> u32 {
        bytes.len() as u32
    }

    fn text(text: String) -> u32 {
        text.len() as u32
    }

    fn points(points: Vec<Point>) -> u32 {
        points.len() as u32
    }

    fn items(items: Vec<Item>) -> u32 {
        items.len() as u32
    }

    fn call_tick(times: u32) -> u32 {
        (0..times).map(backend::tick).fold(0, u32::wrapping_add)
    }

    async fn call_tick_later(times: u32) -> u32 {
        let mut sum = 0_u32;
        for i in 0..times {
            sum = sum.wrapping_add(backend::tick_later(i).await);
        }
        sum
    }

    fn call_bytes(n: u32, times: u32) -> u32 {
        let bytes = vec![1; n as usize];
        (0..times).map(|_| backend::bytes(&bytes)).fold(0, u32::wrapping_add)
    }

    fn call_text(n: u32, times: u32) -> u32 {
        let text = "x".repeat(n as usize);
        (0..times).map(|_| backend::text(&text)).fold(0, u32::wrapping_add)
    }

    fn call_points(n: u32, times: u32) -> u32 {
        let points: Vec<_> = (0..n).map(|x| Point { x, y: 1 }).collect();
        (0..times).map(|_| backend::points(&points)).fold(0, u32::wrapping_add)
    }

    fn call_items(n: u32, times: u32) -> u32 {
        let items: Vec<_> = (0..n).map(|id| Item { id, name: "a name".into() }).collect();
        (0..times).map(|_| backend::items(&items)).fold(0, u32::wrapping_add)
    }

    async fn drain(mut bytes: StreamReader<u8>) -> u64 {
        let (mut buffer, mut count) = (Vec::with_capacity(PIECE), 0);
        loop {
            let (result, read) = bytes.read(buffer).await;
            count += read.len() as u64;
            if result == StreamResult::Dropped {
                return count;
            }
            buffer = read;
            buffer.clear();
        }
    }

    async fn fill(pieces: u32) -> u64 {
        let (mut writer, reader) = wit_stream::new::<u8>();
        let write = async move {
            let piece = vec![1; PIECE];
            for _ in 0..pieces {
                writer.write_slice(&piece).await;
            }
        };
        futures::join!(backend::take_bytes(reader), write).0
    }

    async fn pass(mut bytes: StreamReader<u8>) -> u64 {
        let (mut writer, reader) = wit_stream::new::<u8>();
        let pass = async move {
            let mut buffer = Vec::with_capacity(PIECE);
            loop {
                let (result, read) = bytes.read(buffer).await;
                writer.write_slice(&read).await;
                if result == StreamResult::Dropped {
                    return;
                }
                buffer = read;
                buffer.clear();
            }
        };
        futures::join!(backend::take_bytes(reader), pass).0
    }

    async fn drain_points(mut points: StreamReader<Point>) -> u64 {
        let mut sum = 0;
        while let Some(chunk) = points.next_chunk().await {
            sum += chunk.iter().map(|point| u64::from(point.y)).sum::<u64>();
        }
        sum
    }

    async fn fill_points(n: u32) -> u64 {
        let (mut writer, reader) = wit_stream::new::<Point>();
        let write = async move {
            for start in (0..n).step_by(4096) {
                writer.write_all((start..n.min(start + 4096)).map(|x| Point { x, y: 1 }).collect()).await;
            }
        };
        futures::join!(backend::take_points(reader), write).0
    }
}
