//! What the host has, and how it runs a case.

use anyhow::{Result, bail};
use futures::{FutureExt, StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasp::beside::far;
use wasp_host_rt::{Cx, InFuture, InStream};
use wasp_tests::engine::{engine, store, traced};

wasp_host_rt::generate!({ path: "guests/beside/beside.wit", world: "hosted" });

/// How long a case may take.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
    /// The calls of `later` that are not over.
    unanswered: Arc<AtomicU32>,
    /// What was kept, plus one.
    kept: Arc<AtomicU32>,
}

impl Default for Host {
    fn default() -> Host {
        let (stdout, stderr) = (MemoryOutputPipe::new(1 << 16), MemoryOutputPipe::new(1 << 16));
        let stdin = MemoryInputPipe::new(vec![0, 1, 2, 3, 4]);
        let wasi = WasiCtxBuilder::new().stdin(stdin).stdout(stdout.clone()).stderr(stderr.clone()).build();
        Host { wasi, table: ResourceTable::new(), stdout, stderr, unanswered: Arc::default(), kept: Arc::default() }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Counts a call for as long as it is there.
struct Counted(Arc<AtomicU32>);

impl Counted {
    fn new(count: &Arc<AtomicU32>) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn sleep(ms: u32) {
    tokio::time::sleep(Duration::from_millis(ms.into())).await;
}

impl far::Host for Host {
    async fn echo(_: Cx<'_, Self>, value: u32) -> u32 {
        value
    }

    async fn later(cx: Cx<'_, Self>, ms: u32, value: u32) -> u32 {
        let _counted = cx.with(|host| Counted::new(&host.unanswered));
        sleep(ms).await;
        value
    }

    fn unanswered(&mut self) -> u32 {
        self.unanswered.load(Ordering::Relaxed)
    }

    async fn sum(_: Cx<'_, Self>, mut bytes: InStream<u8>) -> u32 {
        let mut sum = 0;
        while let Some(byte) = bytes.next().await {
            sum += u32::from(byte);
            sleep(1).await;
        }
        sum
    }

    fn printed(&mut self) -> u32 {
        self.stdout.contents().iter().map(|byte| u32::from(*byte)).sum()
    }

    fn numbers(&mut self, below: u32) -> impl wasp_host_rt::IntoBytes {
        InStream::new(stream::iter(0..below).then(|number| sleep(1).map(move |()| number as u8)))
    }

    fn answer(&mut self, ms: u32, value: u32) -> impl Future<Output = u32> + Send + 'static {
        sleep(ms).map(move |()| value)
    }

    async fn take(_: Cx<'_, Self>, ms: u32, value: InFuture<u32>) -> u32 {
        sleep(ms).await;
        value.await.unwrap_or(u32::MAX)
    }

    fn keep(&mut self, ms: u32, value: InFuture<u32>) {
        let kept = self.kept.clone();
        tokio::spawn(async move {
            sleep(ms).await;
            kept.store(value.await.map_or(0, |value| value + 1), Ordering::Relaxed);
        });
    }

    fn kept(&mut self) -> Option<u32> {
        self.kept.load(Ordering::Relaxed).checked_sub(1)
    }
}

/// A component that is compiled, and linked with the host.
pub(crate) struct Compiled(HostedPre<Host>);

impl Compiled {
    pub(crate) fn new(component: &[u8]) -> Result<Compiled> {
        let component = traced(Component::new(engine(), component))?;
        let mut linker = Linker::new(engine());
        traced(wasmtime_wasi::p2::add_to_linker_async(&mut linker))?;
        traced(wasmtime_wasi::p3::add_to_linker(&mut linker))?;
        traced(Hosted::add_to_linker(&mut linker, |host: &mut Host| host))?;
        Ok(Compiled(traced(HostedPre::new(traced(linker.instantiate_pre(&component))?))?))
    }

    /// Runs the steps of a case in an instance of its own, one after the other.
    pub(crate) fn run(&self, steps: &[Step<'_>]) -> Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut store = store(Host::default());
        store.set_epoch_deadline(LIMIT.as_secs());
        let stderr = store.data().stderr.clone();
        let told = runtime.block_on(async {
            let hosted = traced(self.0.instantiate_async(&mut store).await)?;
            let steps = async {
                let mut told = Vec::new();
                for step in steps {
                    told.push(step.run(&hosted, &mut store).await?);
                }
                Ok(told)
            };
            match tokio::time::timeout(LIMIT, steps).await {
                Ok(told) => told,
                Err(_) => bail!("it waits for something that never happens"),
            }
        });
        told.map_err(|error: anyhow::Error| {
            anyhow::anyhow!("{error:#}\n{}", String::from_utf8_lossy(&stderr.contents()).trim_end())
        })
    }
}

/// A call of the component.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// A task of the first runs the case with the imports of the second.
    Run([&'a str; 2], &'a str),
    /// Two of them at once.
    Both([[&'a str; 2]; 2], [&'a str; 2]),
    /// The call is cancelled.
    Cancel([&'a str; 2], &'a str),
}

impl Step<'_> {
    async fn run(self, hosted: &Hosted, store: &mut wasmtime::Store<Host>) -> Result<String> {
        match self {
            Step::Run([exporter, importer], name) => traced(hosted.run(store, exporter, importer, name).await),
            Step::Both([first, second], [name, other]) => {
                let told = store.run_concurrent(async |store| {
                    let first = hosted.run_concurrent(store, first[0].into(), first[1].into(), name.into());
                    let second = hosted.run_concurrent(store, second[0].into(), second[1].into(), other.into());
                    futures::try_join!(first, second)
                });
                let (first, second) = traced(traced(told.await)?)?;
                Ok(format!("{first}, {second}"))
            }
            Step::Cancel([exporter, importer], name) => {
                Ok(traced(hosted.cancel(store, exporter, importer, name).await)?.to_string())
            }
        }
    }
}
