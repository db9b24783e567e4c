//! A server for components that export `wasi:http/handler@0.3.0`: wasmtime's implementation of WASI below, hyper above.

mod guests;
mod outgoing;

pub use guests::guest;

use anyhow::{Result, anyhow};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use outgoing::Outgoing;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p3::Request;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// A component that is ready to answer requests, each in an instance of its own.
#[derive(Clone)]
pub struct Server {
    service: ServicePre<State>,
}

/// What the host keeps for one instance.
struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    outgoing: Outgoing,
}

impl Server {
    /// Compiles a component.
    ///
    /// # Errors
    ///
    /// When the bytes are no component, or it imports what is not WASI, or does not export the handler.
    pub fn new(component: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).map_err(error)?;
        let component = Component::new(&engine, component).map_err(error)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(error)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker).map_err(error)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker).map_err(error)?;
        let linked = linker.instantiate_pre(&component).map_err(error)?;
        Ok(Self { service: ServicePre::new(linked).map_err(error)? })
    }

    /// Answers the requests that come in, for ever.
    ///
    /// # Errors
    ///
    /// When no more connections can be accepted.
    pub async fn serve(self, listener: TcpListener) -> Result<()> {
        loop {
            let (connection, _) = listener.accept().await?;
            let server = self.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request| server.answer(request));
                let served = http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
                if let Err(error) = served {
                    eprintln!("a connection failed: {error:?}");
                }
            });
        }
    }

    /// Starts the guest on a request; the answer's body goes on while the guest does.
    async fn answer(&self, request: http::Request<Incoming>) -> Result<http::Response<WasiBody>> {
        let (send, receive) = oneshot::channel();
        let service = self.service.clone();
        tokio::spawn(async move {
            if let Err(error) = run(service, request, send).await {
                eprintln!("the guest failed: {error:?}");
            }
        });
        receive.await.map_err(|_| anyhow!("the guest gave no answer"))
    }
}

/// Runs one instance from the request to the end of its answer's body.
async fn run(
    service: ServicePre<State>,
    request: http::Request<Incoming>,
    send: oneshot::Sender<http::Response<WasiBody>>,
) -> Result<()> {
    let mut store = Store::new(service.engine(), State::new());
    let service: Service = service.instantiate_async(&mut store).await.map_err(error)?;
    let (request, received) = {
        let hooks = &mut store.data_mut().outgoing;
        Request::from_http(hooks, request)
    };
    let ended = store.run_concurrent(async |store| -> wasmtime::Result<()> {
        let answer = service.handle(store, request).await?;
        let answer = answer.map_err(|code| wasmtime::format_err!("the guest answered {code:?}"))?;
        let answer = store.with(|store| answer.into_http(store, async { Ok(()) }))?;
        // The instance has to live until the body has been sent or dropped.
        let (alive, dropped) = oneshot::channel::<()>();
        let _ = send.send(answer.map(|body| {
            let held = body.map_frame(move |frame| {
                let _ = &alive;
                frame
            });
            held.boxed_unsync()
        }));
        let _ = dropped.await;
        Ok(())
    });
    let ended = ended.await.map_err(error)?;
    drop(received);
    ended.map_err(error)
}

impl State {
    fn new() -> Self {
        Self {
            wasi: WasiCtx::builder().inherit_stderr().build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            outgoing: Outgoing,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}

/// The engine's error as this crate's, with its causes.
fn error(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}
