//! Bodies of HTTP messages: streams of bytes from them, and as them.

use super::InStream;
use super::adapt::Ended;
use bytes::Bytes;
use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

impl InStream<u8> {
    /// The data of an HTTP body, and a future of how it ended. Trailers are left out.
    pub fn try_from_body<B>(body: B) -> (Self, Ended<B::Error>)
    where
        B: http_body::Body<Data = Bytes, Error: Send> + Send + 'static,
    {
        Self::try_from_chunks(BodyData(Box::pin(body)))
    }
}

struct BodyData<B>(Pin<Box<B>>);

impl<B: http_body::Body<Data = Bytes>> Stream for BodyData<B> {
    type Item = Result<Bytes, B::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(self.0.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => Some(Err(error)),
                None => None,
            });
        }
    }
}

impl http_body::Body for InStream<u8> {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.poll_chunk(cx).map(|chunk| chunk.map(|chunk| Ok(http_body::Frame::data(chunk))))
    }
}
