//! The programs in `examples/`: nothing of what streams through them waits for what comes after it.

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1 as client;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serve::Server;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wasmtime::Store;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime_wasi::cli::{AsyncStdinStream, AsyncStdoutStream};
use wasmtime_wasi::p3::bindings::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasp_tests::engine::{engine, store, traced};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

type Frames = mpsc::Sender<Result<Frame<Bytes>, Infallible>>;

#[tokio::test]
async fn echo_answers_each_chunk_before_the_next_is_sent() -> Result<()> {
    let address = serve().await?;
    let (mut sending, frames) = mpsc::channel(0);
    let request = Request::post("/echo")
        .header("te", "trailers")
        .header("trailer", "x-checksum")
        .header("x-greeting", "hello")
        .body(StreamBody::new(frames))?;
    let answer = send(address, request).await?;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-greeting"], "hello");
    let mut echo = answer.into_body();
    for chunk in [b"first".as_slice(), b"second", &[7; 100_000]] {
        sending.send(Ok(Frame::data(Bytes::copy_from_slice(chunk)))).await?;
        assert_eq!(read(&mut echo, chunk.len()).await?, chunk);
    }
    sending.send(Ok(Frame::trailers(checksum("42")))).await?;
    drop(sending);
    assert_eq!(trailers(&mut echo).await?["x-checksum"], "42");
    Ok(())
}

#[tokio::test]
async fn proxy_streams_what_the_other_server_answers() -> Result<()> {
    let (mut sending, upstream) = upstream().await?;
    let address = serve().await?;
    let request = Request::get(format!("/proxy?url=http://{upstream}/some/where?a=b"))
        .header("te", "trailers")
        .body(Empty::<Bytes>::new())?;
    let answer = send(address, request).await?;
    assert_eq!(answer.status(), 203);
    assert_eq!(answer.headers()["x-path"], "/some/where?a=b");
    let mut body = answer.into_body();
    for chunk in ["first", "second"] {
        sending.send(Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))).await?;
        assert_eq!(read(&mut body, chunk.len()).await?, chunk.as_bytes());
    }
    sending.send(Ok(Frame::trailers(checksum("43")))).await?;
    drop(sending);
    assert_eq!(trailers(&mut body).await?["x-checksum"], "43");
    Ok(())
}

#[tokio::test]
async fn proxy_reports_a_server_that_is_not_there() -> Result<()> {
    let unused = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
    let address = serve().await?;
    let request = Request::get(format!("/proxy?url=http://{unused}/")).body(Empty::<Bytes>::new())?;
    assert!(send(address, request).await.is_err(), "the guest answers with an error code");
    Ok(())
}

#[tokio::test]
async fn command_writes_each_piece_before_the_next_is_typed() -> Result<()> {
    let (mut typed, stdin) = tokio::io::duplex(1024);
    let (stdout, mut shown) = tokio::io::duplex(1024);
    let component = traced(Component::new(engine(), serve::guest("command")?))?;
    let mut linker = Linker::new(engine());
    traced(wasmtime_wasi::p3::add_to_linker(&mut linker))?;
    let wasi =
        WasiCtx::builder().stdin(AsyncStdinStream::new(stdin)).stdout(AsyncStdoutStream::new(1024, stdout)).build();
    let mut store: Store<Terminal> = store(Terminal { wasi, table: ResourceTable::new() });
    let command = traced(Command::instantiate_async(&mut store, &component, &linker).await)?;
    let running = store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await);
    let typing = async move {
        for (piece, answer) in [("Hello, ", "HELLO, "), ("wörld\n", "WöRLD\n")] {
            typed.write_all(piece.as_bytes()).await?;
            let mut written = vec![0; answer.len()];
            patiently(shown.read_exact(&mut written)).await??;
            assert_eq!(written, answer.as_bytes());
        }
        drop(typed);
        anyhow::Ok(())
    };
    let (ran, typing) = tokio::join!(running, typing);
    typing?;
    assert_eq!(traced(traced(ran)?)?, Ok(()));
    Ok(())
}

struct Terminal {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Terminal {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Serves the HTTP guest, which is built once.
async fn serve() -> Result<SocketAddr> {
    static COMPONENT: Mutex<Option<Vec<u8>>> = Mutex::new(None);
    let component = {
        let mut component = COMPONENT.lock().expect("no test panics while it builds");
        if component.is_none() {
            *component = Some(serve::guest("http-service")?);
        }
        component.clone().context("it was just built")?
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(Server::new(&component)?.serve(listener));
    Ok(address)
}

/// A server whose one answer consists of the frames it is given.
async fn upstream() -> Result<(Frames, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let (sending, frames) = mpsc::channel(0);
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await?;
        let frames = Arc::new(tokio::sync::Mutex::new(frames));
        let answer = service_fn(|request: Request<Incoming>| {
            let frames = frames.clone();
            async move {
                let frames = futures::stream::unfold(frames.lock_owned().await, async |mut frames| {
                    Some((frames.next().await?, frames))
                });
                Response::builder()
                    .status(203)
                    .header("trailer", "x-checksum")
                    .header("x-path", request.uri().to_string())
                    .body(StreamBody::new(frames.boxed()))
            }
        });
        let connection = TokioIo::new(connection);
        anyhow::Ok(server::Builder::new().serve_connection(connection, answer).await?)
    });
    Ok((sending, address))
}

async fn send<B>(address: SocketAddr, mut request: Request<B>) -> Result<Response<Incoming>>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    request.headers_mut().insert("host", HeaderValue::from_str(&address.to_string())?);
    let connection = TcpStream::connect(address).await?;
    let (mut sender, driver) = client::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(driver);
    Ok(patiently(sender.send_request(request)).await??)
}

/// The next `length` bytes of a body.
async fn read(body: &mut Incoming, length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let frame = patiently(body.frame()).await?.context("the body ends too early")??;
        bytes.extend_from_slice(frame.data_ref().context("the data ends too early")?);
    }
    Ok(bytes)
}

async fn trailers(body: &mut Incoming) -> Result<HeaderMap> {
    let frame = patiently(body.frame()).await?.context("there are no trailers")??;
    frame.into_trailers().ok().context("there is more data than was sent")
}

fn checksum(value: &'static str) -> HeaderMap {
    let name = HeaderName::from_static("x-checksum");
    HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
}

async fn patiently<T>(future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(PATIENCE, future).await.context("nothing comes any more")
}
