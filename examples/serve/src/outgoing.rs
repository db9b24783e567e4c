//! Requests that guests send: plain HTTP/1.1, one connection each.

use http::header::HOST;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Sends requests to whatever address the guest names.
pub(crate) struct Outgoing;

type Ended = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended), Error>> + Send> {
        Box::new(send(request))
    }
}

async fn send(mut request: http::Request<WasiBody>) -> Result<(http::Response<WasiBody>, Ended), Error> {
    let authority = request.uri().authority().ok_or(Error::HttpRequestUriInvalid)?.clone();
    if request.uri().scheme_str() != Some("http") {
        return Err(Error::HttpProtocolError);
    }
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.map_err(Error::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // A server is told the path alone; its name is in the header.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().entry(HOST).or_insert(authority.as_str().parse().map_err(|_| Error::HttpRequestUriInvalid)?);
    let driven = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let ended = async move {
        match driven.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Error::ConnectionTerminated),
        }
    };
    let response = response.map(|body| body.map_err(Error::from).boxed_unsync());
    Ok((response, Box::new(ended)))
}
