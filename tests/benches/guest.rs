//! The guest that the bench measures, written for both sides: the least a user would write for each case.

#[cfg(feature = "counted")]
mod counted;

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use futures::future::join_all;
use std::cell::RefCell;
use std::task::Waker;
use wasp_guest_rt::{StreamReader, StreamResult, yield_async};

#[cfg(feature = "borrowed")]
wasp_guest_rt::generate!({ path: "../benches/bench.wit", world: "bench", borrowed_async_params });
#[cfg(not(feature = "borrowed"))]
wasp_guest_rt::generate!({ path: "../benches/bench.wit", world: "bench", runtime_path: "wasp_guest_rt::rt" });

use exports::wasp::bench::api::{Guest, Point};
use wasp::bench::backend;

const PIECE: usize = 64 * 1024;

std::thread_local! {
    static SLEEPER: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

struct Bench;

impl Guest for Bench {
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
        let mut sum = 0_u32;
        for i in 0..n {
            sum = sum.wrapping_add(backend::ready(i).await);
        }
        sum
    }

    async fn call_later(n: u32) -> u32 {
        let mut sum = 0_u32;
        for i in 0..n {
            sum = sum.wrapping_add(backend::later(i).await);
        }
        sum
    }

    async fn call_sum(n: u32) -> u64 {
        let kept = vec![1_u8; PIECE];
        let mut sum = 0;
        for _ in 0..n {
            #[cfg(feature = "borrowed")]
            let bytes = &kept;
            #[cfg(not(feature = "borrowed"))]
            let bytes = kept.clone();
            sum += backend::sum(bytes).await;
        }
        sum
    }

    async fn join_later(n: u32) -> u32 {
        join_all((0..n).map(backend::later)).await.into_iter().fold(0, u32::wrapping_add)
    }

    async fn poll_later(n: u32) -> u32 {
        let mut calls: Box<[_]> = (0..n).map(|i| Some(backend::later(i))).collect();
        let (mut sum, mut left) = (0_u32, n);
        poll_fn(|cx| {
            for slot in &mut calls {
                if let Some(call) = slot {
                    // SAFETY: calls stay where they are in the slice until they are over, and dropped there.
                    if let Poll::Ready(value) = unsafe { Pin::new_unchecked(call) }.poll(cx) {
                        (*slot, sum, left) = (None, sum.wrapping_add(value), left - 1);
                    }
                }
            }
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        sum
    }

    async fn wake(n: u32, wakes: bool) -> u32 {
        for _ in 0..n {
            if wakes {
                let sleeper = loop {
                    match SLEEPER.take() {
                        Some(sleeper) => break sleeper,
                        None => yield_async().await,
                    }
                };
                sleeper.wake();
            } else {
                let mut asleep = false;
                poll_fn(|cx| {
                    if asleep && SLEEPER.with_borrow(Option::is_none) {
                        return Poll::Ready(());
                    }
                    asleep = true;
                    SLEEPER.set(Some(cx.waker().clone()));
                    Poll::Pending
                })
                .await;
            }
        }
        n
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
        let write = async move {
            let mut piece = vec![1_u8; PIECE];
            for _ in 0..pieces {
                piece = writer.write(piece).await.1.into_vec();
                // What was written is gone. Its bytes are still there, and which ones does not matter here.
                // SAFETY: the capacity is that of the first piece, whose bytes nobody has overwritten.
                unsafe { piece.set_len(PIECE) }
            }
        };
        futures::join!(backend::take(reader), write).0
    }

    async fn read_points(mut points: StreamReader<Point>) -> u64 {
        let mut sum = 0;
        while let Some(point) = points.next().await {
            sum += u64::from(point.x);
        }
        sum
    }

    fn built_ins() -> u64 {
        // Not to be found equal to another function, and merged with it: the bench replaces the body.
        core::hint::black_box(0x6275_696c)
    }

    fn allocations() -> u64 {
        #[cfg(feature = "counted")]
        return counted::allocations();
        #[cfg(not(feature = "counted"))]
        0
    }
}

export!(Bench);
