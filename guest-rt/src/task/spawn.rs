//! Futures that run beside the one that spawned them.

#[cfg(feature = "beside")]
use super::beside::hosted;
use super::node::{HELD, LIVE, Node, NodeRef, QUEUED, Vtable};
use super::parked::Parked;
use super::wake::{enqueue, wake, waker_of};
use super::{TaskRef, current};
use crate::instance::local;
use crate::owner::{Owner, one_thread};
use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::task::{Context, Poll};

/// There is a `JoinHandle` that has not given the result out.
const JOINED: u8 = 8;
/// The future shall be dropped when it is its turn.
const CANCELLED: u8 = 16;
/// The block holds a result.
const DONE: u8 = 32;

/// Spawns a future onto the current task, where it runs concurrently with what spawned it.
///
/// It is polled for the first time after what runs now has returned `Pending` or is done, and it may go on after the
/// task has returned its result: the task is over only when all it spawned is done. When the caller of the task cancels
/// it, what was spawned goes on. Inside [`block_on`](crate::block_on()), what was spawned there is done before that returns.
///
/// Where no task is current (in a synchronous export, a destructor of a resource, `main`), a task that sleeps takes it
/// over, or else the next call of an async export. There it runs as if it had been spawned by that.
///
/// Dropping the handle lets the future go on.
///
/// # Panics
/// Where no such call can come: in an export of a world that has no async exports, unless another world of the component
/// has some, of which one was called before. On wasm that is a trap.
pub fn spawn_local<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let task = current::for_spawned();
    let node = insert(future);
    node.add(JOINED);
    #[cfg(feature = "beside")]
    hosted::prepare(task);
    // SAFETY: the node is new, and has its future.
    unsafe { enter(node, task) }
    JoinHandle { node: Some(node), owner: Owner::here(), result: PhantomData }
}

/// Spawns a future of another runtime onto a certain task. Nobody wants its result, so this is shorter than a child.
#[cfg(feature = "beside")]
pub(super) fn spawn_boxed(task: TaskRef, future: Pin<Box<dyn Future<Output = ()>>>) {
    #[repr(C)]
    struct Boxed {
        head: Head,
        /// There while the node is live.
        future: UnsafeCell<ManuallyDrop<Pin<Box<dyn Future<Output = ()>>>>>,
    }
    static VTABLE: Vtable = Vtable { poll, cancel, release };

    /// # Safety
    /// `node` is the head of such a block and live, and nobody else is at its future.
    unsafe fn poll(node: NodeRef) -> bool {
        let waker = ManuallyDrop::new(waker_of(node));
        // SAFETY: as the caller promises.
        let future = unsafe { &mut *(*node.block::<Boxed>()).future.get() };
        let done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if done {
            // SAFETY: as the caller promises.
            unsafe { cancel(node) }
        }
        done
    }

    /// # Safety
    /// As for `poll`.
    #[inline(never)]
    unsafe fn cancel(node: NodeRef) {
        node.remove(LIVE);
        // SAFETY: as the caller promises; it is not used afterwards.
        unsafe { ManuallyDrop::drop(&mut *(*node.block::<Boxed>()).future.get()) }
    }

    let node = BLOCKS.take(const { class_of(size_of::<Boxed>()) });
    node.vtable.set(&VTABLE);
    // SAFETY: the block is big enough, and not in use; then the node is new, and has its future.
    unsafe {
        (&raw mut (*node.block::<Boxed>()).future).write(UnsafeCell::new(ManuallyDrop::new(future)));
        enter(node, task);
    }
}

/// Puts off what cannot be done here, since it may have to wait: `finish(this)` is called in a task that may block, soon
/// if there is one, otherwise by the next call of an async export.
///
/// # Safety
/// It may be called then, in this thread.
pub(crate) unsafe fn put_off(this: *mut (), finish: unsafe fn(*mut ())) {
    let node = insert(poll_fn(move |_| {
        // SAFETY: as the caller promises.
        unsafe { finish(this) }
        Poll::Ready(())
    }));
    // SAFETY: the node is new, and has its future.
    unsafe { enter(node, current::for_blocking_work()) }
}

/// Makes a node one of `task`.
///
/// # Safety
/// It is not live yet, and has its future.
#[inline(never)]
unsafe fn enter(node: NodeRef, task: TaskRef) {
    node.add(LIVE);
    node.task.set(Some(task));
    task.spawned.set(task.spawned.get() + 1);
    enqueue(node);
}

/// A spawned future. Awaiting it gives its result, or `None` if it was cancelled; after that it stays pending.
///
/// Dropping the handle lets the future go on.
///
/// Natively it may be sent to another thread, but is used on the one that it was made on: elsewhere using it panics, and
/// dropping it leaves the result where it is.
pub struct JoinHandle<T> {
    /// `None` when the result was given out.
    node: Option<NodeRef>,
    owner: Owner,
    result: PhantomData<fn() -> T>,
}

