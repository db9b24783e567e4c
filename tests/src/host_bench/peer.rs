//! What ours is compared with: the embedder over `bindgen!`, with streams as one writes them by hand.

use super::Case;
use crate::engine::traced;
use anyhow::Result;
use futures::stream::{FuturesUnordered, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use wasmtime::component::{
    Access, Accessor, Component, Destination, HasSelf, Linker, Source, StreamConsumer, StreamProducer, StreamReader,
    StreamResult,
};
use wasmtime::{Engine, Store, StoreContextMut};
use wasp::host_bench::backend;
use wasp::host_bench::types::{self, Item, Point};

wasmtime::component::bindgen!({ path: "benches/host.wit", world: "bench", exports: { default: async } });

#[derive(Default)]
struct Host;

impl types::Host for Host {}

impl backend::Host for Host {
    fn tick(&mut self, x: u32) -> u32 {
        x
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> u32 {
        bytes.len() as u32
    }

    fn text(&mut self, text: String) -> u32 {
        text.len() as u32
    }

    fn points(&mut self, points: Vec<Point>) -> u32 {
        points.len() as u32
    }

    fn items(&mut self, items: Vec<Item>) -> u32 {
        items.len() as u32
    }
}

impl<T: Send> backend::HostWithStore<T> for HasSelf<Host> {
    async fn tick_later(_: &Accessor<T, Self>, x: u32) -> u32 {
        x
    }

    async fn pending(_: &Accessor<T, Self>) -> u32 {
        tokio::task::yield_now().await;
        1
    }

    async fn take_bytes(accessor: &Accessor<T, Self>, bytes: StreamReader<u8>) -> u64 {
        let (told, total) = oneshot::channel();
        let piped = accessor.with(|store: Access<'_, T, Self>| bytes.pipe(store, Bytes { count: 0, told: Some(told) }));
        if piped.is_err() {
            return 0;
        }
        total.await.unwrap_or_default()
    }

    async fn take_points(accessor: &Accessor<T, Self>, points: StreamReader<Point>) -> u64 {
        let (told, total) = oneshot::channel();
        let consumer = Points { sum: 0, batch: Vec::new(), told: Some(told) };
        if accessor.with(|store: Access<'_, T, Self>| points.pipe(store, consumer)).is_err() {
            return 0;
        }
        total.await.unwrap_or_default()
    }
}

/// Counts bytes where they are.
struct Bytes {
    count: u64,
    told: Option<oneshot::Sender<u64>>,
}

impl<D> StreamConsumer<D> for Bytes {
    type Item = u8;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        source: Source<'_, u8>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let mut direct = source.as_direct(store);
        let count = direct.remaining().len();
        direct.mark_read(count);
        self.count += count as u64;
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            // Nobody waits for it when the call is gone.
            _ = told.send(self.count);
        }
    }
}

/// Adds up records, a batch at a time.
struct Points {
    sum: u64,
    batch: Vec<Point>,
    told: Option<oneshot::Sender<u64>>,
}

impl<D> StreamConsumer<D> for Points {
    type Item = Point;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: Source<'_, Point>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let count = source.remaining(&mut store);
        let this = &mut *self;
        this.batch.reserve(count);
        source.read(store, &mut this.batch)?;
        this.sum += this.batch.drain(..).map(|point| u64::from(point.y)).sum::<u64>();
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Drop for Points {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            // As above.
            _ = told.send(self.sum);
        }
    }
}

/// One record after the other.
struct OneByOne(std::ops::Range<u32>);

