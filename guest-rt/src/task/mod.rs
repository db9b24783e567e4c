//! Tasks and their blocks.
//!
//! A *node* is a future that the runtime polls: the root of a task, or one that was spawned onto it. A *task* is a call
//! of an async export (or a `block_on`), with its root, its ready queue and its waitable set.
//!
//! Blocks never go back to the allocator: once a node, always a node, in use or in a free list. So a waker is a bare
//! pointer that nobody counts. One that outlives its future finds a node that is not live, or a later future in the same
//! block, which it wakes for nothing; futures have to expect that anyway.

pub(crate) mod background;
pub(crate) mod block_on;
pub(crate) mod executor;
pub(crate) mod spawn;
pub(crate) mod waitable;
pub(crate) mod wake;
pub(crate) mod yields;

use crate::builtins;
use crate::structured::Notices;
use crate::task::waitable::Operation;
use crate::task::wake::wake;
use core::cell::{Cell, UnsafeCell};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

/// The node is in the ready queue of its task.
pub(crate) const QUEUED: u8 = 1;
/// The node has a future that is not done.
pub(crate) const LIVE: u8 = 2;

/// The head of every block.
#[repr(C)]
pub(crate) struct Node {
    pub(crate) vtable: Cell<&'static Vtable>,
    /// The task that polls it.
    pub(crate) task: Cell<*mut Task>,
    /// The next in the ready queue.
    pub(crate) next: Cell<*mut Node>,
    /// `QUEUED`, `LIVE`, and what spawned nodes add.
    pub(crate) state: Cell<u8>,
    /// The thread that stands in for the instance.
    #[cfg(not(target_family = "wasm"))]
    thread: usize,
}

impl Node {
    /// The node of a block; somebody has to say which task it is of.
    pub(crate) fn new(vtable: &'static Vtable, state: u8) -> Node {
        Node {
            vtable: Cell::new(vtable),
            task: Cell::new(ptr::null_mut()),
            next: Cell::new(ptr::null_mut()),
            state: Cell::new(state),
            #[cfg(not(target_family = "wasm"))]
            thread: crate::instance::thread(),
        }
    }
}

/// What differs between nodes.
pub(crate) struct Vtable {
    /// Polls the future of a live node. When that is done: drops it, passes its result on, and returns true; the node
    /// is not live any more.
    pub(crate) poll: unsafe fn(*mut Node) -> bool,
    /// Drops the future of a live node, which then is not.
    pub(crate) cancel: unsafe fn(*mut Node),
    /// Called when a node that is not live has left the ready queue.
    pub(crate) release: unsafe fn(*mut Node),
}

/// A task; its root comes first.
#[repr(C)]
pub(crate) struct Task {
    pub(crate) root: Node,
    /// The ready queue.
    pub(crate) head: Cell<*mut Node>,
    tail: Cell<*mut Node>,
    /// The spawned nodes that are not done.
    pub(crate) spawned: Cell<u32>,
    /// The registered operations whose waitable is in `set`.
    pub(crate) pending: Cell<u32>,
    /// The waitable set, 0 before it is first needed. It stays with the block.
    pub(crate) set: Cell<u32>,
    /// What tells the engine to wait on that.
    pub(crate) wait: Cell<u32>,
    /// Somebody asked to return to the engine before going on.
    pub(crate) yielding: Cell<bool>,
    /// It has returned to the engine, and is linked into `Instance::asleep`.
    pub(crate) slept: Cell<bool>,
    /// Neighbours in `Instance::asleep`; for a block in a free list, `after` is the next one there.
    pub(crate) before: Cell<*mut Task>,
    pub(crate) after: Cell<*mut Task>,
    /// The task that was current when this one started to block its caller.
    pub(crate) outer: Cell<*mut Task>,
    /// Who wants to be told when the caller cancels it.
    pub(crate) notices: Notices,
    /// Wakes the root.
    pub(crate) waker: ManuallyDrop<Waker>,
    /// Where the block goes when the task is over.
    pub(crate) pool: Option<&'static Pool>,
}

impl Task {
    /// The header of a fresh block at `this`, out of use.
    pub(crate) fn new(this: *mut Task, vtable: &'static Vtable, pool: Option<&'static Pool>) -> Task {
        let root = Node::new(vtable, 0);
        root.task.set(this);
        Task {
            root,
            head: Cell::new(ptr::null_mut()),
            tail: Cell::new(ptr::null_mut()),
            spawned: Cell::new(0),
            pending: Cell::new(0),
            set: Cell::new(0),
            wait: Cell::new(0),
            yielding: Cell::new(false),
            slept: Cell::new(false),
            before: Cell::new(ptr::null_mut()),
            after: Cell::new(ptr::null_mut()),
            outer: Cell::new(ptr::null_mut()),
            notices: Notices::new(),
            // SAFETY: blocks are nodes for ever.
            waker: ManuallyDrop::new(unsafe { waker_of(this.cast()) }),
            pool,
        }
    }