one_thread!(JoinHandle<T>);

impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// Lets the future go on without anybody who waits for it, as dropping the handle does.
    pub fn detach(self) {}

    /// Cancels the future: see [how a handle cancels](crate#cancelling-by-a-handle). The handle can still be awaited to
    /// learn what came of it.
    pub fn cancel(&mut self) {
        self.owner.check();
        if let Some(node) = self.node {
            cancel(node);
        }
    }

    /// Gives the block up. Returns the result if there is one.
    fn let_go(&mut self) -> Option<T> {
        let node = self.node.take()?;
        let done = node.has(DONE);
        node.remove(JOINED | DONE);
        let result = done.then(|| {
            let mut result = MaybeUninit::<T>::uninit();
            // SAFETY: the block holds a result, which is a `T`, and nobody else takes it: there was one handle.
            unsafe {
                (head(node).take.get())(node, result.as_mut_ptr().cast());
                result.assume_init()
            }
        });
        // A joiner that was not woken is dropped last.
        let joiner = head(node).joiner.take();
        free(node);
        drop(joiner);
        result
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.owner.check();
        let Some(node) = self.node else { return Poll::Pending };
        if node.has(LIVE) {
            head(node).joiner.park(cx);
        }
        // Parking runs code of users, which may have polled the future to its end: so only now.
        if node.has(LIVE) { Poll::Pending } else { Poll::Ready(self.let_go()) }
    }
}

#[cfg(feature = "futures-stream")]
impl<T> futures_core::future::FusedFuture for JoinHandle<T> {
    fn is_terminated(&self) -> bool {
        self.node.is_none()
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if self.owner.is_here() {
            drop(self.let_go());
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.owner.is_here() {
            return f.debug_struct("JoinHandle").finish_non_exhaustive();
        }
        let running = self.node.is_some_and(|node| node.has(LIVE));
        f.debug_struct("JoinHandle").field("running", &running).finish_non_exhaustive()
    }
}

/// Has the future of a spawned node dropped when it is its turn, unless it is done.
pub(crate) fn cancel(node: NodeRef) {
    if node.has(LIVE) {
        node.add(CANCELLED);
        wake(node);
    }
}

/// The head of the block of a spawned future. It is written once; all that changes is in cells.
#[repr(C)]
struct Head {
    node: Node,
    /// Who awaits the result.
    joiner: Parked,
    /// Moves the result out of the block.
    ///
    /// # Safety
    /// The block is one of the same child, and holds a result that nobody takes afterwards; there is room for it.
    take: Cell<unsafe fn(NodeRef, *mut u8)>,
    /// The list that the block goes back to.
    class: usize,
}

/// Returns the head of a spawned node's block.
fn head<'a>(node: NodeRef) -> &'a Head {
    // SAFETY: called for nodes of spawned futures only. Their blocks start with a head, are never freed, and what changes
    // in a head is in cells.
    unsafe { &*node.block::<Head>() }
}

#[repr(C)]
struct Child<F: Future> {
    head: Head,
    slot: UnsafeCell<Slot<F>>,
}

union Slot<F: Future> {
    /// While the node is live.
    future: ManuallyDrop<F>,
    /// While it is DONE.
    result: ManuallyDrop<F::Output>,
}

impl<F: Future> Child<F> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: Self::cancel, release };

    /// # Safety
    /// `node` is the head of such a block and live, and nobody else is at its future.
    unsafe fn poll(node: NodeRef) -> bool {
        // SAFETY: the block is one of this type; a live node has its future, which nobody else is at and which stays where it is.
        unsafe {
            let slot = (*node.block::<Self>()).slot.get();
            if node.has(CANCELLED) {
                Self::cancel(node);
                return true;
            }
            let waker = ManuallyDrop::new(waker_of(node));
            let future = Pin::new_unchecked(&mut *(*slot).future);
            let Poll::Ready(result) = future.poll(&mut Context::from_waker(&waker)) else { return false };
            // From here on it is not live, so that a panic in a destructor does not drop it again.
            node.remove(LIVE | CANCELLED);
            ManuallyDrop::drop(&mut (*slot).future);
            if node.has(JOINED) {
                slot.write(Slot { result: ManuallyDrop::new(result) });
                node.add(DONE);
            } else {
                drop(result);
            }
        }
        true
    }

    /// # Safety
    /// As for `poll`.
    unsafe fn cancel(node: NodeRef) {
        node.remove(LIVE | CANCELLED);
        // SAFETY: as in `poll`. The executor holds the node, so that a handle in the future does not free the block.
        unsafe { ManuallyDrop::drop(&mut (*(*node.block::<Self>()).slot.get()).future) }
    }

    /// # Safety
    /// As for `Head::take`.
    unsafe fn take(node: NodeRef, to: *mut u8) {
        // SAFETY: the block holds a result, which the caller takes, and there is room for it.
        unsafe {
            let slot = (*node.block::<Self>()).slot.get();
            ptr::copy_nonoverlapping((&raw const (*slot).result).cast::<F::Output>(), to.cast(), 1);
        }
    }
}

