//! Readers of what this component makes: of an iterator, a stream, or what an async block writes.

use super::{StreamReader, StreamWriter, page_of};
use crate::task::spawn::spawn_local;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

/// The ends of a new stream.
type Pair<T> = (StreamWriter<T>, StreamReader<T>);

/// A source of items: every `futures::Stream`, with the feature `futures-stream`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a stream of `{T}`, as far as the runtime knows",
    note = "every `futures::Stream` is, with the feature `futures-stream` of `wasp-guest-rt`"
)]
pub trait ItemSource<T> {
    /// Returns the next item, or `None` after the last one.
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>>;
}

#[cfg(feature = "futures-stream")]
impl<T, S: futures_core::Stream<Item = T>> ItemSource<T> for S {
    fn poll_item(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_next(cx)
    }
}

/// Returns a reader of what `write` writes to the other end of a new pair; it is spawned onto the current task.
pub fn produce<T, F>((writer, reader): Pair<T>, write: impl FnOnce(StreamWriter<T>) -> F) -> StreamReader<T>
where
    F: Future<Output = ()> + 'static,
{
    spawn_local(write(writer)).detach();
    reader
}

/// Returns a reader of the items of an iterator, which is asked for them as they are read, about a page at a time.
pub fn from_iter<T, I>(pair: Pair<T>, items: I) -> StreamReader<T>
where
    T: 'static,
    I: IntoIterator<Item = T, IntoIter: 'static>,
{
    let mut items = items.into_iter();
    produce(pair, |mut writer| async move {
        loop {
            let mut page = Vec::new();
            page.extend(items.by_ref().take(page_of::<T>()));
            if page.is_empty() || !writer.write_all(page).await.is_empty() {
                return;
            }
        }
    })
}

/// Returns a reader of the items of a stream. Those that are there at the same time are passed on together.
pub fn from_stream<T, S>(pair: Pair<T>, items: S) -> StreamReader<T>
where
    T: 'static,
    S: ItemSource<T> + 'static,
{
    let mut items = Box::pin(items);
    produce(pair, |mut writer| async move {
        let mut more = true;
        while more {
            let page = poll_fn(|cx| poll_page(items.as_mut(), &mut more, cx)).await;
            if !writer.write_all(page).await.is_empty() {
                return;
            }
        }
    })
}

/// Returns the items that are there, at least one unless there is none any more.
fn poll_page<T>(mut items: Pin<&mut impl ItemSource<T>>, more: &mut bool, cx: &mut Context<'_>) -> Poll<Vec<T>> {
    let mut page = Vec::new();
    while *more && page.len() < page_of::<T>() {
        match items.as_mut().poll_item(cx) {
            Poll::Ready(Some(item)) => page.push(item),
            Poll::Ready(None) => *more = false,
            Poll::Pending if page.is_empty() => return Poll::Pending,
            Poll::Pending => break,
        }
    }
    Poll::Ready(page)
}
