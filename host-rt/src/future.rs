//! Futures, in both directions.

use crate::attach::Attach;
use crate::cell::lock;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, LowerContext};
use wasmtime::component::{
    Accessor, AccessorTask, ComponentType, FutureConsumer, FutureReader, Lift, Lower, Source as EngineSource,
};
use wasmtime::{AsContextMut, Result, StoreContextMut, bail, format_err};

/// A WIT `future<T>`: one that came from a component, or one to be passed to a component.
///
/// Awaiting it gives its value. Dropping it tells the writer that nobody waits. It makes progress while its store does, as
/// an [`InStream`](crate::InStream) does.
///
/// # Errors
///
/// Its output is an error when the writer is gone without having written: when the component trapped, say.
///
/// ```
/// # futures::executor::block_on(async {
/// let future = wasp_host_rt::InFuture::new(async { 5 });
/// assert_eq!(future.await.unwrap(), 5);
/// # });
/// ```
#[must_use = "dropping it tells the writer that nobody waits"]
pub struct InFuture<T: 'static>(Mutex<Source<T>>);

enum Source<T: 'static> {
    Lifted(FutureReader<T>),
    Slot(SlotRef<T>),
    Made(Pin<Box<dyn Future<Output = T> + Send>>),
    End,
}

impl<T: Send + 'static> InFuture<T> {
    /// A future that a component can be passed.
    pub fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Mutex::new(Source::Made(Box::pin(future))))
    }
}

impl<T: Send + 'static> Future for InFuture<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match self.get_mut().source() {
            Source::Slot(slot) => slot.poll(cx),
            Source::Made(future) => future.as_mut().poll(cx).map(Ok),
            Source::Lifted(_) | Source::End => Poll::Ready(Err(format_err!("the future was passed on"))),
        }
    }
}

impl<T> InFuture<T> {
    fn source(&mut self) -> &mut Source<T> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

// Nothing in it is pinned in place but what is boxed.
impl<T> Unpin for InFuture<T> {}

impl<T> fmt::Debug for InFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFuture").finish_non_exhaustive()
    }
}

/// What the task is to do with the engine's end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Read,
    Close,
}

struct State<T> {
    /// The engine's end, until it is read, closed or handed on.
    reader: Option<FutureReader<T>>,
    asked: Asked,
    task: Option<Waker>,
    value: Option<T>,
    /// No value comes any more.
    ended: bool,
    waiting: Option<Waker>,
}

/// Shared between the future, its task, and what the engine calls.
struct Slot<T> {
    state: Mutex<State<T>>,
    /// Which store the reader belongs to.
    home: usize,
}

/// The user's share of a slot: closes the future when it is dropped.
struct SlotRef<T>(Arc<Slot<T>>);

impl<T> Slot<T> {
    fn ask(&self, what: Asked) {
        let mut state = lock(&self.state);
        if state.asked == Asked::Nothing {
            state.asked = what;
            if let Some(task) = state.task.take() {
                task.wake();
            }
        }
    }

    fn end(&self, value: Option<T>) {
        let mut state = lock(&self.state);
        if !state.ended {
            (state.value, state.ended) = (value, true);
        }
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
    }
}

impl<T> SlotRef<T> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.0.ask(Asked::Read);
        let mut state = lock(&self.0.state);
        if state.ended {
            let value = state.value.take();
            return Poll::Ready(
                value.ok_or_else(|| format_err!("the future's writer is gone, or its value was taken")),
            );
        }
        state.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The engine's end, unless it was read from, or belongs to another store.
    fn hand_on(&self, home: usize) -> Option<FutureReader<T>> {
        let reader = match self.0.home == home {
            true => lock(&self.0.state).reader.take(),
            false => None,
        };
        if reader.is_some() {
            self.0.ask(Asked::Close);
        }
        reader
    }
}

impl<T> Drop for SlotRef<T> {
    fn drop(&mut self) {
        self.0.ask(Asked::Close);
    }
}

struct Task<T>(Arc<Slot<T>>);

