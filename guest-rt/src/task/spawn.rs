//! Futures that run beside the one that spawned them.

use crate::instance::instance;
use crate::owner::{Owner, one_thread};
use crate::task::background;
use crate::task::wake::{enqueue, wake};
use crate::task::{LIVE, Node, Parked, QUEUED, Vtable, waker_of};
use alloc::alloc::{Layout, alloc};
use alloc::boxed::Box;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

/// There is a `JoinHandle`.
const JOINED: u8 = 4;
/// The future shall be dropped when it is its turn.
const CANCELLED: u8 = 8;
/// The block holds a result.
const DONE: u8 = 16;

/// Spawns a future onto the current task, where it runs concurrently with what spawned it.
///
/// It is polled for the first time after what runs now has returned `Pending` or is done, and it may go on after the
/// task has returned its result: the task is over only when all it spawned is done. When the caller of the task cancels
/// it, what was spawned goes on. Inside [`block_on`](crate::block_on()), what was spawned there is done before that returns.
///
/// Where no task is current (in a synchronous export, a destructor of a resource, `main`), a task that sleeps takes it
/// over, or else the next call of an async export. There it runs as if it had been spawned by that. In an instance that
/// has no such call it does not run.
///
/// Dropping the handle lets the future go on.
pub fn spawn_local<T: 'static>(future: impl Future<Output = T> + 'static) -> JoinHandle<T> {
    let head = insert(future);
    // SAFETY: the node is new, and has its future.
    unsafe { enter(head) }
    JoinHandle { head, owner: Owner::here(), result: PhantomData }
}

/// Makes a node that has its future one of the current task.
#[inline(never)]
unsafe fn enter(head: *mut Head) {
    let task = background::home(instance());
    // SAFETY: tasks and nodes are live for ever; the node is new.
    unsafe {
        (*head).node.task.set(task);
        (*task).spawned.set((*task).spawned.get() + 1);
        enqueue(head.cast());
    }
}

/// A spawned future. Awaiting it gives its result, or `None` if it was cancelled.
///
/// Dropping the handle lets the future go on.
#[derive(Debug)]
pub struct JoinHandle<T> {
    head: *mut Head,
    owner: Owner,
    result: PhantomData<fn() -> T>,
}

one_thread!(JoinHandle<T>);

impl<T> JoinHandle<T> {
    /// Lets the future go on without anybody who waits for it, as dropping the handle does.
    pub fn detach(self) {}

    /// Cancels the future: it is dropped when its task next runs, unless it is done by then. The handle can still be
    /// awaited to learn which.
    pub fn cancel(&mut self) {
        self.owner.check();
        // SAFETY: the handle keeps the block from being used again.
        unsafe {
            let node = &(*self.head).node;
            if node.state.get() & LIVE != 0 {
                node.state.set(node.state.get() | CANCELLED);
                wake(self.head.cast());
            }
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.owner.check();
        // SAFETY: the handle keeps the block from being used again. A result that is there is a `T`.
        unsafe {
            let head = self.head;
            let state = (*head).node.state.get();
            if state & DONE != 0 {
                (*head).node.state.set(state & !DONE);
                let mut result = MaybeUninit::<T>::uninit();
                ((*head).take)(head, result.as_mut_ptr().cast());
                return Poll::Ready(Some(result.assume_init()));
            }
            if state & LIVE == 0 {
                return Poll::Ready(None);
            }
            (*(*head).joiner.get()).update(cx);
            Poll::Pending
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return;
        }
        // SAFETY: the handle keeps the block from being used again.
        unsafe {
            if leave(self.head) {
                let mut result = MaybeUninit::<T>::uninit();
                ((*self.head).take)(self.head, result.as_mut_ptr().cast());
                release(self.head.cast());
                result.assume_init_drop();
            }
        }
    }
}

/// The handle goes. If the block holds a result, that is to be taken, and the block released; else it was.
#[inline(never)]
unsafe fn leave(head: *mut Head) -> bool {
    // SAFETY: the caller is the handle, which keeps the block from being used again.
    unsafe {
        let state = (*head).node.state.get();
        (*head).node.state.set(state & !(JOINED | DONE));
        (*(*head).joiner.get()).clear();
        if state & DONE == 0 {
            release(head.cast());
        }
        state & DONE != 0
    }
}

/// The head of the block of a spawned future.
#[repr(C)]
struct Head {
    node: Node,
    /// Who awaits the result.
    joiner: UnsafeCell<Parked>,
    /// Moves the result out of the block.
    take: unsafe fn(*mut Head, *mut u8),
    /// The list that the block goes back to.
    class: usize,
}

#[repr(C)]
struct Child<F: Future> {
    head: Head,
    slot: UnsafeCell<Slot<F>>,
}

union Slot<F: Future> {
    future: ManuallyDrop<F>,
    result: ManuallyDrop<F::Output>,
}

impl<F: Future> Child<F> {
    const VTABLE: &'static Vtable = &Vtable { poll: Self::poll, cancel: Self::cancel, release };

