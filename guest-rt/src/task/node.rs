//! Nodes: the futures that the runtime polls, each at the head of a block that stays one.
//!
//! A node is the root of a task, or a future that was spawned onto it. Blocks never go back to the allocator: once a
//! node, always a node, in use or in a free list. So a waker is a bare pointer that nobody counts. One that outlives its
//! future finds a node that is not live, or a later future in the same block, which it wakes for nothing; futures have
//! to expect that anyway.
//!
//! ```text
//!            spawn, start                     done, cancel                 release
//!   (free) ───────────────► LIVE ───────────────────────────► (over) ───────────────► (free)
//!                          │  ▲                                  │
//!                   enqueue│  │pop                               │ while any of QUEUED, HELD, JOINED is set,
//!                          ▼  │                                  │ the block is not free
//!                      LIVE | QUEUED                             ▼
//! ```
//!
//! The node is HELD while the executor polls it: what user code does meanwhile cannot free the block under it.

use super::TaskRef;
use core::cell::Cell;
use core::ops::Deref;
use core::ptr::NonNull;

/// The node is in the ready queue of its task.
pub(crate) const QUEUED: u8 = 1;
/// The node has a future that is not done.
pub(crate) const LIVE: u8 = 2;
/// The executor is at the node.
pub(crate) const HELD: u8 = 4;

/// The head of every block. It is written once; all that changes is in cells.
#[repr(C)]
pub(crate) struct Node {
    pub(crate) vtable: Cell<&'static Vtable>,
    /// The task that polls it. `None` only while the block is free.
    pub(crate) task: Cell<Option<TaskRef>>,
    /// The next in the ready queue, or in a free list.
    pub(crate) next: Cell<Option<NodeRef>>,
    /// The flags above, and what spawned nodes add.
    pub(crate) state: Cell<u8>,
    /// The thread that stands in for the instance. Other threads may read this, and nothing else.
    #[cfg(not(target_family = "wasm"))]
    pub(super) thread: usize,
}

/// What differs between nodes.
pub(crate) struct Vtable {
    /// Polls the future of a live node. When that is done, drops it, passes its result on, and returns true; the node is
    /// not live any more. A panic leaves the node as it was.
    ///
    /// # Safety
    /// The node is live, is one with this table, and nobody else is at its future.
    pub(crate) poll: unsafe fn(NodeRef) -> bool,
    /// Drops the future of a live node, which then is not.
    ///
    /// # Safety
    /// As for `poll`.
    pub(crate) cancel: unsafe fn(NodeRef),
    /// Lets go of a node that is not live: frees its block unless somebody still needs it, then tells who waits for the
    /// result. Called when the node is over, and again when it leaves the ready queue after that.
    pub(crate) release: fn(NodeRef),
}

/// A node's block. It can be copied and kept by anybody, wakers included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeRef(NonNull<Node>);

impl Deref for NodeRef {
    type Target = Node;

    #[inline(always)]
    fn deref(&self) -> &Node {
        // SAFETY: made of nodes at the head of blocks only; blocks are never freed, and what changes in a node is in cells.
        unsafe { self.0.as_ref() }
    }
}

impl Node {
    /// Makes the head of a new block, out of use.
    pub(crate) fn new(vtable: &'static Vtable) -> Node {
        Node {
            vtable: Cell::new(vtable),
            task: Cell::new(None),
            next: Cell::new(None),
            state: Cell::new(0),
            #[cfg(not(target_family = "wasm"))]
            thread: crate::instance::thread(),
        }
    }

    /// Returns whether any of these flags is set.
    #[inline(always)]
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.state.get() & flags != 0
    }

    /// Sets flags.
    #[inline(always)]
    pub(crate) fn add(&self, flags: u8) {
        self.state.set(self.state.get() | flags);
    }

    /// Clears flags.
    #[inline(always)]
    pub(crate) fn remove(&self, flags: u8) {
        self.state.set(self.state.get() & !flags);
    }
}

impl NodeRef {
    /// Refers to the node at the head of a block.
    ///
    /// # Safety
    /// `node` points to a block that starts with an initialised node and is never freed, with provenance for all of the
    /// block.
    #[inline(always)]
    pub(crate) const unsafe fn new(node: NonNull<Node>) -> NodeRef {
        NodeRef(node)
    }

    /// Returns the block, with provenance for all of it.
    #[inline(always)]
    pub(crate) const fn block<T>(self) -> *mut T {
        self.0.as_ptr().cast()
    }
}
