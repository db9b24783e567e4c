//! The host with this project's bindings.

use crate::{Failure, Limits, Log, Report, Storage};
use bindings::example::plugins::{keyvalue, log};
use bindings::{Plugin, PluginPre};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::timeout;
use wasmtime::component::{Component, Linker};
use wasmtime::{AsContextMut, Engine, Result, Store, StoreLimits, StoreLimitsBuilder};
use wasp_host_rt::{Cx, Handle, HasResources, Res, Resources, Stopped};

mod bindings {
    wasp_host_rt::generate!({ path: "wit", world: "plugin", trappable_imports });
}

/// What the host keeps for an instance.
struct Host {
    plugin: String,
    log: Log,
    storage: Storage,
    memory: StoreLimits,
    resources: Resources,
}

/// An open bucket.
struct Bucket {
    name: String,
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, text: &str) -> Result<()> {
        let mark = match level {
            log::Level::Info => "",
            log::Level::Warning => "warning: ",
        };
        self.log.push(format!("{}: {mark}{text}", self.plugin));
        Ok(())
    }
}

impl HasResources for Host {
    fn resources(&mut self) -> &mut Resources {
        &mut self.resources
    }
}

impl keyvalue::Host for Host {
    type Bucket = Bucket;
}

impl keyvalue::HostBucket<Host> for Bucket {
    fn new(_: &mut Host, name: &str) -> Result<Self> {
        Ok(Self { name: name.to_string() })
    }

    async fn get(cx: Cx<'_, Host>, this: Res<Self>, key: String) -> Result<Option<String>> {
        let (storage, bucket) = cx.with(|host| host.bucket(&this))?;
        Ok(storage.read().await.get(&(bucket, key)).cloned())
    }

    async fn set(cx: Cx<'_, Host>, this: Res<Self>, key: String, value: String) -> Result<()> {
        let (storage, bucket) = cx.with(|host| host.bucket(&this))?;
        storage.write().await.insert((bucket, key), value);
        Ok(())
    }
}

impl Host {
    /// The storage, and a bucket's name in it.
    fn bucket(&self, bucket: &Res<Bucket>) -> Result<(Storage, String)> {
        Ok((self.storage.clone(), self.resources.get::<Bucket>(bucket)?.name.clone()))
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
    loaded: Mutex<HashMap<String, Arc<Loaded>>>,
}

struct Loaded {
    pre: PluginPre<Host>,
    plugin: Plugin,
    store: Handle<Host>,
}

impl Plugins {
    /// A host without plugins.
    pub fn new(limits: Limits, log: Log, storage: Storage) -> Result<Self> {
        let engine = Engine::new(wasp_host_rt::config().consume_fuel(true))?;
        let mut linker = Linker::<Host>::new(&engine);
        Plugin::add_to_linker(&mut linker, |host| host)?;
        Ok(Self(Arc::new(Inner { engine, linker, limits, log, storage, loaded: Mutex::default() })))
    }

    /// Loads a plugin. If there is one of the name, it does what it was asked for, and is asked no more.
    pub async fn load(&self, name: &str, component: &[u8]) -> Result<()> {
        let component = Component::new(&self.0.engine, component)?;
        let pre = PluginPre::new(self.0.linker.instantiate_pre(&component)?)?;
        let loaded = self.start(name, pre).await?;
        self.loaded().insert(name.to_string(), loaded);
        Ok(())
    }

    /// Has a plugin transform a text. One that fails other than by refusing goes on in a new instance.
    pub async fn call(&self, name: &str, text: &str) -> Result<String, Report> {
        let report = |failure| Report { plugin: name.to_string(), failure };
        let loaded = self.loaded().get(name).cloned().ok_or_else(|| report(Failure::Unknown))?;
        let limits = &self.0.limits;
        let failure = match timeout(limits.time, loaded.transform(text, limits.fuel)).await {
            Ok(Ok(Ok(answer))) if answer.len() <= limits.answer => return Ok(answer),
            Ok(Ok(Ok(answer))) => Failure::TooLong(answer.len()),
            Ok(Ok(Err(why))) => return Err(report(Failure::Refused(why))),
            Ok(Err(error)) => Failure::of(cause(&error)),
            Err(_) => Failure::OutOfTime,
        };
        if let Err(error) = self.restart(name, &loaded).await {
            self.0.log.push(format!("{name}: cannot be started again: {error:#}"));
        }
        Err(report(failure))
    }

    /// Starts a plugin again, unless somebody else did.
    async fn restart(&self, name: &str, failed: &Arc<Loaded>) -> Result<()> {
        let started = self.start(name, failed.pre.clone()).await?;
        if let Some(loaded) = self.loaded().get_mut(name)
            && Arc::ptr_eq(loaded, failed)
        {
            *loaded = started;
        }
        Ok(())
    }

    async fn start(&self, name: &str, pre: PluginPre<Host>) -> Result<Arc<Loaded>> {
        let Inner { engine, limits, log, storage, .. } = &*self.0;
        let memory = StoreLimitsBuilder::new().memory_size(limits.memory).build();
        let (log, storage) = (log.clone(), storage.clone());
        let host = Host { plugin: name.to_string(), log, storage, memory, resources: Resources::default() };
        let mut store = Store::new(engine, host);
        store.limiter(|host| &mut host.memory);
        store.set_fuel(limits.fuel)?;
        // A plugin that computes lets others go on.
        store.fuel_async_yield_interval(Some(limits.fuel / 100))?;
        let plugin = pre.instantiate_async(&mut store).await?;
        let (store, driver) = Handle::new(store);
        tokio::spawn(driver);
        Ok(Arc::new(Loaded { pre, plugin, store }))
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Loaded>>> {
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loaded {
    async fn transform(&self, text: &str, fuel: u64) -> Result<Result<String, String>> {
        let (plugin, text) = (self.plugin.clone(), text.to_string());
        let called = self.store.run(move |accessor| {
            Box::pin(async move {
                accessor.with(|mut access| access.as_context_mut().set_fuel(fuel))?;
                plugin.transform_concurrent(accessor, text).await
            })
        });
        called.await?
    }
}

/// Why the store has stopped, if it has.
fn cause(error: &wasmtime::Error) -> &wasmtime::Error {
    error.downcast_ref::<Stopped>().and_then(Stopped::cause).unwrap_or(error)
}