    unsafe fn poll(node: *mut Node) -> bool {
        let child = node.cast::<Self>();
        // SAFETY: a live node has its future, which nobody else is at and which stays where it is.
        unsafe {
            if (*node).state.get() & CANCELLED != 0 {
                Self::cancel(node);
                return true;
            }
            let waker = ManuallyDrop::new(waker_of(node));
            let future = Pin::new_unchecked(&mut *(*(*child).slot.get()).future);
            let Poll::Ready(result) = future.poll(&mut Context::from_waker(&waker)) else { return false };
            ManuallyDrop::drop(&mut (*(*child).slot.get()).future);
            let state = (*node).state.get() & !LIVE;
            if state & JOINED != 0 {
                (*child).slot.get().write(Slot { result: ManuallyDrop::new(result) });
                (*node).state.set(state | DONE);
                (*(*child).head.joiner.get()).wake();
            } else {
                (*node).state.set(state);
                drop(result);
            }
        }
        true
    }

    unsafe fn cancel(node: *mut Node) {
        let child = node.cast::<Self>();
        // SAFETY: as in `poll`.
        unsafe {
            // It is live until then: the future may hold its own handle, and the last of both frees the block.
            ManuallyDrop::drop(&mut (*(*child).slot.get()).future);
            (*node).state.set((*node).state.get() & !(LIVE | CANCELLED));
            (*(*child).head.joiner.get()).wake();
        }
    }

    unsafe fn take(head: *mut Head, to: *mut u8) {
        // SAFETY: the block holds a result, which the caller takes.
        unsafe { ptr::copy_nonoverlapping(&raw const (*(*head.cast::<Self>()).slot.get()).result, to.cast(), 1) }
    }
}

/// Puts a block that nobody needs any more back into its list.
unsafe fn release(node: *mut Node) {
    // SAFETY: only called for blocks of spawned futures.
    unsafe {
        if (*node).state.get() & (QUEUED | LIVE | JOINED) == 0 {
            let class = (*node.cast::<Head>()).class;
            instance().blocks.put(class, node);
        }
    }
}

/// Writes a future into a block.
fn insert<F: Future + 'static>(future: F) -> *mut Head {
    // Blocks are kept for ever, so what is big goes to one of its own that is not.
    if const { Layout::new::<Child<F>>().size() > LARGEST || align_of::<Child<F>>() > ALIGN } {
        return insert_small(Box::pin(future));
    }
    insert_small(future)
}

fn insert_small<F: Future + 'static>(future: F) -> *mut Head {
    let head = block(const { class_of(size_of::<Child<F>>()) }, Child::<F>::VTABLE, Child::<F>::take);
    // SAFETY: the block is big enough, and has no future yet.
    unsafe {
        let slot = Slot { future: ManuallyDrop::new(future) };
        (&raw mut (*head.cast::<Child<F>>()).slot).write(UnsafeCell::new(slot));
    }
    head
}

/// A block of a class, without its future.
#[inline(never)]
fn block(class: usize, vtable: &'static Vtable, take: unsafe fn(*mut Head, *mut u8)) -> *mut Head {
    let head = instance().blocks.take(class).cast::<Head>();
    let node = Node::new(vtable, LIVE | JOINED);
    // SAFETY: the block is free; its class is that of something that starts with a head.
    unsafe { head.write(Head { node, joiner: UnsafeCell::new(Parked::nobody()), take, class }) }
    head
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
pub(crate) struct Blocks([Cell<*mut Node>; CLASSES]);

impl Blocks {
    pub(crate) const fn new() -> Blocks {
        Blocks([const { Cell::new(ptr::null_mut()) }; CLASSES])
    }

    fn take(&self, class: usize) -> *mut Node {
        let Some(list) = self.0.get(class) else { return fresh(class) };
        let node = list.get();
        if node.is_null() {
            return fresh(class);
        }
        // SAFETY: nodes are live for ever.
        list.set(unsafe { (*node).next.get() });
        node
    }

    fn put(&self, class: usize, node: *mut Node) {
        if let Some(list) = self.0.get(class) {
            // SAFETY: nodes are live for ever. One that is not live is in no queue.
            unsafe { (*node).next.set(list.replace(node)) }
        }
    }
}

#[cold]
#[inline(never)]
fn fresh(class: usize) -> *mut Node {
    // SAFETY: sizes are small powers of two.
    unsafe {
        let layout = Layout::from_size_align_unchecked(SMALLEST << class, ALIGN);
        let block = alloc(layout);
        if block.is_null() {
            crate::trap::out_of_memory(layout);
        }
        block.cast()
    }
}
