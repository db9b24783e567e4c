//! Tasks: calls of async exports (or of `block_on`), each with its root, its ready queue and its waitable set.
//!
//! ```text
//!                 start: ready at once, nothing left
//!   (free) ───────────────────────────────────────────────────────────────► (free)
//!      │ start
//!      ▼                    settle, proceed: WAIT or YIELD
//!   running ──────────────────────────────────────────────► asleep
//!      ▲  │                                                    │
//!      │  │ end: root done, nothing spawned, nothing pending   │ callback: an event, or CANCELLED
//!      │  └───────────────────────────────► (free)             │
//!      └───────────────────────────────────────────────────────┘
//! ```
//!
//! - A task is over when its root is done, no spawned future is left, and no operation is pending in its set
//!   ([`Task::is_over`]). So whatever must still end well, such as the write of a future's default value or a call that
//!   was dropped and did not confirm that, keeps its task, and nothing has to be handed on.
//! - While a task blocks (`block_on`, a built-in that waits), it is asleep as far as others can tell
//!   ([`current::blocking`]).
//! - What is made where no task is current goes to a task that sleeps, or else to the background ([`current`]).
//!
//! The modules, each of which uses only those before it: `notices`, `node` and this one, `word`, `pool`, `beside::foreign`, `sets`,
//! `table`, `current`, `wake`, `parked`, `rest`, `outside`, `waitable`, `handover`, `executor`, `beside::hosted`, `spawn`,
//! `beside::lodger`, `block_on`, `yields`. There is one exception: what other runtimes see of a task points to functions of
//! `beside::lodger`, by which they call into this one from above.

#[cfg(not(feature = "beside"))]
mod alone;
#[cfg(feature = "beside")]
pub(crate) mod beside;
pub(crate) mod block_on;
pub(crate) mod current;
pub(crate) mod executor;
pub(crate) mod handover;
pub(crate) mod node;
pub(crate) mod notices;
pub(crate) mod outside;
pub(crate) mod parked;
pub(crate) mod pool;
pub(crate) mod rest;
pub(crate) mod sets;
pub(crate) mod spawn;
pub(crate) mod table;
pub(crate) mod waitable;
pub(crate) mod wake;
mod word;

#[cfg(all(feature = "beside", not(target_family = "wasm")))]
pub use self::word::wasip3_task_set;
pub(crate) mod yields;

#[cfg(not(feature = "beside"))]
use self::alone::foreign;
#[cfg(feature = "beside")]
use self::beside::foreign;
use self::node::{LIVE, Node, NodeRef, QUEUED, Vtable};
use self::notices::Notices;
use self::pool::Pool;
use alloc::alloc::{Layout, alloc};
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use core::task::Waker;

/// A task; its root comes first. All that changes is in cells.
#[repr(C)]
pub(crate) struct Task {
    pub(crate) root: Node,
    /// What other runtimes see of it.
    #[cfg(feature = "beside")]
    published: beside::Published,
    /// The ready queue. Only `push` and `pop` write it.
    head: Cell<Option<NodeRef>>,
    tail: Cell<Option<NodeRef>>,
    /// How many spawned nodes are not over.
    pub(crate) spawned: Cell<u32>,
    /// How many registered operations have their waitable in `set` (low half), and how many waitables are in it, with an
    /// operation or without (high half). In one word, since most often both change.
    counts: Cell<u64>,
    /// The waitable set, or 0. It stays with the block until the instance is at rest.
    set: Cell<u32>,
    /// What tells the engine to wait on the set.
    wait: Cell<u32>,
    /// The next block that has a set.
    holds: Cell<Option<TaskRef>>,
    /// What is to be done before the next poll: `YIELD`, `CANCEL`.
    pub(crate) interrupts: Cell<u8>,
    /// It is among those asleep.
    pub(crate) slept: Cell<bool>,
    /// Neighbours among those asleep; for a block in a free list, `after` is the next one there.
    pub(crate) before: Cell<Option<TaskRef>>,
    pub(crate) after: Cell<Option<TaskRef>>,
    /// The task that was current when this one started to block its caller.
    pub(crate) outer: Cell<Option<TaskRef>>,
    /// The spawned node that is being polled. `None` while the root is.
    pub(crate) polled: Cell<Option<NodeRef>>,
    /// Who wants to be told when the caller cancels it.
    pub(crate) notices: Notices,
    /// Wakes the root.
    pub(crate) waker: ManuallyDrop<Waker>,
    /// Where the block goes when the task is over. `None` for blocks of `block_on` and the background.
    pub(crate) pool: Option<&'static Pool>,
}

/// Somebody asked to return to the engine before going on.
pub(crate) const YIELD: u8 = 1;
/// The caller has cancelled the task, which was told while it blocked.
pub(crate) const CANCEL: u8 = 2;

/// An operation, for `Task::add`.
pub(crate) const PENDING: u64 = 1;
/// A waitable, for `Task::add`.
pub(crate) const MEMBER: u64 = 1 << 32;

/// A task's block. It can be copied and kept by anybody, wakers included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskRef(NonNull<Task>);

impl Deref for TaskRef {
    type Target = Task;

    #[inline(always)]
    fn deref(&self) -> &Task {
        // SAFETY: made of tasks at the head of blocks only; blocks are never freed, and what changes in a task is in cells.
        unsafe { self.0.as_ref() }
    }
}

