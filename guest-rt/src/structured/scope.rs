//! Futures that are done when the block they were started in is.
//!
//! # Who owns what
//!
//! ```text
//!  scope's future ──┐                       ┌─► slots: Slab<Child> ─► future, Arc<Flag>
//!  Scope ───────────┼─► Rc<Children> ───────┤
//!  ScopedHandle ────┘                       └─► Arc<Inbox> ─► keys of the children to poll, the parent's waker
//!                                                   ▲
//!  a child's waker ─────► Arc<Flag> ────────────────┘
//! ```
//!
//! An inbox holds keys, and nothing that leads back to a flag. So no circle of counts can be made here, whoever wakes
//! what and when. Only flags and inboxes are reached by wakers, and natively from other threads.

use super::fused::Fused;
use super::waker_cell::WakerCell;
use crate::inbox::Inbox;
use crate::slab::Slab;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, Ordering};
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
pub fn scope<'env, R>(body: impl AsyncFnOnce(&Scope<'env>) -> R) -> Fused<impl Future<Output = R>> {
    Fused::new(run(body))
}

async fn run<'env, R>(body: impl AsyncFnOnce(&Scope<'env>) -> R) -> R {
    let scope = Scope { children: Rc::new(Children::new()) };
    let children = &scope.children;
    let open = Open(children);
    let mut body = pin!(body(&scope));
    let mut result = None;
    let result = poll_fn(|cx| {
        children.ready.arm(cx.waker());
        if result.is_none()
            && let Poll::Ready(value) = body.as_mut().poll(cx)
        {
            result = Some(value);
        }
        children.poll();
        if children.running() > 0 {
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
        let outcome = Rc::new(Outcome { result: Cell::new(None), over: Cell::new(false), joiner: WakerCell::new() });
        let over = Over(outcome.clone());
        let child = async move {
            let result = future.await;
            over.0.result.set(Some(result));
        };
        let flag = self.children.insert(Box::pin(child));
        ScopedHandle { outcome, children: self.children.clone(), flag, joined: false }
    }

    /// Cancels everything that was spawned into the scope and is not done: see [how a handle
    /// cancels](crate#cancelling-by-a-handle).
    pub fn cancel_all(&self) {
        let flags = self.children.mark_all();
        flags.iter().for_each(Wake::wake_by_ref);
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("running", &self.children.running()).finish()
    }
}

/// A future in a [`Scope`]. Awaiting it gives its result, or `None` if it was cancelled.
#[must_use = "`detach` it if its result does not matter"]
pub struct ScopedHandle<'env, T> {
    outcome: Rc<Outcome<T>>,
    children: Rc<Children<'env>>,
    flag: Arc<Flag>,
    /// The outcome was given out.
    joined: bool,
}

impl<T> ScopedHandle<'_, T> {
    /// Cancels the future: see [how a handle cancels](crate#cancelling-by-a-handle).
    pub fn cancel(&self) {
        if self.children.mark(&self.flag) {
            self.flag.wake_by_ref();
        }
    }

    /// Lets the future go on; it still ends with its scope.
    pub fn detach(self) {}
}

impl<T> Unpin for ScopedHandle<'_, T> {}

impl<T> Future for ScopedHandle<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if self.joined {
            return Poll::Pending;
        }
        if !self.outcome.over.get() {
            self.outcome.joiner.register(cx.waker());
            // Wakers are code of users, and may have ended the future.
            if !self.outcome.over.get() {
                return Poll::Pending;
            }
        }
        self.joined = true;
        let joiner = self.outcome.joiner.take();
        let result = self.outcome.result.take();
        drop(joiner);
        Poll::Ready(result)
    }
}

#[cfg(feature = "futures-stream")]
impl<T> futures_core::FusedFuture for ScopedHandle<'_, T> {
    fn is_terminated(&self) -> bool {
        self.joined
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
    joiner: WakerCell,
}

/// Says that the future is over when it is dropped, whether it is done or not.
struct Over<T>(Rc<Outcome<T>>);

impl<T> Drop for Over<T> {
    fn drop(&mut self) {
        self.0.over.set(true);
        self.0.joiner.wake();
    }
}

type Boxed<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

struct Child<'env> {
    flag: Arc<Flag>,
    /// Away while it is polled.
    future: Option<Boxed<'env>>,
    /// Somebody has asked for its end.
    cancelled: bool,
}

/// Wakes a child.
struct Flag {
    key: usize,
    /// The key is in the inbox, or the child is gone: waking it has nothing to do.
    queued: AtomicBool,
    ready: Arc<Inbox<usize>>,
}

/// Everything in a scope. No function but `poll` and `close` runs code of users, and those two run it with nothing
/// borrowed.
struct Children<'env> {
    slots: RefCell<Slab<Child<'env>>>,
    /// Memory for the keys that are taken from the inbox at once.
    batch: Cell<Vec<usize>>,
    /// The scope has ended.
    closed: Cell<bool>,
    ready: Arc<Inbox<usize>>,
}

