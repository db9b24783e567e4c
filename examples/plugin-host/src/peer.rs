//! The host with the engine's own bindings.

use crate::{Failure, Limits, Log, Report, Storage};
use example::plugins::{keyvalue, log};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wasmtime::component::{Accessor, Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{AsContextMut, Config, Engine, Result, Store, StoreLimits, StoreLimitsBuilder};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "plugin",
        imports: { default: trappable },
        with: { "example:plugins/keyvalue.bucket": super::Bucket },
    });
}

use bindings::{Plugin, PluginPre, example};

/// What the host keeps for an instance.
struct Host {
    plugin: String,
    log: Log,
    storage: Storage,
    memory: StoreLimits,
    table: ResourceTable,
}

/// An open bucket.
pub struct Bucket {
    name: String,
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, text: String) -> Result<()> {
        let mark = match level {
            log::Level::Info => "",
            log::Level::Warning => "warning: ",
        };
        self.log.push(format!("{}: {mark}{text}", self.plugin));
        Ok(())
    }
}

impl keyvalue::Host for Host {}

impl keyvalue::HostBucket for Host {
    fn new(&mut self, name: String) -> Result<Resource<Bucket>> {
        Ok(self.table.push(Bucket { name })?)
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl<T: Send> keyvalue::HostBucketWithStore<T> for HasSelf<Host> {
    async fn get(accessor: &Accessor<T, Self>, bucket: Resource<Bucket>, key: String) -> Result<Option<String>> {
        let (storage, bucket) = accessor.with(|mut access| access.get().bucket(&bucket))?;
        Ok(storage.read().await.get(&(bucket, key)).cloned())
    }

    async fn set(accessor: &Accessor<T, Self>, bucket: Resource<Bucket>, key: String, value: String) -> Result<()> {
        let (storage, bucket) = accessor.with(|mut access| access.get().bucket(&bucket))?;
        storage.write().await.insert((bucket, key), value);
        Ok(())
    }
}

impl Host {
    /// The storage, and a bucket's name in it.
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<(Storage, String)> {
        Ok((self.storage.clone(), self.table.get(bucket)?.name.clone()))
    }
}

/// Plugins by their names, each in an instance that all of its calls share.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Host>,
    limits: Limits,
    log: Log,
    storage: Storage,
    loaded: Mutex<HashMap<String, Loaded>>,
}

#[derive(Clone)]
struct Loaded {
    plugin: PluginPre<Host>,
    calls: mpsc::UnboundedSender<Call>,
    /// What ended the instance.
    ended: Shared<BoxFuture<'static, Failure>>,
}

struct Call {
    text: String,
    answer: oneshot::Sender<Result<Result<String, String>>>,
}

impl Plugins {
    /// A host without plugins.
    pub fn new(limits: Limits, log: Log, storage: Storage) -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true).consume_fuel(true);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        Plugin::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
        Ok(Self(Arc::new(Inner { engine, linker, limits, log, storage, loaded: Mutex::default() })))
    }

    /// Loads a plugin. If there is one of the name, it does what it was asked for, and is asked no more.
    pub async fn load(&self, name: &str, component: &[u8]) -> Result<()> {
        let component = Component::new(&self.0.engine, component)?;
        let plugin = PluginPre::new(self.0.linker.instantiate_pre(&component)?)?;
        let loaded = self.start(name, plugin).await?;
        self.loaded().insert(name.to_string(), loaded);
        Ok(())
    }

    /// Has a plugin transform a text. One that fails other than by refusing goes on in a new instance.
    pub async fn call(&self, name: &str, text: &str) -> Result<String, Report> {
        let report = |failure| Report { plugin: name.to_string(), failure };
        let loaded = self.loaded().get(name).cloned().ok_or_else(|| report(Failure::Unknown))?;
        let limits = &self.0.limits;
        let failure = match timeout(limits.time, loaded.transform(text)).await {
            Ok(Ok(Ok(answer))) if answer.len() <= limits.answer => return Ok(answer),
            Ok(Ok(Ok(answer))) => Failure::TooLong(answer.len()),
            Ok(Ok(Err(why))) => return Err(report(Failure::Refused(why))),
            Ok(Err(failure)) => failure,
            Err(_) => Failure::OutOfTime,
        };
        if let Err(error) = self.restart(name, &loaded).await {
            self.0.log.push(format!("{name}: cannot be started again: {error:#}"));
        }
        Err(report(failure))
    }

    /// Starts a plugin again, unless somebody else did.
    async fn restart(&self, name: &str, failed: &Loaded) -> Result<()> {
        let started = self.start(name, failed.plugin.clone()).await?;
        if let Some(loaded) = self.loaded().get_mut(name)
            && loaded.calls.same_channel(&failed.calls)
        {
            *loaded = started;
        }
        Ok(())
    }

    async fn start(&self, name: &str, plugin: PluginPre<Host>) -> Result<Loaded> {
        let Inner { engine, limits, log, storage, .. } = &*self.0;
        let memory = StoreLimitsBuilder::new().memory_size(limits.memory).build();
        let (log, storage) = (log.clone(), storage.clone());
        let host = Host { plugin: name.to_string(), log, storage, memory, table: ResourceTable::new() };
        let mut store = Store::new(engine, host);
        store.limiter(|host| &mut host.memory);
        store.set_fuel(limits.fuel)?;
        // A plugin that computes lets others go on.
        store.fuel_async_yield_interval(Some(limits.fuel / 100))?;
        let instance = plugin.instantiate_async(&mut store).await?;
        let (calls, requests) = mpsc::unbounded_channel();
        let running = tokio::spawn(run(store, instance, limits.fuel, requests));
        let ended = async move {
            match running.await {
                Ok(Ok(())) => Failure::Trapped("the instance has ended".to_string()),
                Ok(Err(error)) => Failure::of(&error),
                Err(error) => Failure::Trapped(error.to_string()),
            }
        };
        Ok(Loaded { plugin, calls, ended: ended.boxed().shared() })
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, HashMap<String, Loaded>> {
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    async fn transform(&self, text: &str) -> Result<Result<String, String>, Failure> {
        let (answer, answered) = oneshot::channel();
        // Where either end is gone, the instance is.
        let _ = self.calls.send(Call { text: text.to_string(), answer });
        match answered.await {
            Ok(answer) => answer.map_err(|error| Failure::of(&error)),
            Err(_) => Err(self.ended.clone().await),
        }
    }
}

/// Answers calls in an instance until nobody can make any more.
async fn run(
    mut store: Store<Host>,
    plugin: Plugin,
    fuel: u64,
    mut requests: mpsc::UnboundedReceiver<Call>,
) -> Result<()> {
    store
        .run_concurrent(async |accessor| {
            let mut running = FuturesUnordered::new();
            loop {
                tokio::select! {
                    call = requests.recv() => match call {
                        Some(call) => running.push(answer(accessor, &plugin, fuel, call)),
                        None => break,
                    },
                    Some(()) = running.next() => {}
                }
            }
            while let Some(()) = running.next().await {}
        })
        .await
}

async fn answer(accessor: &Accessor<Host>, plugin: &Plugin, fuel: u64, call: Call) {
    let Call { text, mut answer } = call;
    let transformed = async {
        accessor.with(|mut access| access.as_context_mut().set_fuel(fuel))?;
        plugin.call_transform(accessor, text).await
    };
    tokio::select! {
        transformed = transformed => drop(answer.send(transformed)),
        // Nobody waits any more.
        () = answer.closed() => {}
    }
}
