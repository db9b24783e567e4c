//! An HTTP service: `POST /echo` streams the request back while it still arrives, and `GET /proxy?url=http://…` streams
//! through what another server answers.

use exports::wasi::http::handler::Guest;
use wasi::http::client;
use wasi::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};
use wasp_guest_rt::{StreamReader, StreamResult, StreamWriter, spawn_local};

wasp_guest_rt::generate!({
    path: env!("WASI_HTTP_WIT"),
    inline: "
        package example:http;

        world service {
            import wasi:http/client@0.3.0;
            export wasi:http/handler@0.3.0;
        }
    ",
    generate_all,
});

const CHUNK: usize = 16 * 1024;

struct Service;

export!(Service);

impl Guest for Service {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        match (request.get_method(), target.as_str()) {
            (Method::Post, "/echo") => Ok(echo(request)),
            (Method::Get, target) => match target.strip_prefix("/proxy?url=") {
                Some(url) => proxy(url).await,
                None => Ok(status(404)),
            },
            _ => Ok(status(404)),
        }
    }
}

/// Answers with the request's own headers, body and trailers.
fn echo(request: Request) -> Response {
    let headers = request.get_headers().clone();
    let (_, received) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, received);
    let (copy, contents) = wit_stream::new();
    spawn_local(forward(body, copy));
    Response::new(headers, Some(contents), trailers).0
}

/// Copies a body chunk by chunk, until one of its ends is dropped.
async fn forward(mut from: StreamReader<u8>, mut to: StreamWriter<u8>) {
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        let (result, read) = from.read(chunk).await;
        chunk = to.write_all(read).await;
        if result == StreamResult::Dropped || !chunk.is_empty() {
            return;
        }
        chunk.reserve(CHUNK);
    }
}

/// Asks another server and answers with what it answers; the host moves the body.
async fn proxy(url: &str) -> Result<Response, ErrorCode> {
    let rest = url.strip_prefix("http://").ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (_, no_trailers) = wit_future::new(|| Ok(None));
    let headers = Fields::new();
    headers.append("te", b"trailers").map_err(|_| ErrorCode::HttpProtocolError)?;
    let (request, _) = Request::new(headers, None, no_trailers, None);
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&Scheme::Http)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).map_err(invalid)?;

    let answer = client::send(request).await?;
    let code = answer.get_status_code();
    let headers = answer.get_headers().clone();
    let (_, received) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(answer, received);
    let response = Response::new(headers, Some(body), trailers).0;
    response.set_status_code(code).map_err(|()| ErrorCode::HttpProtocolError)?;
    Ok(response)
}

fn status(code: u16) -> Response {
    let (_, no_trailers) = wit_future::new(|| Ok(None));
    let response = Response::new(Fields::new(), None, no_trailers).0;
    // Every code given here is one that HTTP knows.
    let _ = response.set_status_code(code);
    response
}
