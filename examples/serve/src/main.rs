//! Builds the guest `http-service`, serves it on a loopback port, and sends it a request whose body takes its time: the
//! answer comes back piece by piece, while the request is still on its way.

use anyhow::{Context, Result};
use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serve::Server;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("building the guest `http-service` …");
    let component = serve::guest("http-service")?;
    println!("its component has {} bytes; compiling …", component.len());
    let server = Server::new(&component)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    println!("serving on http://{address}");
    tokio::spawn(server.serve(listener));

    let connection = TcpStream::connect(address).await?;
    let (mut client, driver) = http1::handshake(TokioIo::new(connection)).await?;
    tokio::spawn(driver);
    let (body, frames) = mpsc::channel(0);
    let request = Request::post("/echo")
        .header("host", address.to_string())
        .header("te", "trailers")
        .header("trailer", "x-checksum")
        .header("x-greeting", "hello")
        .body(StreamBody::new(frames))?;

    println!("POST /echo");
    let start = Instant::now();
    tokio::spawn(send_slowly(body, start));
    let answer = client.send_request(request).await?;
    println!("{}  < {}", since(start), answer.status());
    for (name, value) in answer.headers() {
        println!("         < {name}: {}", value.to_str().unwrap_or("(binary)"));
    }
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => println!("{}  < {:?}", since(start), String::from_utf8_lossy(&data)),
            Err(frame) => {
                let trailers = frame.into_trailers().ok().context("neither data nor trailers")?;
                println!("{}  < trailers: {trailers:?}", since(start));
            }
        }
    }
    Ok(())
}

/// Sends three pieces, each a while after the one before, and a trailer.
async fn send_slowly(mut body: mpsc::Sender<Result<Frame<Bytes>, Infallible>>, start: Instant) {
    for piece in ["one", "two", "three"] {
        println!("{}  > {piece:?}", since(start));
        let frame = Frame::data(Bytes::from_static(piece.as_bytes()));
        if body.send(Ok(frame)).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let checksum = HeaderValue::from_static("11");
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("x-checksum"), checksum)]);
    println!("{}  > trailers: x-checksum", since(start));
    let _ = body.send(Ok(Frame::trailers(trailers))).await;
}

fn since(start: Instant) -> String {
    format!("{:>4} ms", start.elapsed().as_millis())
}
