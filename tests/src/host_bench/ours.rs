//! The embedder over this project's bindings.

use super::Case;
use crate::engine::traced;
use anyhow::Result;
use bytes::Bytes;
use futures::stream::{self, FuturesUnordered, StreamExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wasp::host_bench::backend;
use wasp::host_bench::types::{Item, Point};
use wasp_host_rt::{Cx, Handle, InStream};

wasp_host_rt::generate!({ path: "benches/host.wit", world: "bench" });

/// What the host has: how it takes streams.
#[derive(Default)]
struct Host {
    in_place: bool,
}

impl backend::Host for Host {
    fn tick(&mut self, x: u32) -> u32 {
        x
    }

    async fn tick_later(_: Cx<'_, Self>, x: u32) -> u32 {
        x
    }

    async fn pending(_: Cx<'_, Self>) -> u32 {
        tokio::task::yield_now().await;
        1
    }

    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        bytes.len() as u32
    }

    fn text(&mut self, text: &str) -> u32 {
        text.len() as u32
    }

    fn points(&mut self, points: Vec<Point>) -> u32 {
        points.len() as u32
    }

    fn items(&mut self, items: Vec<Item>) -> u32 {
        items.len() as u32
    }

    async fn take_bytes(cx: Cx<'_, Self>, mut bytes: InStream<u8>) -> u64 {
        if !cx.with(|host| host.in_place) {
            let mut count = 0;
            while let Some(chunk) = bytes.next_chunk().await {
                count += chunk.len() as u64;
            }
            return count;
        }
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        bytes
            .for_each_chunk(move |_, bytes| {
                counted.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                Poll::Ready(Some(bytes.len()))
            })
            .await;
        count.load(Ordering::Relaxed)
    }

    async fn take_points(_: Cx<'_, Self>, mut points: InStream<Point>) -> u64 {
        let mut sum = 0;
        while let Some(batch) = points.next_batch().await {
            sum += batch.iter().map(|point| u64::from(point.y)).sum::<u64>();
        }
        sum
    }
}

/// An instance, and its store.
pub(super) struct Embedder {
    store: Store<Host>,
    bench: Bench,
}

impl Embedder {
    pub(super) async fn new(engine: &Engine, component: &Component) -> Result<Embedder> {
        let mut linker = Linker::new(engine);
        traced(Bench::add_to_linker(&mut linker, |host: &mut Host| host))?;
        let mut store = Store::new(engine, Host::default());
        let bench = traced(Bench::instantiate_async(&mut store, component, &linker).await)?;
        Ok(Embedder { store, bench })
    }

    /// Does something so often. A handle has the store meanwhile, so that it goes and comes back.
    pub(super) async fn run(mut self, case: Case, times: u32) -> wasmtime::Result<Embedder> {
        let api = self.bench.wasp_host_bench_api().clone();
        let store = &mut self.store;
        match case {
            Case::Call => {
                for i in 0..times {
                    api.add(&mut *store, i, 1).await?;
                }
            }
            Case::CallAsync => {
                let called = store.run_concurrent(async |accessor| {
                    for i in 0..times {
                        api.add_later_concurrent(accessor, i, 1).await?;
                    }
                    wasmtime::error::Ok(())
                });
                called.await??;
            }
            Case::Import => _ = api.call_tick(store, times).await?,
            Case::ImportAsync => _ = api.call_tick_later(store, times).await?,
            Case::BytesIn(n) => _ = api.call_bytes(store, n, times).await?,
            Case::TextIn(n) => _ = api.call_text(store, n, times).await?,
            Case::PointsIn(n) => _ = api.call_points(store, n, times).await?,
            Case::ItemsIn(n) => _ = api.call_items(store, n, times).await?,
            Case::BytesOut(n) => {
                let bytes = vec![1; n as usize];
                for _ in 0..times {
                    api.bytes(&mut *store, &bytes).await?;
                }
            }
            Case::TextOut(n) => {
                let text = "x".repeat(n as usize);
                for _ in 0..times {
                    api.text(&mut *store, &text).await?;
                }
            }
            Case::PointsOut(n) => {
                let points: Vec<_> = (0..n).map(|x| Point { x, y: 1 }).collect();
                for _ in 0..times {
                    api.points(&mut *store, &points).await?;
                }
            }
            Case::ItemsOut(n) => {
                let items: Vec<_> = (0..n).map(|id| Item { id, name: "a name".into() }).collect();
                for _ in 0..times {
                    api.items(&mut *store, &items).await?;
                }
            }
            Case::PointStreamOut(n) => {
                let points = InStream::new(stream::iter((0..n).map(|x| Point { x, y: 1 })));
                assert_eq!(api.drain_points(store, points).await?, u64::from(n));
            }
            Case::PointStreamIn(n) => assert_eq!(api.fill_points(store, n).await?, u64::from(n)),
            Case::ReaderOut(n) => {
                let bytes = InStream::from_reader(Ones(u64::from(n) << 16));
                assert_eq!(api.drain(store, bytes).await?, u64::from(n) << 16);
            }
            Case::ChunksOut(n) => {
                let piece = Bytes::from(vec![1; 64 * 1024]);
                let bytes = InStream::from_chunks(stream::iter((0..n).map(move |_| piece.clone())));
                assert_eq!(api.drain(store, bytes).await?, u64::from(n) << 16);
            }
            Case::ChunksIn(n) | Case::InPlaceIn(n) => {
                store.data_mut().in_place = matches!(case, Case::InPlaceIn(_));
                assert_eq!(api.fill(store, n).await?, u64::from(n) << 16);
            }
            Case::Pass(n) | Case::PassInPlace(n) => {
                store.data_mut().in_place = matches!(case, Case::PassInPlace(_));
                let piece = Bytes::from(vec![1; 64 * 1024]);
                let bytes = InStream::from_chunks(stream::iter((0..n).map(move |_| piece.clone())));
                assert_eq!(api.pass(store, bytes).await?, u64::from(n) << 16);
            }
            Case::Together(n) => return self.together(n).await,
            Case::Instantiate => {}
        }
        Ok(self)
    }

    async fn together(self, n: u32) -> wasmtime::Result<Embedder> {
        let api = self.bench.wasp_host_bench_api().clone();
        let (handle, driver) = Handle::new(self.store);
        let driver = tokio::spawn(driver);
        let calls: FuturesUnordered<_> = (0..n)
            .map(|_| {
                let (handle, api) = (handle.clone(), api.clone());
                tokio::spawn(async move { api.wait_concurrent(&handle).await })
            })
            .collect();
        drop(handle);
        let sum = calls.fold(0, async |sum, call| sum + call.ok().and_then(Result::ok).unwrap_or_default()).await;
        assert_eq!(sum, n);
        Ok(Embedder { store: driver.await??, bench: self.bench })
    }
}

/// A reader with so many bytes.
struct Ones(u64);

impl tokio::io::AsyncRead for Ones {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let room = buffer.initialize_unfilled();
        let count = room.len().min(self.0 as usize);
        room[..count].fill(1);
        buffer.advance(count);
        self.0 -= count as u64;
        Poll::Ready(Ok(()))
    }
}