/// Lets go of a node that is not live.
fn release(node: NodeRef) {
    let joiner = head(node).joiner.take();
    free(node);
    joiner.wake();
}

/// Puts a block that nobody needs any more back into its list.
fn free(node: NodeRef) {
    if !node.has(QUEUED | LIVE | HELD | JOINED) {
        BLOCKS.put(head(node).class, node);
    }
}

/// Writes a future into a block.
fn insert<F: Future + 'static>(future: F) -> NodeRef {
    // Blocks are kept for ever, so what is big goes to one of its own that is not.
    if const { fits::<Child<F>>() } {
        insert_small(future, Child::<F>::take)
    } else {
        insert_small(Boxed(Box::pin(future)), Child::<Boxed<F>>::take_boxed)
    }
}

/// A future in a box, which puts its result into one.
struct Boxed<F>(Pin<Box<F>>);

impl<F: Future> Future for Boxed<F> {
    type Output = Box<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Box<F::Output>> {
        self.0.as_mut().poll(cx).map(Box::new)
    }
}

impl<F: Future> Child<Boxed<F>> {
    /// # Safety
    /// As for `Head::take`, with room for what is in the box.
    unsafe fn take_boxed(node: NodeRef, to: *mut u8) {
        // SAFETY: the block holds a result, which the caller takes, and there is room for what is in it.
        unsafe {
            let slot = (*node.block::<Self>()).slot.get();
            to.cast::<F::Output>().write(*ManuallyDrop::take(&mut (*slot).result));
        }
    }
}

const fn fits<T>() -> bool {
    size_of::<T>() <= LARGEST && align_of::<T>() <= ALIGN
}

fn insert_small<F: Future + 'static>(future: F, take: unsafe fn(NodeRef, *mut u8)) -> NodeRef {
    // Not a constant assertion: what is not called is instantiated as well.
    if const { !fits::<Child<F>>() } {
        crate::trap::invalid();
    }
    let node = BLOCKS.take(const { class_of(size_of::<Child<F>>()) });
    node.vtable.set(Child::<F>::VTABLE);
    head(node).take.set(take);
    // SAFETY: the block is big enough and aligned, and not in use.
    unsafe {
        let slot = Slot { future: ManuallyDrop::new(future) };
        (&raw mut (*node.block::<Child<F>>()).slot).write(UnsafeCell::new(slot));
    }
    node
}

const SMALLEST: usize = 64;
const CLASSES: usize = 8;
const LARGEST: usize = SMALLEST << (CLASSES - 1);
const ALIGN: usize = 16;

const fn class_of(size: usize) -> usize {
    let mut class = 0;
    while SMALLEST << class < size && class < CLASSES - 1 {
        class += 1;
    }
    class
}

/// Free blocks, by size.
struct Blocks([Cell<Option<NodeRef>>; CLASSES]);

local! {
    static BLOCKS: Blocks = Blocks([const { Cell::new(None) }; CLASSES]);
}

impl Blocks {
    fn take(&self, class: usize) -> NodeRef {
        let Some(list) = self.0.get(class) else { return fresh(class) };
        let Some(node) = list.get() else { return fresh(class) };
        list.set(node.next.take());
        node
    }

    fn put(&self, class: usize, node: NodeRef) {
        if let Some(list) = self.0.get(class) {
            node.task.set(None);
            node.next.set(list.replace(Some(node)));
        }
    }
}

#[cold]
#[inline(never)]
fn fresh(class: usize) -> NodeRef {
    // A head without a future. Whoever takes the block says what it is.
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_| {} };
    // SAFETY: sizes are small powers of two, and no smaller than a head. The block is never freed.
    unsafe {
        let layout = Layout::from_size_align_unchecked(SMALLEST << class, ALIGN);
        let Some(block) = NonNull::new(alloc(layout)) else { crate::trap::out_of_memory(layout) };
        block.cast().write(Head {
            node: Node::new(&NOTHING),
            joiner: Parked::nobody(),
            take: Cell::new(|_, _| {}),
            class,
        });
        NodeRef::new(block.cast())
    }
}