    /// The waitable set.
    #[inline(always)]
    pub(crate) fn set(&self) -> u32 {
        match self.set.get() {
            0 => self.make_set(),
            set => set,
        }
    }

    #[cold]
    #[inline(never)]
    fn make_set(&self) -> u32 {
        let set = builtins::waitable_set_new();
        self.set.set(set);
        self.wait.set(builtins::code::WAIT | set << 4);
        set
    }

    /// What tells the engine to wait for an event in the set.
    pub(crate) fn wait(&self) -> u32 {
        self.set();
        self.wait.get()
    }

    /// Nothing is left to poll.
    #[inline(always)]
    pub(crate) fn is_over(&self) -> bool {
        self.spawned.get() == 0 && self.root.state.get() & LIVE == 0
    }

    /// Puts a node that is live, and not queued, into the ready queue.
    #[inline(always)]
    pub(crate) fn push(&self, node: *mut Node) {
        // SAFETY: nodes are live for ever.
        unsafe {
            (*node).state.set((*node).state.get() | QUEUED);
            (*node).next.set(ptr::null_mut());
            let tail = self.tail.replace(node);
            if self.head.get().is_null() {
                self.head.set(node);
            } else {
                (*tail).next.set(node);
            }
        }
    }

    /// Takes the first node from the ready queue.
    #[inline(always)]
    pub(crate) fn pop(&self) -> *mut Node {
        let node = self.head.get();
        if !node.is_null() {
            // SAFETY: nodes are live for ever.
            unsafe {
                self.head.set((*node).next.get());
                (*node).state.set((*node).state.get() & !QUEUED);
            }
        }
        node
    }
}

/// The blocks of one async export, as many as its calls that ever ran at the same time.
///
/// Generated code keeps one per export, in a static that is not generic.
pub struct Pool {
    #[cfg(target_family = "wasm")]
    free: Cell<*mut Task>,
    /// Its address is its name.
    #[cfg(not(target_family = "wasm"))]
    _not_empty: u8,
}

// SAFETY: a component instance has one thread at a time.
#[cfg(target_family = "wasm")]
unsafe impl Sync for Pool {}

impl Pool {
    /// A pool without blocks.
    #[allow(clippy::new_without_default, reason = "it is only for statics")]
    pub const fn new() -> Pool {
        Pool {
            #[cfg(target_family = "wasm")]
            free: Cell::new(ptr::null_mut()),
            #[cfg(not(target_family = "wasm"))]
            _not_empty: 0,
        }
    }

    /// The first block that is out of use.
    #[cfg(target_family = "wasm")]
    #[inline(always)]
    pub(crate) fn free(&self) -> &Cell<*mut Task> {
        &self.free
    }

    /// The first block of this thread that is out of use.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn free(&self) -> &'static Cell<*mut Task> {
        crate::instance::instance().pools.free_of(ptr::from_ref(self).cast())
    }
}

static WAKER: RawWakerVTable = RawWakerVTable::new(clone, wake_raw, wake_raw, |_| {});

fn clone(node: *const ()) -> RawWaker {
    RawWaker::new(node, &WAKER)
}

fn wake_raw(node: *const ()) {
    let node = node.cast_mut().cast::<Node>();
    // SAFETY: only `waker_of` makes such wakers, from nodes. What is read here never changes.
    #[cfg(not(target_family = "wasm"))]
    if unsafe { (*node).thread } != crate::instance::thread() {
        panic!("a task of a component was woken from another thread, but a component instance has only one");
    }
    // SAFETY: as above.
    unsafe { wake(node) }
}

/// A waker that polls `node` again.
///
/// # Safety
/// `node` is the node of a block.
#[inline(always)]
pub(crate) unsafe fn waker_of(node: *mut Node) -> Waker {
    // SAFETY: nodes are live for ever, and cloning or dropping a waker does nothing.
    unsafe { Waker::from_raw(RawWaker::new(node.cast_const().cast(), &WAKER)) }
}

/// The node that a waker wakes, when it is one of ours. There may be copies of the vtable: such a waker is just slower.
#[inline(always)]
fn node_of(waker: &Waker) -> Option<*mut Node> {
    ptr::eq(waker.vtable(), &WAKER).then(|| waker.data().cast_mut().cast())
}

