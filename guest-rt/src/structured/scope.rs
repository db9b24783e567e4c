//! Futures that are done when the block they were started in is.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

/// Runs `body`, and whatever it spawns into the scope: all of that is done when this is. What is spawned may borrow from
/// outside of the scope.
///
/// When this future is dropped, everything in the scope is dropped with it.
///
/// ```
/// # wasp_guest_rt::block_on(async {
/// let words = ["one".to_string(), "three".to_string()];
/// let sizes = wasp_guest_rt::scope(async |scope| {
///     let first = scope.spawn(async { words[0].len() });
///     let second = scope.spawn(async { words[1].len() });
///     (first.await, second.await)
/// })
/// .await;
/// assert_eq!(sizes, (Some(3), Some(5)));
/// # });
/// ```
pub async fn scope<'env, R>(body: impl AsyncFnOnce(&Scope<'env>) -> R) -> R {
    let scope = Scope { children: Rc::new(Children::new()) };
    let open = Open(&scope.children);
    let mut body = pin!(body(&scope));
    let mut result = None;
    let result = poll_fn(|cx| {
        scope.children.ready.arm(cx);
        if result.is_none()
            && let Poll::Ready(value) = body.as_mut().poll(cx)
        {
            result = Some(value);
        }
        scope.children.poll();
        if scope.children.running.get() > 0 {
            return Poll::Pending;
        }
        result.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    drop(open);
    result
}

/// Where futures are spawned that end with their [`scope`].
#[derive(Clone)]
pub struct Scope<'env> {
    children: Rc<Children<'env>>,
}

impl<'env> Scope<'env> {
    /// Runs a future concurrently with what spawned it. After the end of the scope it is dropped instead.
    ///
    /// It is polled for the first time when what runs now has returned `Pending` or is done. Dropping the handle lets the
    /// future go on.
    pub fn spawn<T: 'env>(&self, future: impl Future<Output = T> + 'env) -> ScopedHandle<'env, T> {
        let outcome = Rc::new(Outcome { result: Cell::new(None), over: Cell::new(false), joiner: RefCell::new(None) });
        let guard = Over(outcome.clone());
        let child = async move {
            let result = future.await;
            guard.0.result.set(Some(result));
        };
        let flag = self.children.insert(Box::pin(child));
        ScopedHandle { outcome, children: self.children.clone(), flag }
    }

    /// Drops everything that was spawned into the scope and is not done.
    pub fn cancel_all(&self) {
        self.children.clear();
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("running", &self.children.running.get()).finish()
    }
}

/// A future in a [`Scope`]. Awaiting it gives its result, or `None` if it was cancelled.
#[must_use = "`detach` it if its result does not matter"]
pub struct ScopedHandle<'env, T> {
    outcome: Rc<Outcome<T>>,
    children: Rc<Children<'env>>,
    flag: Arc<Flag>,
}

impl<T> ScopedHandle<'_, T> {
    /// Drops the future, at once unless that is what calls this: then when it is polled next.
    pub fn cancel(&self) {
        self.children.remove(&self.flag);
    }

    /// Lets the future go on; it still ends with its scope.
    pub fn detach(self) {}
}

impl<T> Unpin for ScopedHandle<'_, T> {}

impl<T> Future for ScopedHandle<'_, T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.outcome.over.get() {
            return Poll::Ready(self.outcome.result.take());
        }
        *self.outcome.joiner.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHandle").field("over", &self.outcome.over.get()).finish()
    }
}

/// What becomes of a future, between that and its handle.
struct Outcome<T> {
    result: Cell<Option<T>>,
    over: Cell<bool>,
    joiner: RefCell<Option<Waker>>,
}

/// Says that the future is over when it is dropped, whether it is done or not.
struct Over<T>(Rc<Outcome<T>>);

impl<T> Drop for Over<T> {
    fn drop(&mut self) {
        self.0.over.set(true);
        if let Some(joiner) = self.0.joiner.take() {
            joiner.wake();
        }
    }
}

type Boxed<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

struct Child<'env> {
    flag: Arc<Flag>,
    /// Away while it is polled.
    future: Option<Boxed<'env>>,
}

struct Children<'env> {
    slots: RefCell<Vec<Option<Child<'env>>>>,
    free: RefCell<Vec<usize>>,
    running: Cell<usize>,
    closed: Cell<bool>,
    ready: Arc<Ready>,
}