impl TaskRef {
    /// Writes the header of a new block, out of use.
    ///
    /// # Safety
    /// `block` is valid for writes of a task and is never freed; it has provenance for all of the block. `waker_of` only
    /// makes a waker of the node, which is not initialised yet.
    unsafe fn create(
        block: NonNull<Task>,
        vtable: &'static Vtable,
        pool: Option<&'static Pool>,
        waker_of: impl FnOnce(NodeRef) -> Waker,
    ) -> TaskRef {
        // SAFETY: the node is initialised below, before anybody can look at it; the block is never freed.
        let node = unsafe { NodeRef::new(block.cast()) };
        let task = Task {
            root: Node::new(vtable),
            #[cfg(feature = "beside")]
            published: beside::Published::new(block),
            head: Cell::new(None),
            tail: Cell::new(None),
            spawned: Cell::new(0),
            counts: Cell::new(0),
            set: Cell::new(0),
            wait: Cell::new(0),
            holds: Cell::new(None),
            interrupts: Cell::new(0),
            slept: Cell::new(false),
            before: Cell::new(None),
            after: Cell::new(None),
            outer: Cell::new(None),
            polled: Cell::new(None),
            notices: Notices::new(),
            waker: ManuallyDrop::new(waker_of(node)),
            pool,
        };
        task.root.task.set(Some(TaskRef(block)));
        // SAFETY: valid for writes, as the caller promises.
        unsafe { block.write(task) };
        TaskRef(block)
    }

    /// Makes a block of this layout, out of use. Only its header is written.
    ///
    /// # Safety
    /// The layout is that of a block, which starts with a task.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn allocate(
        layout: Layout,
        vtable: &'static Vtable,
        pool: Option<&'static Pool>,
        waker_of: fn(NodeRef) -> Waker,
    ) -> TaskRef {
        if pool.is_some() {
            current::note_call();
        }
        // SAFETY: the layout is not empty, since a task is not. The block is never freed.
        unsafe {
            let Some(block) = NonNull::new(alloc(layout).cast::<Task>()) else { crate::trap::out_of_memory(layout) };
            TaskRef::create(block, vtable, pool, waker_of)
        }
    }

    /// Returns the root's node.
    #[inline(always)]
    pub(crate) fn root(self) -> NodeRef {
        // SAFETY: the block starts with it, is never freed, and the pointer is the one the block was created with.
        unsafe { NodeRef::new(self.0.cast()) }
    }

    /// Returns the task that is at the bottom, of those that block each other.
    pub(crate) fn outermost(self) -> TaskRef {
        let mut task = self;
        while let Some(outer) = task.outer.get() {
            task = outer;
        }
        task
    }

    /// Returns the block, with provenance for all of it.
    #[inline(always)]
    pub(crate) fn block<T>(self) -> *mut T {
        self.0.as_ptr().cast()
    }

    /// Returns the task at an address that [`block`](Self::block) gave.
    ///
    /// # Safety
    /// It did.
    #[inline(always)]
    pub(crate) unsafe fn from_block(block: *mut u8) -> TaskRef {
        // SAFETY: addresses of blocks are not null.
        TaskRef(unsafe { NonNull::new_unchecked(block.cast()) })
    }
}

impl Task {
    /// Returns whether a task that was polled once, and is done by that, has left no trace: its block can be used again as
    /// it is. What it spawned would be in the queue, and what is pending would be in a set.
    #[inline(always)]
    pub(crate) fn is_untouched(&self) -> bool {
        self.head.get().is_none() && self.set.get() == 0
    }

    /// Returns whether nothing is left to poll.
    #[inline(always)]
    pub(crate) fn is_done(&self) -> bool {
        self.spawned.get() == 0 && !self.root.has(LIVE)
    }

    /// Returns whether the engine need not call the task again. A task that blocks its caller cannot stay for what is
    /// pending.
    #[inline(always)]
    pub(crate) fn is_over(&self) -> bool {
        self.is_done() && (self.pending() == 0 || self.pool.is_none())
    }

    /// Returns whether the ready queue is not empty.
    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        self.head.get().is_some()
    }

    /// Puts a node that is not queued into the ready queue.
    #[inline(always)]
    pub(crate) fn push(&self, node: NodeRef) {
        node.add(QUEUED);
        node.next.set(None);
        match self.tail.replace(Some(node)) {
            Some(tail) if self.is_ready() => tail.next.set(Some(node)),
            _ => self.head.set(Some(node)),
        }
    }

    /// Takes the first node from the ready queue.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<NodeRef> {
        let node = self.head.get()?;
        self.head.set(node.next.get());
        node.remove(QUEUED);
        Some(node)
    }

    /// Returns how many registered operations have their waitable in the set.
    #[inline(always)]
    pub(crate) fn pending(&self) -> u32 {
        self.counts.get() as u32
    }

    /// Returns how many waitables are in the set, with an operation or without.
    pub(crate) fn members(&self) -> u32 {
        (self.counts.get() >> 32) as u32
    }

    /// Has something done before the next poll.
    pub(crate) fn interrupt(&self, interrupt: u8) {
        self.interrupts.set(self.interrupts.get() | interrupt);
    }

    /// Counts operations and waitables in the set.
    #[inline(always)]
    pub(crate) fn add(&self, counts: u64) {
        self.counts.set(self.counts.get() + counts);
    }

    /// Takes back what was counted.
    #[inline(always)]
    pub(crate) fn remove(&self, counts: u64) {
        self.counts.set(self.counts.get() - counts);
    }
}