/// Whom to wake: a node of ours by its pointer, anything else is kept out of line.
pub(crate) struct Parked {
    /// A node, or one of the three below.
    node: Cell<*mut Node>,
    other: UnsafeCell<MaybeUninit<Other>>,
}

union Other {
    waker: ManuallyDrop<Waker>,
    call: unsafe fn(*mut Operation, u32),
}

/// Whom to wake, when that is not a node of ours.
pub(crate) enum Target {
    Nobody,
    Waker(Waker),
    Call(unsafe fn(*mut Operation, u32)),
}

const NOBODY: *mut Node = ptr::null_mut();
const FOREIGN: *mut Node = ptr::without_provenance_mut(1);
const CALL: *mut Node = ptr::without_provenance_mut(2);

impl Parked {
    /// Wakes nobody.
    pub(crate) const fn nobody() -> Parked {
        Parked { node: Cell::new(NOBODY), other: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Calls `done`.
    pub(crate) fn call(done: unsafe fn(*mut Operation, u32)) -> Parked {
        Parked { node: Cell::new(CALL), other: UnsafeCell::new(MaybeUninit::new(Other { call: done })) }
    }

    /// Wakes whom `cx` wakes: written in place, since most of it is not. Whether that is a node of ours.
    ///
    /// # Safety
    /// `this` is valid for writes.
    #[inline(always)]
    pub(crate) unsafe fn park_at(this: *mut Parked, cx: &Context<'_>) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            match node_of(cx.waker()) {
                Some(node) => {
                    (&raw mut (*this).node).write(Cell::new(node));
                    true
                }
                None => {
                    Parked::park_foreign(this, cx);
                    false
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn park_foreign(this: *mut Parked, cx: &Context<'_>) {
        // SAFETY: the caller's promise.
        unsafe { this.write(Parked::foreign(cx.waker().clone())) }
    }

    #[cold]
    #[inline(never)]
    fn foreign(waker: Waker) -> Parked {
        let other = Other { waker: ManuallyDrop::new(waker) };
        Parked { node: Cell::new(FOREIGN), other: UnsafeCell::new(MaybeUninit::new(other)) }
    }

    /// Wakes whom `cx` wakes instead.
    #[inline(never)]
    pub(crate) fn update(&mut self, cx: &Context<'_>) {
        let same = match node_of(cx.waker()) {
            Some(node) => self.node.get() == node,
            None if self.node.get() != FOREIGN => false,
            // SAFETY: what `FOREIGN` says.
            None => unsafe { self.other.get_mut().assume_init_ref().waker.will_wake(cx.waker()) },
        };
        if !same {
            self.clear();
            // SAFETY: it is a reference; what it held was taken.
            unsafe { Parked::park_at(self, cx) };
        }
    }

    /// The node, if [`Parked::is_node`].
    #[inline(always)]
    pub(crate) fn node(&self) -> *mut Node {
        self.node.get()
    }

    #[inline(always)]
    pub(crate) fn is_node(node: *mut Node) -> bool {
        node.addr() > CALL.addr()
    }

    /// It is a node of `task`.
    pub(crate) fn is_of(&self, task: *mut Task) -> bool {
        let node = self.node.get();
        // SAFETY: nodes are live for ever.
        Parked::is_node(node) && unsafe { (*node).task.get() == task }
    }

    /// Keeps a node of ours as if it were not.
    pub(crate) fn make_foreign(&mut self) {
        let node = self.node.get();
        if Parked::is_node(node) {
            // SAFETY: nodes are live for ever.
            *self = Parked::foreign(unsafe { waker_of(node) });
        }
    }

    /// Takes what is not a node.
    pub(crate) fn take(&self) -> Target {
        let node = self.node.replace(NOBODY);
        // SAFETY: what the sentinels say; nobody borrows from the cell across a call.
        unsafe {
            match node {
                FOREIGN => Target::Waker(ManuallyDrop::into_inner((*self.other.get()).assume_init_read().waker)),
                CALL => Target::Call((*self.other.get()).assume_init_read().call),
                _ => Target::Nobody,
            }
        }
    }

    /// Wakes it, once.
    #[inline(never)]
    pub(crate) fn wake(&self) {
        let node = self.node.get();
        if Parked::is_node(node) {
            self.node.set(NOBODY);
            // SAFETY: nodes are live for ever.
            unsafe { wake(node) }
        } else if let Target::Waker(waker) = self.take() {
            waker.wake();
        }
    }

    /// Wakes nobody any more.
    #[inline(never)]
    pub(crate) fn clear(&self) {
        if let Target::Waker(waker) = self.take() {
            drop(waker);
        }
    }
}
