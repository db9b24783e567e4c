//! Streams, in both directions.
//!
//! `made` is what the host makes and `produce` what the engine calls to have it; `port` is the host's end of what came
//! from the engine, and `consume` what the engine calls to be rid of it. `adapt` makes streams from what else there is,
//! and `take` makes that from streams; `io` and `body` do both, for readers and writers and for HTTP.

mod adapt;
mod batch;
#[cfg(feature = "http-body")]
mod body;
mod bytes;
mod consume;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod io;
mod made;
mod port;
mod produce;
mod take;

pub use adapt::{Ended, IntoBytes};

use crate::attach::Attach;
use crate::cell::lock;
use futures_core::Stream;
use made::{Filled, Items, Made, Streamed, batch_len};
pub(crate) use port::home;
use port::{PortRef, Taken};
use std::collections::VecDeque;
use std::fmt;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext};
use wasmtime::component::{ComponentType, Lift, Lower, StreamReader};
use wasmtime::{AsContextMut, Result, StoreContextMut};

/// A WIT `stream<T>`: one that came from a component, or one to be passed to a component.
///
/// It is a [`Stream`], whose items move in batches; bytes should be taken as such, by one of the methods for them, and not
/// one by one. Dropping it tells the writer that nobody reads. What came from a component can be passed on, to the
/// same store without being read.
///
/// A stream that came from a component makes progress while its store does: while something runs in the store's
/// `run_concurrent`, as under a [`Handle`](crate::Handle), or one of its functions is called.
///
/// ```
/// use futures::StreamExt;
/// use wasp_host_rt::InStream;
///
/// # futures::executor::block_on(async {
/// let mut stream = InStream::new(futures::stream::iter([1, 2, 3]));
/// assert_eq!(stream.next().await, Some(1));
/// assert_eq!(stream.next_batch().await, Some(vec![2, 3]));
/// assert_eq!(stream.next_batch().await, None);
/// # });
/// ```
pub struct InStream<T: 'static>(Mutex<Inner<T>>);

struct Inner<T: 'static> {
    source: Source<T>,
    /// What was taken in a batch.
    batch: VecDeque<T>,
}

enum Source<T: 'static> {
    /// Fresh from a component, and not yet tied to its store.
    Lifted(StreamReader<T>),
    Port(PortRef<T>),
    Made(Made<T>),
    End,
}

impl<T: Send + 'static> InStream<T> {
    /// The items of a stream.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self::made(Made::new(Streamed(Box::pin(stream))))
    }

    fn made(made: Made<T>) -> Self {
        Self::of(Source::Made(made))
    }

    /// The items that are there, at least one; or `None` after the last one.
    pub async fn next_batch(&mut self) -> Option<Vec<T>> {
        std::future::poll_fn(|cx| self.poll_batch(cx)).await
    }

    /// The poll function of [`next_batch`](Self::next_batch).
    pub fn poll_batch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Vec<T>>> {
        let inner = self.inner();
        ready!(inner.poll_fetch(cx));
        let batch = Vec::from(std::mem::take(&mut inner.batch));
        Poll::Ready(if batch.is_empty() { None } else { Some(batch) })
    }
}

impl<T: Send + 'static> Inner<T> {
    /// Sees to it that there is something in the batch, unless this is the end.
    fn poll_fetch(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.batch.is_empty() {
            match &mut self.source {
                Source::Port(port) => match ready!(port.poll_take(cx, &mut self.batch)) {
                    Taken::Batch => {}
                    Taken::Back(made) => self.source = Source::Made(made),
                    Taken::End => self.source = Source::End,
                },
                Source::Made(made) => {
                    let mut items = Vec::from(std::mem::take(&mut self.batch));
                    let filled = made.poll_fill(cx, &mut items, batch_len::<T>());
                    self.batch = items.into();
                    if ready!(filled) == Filled::End {
                        self.source = Source::End;
                    }
                }
                Source::Lifted(_) | Source::End => break,
            }
        }
        Poll::Ready(())
    }
}

