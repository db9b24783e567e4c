//! A stream, and the future that tells how it ended.

use super::StreamReader;
use crate::future::{FutureRead, FutureReader};
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, IntoFuture, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, ready};

/// The pair that WASI returns for what can fail on the way: a stream, and a future of the result.
///
/// The result is there when all is read, or when the stream is dropped, and never before: awaiting it first waits for
/// ever. Here it comes when the stream has ended.
///
/// ```
/// # use wasp_guest_rt::{FutureReader, ResultStream, StreamReader};
/// # type ErrorCode = String;
/// async fn read(pair: (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>)) -> Result<usize, ErrorCode> {
///     let mut body = ResultStream::from(pair);
///     let mut size = 0;
///     while let Some(chunk) = body.next_chunk().await? {
///         size += chunk.len();
///     }
///     Ok(size)
/// }
/// ```
pub struct ResultStream<T, R: 'static, E: 'static> {
    items: Option<StreamReader<T>>,
    result: Outcome<R, E>,
}

/// What WASI calls "a stream and a future".
type ResultPair<T, R, E> = (StreamReader<T>, FutureReader<Result<R, E>>);

enum Outcome<R: 'static, E: 'static> {
    Reader(FutureReader<Result<R, E>>),
    Reading(FutureRead<Result<R, E>>),
    Ended(Option<R>),
}

impl<T, R, E> From<ResultPair<T, R, E>> for ResultStream<T, R, E> {
    fn from((items, result): ResultPair<T, R, E>) -> Self {
        ResultStream { items: Some(items), result: Outcome::Reader(result) }
    }
}

impl<T, R, E> Unpin for ResultStream<T, R, E> {}

impl<T, R, E> ResultStream<T, R, E> {
    /// Returns the next item, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// After the last item, if the stream ended with an error; once.
    pub async fn try_next(&mut self) -> Result<Option<T>, E> {
        poll_fn(|cx| self.try_poll_next(cx)).await
    }

    /// Returns the items that are there, at least one, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// As [`try_next`](Self::try_next).
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<T>>, E> {
        poll_fn(|cx| {
            if let Some(items) = &mut self.items
                && let Some(chunk) = ready!(items.poll_chunk(cx))
            {
                return Poll::Ready(Ok(Some(chunk)));
            }
            self.poll_end(cx).map_ok(|()| None)
        })
        .await
    }

    /// The poll function of [`try_next`](Self::try_next).
    pub fn try_poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<T>, E>> {
        if let Some(items) = &mut self.items
            && let Some(item) = ready!(items.poll_next(cx))
        {
            return Poll::Ready(Ok(Some(item)));
        }
        self.poll_end(cx).map_ok(|()| None)
    }

    /// Returns all items, and what the future gave.
    ///
    /// # Errors
    ///
    /// If the stream ended with an error.
    pub async fn collect_with_result(mut self) -> Result<(Vec<T>, Option<R>), E> {
        let items = match self.items.take() {
            Some(items) => items.collect().await,
            None => Vec::new(),
        };
        Ok((items, self.finish().await?))
    }

    /// Drops the stream, so that nothing more is sent, and waits for the result. Returns `None` if an error was returned
    /// before.
    ///
    /// # Errors
    ///
    /// If the stream ended with an error.
    pub async fn finish(mut self) -> Result<Option<R>, E> {
        self.items = None;
        poll_fn(|cx| self.poll_end(cx)).await?;
        Ok(match self.result {
            Outcome::Ended(result) => result,
            _ => None,
        })
    }

    /// Returns the pair, if nobody has waited for the end yet: to pass it on.
    ///
    /// # Errors
    ///
    /// This, when the stream has ended.
    pub fn into_inner(mut self) -> Result<ResultPair<T, R, E>, Self> {
        match (self.items.take(), self.result) {
            (Some(items), Outcome::Reader(result)) => Ok((items, result)),
            (items, result) => Err(ResultStream { items, result }),
        }
    }

    #[cfg(feature = "futures-stream")]
    pub(super) fn is_ended(&self) -> bool {
        self.items.is_none() && matches!(self.result, Outcome::Ended(_))
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.items = None;
        if let Outcome::Reader(_) = &self.result
            && let Outcome::Reader(reader) = core::mem::replace(&mut self.result, Outcome::Ended(None))
        {
            self.result = Outcome::Reading(reader.into_future());
        }
        let Outcome::Reading(read) = &mut self.result else { return Poll::Ready(Ok(())) };
        let (result, ended) = match ready!(Pin::new(read).poll(cx)) {
            Ok(result) => (Some(result), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.result = Outcome::Ended(result);
        Poll::Ready(ended)
    }
}

impl<T, R, E> fmt::Debug for ResultStream<T, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultStream").field("items", &self.items).finish_non_exhaustive()
    }
}