impl<'env> Children<'env> {
    fn new() -> Children<'env> {
        Children {
            slots: RefCell::default(),
            free: RefCell::default(),
            running: Cell::new(0),
            closed: Cell::new(false),
            ready: Arc::new(Ready::new()),
        }
    }

    fn insert(&self, future: Boxed<'env>) -> Arc<Flag> {
        let key = self.free.borrow_mut().pop().unwrap_or(self.slots.borrow().len());
        let flag = Arc::new(Flag { key, queued: Cell::new(false), ready: self.ready.clone() });
        if self.closed.get() {
            self.free.borrow_mut().push(key);
            return flag;
        }
        let child = Some(Child { flag: flag.clone(), future: Some(future) });
        let mut slots = self.slots.borrow_mut();
        match slots.get_mut(key) {
            Some(slot) => *slot = child,
            None => slots.push(child),
        }
        drop(slots);
        self.running.set(self.running.get() + 1);
        flag.clone().wake();
        flag
    }

    /// Polls those that are ready now.
    fn poll(&self) {
        for flag in self.ready.take() {
            flag.queued.set(false);
            let Some(mut future) = self.lend(&flag) else { continue };
            let waker = Waker::from(flag.clone());
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                drop(future);
                self.remove(&flag);
            } else {
                self.give_back(&flag, future);
            }
        }
        self.ready.rearm();
    }

    /// The future, to be polled.
    fn lend(&self, flag: &Arc<Flag>) -> Option<Boxed<'env>> {
        match self.slots.borrow_mut().get_mut(flag.key) {
            Some(Some(child)) if Arc::ptr_eq(&child.flag, flag) => child.future.take(),
            _ => None,
        }
    }

    /// It is dropped instead if it was removed meanwhile.
    fn give_back(&self, flag: &Arc<Flag>, future: Boxed<'env>) {
        if let Some(Some(child)) = self.slots.borrow_mut().get_mut(flag.key)
            && Arc::ptr_eq(&child.flag, flag)
        {
            child.future = Some(future);
        }
    }

    fn remove(&self, flag: &Arc<Flag>) {
        let child = match self.slots.borrow_mut().get_mut(flag.key) {
            Some(slot) if slot.as_ref().is_some_and(|child| Arc::ptr_eq(&child.flag, flag)) => slot.take(),
            _ => None,
        };
        if child.is_some() {
            self.free.borrow_mut().push(flag.key);
            self.running.set(self.running.get() - 1);
            // The scope may be done now.
            self.ready.wake();
        }
        // With nothing borrowed: destructors may spawn, and cancel.
        drop(child);
    }

    fn clear(&self) {
        let count = self.slots.borrow().len();
        for key in 0..count {
            let flag = self.slots.borrow().get(key).and_then(Option::as_ref).map(|child| child.flag.clone());
            if let Some(flag) = flag {
                self.remove(&flag);
            }
        }
    }
}

/// The scope runs until this is dropped.
struct Open<'a, 'env>(&'a Rc<Children<'env>>);

impl Drop for Open<'_, '_> {
    fn drop(&mut self) {
        self.0.closed.set(true);
        self.0.clear();
    }
}

/// Which children shall be polled, and who polls them.
struct Ready {
    #[cfg(not(target_family = "wasm"))]
    thread: usize,
    flags: RefCell<Vec<Arc<Flag>>>,
    parent: RefCell<Option<Waker>>,
}

/// Wakes a child.
struct Flag {
    key: usize,
    queued: Cell<bool>,
    ready: Arc<Ready>,
}

// SAFETY: they are used by one thread only, which `wake` sees to; what else is done through a waker is to count.
unsafe impl Send for Ready {}
// SAFETY: as above.
unsafe impl Sync for Ready {}
// SAFETY: as above.
unsafe impl Send for Flag {}
// SAFETY: as above.
unsafe impl Sync for Flag {}

impl Ready {
    fn new() -> Ready {
        Ready {
            #[cfg(not(target_family = "wasm"))]
            thread: crate::instance::thread(),
            flags: RefCell::default(),
            parent: RefCell::default(),
        }
    }

    fn arm(&self, cx: &Context<'_>) {
        let mut parent = self.parent.borrow_mut();
        match &mut *parent {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *parent = Some(cx.waker().clone()),
        }
    }

    fn take(&self) -> Vec<Arc<Flag>> {
        self.flags.take()
    }

    fn wake(&self) {
        let parent = self.parent.borrow().clone();
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// What became ready while others were polled is polled next time.
    fn rearm(&self) {
        if !self.flags.borrow().is_empty() {
            self.wake();
        }
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        Flag::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        #[cfg(not(target_family = "wasm"))]
        if self.ready.thread != crate::instance::thread() {
            panic!("a task of a component was woken from another thread, but a component instance has only one");
        }
        if !self.queued.replace(true) {
            self.ready.flags.borrow_mut().push(self.clone());
            self.ready.wake();
        }
    }
}
