//! The pipeline with the engine's own bindings.

use futures::channel::{mpsc, oneshot};
use futures::stream::{self, BoxStream, TryReadyChunksError};
use futures::{Sink, Stream, StreamExt, TryStreamExt, future};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use wasmtime::component::{
    Accessor, Component, Destination, FutureConsumer, FutureReader, Lift, Linker, Lower, Source, StreamConsumer,
    StreamProducer, StreamReader, StreamResult, VecBuffer,
};
use wasmtime::{Config, Engine, Result, Store, StoreContextMut, format_err};

mod bindings {
    wasmtime::component::bindgen!({ path: "wit", world: "pipeline" });
}

pub use bindings::Reading;

/// How many records, or bytes, are passed at a time.
const RECORDS: usize = 1024;
const BYTES: usize = 64 * 1024;

/// A component that transforms streams, each in an instance of its own.
pub struct Pipeline {
    engine: Engine,
    pre: bindings::PipelinePre<()>,
}

impl Pipeline {
    /// Compiles a component.
    pub fn new(component: &[u8]) -> Result<Self> {
        let engine = Engine::new(Config::new().wasm_component_model_async(true))?;
        let component = Component::new(&engine, component)?;
        let pre = bindings::PipelinePre::new(Linker::new(&engine).instantiate_pre(&component)?)?;
        Ok(Self { engine, pre })
    }

    /// Sends readings from the source through the component to the sink.
    pub async fn records(
        &self,
        source: impl Stream<Item = io::Result<Reading>> + Send + 'static,
        sink: impl Sink<Reading, Error = io::Error> + Send + 'static,
    ) -> Result<()> {
        let mut store = Store::new(&self.engine, ());
        let pipeline = self.pre.instantiate_async(&mut store).await?;
        let batches = source.try_ready_chunks(RECORDS).flat_map(|batch| match batch {
            Ok(items) => stream::iter(vec![Ok(items)]),
            // What came before the error comes before it there, too.
            Err(TryReadyChunksError(items, error)) => stream::iter(vec![Ok(items), Err(error)]),
        });
        // The engine takes an empty batch for a mistake.
        let batches = batches.try_filter(|items| future::ready(!items.is_empty()));
        let run = store.run_concurrent(async |store| {
            let (readings, ended) = inlet(store, batches)?;
            let (readings, ended) = pipeline.call_records(store, readings, ended).await?;
            let (readings, ended) = outlet(store, readings, ended)?;
            readings.flat_map(stream::iter).map(Ok).forward(sink).await?;
            ended.await?.map_err(|error| format_err!("the source failed: {error}"))
        });
        run.await?
    }

    /// Sends bytes from the source through the component to the sink; how many came there.
    pub async fn bytes(
        &self,
        source: impl AsyncRead + Send + 'static,
        mut sink: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<u64> {
        let mut store = Store::new(&self.engine, ());
        let pipeline = self.pre.instantiate_async(&mut store).await?;
        let chunks = stream::try_unfold(Box::pin(source), async |mut source| {
            let mut chunk = Vec::with_capacity(BYTES);
            let count = source.read_buf(&mut chunk).await?;
            Ok((count > 0).then_some((chunk, source)))
        });
        let run = store.run_concurrent(async |store| {
            let (text, ended) = inlet(store, chunks)?;
            let (text, ended) = pipeline.call_bytes(store, text, ended).await?;
            let (mut text, ended) = outlet(store, text, ended)?;
            let mut count = 0;
            while let Some(chunk) = text.next().await {
                sink.write_all(&chunk).await?;
                count += chunk.len() as u64;
            }
            sink.flush().await?;
            ended.await?.map_err(|error| format_err!("the source failed: {error}"))?;
            Ok(count)
        });
        run.await?
    }
}

type Ended = Result<(), String>;

/// The engine's end of a stream of batches, and of how it ended.
fn inlet<T: Lift + Lower + Send + Sync + 'static>(
    store: &Accessor<()>,
    batches: impl Stream<Item = io::Result<Vec<T>>> + Send + 'static,
) -> Result<(StreamReader<T>, FutureReader<Ended>)> {
    let (told, ended) = oneshot::channel();
    // If nobody told, the stream was dropped.
    let ended = async { wasmtime::error::Ok(ended.await.unwrap_or(Ok(()))) };
    let inlet = Inlet { batches: batches.boxed(), ended: Some(told) };
    store.with(|mut store| Ok((StreamReader::new(&mut store, inlet)?, FutureReader::new(&mut store, ended)?)))
}

/// The host's end of a stream, in batches, and of how it ended.
fn outlet<T: Lift + Send + Sync + 'static>(
    store: &Accessor<()>,
    items: StreamReader<T>,
    ended: FutureReader<Ended>,
) -> Result<(mpsc::Receiver<Vec<T>>, oneshot::Receiver<Ended>)> {
    let (batches, received) = mpsc::channel(1);
    let (told, end) = oneshot::channel();
    store.with(|mut store| {
        items.pipe(&mut store, Outlet(batches))?;
        ended.pipe(&mut store, End(Some(told)))?;
        Ok((received, end))
    })
}

struct Inlet<T> {
    batches: BoxStream<'static, io::Result<Vec<T>>>,
    ended: Option<oneshot::Sender<Ended>>,
}

impl<D, T: Lower + Send + Sync + 'static> StreamProducer<D> for Inlet<T> {
    type Item = T;
    type Buffer = VecBuffer<T>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, T, VecBuffer<T>>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        let result = match self.batches.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(batch))) => {
                destination.set_buffer(batch.into());
                return Poll::Ready(Ok(StreamResult::Completed));
            }
            Poll::Ready(Some(Err(error))) => Err(error.to_string()),
            Poll::Ready(None) => Ok(()),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        };
        self.ended.take().map(|ended| ended.send(result));
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

struct Outlet<T>(mpsc::Sender<Vec<T>>);

impl<D, T: Lift + Send + Sync + 'static> StreamConsumer<D> for Outlet<T> {
    type Item = T;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: Source<'_, T>,
        finish: bool,
    ) -> Poll<Result<StreamResult>> {
        Poll::Ready(Ok(match self.0.poll_ready(cx) {
            Poll::Ready(Ok(())) => {
                let mut batch = Vec::with_capacity(source.remaining(&mut store));
                source.read(&mut store, &mut batch)?;
                self.0.start_send(batch)?;
                StreamResult::Completed
            }
            Poll::Ready(Err(_)) => StreamResult::Dropped,
            Poll::Pending if finish => StreamResult::Cancelled,
            Poll::Pending => return Poll::Pending,
        }))
    }
}

struct End(Option<oneshot::Sender<Ended>>);

impl<D> FutureConsumer<D> for End {
    type Item = Ended;

    fn poll_consume(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        store: StoreContextMut<D>,
        mut source: Source<'_, Ended>,
        _: bool,
    ) -> Poll<Result<()>> {
        let mut ended = None;
        source.read(store, &mut ended)?;
        if let (Some(told), Some(ended)) = (self.0.take(), ended) {
            let _ = told.send(ended);
        }
        Poll::Ready(Ok(()))
    }
}
