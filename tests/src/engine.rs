//! The engine that tests run components in, and a host with WASI of both generations.

use anyhow::{Context, Result};
use std::sync::OnceLock;
use std::time::Duration;
use wasmtime::component::{Component, Instance, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, OptLevel, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// How long a component may run before it is stopped.
const LIMIT: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_secs(1);

/// The state behind WASI, and what the guest printed.
pub struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
}

impl Default for Host {
    fn default() -> Self {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let stderr = MemoryOutputPipe::new(1 << 20);
        let wasi = WasiCtxBuilder::new().stdout(stdout.clone()).stderr(stderr.clone()).build();
        Self { wasi, table: ResourceTable::new(), stdout, stderr }
    }
}

impl Host {
    /// What the guest printed on both of its outputs.
    pub fn printed(&self) -> String {
        let texts = [self.stdout.contents(), self.stderr.contents()];
        texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// One engine for all tests: every part of the component model on that a test needs, and a clock that stops guests.
///
/// # Panics
///
/// When the engine refuses its configuration.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config
            .wasm_component_model_async(true)
            .wasm_component_model_more_async_builtins(true)
            .wasm_component_model_error_context(true)
            .wasm_component_model_fixed_length_lists(true)
            .wasm_component_model_map(true)
            .cranelift_opt_level(OptLevel::None)
            .epoch_interruption(true);
        let engine = Engine::new(&config).expect("the configuration is valid");
        let ticking = engine.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TICK);
                ticking.increment_epoch();
            }
        });
        engine
    })
}

/// A store over [`engine`] whose guest is stopped when it does not return for too long.
pub fn store<T: 'static>(state: T) -> Store<T> {
    let mut store = Store::new(engine(), state);
    store.set_epoch_deadline(LIMIT.as_secs() / TICK.as_secs());
    store
}

/// Turns the engine's errors into this crate's, with all their causes.
pub fn traced<T>(result: wasmtime::Result<T>) -> Result<T> {
    result.map_err(|error| anyhow::anyhow!("{error:?}"))
}

/// Calls an export by its name and hands back its result, if it has one.
///
/// # Errors
///
/// When there is no such export, or the guest traps.
pub async fn call<T: Send + 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    export: &str,
    arguments: &[Val],
) -> Result<Option<Val>> {
    let function =
        (instance.get_func(&mut *store, export)).with_context(|| format!("there is no export `{export}`"))?;
    let mut results = vec![Val::Bool(false); function.ty(&*store).results().len()];
    let called =
        store.run_concurrent(async |store| function.call_concurrent(store, arguments, &mut results).await).await;
    traced(called.and_then(|called| called)).with_context(|| format!("`{export}` failed"))?;
    Ok(results.pop())
}

/// Runs the export `run` of a component that needs nothing but WASI.
///
/// # Errors
///
/// When the component does not link, traps or runs for too long; the error carries what it printed.
pub fn run(component: &[u8]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut store = store(Host::default());
    let result = runtime.block_on(async {
        match tokio::time::timeout(2 * LIMIT, run_export(&mut store, component)).await {
            Ok(result) => result,
            Err(_) => Err(anyhow::anyhow!("the guest waits for something that never happens")),
        }
    });
    result.map_err(|error| match store.data().printed() {
        printed if printed.is_empty() => error,
        printed => anyhow::anyhow!("{}\n{error:#}", printed.trim_end()),
    })
}

async fn run_export(store: &mut Store<Host>, component: &[u8]) -> Result<()> {
    let component = traced(Component::new(engine(), component)).context("cannot compile")?;
    let mut linker = Linker::<Host>::new(engine());
    traced(wasmtime_wasi::p2::add_to_linker_async(&mut linker))?;
    traced(wasmtime_wasi::p3::add_to_linker(&mut linker))?;
    let instance = traced(linker.instantiate_async(&mut *store, &component).await).context("cannot instantiate")?;
    call(store, &instance, "run", &[]).await?;
    Ok(())
}