impl<T: Send + 'static> Stream for InStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let inner = self.get_mut().inner();
        ready!(inner.poll_fetch(cx));
        Poll::Ready(inner.batch.pop_front())
    }
}

// Nothing in it is pinned in place.
impl<T> Unpin for InStream<T> {}

impl<T> fmt::Debug for InStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InStream").finish_non_exhaustive()
    }
}

impl<V: Lift + Attach + Send + Sync + 'static> Attach for InStream<V> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        let source = &mut self.inner().source;
        if let Source::Lifted(_) = source
            && let Source::Lifted(reader) = std::mem::replace(source, Source::End)
        {
            *source = Source::Port(PortRef::new(reader, store.as_context_mut())?);
        }
        Ok(())
    }
}

impl<T: Lift + Lower + Send + Sync + 'static> InStream<T> {
    /// The engine's end of what this is, which then is at its end.
    fn reader<D: 'static>(&self, mut store: StoreContextMut<'_, D>) -> Result<StreamReader<T>> {
        let inner = std::mem::replace(&mut *lock(&self.0), Inner { source: Source::End, batch: VecDeque::new() });
        let made = match inner {
            Inner { source: Source::Lifted(reader), .. } => return Ok(reader),
            Inner { source: Source::Made(made), batch } if batch.is_empty() => made,
            inner => {
                if let (Source::Port(port), true) = (&inner.source, inner.batch.is_empty())
                    && let Some(reader) = port.hand_on(home(&store))
                {
                    return Ok(reader);
                }
                Made::new(Relay(inner))
            }
        };
        produce::reader(store.as_context_mut(), made)
    }
}

/// What is passed on from where it cannot be handed on as it is: from another store, or after a part was read.
struct Relay<T: 'static>(Inner<T>);

impl<T: Send + 'static> Items<T> for Relay<T> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, into: &mut Vec<T>, max: usize) -> Poll<Filled> {
        ready!(self.0.poll_fetch(cx));
        let count = self.0.batch.len().min(max);
        into.extend(self.0.batch.drain(..count));
        Poll::Ready(if count == 0 && max > 0 { Filled::End } else { Filled::More })
    }
}

// SAFETY: everything is the engine's own stream's.
unsafe impl<T: ComponentType> ComponentType for InStream<T> {
    type Lower = <StreamReader<T> as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <StreamReader<T> as ComponentType>::ABI;
    const MAY_REQUIRE_REALLOC: bool = false;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        StreamReader::<T>::typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl<T: Lift + Send + Sync + 'static> Lift for InStream<T> {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> Result<Self> {
        StreamReader::linear_lift_from_flat(cx, ty, src).map(Self::lifted)
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        StreamReader::linear_lift_from_memory(cx, ty, bytes).map(Self::lifted)
    }
}

impl<T> InStream<T> {
    fn of(source: Source<T>) -> Self {
        Self(Mutex::new(Inner { source, batch: VecDeque::new() }))
    }

    fn lifted(reader: StreamReader<T>) -> Self {
        Self::of(Source::Lifted(reader))
    }

    fn inner(&mut self) -> &mut Inner<T> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

// SAFETY: as above.
unsafe impl<T: Lift + Lower + Send + Sync + 'static> Lower for InStream<T> {
    fn linear_lower_to_flat<U>(
        &self,
        cx: &mut LowerContext<'_, U>,
        ty: InterfaceType,
        dst: &mut MaybeUninit<Self::Lower>,
    ) -> Result<()> {
        self.reader(cx.store.as_context_mut())?.linear_lower_to_flat(cx, ty, dst)
    }

    fn linear_lower_to_memory<U>(&self, cx: &mut LowerContext<'_, U>, ty: InterfaceType, offset: usize) -> Result<()> {
        self.reader(cx.store.as_context_mut())?.linear_lower_to_memory(cx, ty, offset)
    }
}
