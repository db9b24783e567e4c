//! A store that many tasks call into.

use crate::call::{AttachResult, Caller};
use crate::cell::lock;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use wasmtime::component::{Accessor, ComponentNamedList, Lift, Lower, TypedFunc};
use wasmtime::{Error, Result, Store};

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
type Job<T> = Box<dyn for<'a> FnOnce(&'a Accessor<T>) -> Running<'a> + Send>;

/// A store that somebody else drives, so that any number of tasks can call the components in it at the same time.
///
/// The `*_concurrent` functions of exports take it where they would take an accessor. Dropping such a call while it runs
/// gives up its result and nothing else: the component's task goes on, and the store stays usable.
///
/// ```
/// # use wasp_host_rt::{Handle, wasmtime::Store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> wasp_host_rt::Result<()> {
/// # let store = Store::new(&wasp_host_rt::engine()?, ());
/// let (handle, driver) = Handle::new(store);
/// let driver = tokio::spawn(driver);
/// // let greeting = greeter.greet_concurrent(&handle, "you".to_string()).await?;
/// drop(handle);
/// let _store = driver.await.expect("nothing panics")?;
/// # Ok(())
/// # }
/// ```
pub struct Handle<T: 'static>(Arc<Shared<T>>);

struct Shared<T: 'static> {
    state: Mutex<State<T>>,
    handles: AtomicUsize,
}

struct State<T: 'static> {
    jobs: VecDeque<Job<T>>,
    driver: Option<Waker>,
    /// The driver has ended, and how.
    ended: Option<Stopped>,
    /// Whose calls went with the driver, which has not ended yet.
    bereaved: Vec<Waker>,
}

/// Why calls through a [`Handle`] fail once its store is not driven any more.
///
/// ```
/// use wasp_host_rt::{Stopped, wasmtime::Trap};
///
/// fn trapped(error: &wasp_host_rt::wasmtime::Error) -> Option<Trap> {
///     error.downcast_ref::<Stopped>()?.cause()?.downcast_ref::<Trap>().copied()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Stopped(Option<Arc<Error>>);

impl Stopped {
    /// The error that ended the store's work: a trap, say. `None` if the driver was dropped.
    pub fn cause(&self) -> Option<&Error> {
        self.0.as_deref()
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(error) => write!(f, "the store was stopped by an error: {error:?}"),
            None => f.write_str("the store is not driven any more"),
        }
    }
}

impl std::error::Error for Stopped {}

impl<T: Send + 'static> Handle<T> {
    /// A handle to the store, and the future that drives it: to be spawned as a task, or polled with what uses the handle.
    ///
    /// The driver ends when all handles are dropped and all their calls are done, and gives the store back; or with the
    /// error that a component's trap is, of which every waiting call is told.
    pub fn new(store: Store<T>) -> (Self, impl Future<Output = Result<Store<T>>> + Send) {
        let state = State { jobs: VecDeque::new(), driver: None, ended: None, bereaved: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), handles: AtomicUsize::new(1) });
        let end = Ending(shared.clone());
        (Handle(shared), drive(store, end))
    }

    /// Does something in the store, with an accessor.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when the store is not driven any more.
    pub async fn run<R: Send + 'static>(
        &self,
        f: impl for<'a> FnOnce(&'a Accessor<T>) -> Pin<Box<dyn Future<Output = R> + Send + 'a>> + Send + 'static,
    ) -> Result<R> {
        let (waiting, report) = self.slot();
        self.0.submit(Box::new(move |accessor| {
            let mut future = f(accessor);
            Box::pin(poll_fn(move |cx| report.poll(cx, future.as_mut())))
        }))?;
        waiting.await
    }

    /// For a call, and for who waits for it.
    fn slot<R>(&self) -> (Waiting<'_, T, R>, Report<R>) {
        let slot = Arc::new(Mutex::new(Slot { result: None, over: false, waiter: None, dropped: false, job: None }));
        (Waiting { slot: slot.clone(), shared: &self.0 }, Report(slot))
    }
}

/// Runs jobs until no handle is left.
async fn drive<T: Send + 'static>(mut store: Store<T>, end: Ending<T>) -> Result<Store<T>> {
    let shared = &end.0;
    let result = store
        .run_concurrent(async |accessor| {
            let mut running = FuturesUnordered::<Running<'_>>::new();
            poll_fn(|cx| {
                loop {
                    let last = shared.take(cx, |job| running.push(job(accessor)));
                    match running.poll_next_unpin(cx) {
                        Poll::Ready(Some(())) => {}
                        Poll::Ready(None) if last => return Poll::Ready(()),
                        _ => return Poll::Pending,
                    }
                }
            })
            .await;
        })
        .await;
    match result {
        Ok(()) => Ok(store),
        Err(error) => {
            let error = Stopped(Some(Arc::new(error)));
            shared.end(error.clone());
            Err(error.into())
        }
    }
}

