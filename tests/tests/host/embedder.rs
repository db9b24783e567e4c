//! A host that gives and takes streams.

use anyhow::Result;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use wasmtime::Store;
use wasmtime::component::{Component, Linker};
use wasp::flows::backend::{self, Item, Response};
use wasp_host_rt::{Cx, HasResources, InFuture, InStream, IntoBytes, Resources};
use wasp_tests::build::{self, BARE, Side};
use wasp_tests::component;
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({ path: "guests/flows/flows.wit", world: "flows" });

#[derive(Default)]
pub(crate) struct Host {
    /// How many numbers were made.
    made: Arc<AtomicU32>,
    /// How many calls of `later` are not over.
    pub(crate) late: Arc<AtomicU32>,
    pub(crate) resources: Resources,
}

impl HasResources for Host {
    fn resources(&mut self) -> &mut Resources {
        &mut self.resources
    }
}

pub(crate) struct Conn(u32);

impl backend::HostConn<Host> for Conn {
    fn new(_: &mut Host, n: u32) -> Self {
        Conn(n)
    }

    fn get(&mut self, _: &mut Host) -> u32 {
        self.0
    }
}

impl backend::Host for Host {
    type Conn = Conn;

    fn numbers(&mut self, n: u32) -> impl futures::Stream<Item = u32> + Send + 'static {
        let made = self.made.clone();
        stream::iter(0..n).inspect(move |_| {
            made.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn bytes(&mut self, n: u32) -> impl IntoBytes {
        vec![1; n as usize]
    }

    async fn items(_: Cx<'_, Self>, n: u32) -> InStream<Item> {
        InStream::from_iter((0..n).map(|id| Item { id, name: format!("item {id}") }))
    }

    fn points(&mut self, n: u32) -> impl futures::Stream<Item = Point> + Send + 'static {
        stream::iter((0..n).map(|x| Point { x, y: 1 }))
    }

    fn later(&mut self, x: u32) -> impl Future<Output = u32> + Send + 'static {
        self.late.fetch_add(1, Ordering::Relaxed);
        let late = self.late.clone();
        tokio::time::sleep(Duration::from_millis(1)).map(move |()| {
            late.fetch_sub(1, Ordering::Relaxed);
            x
        })
    }

    async fn fetch(_: Cx<'_, Self>, n: u32, fails: bool) -> Response {
        let pieces = stream::iter(0..n).map(|_| Ok(Bytes::from_static(b"0123456789")));
        let error = stream::iter(fails.then_some(Err("broken".to_string())));
        let (body, ended) = InStream::try_from_chunks(pieces.chain(error));
        Response { body, ended: InFuture::new(ended) }
    }

    async fn take(_: Cx<'_, Self>, mut numbers: InStream<u32>) -> u64 {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += u64::from(number);
        }
        sum
    }

    async fn take_some(_: Cx<'_, Self>, numbers: InStream<u32>, n: u32) -> u64 {
        numbers.take(n as usize).map(u64::from).fold(0, async |sum, number| sum + number).await
    }

    async fn take_bytes(_: Cx<'_, Self>, bytes: InStream<u8>) -> u64 {
        let (count, written) = bytes.copy_to(Vec::new()).await.expect("a vector takes all");
        assert_eq!(count as usize, written.len());
        count
    }

    async fn take_points(_: Cx<'_, Self>, mut points: InStream<Point>) -> u64 {
        let mut sum = 0;
        while let Some(batch) = points.next_batch().await {
            sum += batch.iter().map(|point| u64::from(point.x) + u64::from(point.y)).sum::<u64>();
        }
        sum
    }

    async fn wait(_: Cx<'_, Self>, value: InFuture<u32>) -> u32 {
        value.await.expect("the guest writes")
    }

    fn refuse(&mut self, numbers: InStream<u32>) {
        drop(numbers);
    }

    async fn never(_: Cx<'_, Self>) {
        std::future::pending().await
    }
}

pub(crate) async fn instance() -> Result<(Store<Host>, Flows)> {
    let guest = build::guests(Side::Ours, "wasp-test-guests", BARE, &["--example", "flows"])?.remove(0).1;
    let component = component::encode(&std::fs::read(guest)?, None)?;
    let component = traced(Component::new(engine(), component))?;
    let mut linker = Linker::new(engine());
    traced(Flows::add_to_linker(&mut linker, |host: &mut Host| host))?;
    let mut store = store(Host::default());
    let flows = traced(Flows::instantiate_async(&mut store, &component, &linker).await)?;
    Ok((store, flows))
}