/// What to do with a child whose turn it is.
enum Turn<'env> {
    Poll(Arc<Flag>, Boxed<'env>),
    Drop(Child<'env>),
}

impl<'env> Children<'env> {
    fn new() -> Children<'env> {
        Children {
            slots: RefCell::default(),
            batch: Cell::default(),
            closed: Cell::new(false),
            ready: Arc::new(Inbox::new()),
        }
    }

    fn running(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Adds a child that is to be polled. After the end of the scope its future is dropped instead.
    fn insert(&self, future: Boxed<'env>) -> Arc<Flag> {
        if self.closed.get() {
            return Arc::new(Flag { key: usize::MAX, queued: AtomicBool::new(true), ready: self.ready.clone() });
        }
        let mut slots = self.slots.borrow_mut();
        let key = slots.next_key();
        let flag = Arc::new(Flag { key, queued: AtomicBool::new(false), ready: self.ready.clone() });
        slots.insert(Child { flag: flag.clone(), future: Some(future), cancelled: false });
        drop(slots);
        flag.wake_by_ref();
        flag
    }

    /// Gives the children that are ready now their turn. Those that become ready meanwhile have theirs next time.
    fn poll(&self) {
        let mut batch = self.batch.take();
        self.ready.take_into(&mut batch);
        for key in batch.drain(..) {
            match self.turn(key) {
                Some(Turn::Poll(flag, mut future)) => {
                    let waker = Waker::from(flag.clone());
                    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
                    let gone = match polled {
                        Poll::Ready(()) => (self.remove(&flag), Some(future)),
                        Poll::Pending => (None, self.give_back(&flag, future)),
                    };
                    drop(gone);
                }
                Some(Turn::Drop(child)) => drop(child),
                None => {}
            }
        }
        self.batch.set(batch);
    }

    /// Returns what to do for a key of the inbox. Returns `None` if its child is gone.
    fn turn(&self, key: usize) -> Option<Turn<'env>> {
        let mut slots = self.slots.borrow_mut();
        let child = slots.get_mut(key)?;
        if !child.flag.queued.swap(false, Ordering::AcqRel) {
            // It was for an earlier child with this key.
            return None;
        }
        if child.cancelled {
            child.flag.retire();
            return slots.remove(key).map(Turn::Drop);
        }
        let future = child.future.take()?;
        Some(Turn::Poll(child.flag.clone(), future))
    }

    /// Puts the future back after it was polled. Returns it if the child is gone.
    #[must_use = "dropping a future runs code of users, so it is dropped last"]
    fn give_back(&self, flag: &Arc<Flag>, future: Boxed<'env>) -> Option<Boxed<'env>> {
        match self.slots.borrow_mut().get_mut(flag.key) {
            Some(child) if Arc::ptr_eq(&child.flag, flag) => child.future.replace(future),
            _ => Some(future),
        }
    }

    #[must_use = "dropping a child runs code of users, so it is dropped last"]
    fn remove(&self, flag: &Arc<Flag>) -> Option<Child<'env>> {
        let mut slots = self.slots.borrow_mut();
        if !slots.get_mut(flag.key).is_some_and(|child| Arc::ptr_eq(&child.flag, flag)) {
            return None;
        }
        flag.retire();
        slots.remove(flag.key)
    }

    /// Notes that a child is to be dropped when it is its turn. Returns whether it is there.
    fn mark(&self, flag: &Arc<Flag>) -> bool {
        match self.slots.borrow_mut().get_mut(flag.key) {
            Some(child) if Arc::ptr_eq(&child.flag, flag) => {
                child.cancelled = true;
                true
            }
            _ => false,
        }
    }

    /// Notes that all children are to be dropped. Returns their flags, to be woken when nothing is borrowed.
    #[must_use = "the children have to be woken"]
    fn mark_all(&self) -> Vec<Arc<Flag>> {
        let mut slots = self.slots.borrow_mut();
        let mark = |child: &mut Child<'env>| {
            child.cancelled = true;
            child.flag.clone()
        };
        slots.iter_mut().map(mark).collect()
    }

    /// Ends the scope: drops all children, and the waker of what polls them.
    fn close(&self) {
        self.closed.set(true);
        let parent = self.ready.disarm();
        let mut children = self.slots.take();
        children.iter_mut().for_each(|child| child.flag.retire());
        // Where one of these destructors panics, the others still run.
        drop(children);
        drop(parent);
    }
}

/// The scope runs until this is dropped.
struct Open<'a, 'env>(&'a Rc<Children<'env>>);

impl Drop for Open<'_, '_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Flag {
    /// The child is gone: waking it does nothing from now on.
    fn retire(&self) {
        self.queued.store(true, Ordering::Release);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        Flag::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.push(self.key);
        }
    }
}