impl<T> Shared<T> {
    fn submit(&self, job: Job<T>) -> Result<()> {
        let mut state = lock(&self.state);
        if let Some(stopped) = &state.ended {
            return Err(stopped.clone().into());
        }
        state.jobs.push_back(job);
        wake(state.driver.take());
        Ok(())
    }

    /// Passes on what is to be done; whether nothing more will come.
    fn take(&self, cx: &mut Context<'_>, mut start: impl FnMut(Job<T>)) -> bool {
        let jobs = {
            let mut state = lock(&self.state);
            state.driver = Some(cx.waker().clone());
            std::mem::take(&mut state.jobs)
        };
        let last = jobs.is_empty() && self.handles.load(Ordering::Acquire) == 0;
        jobs.into_iter().for_each(&mut start);
        last
    }

    /// The driver has ended; the first to say why is right.
    fn end(&self, stopped: Stopped) {
        let mut state = lock(&self.state);
        state.ended.get_or_insert(stopped);
        let (jobs, bereaved) = (std::mem::take(&mut state.jobs), std::mem::take(&mut state.bereaved));
        drop(state);
        // Their drops come back here.
        drop(jobs);
        bereaved.into_iter().for_each(Waker::wake);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Says that the driver has ended, even where it was just dropped.
struct Ending<T: 'static>(Arc<Shared<T>>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.end(Stopped(None));
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        self.0.handles.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        if self.0.handles.fetch_sub(1, Ordering::Release) == 1 {
            let driver = lock(&self.0.state).driver.take();
            wake(driver);
        }
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// What a call and who waits for it share.
struct Slot<R> {
    result: Option<R>,
    /// The call is gone, with or without a result.
    over: bool,
    waiter: Option<Waker>,
    /// Nobody waits any more.
    dropped: bool,
    job: Option<Waker>,
}

/// The call's side of a slot.
struct Report<R>(Arc<Mutex<Slot<R>>>);

impl<R> Report<R> {
    /// Polls the call, as long as somebody waits for it.
    fn poll(&self, cx: &mut Context<'_>, call: Pin<&mut (impl Future<Output = R> + ?Sized)>) -> Poll<()> {
        {
            let mut slot = lock(&self.0);
            if slot.dropped {
                return Poll::Ready(());
            }
            slot.job = Some(cx.waker().clone());
        }
        let result = ready!(call.poll(cx));
        lock(&self.0).result = Some(result);
        Poll::Ready(())
    }
}

impl<R> Drop for Report<R> {
    fn drop(&mut self) {
        let mut slot = lock(&self.0);
        slot.over = true;
        let waiter = slot.waiter.take();
        drop(slot);
        wake(waiter);
    }
}

/// Waits for a call.
struct Waiting<'a, T: 'static, R> {
    slot: Arc<Mutex<Slot<R>>>,
    shared: &'a Shared<T>,
}

impl<T, R> Future for Waiting<'_, T, R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        {
            let mut slot = lock(&self.slot);
            if let Some(result) = slot.result.take() {
                return Poll::Ready(Ok(result));
            }
            if !slot.over {
                slot.waiter = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        // Calls are dropped before it is known why.
        let mut state = lock(&self.shared.state);
        match &state.ended {
            Some(stopped) => Poll::Ready(Err(stopped.clone().into())),
            None => {
                state.bereaved.push(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T, R> Drop for Waiting<'_, T, R> {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        slot.dropped = true;
        let (job, result) = (slot.job.take(), slot.result.take());
        drop(slot);
        drop(result);
        wake(job);
    }
}

impl<T: Send + 'static> Caller for &Handle<T> {
    async fn call<A, P, R>(self, function: TypedFunc<P, R>, params: P) -> Result<R>
    where
        A: AttachResult<R>,
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let (waiting, report) = self.slot();
        // As in `run`, but all in one block.
        self.0.submit(Box::new(move |accessor| {
            Box::pin(async move {
                let mut call = pin!(Caller::call::<A, P, R>(accessor, function, params));
                poll_fn(|cx| report.poll(cx, call.as_mut())).await;
            })
        }))?;
        waiting.await?
    }
}