impl<D> StreamProducer<D> for OneByOne {
    type Item = Point;
    type Buffer = Option<Point>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Point, Option<Point>>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let Some(x) = self.0.next() else { return Poll::Ready(Ok(StreamResult::Dropped)) };
        destination.set_buffer(Some(Point { x, y: 1 }));
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

/// So many bytes, right into the memory of the guest.
struct Direct(u64);

impl<D> StreamProducer<D> for Direct {
    type Item = u8;
    type Buffer = Option<u8>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        destination: Destination<'a, u8, Option<u8>>,
        _: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        if self.0 == 0 {
            return Poll::Ready(Ok(StreamResult::Dropped));
        }
        let mut direct = destination.as_direct(store, 64 * 1024);
        let room = direct.remaining();
        let count = room.len().min(self.0 as usize);
        // What is sent has to come from somewhere.
        room[..count].fill(1);
        direct.mark_written(count);
        self.0 -= count as u64;
        Poll::Ready(Ok(StreamResult::Completed))
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
        traced(Bench::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host))?;
        let mut store = Store::new(engine, Host);
        let bench = traced(Bench::instantiate_async(&mut store, component, &linker).await)?;
        Ok(Embedder { store, bench })
    }

    /// Does something so often.
    pub(super) async fn run(&mut self, case: Case, times: u32) -> wasmtime::Result<()> {
        let (api, store) = (self.bench.wasp_host_bench_api(), &mut self.store);
        match case {
            Case::Call => {
                for i in 0..times {
                    api.call_add(&mut *store, i, 1).await?;
                }
            }
            Case::CallAsync => {
                let called = store.run_concurrent(async |accessor| {
                    for i in 0..times {
                        api.call_add_later(accessor, i, 1).await?;
                    }
                    wasmtime::error::Ok(())
                });
                called.await??;
            }
            Case::Import => _ = api.call_call_tick(store, times).await?,
            Case::ImportAsync => {
                store.run_concurrent(async |accessor| api.call_call_tick_later(accessor, times).await).await??;
            }
            Case::BytesIn(n) => _ = api.call_call_bytes(store, n, times).await?,
            Case::TextIn(n) => _ = api.call_call_text(store, n, times).await?,
            Case::PointsIn(n) => _ = api.call_call_points(store, n, times).await?,
            Case::ItemsIn(n) => _ = api.call_call_items(store, n, times).await?,
            Case::BytesOut(n) => {
                let bytes = vec![1; n as usize];
                for _ in 0..times {
                    api.call_bytes(&mut *store, &bytes).await?;
                }
            }
            Case::TextOut(n) => {
                let text = "x".repeat(n as usize);
                for _ in 0..times {
                    api.call_text(&mut *store, &text).await?;
                }
            }
            Case::PointsOut(n) => {
                let points: Vec<_> = (0..n).map(|x| Point { x, y: 1 }).collect();
                for _ in 0..times {
                    api.call_points(&mut *store, &points).await?;
                }
            }
            Case::ItemsOut(n) => {
                let items: Vec<_> = (0..n).map(|id| Item { id, name: "a name".into() }).collect();
                for _ in 0..times {
                    api.call_items(&mut *store, &items).await?;
                }
            }
            Case::PointStreamOut(n) => {
                let points = StreamReader::new(&mut *store, OneByOne(0..n))?;
                let sum = store.run_concurrent(async |accessor| api.call_drain_points(accessor, points).await);
                assert_eq!(sum.await??, u64::from(n));
            }
            Case::PointStreamIn(n) => {
                let sum = store.run_concurrent(async |accessor| api.call_fill_points(accessor, n).await);
                assert_eq!(sum.await??, u64::from(n));
            }
            Case::ReaderOut(n) | Case::ChunksOut(n) => {
                let bytes = StreamReader::new(&mut *store, Direct(u64::from(n) << 16))?;
                let count = store.run_concurrent(async |accessor| api.call_drain(accessor, bytes).await);
                assert_eq!(count.await??, u64::from(n) << 16);
            }
            Case::ChunksIn(n) | Case::InPlaceIn(n) => {
                let count = store.run_concurrent(async |accessor| api.call_fill(accessor, n).await);
                assert_eq!(count.await??, u64::from(n) << 16);
            }
            Case::Pass(n) | Case::PassInPlace(n) => {
                let bytes = StreamReader::new(&mut *store, Direct(u64::from(n) << 16))?;
                let count = store.run_concurrent(async |accessor| api.call_pass(accessor, bytes).await);
                assert_eq!(count.await??, u64::from(n) << 16);
            }
            Case::Together(n) => {
                let sum = store.run_concurrent(async |accessor| {
                    let calls: FuturesUnordered<_> = (0..n).map(|_| api.call_wait(accessor)).collect();
                    calls.fold(0, async |sum, call| sum + call.unwrap_or_default()).await
                });
                assert_eq!(sum.await?, n);
            }
            Case::Instantiate => {}
        }
        Ok(())
    }
}
