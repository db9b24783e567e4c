//! The pipeline with this project's bindings.

use futures::{Sink, Stream, StreamExt};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result, Store, format_err};
use wasp_host_rt::{Ended, InFuture, InStream};

mod bindings {
    wasp_host_rt::generate!({ path: "wit", world: "pipeline" });
}

pub use bindings::Reading;

/// A component that transforms streams, each in an instance of its own.
pub struct Pipeline {
    engine: Engine,
    pre: bindings::PipelinePre<()>,
}

impl Pipeline {
    /// Compiles a component.
    pub fn new(component: &[u8]) -> Result<Self> {
        let engine = wasp_host_rt::engine()?;
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
        let (readings, ended) = InStream::try_new(source);
        let run = store.run_concurrent(async |store| {
            let (readings, ended) = pipeline.records_concurrent(store, readings, told(ended)).await?;
            readings.map(Ok).forward(sink).await?;
            ended.await?.map_err(|error| format_err!("the source failed: {error}"))
        });
        run.await?
    }

    /// Sends bytes from the source through the component to the sink; how many came there.
    pub async fn bytes(
        &self,
        source: impl AsyncRead + Send + 'static,
        sink: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Result<u64> {
        let mut store = Store::new(&self.engine, ());
        let pipeline = self.pre.instantiate_async(&mut store).await?;
        let (text, ended) = InStream::try_from_reader(source);
        let run = store.run_concurrent(async |store| {
            let (text, ended) = pipeline.bytes_concurrent(store, text, told(ended)).await?;
            let (count, _) = text.copy_to(sink).await?;
            ended.await?.map_err(|error| format_err!("the source failed: {error}"))?;
            Ok(count)
        });
        run.await?
    }
}

/// What the component is told of the source's end.
fn told(ended: Ended<io::Error>) -> InFuture<Result<(), String>> {
    InFuture::new(async { ended.await.map_err(|error| error.to_string()) })
}