impl<D: Send + 'static, T: Lift + Attach + Send + Sync + 'static> AccessorTask<D> for Task<T> {
    async fn run(self, accessor: &Accessor<D>) -> Result<()> {
        let asked = poll_fn(|cx| {
            let mut state = lock(&self.0.state);
            if state.asked == Asked::Nothing {
                state.task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(state.asked)
        })
        .await;
        let Some(mut reader) = lock(&self.0.state).reader.take() else { return Ok(()) };
        accessor.with(|mut access| match asked {
            Asked::Close => reader.close(&mut access),
            _ => reader.pipe(&mut access, Consumer(self.0.clone())),
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        // The store is gone, and the future with it.
        if lock(&self.0.state).reader.take().is_some() {
            self.0.end(None);
        }
    }
}

struct Consumer<T>(Arc<Slot<T>>);

impl<D: Send + 'static, T: Lift + Attach + Send + Sync + 'static> FutureConsumer<D> for Consumer<T> {
    type Item = T;

    fn poll_consume(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut store: StoreContextMut<D>,
        mut source: EngineSource<'_, T>,
        _: bool,
    ) -> Poll<Result<()>> {
        let mut value = None;
        source.read(&mut store, &mut value)?;
        let Some(mut value) = value else { return Poll::Pending };
        value.attach(&mut store)?;
        self.0.end(Some(value));
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

impl<V: Lift + Attach + Send + Sync + 'static> Attach for InFuture<V> {
    fn attach<T: Send + 'static>(&mut self, store: &mut StoreContextMut<'_, T>) -> Result<()> {
        let source = self.source();
        if let Source::Lifted(_) = source
            && let Source::Lifted(reader) = std::mem::replace(source, Source::End)
        {
            let state = State {
                reader: Some(reader),
                asked: Asked::Nothing,
                task: None,
                value: None,
                ended: false,
                waiting: None,
            };
            let slot = Arc::new(Slot { state: Mutex::new(state), home: crate::stream::home(store) });
            store.as_context_mut().spawn(Task(slot.clone()))?;
            *source = Source::Slot(SlotRef(slot));
        }
        Ok(())
    }
}

impl<T: Lift + Lower + Send + Sync + 'static> InFuture<T> {
    /// The engine's end of what this is, which then is at its end.
    fn reader<D: 'static>(&self, mut store: StoreContextMut<'_, D>) -> Result<FutureReader<T>> {
        match std::mem::replace(&mut *lock(&self.0), Source::End) {
            Source::Lifted(reader) => Ok(reader),
            Source::Slot(slot) => match slot.hand_on(crate::stream::home(&store.as_context_mut())) {
                Some(reader) => Ok(reader),
                None => FutureReader::new(store, Relay(slot)),
            },
            Source::Made(future) => FutureReader::new(store, async move { wasmtime::Result::<T>::Ok(future.await) }),
            Source::End => bail!("the future was passed on before"),
        }
    }
}

/// What is passed on from another store, or after it was asked for.
struct Relay<T>(SlotRef<T>);

impl<T> Future for Relay<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.0.poll(cx)
    }
}

// SAFETY: everything is the engine's own future's.
unsafe impl<T: ComponentType> ComponentType for InFuture<T> {
    type Lower = <FutureReader<T> as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <FutureReader<T> as ComponentType>::ABI;
    const MAY_REQUIRE_REALLOC: bool = false;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        FutureReader::<T>::typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl<T: Lift + Send + Sync + 'static> Lift for InFuture<T> {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> Result<Self> {
        FutureReader::linear_lift_from_flat(cx, ty, src).map(|reader| Self(Mutex::new(Source::Lifted(reader))))
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> Result<Self> {
        FutureReader::linear_lift_from_memory(cx, ty, bytes).map(|reader| Self(Mutex::new(Source::Lifted(reader))))
    }
}

// SAFETY: as above.
unsafe impl<T: Lift + Lower + Send + Sync + 'static> Lower for InFuture<T> {
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
