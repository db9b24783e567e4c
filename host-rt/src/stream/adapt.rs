//! Streams of what else there is: iterators, channels, readers, bodies.

use super::InStream;
use super::bytes::Chunks;
use super::made::{Iterated, Made};
use crate::cell::lock;
use bytes::Bytes;
use futures_core::Stream;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

impl<T: Send + 'static> From<Vec<T>> for InStream<T> {
    fn from(items: Vec<T>) -> Self {
        Self::from_iter(items)
    }
}

impl<T: Send + 'static> InStream<T> {
    /// The items of an iterator, which is asked for them as they are read.
    #[allow(clippy::should_implement_trait, reason = "that trait's iterators need not be `Send`, nor `'static`")]
    pub fn from_iter(items: impl IntoIterator<Item = T, IntoIter: Send + 'static>) -> Self {
        Self::made(Made::new(Iterated(items.into_iter())))
    }

    /// The items of a stream until it fails, and a future of how it ended: what WASI passes as a `stream<T>` and a
    /// `future<result<_, E>>`.
    ///
    /// ```
    /// use wasp_host_rt::{InFuture, InStream};
    ///
    /// # struct ErrorCode;
    /// fn read(
    ///     rows: impl futures::Stream<Item = Result<u32, std::io::Error>> + Send + 'static,
    /// ) -> (InStream<u32>, InFuture<Result<(), ErrorCode>>) {
    ///     let (items, ended) = InStream::try_new(rows);
    ///     (items, InFuture::new(async { ended.await.map_err(|_| ErrorCode) }))
    /// }
    /// ```
    pub fn try_new<E: Send + 'static>(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> (Self, Ended<E>) {
        let (stream, ended) = Fallible::new(stream);
        (Self::new(stream), ended)
    }
}

impl InStream<u8> {
    /// The bytes of a stream of pieces.
    pub fn from_chunks(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::made(Made::from_chunks(Chunks::of_stream(chunks)))
    }

    /// The bytes of a stream of pieces until it fails, and a future of how it ended.
    pub fn try_from_chunks<E: Send + 'static>(
        chunks: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> (Self, Ended<E>) {
        let (chunks, ended) = Fallible::new(chunks);
        (Self::from_chunks(chunks), ended)
    }

    /// These bytes.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::made(Made::from_chunks(Chunks::of_bytes(bytes.into())))
    }
}

/// The messages of a channel, until all of its senders are gone.
#[cfg(feature = "tokio")]
impl<T: Send + 'static> From<tokio::sync::mpsc::Receiver<T>> for InStream<T> {
    fn from(mut channel: tokio::sync::mpsc::Receiver<T>) -> Self {
        Self::new(futures_util::stream::poll_fn(move |cx| channel.poll_recv(cx)))
    }
}

/// What a host's function can return as `stream<u8>`.
pub trait IntoBytes {
    /// The stream.
    fn into_bytes(self) -> InStream<u8>;
}

impl IntoBytes for InStream<u8> {
    fn into_bytes(self) -> InStream<u8> {
        self
    }
}

macro_rules! bytes {
    ($($ty:ty)*) => {$(
        impl IntoBytes for $ty {
            fn into_bytes(self) -> InStream<u8> {
                InStream::from_bytes(self)
            }
        }
    )*};
}

bytes!(Bytes Vec<u8> String &'static [u8] &'static str);

/// How a stream has ended: the error that it failed with, if one did. It is there once the stream is at its end or was
/// dropped.
#[must_use = "this tells of errors; drop the stream's errors by not asking for them"]
pub struct Ended<E>(pub(super) Arc<Outcome<E>>);

pub(super) struct Outcome<E> {
    state: Mutex<State<E>>,
}

struct State<E> {
    result: Option<Result<(), E>>,
    waker: Option<Waker>,
}

impl<E> Outcome<E> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Outcome { state: Mutex::new(State { result: None, waker: None }) })
    }

    /// The first that is said holds.
    pub(super) fn set(&self, result: Result<(), E>) {
        let mut state = lock(&self.state);
        if state.result.is_none() {
            state.result = Some(result);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }
}

impl<E> Future for Ended<E> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        let mut state = lock(&self.0.state);
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<E> std::fmt::Debug for Ended<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ended").finish_non_exhaustive()
    }
}

/// Says that all is well when it is dropped, unless something else was said.
pub(super) struct Reporter<E>(pub(super) Arc<Outcome<E>>);

impl<E> Drop for Reporter<E> {
    fn drop(&mut self) {
        self.0.set(Ok(()));
    }
}

/// A stream that keeps its error apart.
struct Fallible<S, E> {
    stream: Option<Pin<Box<S>>>,
    outcome: Reporter<E>,
}

impl<S, E> Fallible<S, E> {
    fn new(stream: S) -> (Self, Ended<E>) {
        let outcome = Outcome::new();
        (Fallible { stream: Some(Box::pin(stream)), outcome: Reporter(outcome.clone()) }, Ended(outcome))
    }
}

impl<T, E, S: Stream<Item = Result<T, E>>> Stream for Fallible<S, E> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
        let result = match ready!(stream.as_mut().poll_next(cx)) {
            Some(Ok(item)) => return Poll::Ready(Some(item)),
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        self.stream = None;
        self.outcome.0.set(result);
        Poll::Ready(None)
    }
}
