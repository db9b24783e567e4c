//! Waking: a node gets into the ready queue of its task, and a task that sleeps gets an event.
//!
//! Handles belong to the instance, not to a task. So a task arms nothing when it goes to sleep: who wakes it from outside
//! joins the reading end of a pair of unit streams to the set it sleeps on, and writes to the other end.

use super::node::{LIVE, NodeRef, QUEUED};
use super::table::{self, Entry};
use super::{TaskRef, current, foreign};
use crate::builtins;
use crate::instance::local;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::ptr::{self, NonNull};
use core::task::{RawWaker, RawWakerVTable, Waker};

static WAKER: RawWakerVTable = RawWakerVTable::new(clone, wake_raw, wake_raw, |_| {});

fn clone(node: *const ()) -> RawWaker {
    RawWaker::new(node, &WAKER)
}

fn wake_raw(node: *const ()) {
    let node = NonNull::new(node.cast_mut().cast());
    // SAFETY: only `waker_of` makes such wakers, from nodes.
    let node = unsafe { NodeRef::new(node.unwrap_unchecked()) };
    #[cfg(not(target_family = "wasm"))]
    if node.thread != crate::instance::thread() {
        abroad::send(node);
        return;
    }
    wake(node);
}

/// Returns a waker that polls `node` again. Cloning and dropping it does nothing.
#[inline(always)]
pub(crate) fn waker_of(node: NodeRef) -> Waker {
    #[cfg(not(target_family = "wasm"))]
    abroad::expect();
    // SAFETY: a node's block is never freed. Wakers may go to other threads: those only read the node's `thread`, which
    // never changes.
    unsafe { Waker::from_raw(RawWaker::new(node.block::<()>().cast_const(), &WAKER)) }
}

/// Returns the node that a waker wakes, when it is one of ours.
///
/// If the linker duplicated the vtable, our own waker is not recognised and takes the slow path.
#[inline(always)]
pub(super) fn node_of(waker: &Waker) -> Option<NodeRef> {
    if !ptr::eq(waker.vtable(), &WAKER) {
        return None;
    }
    // SAFETY: such a waker is one that `waker_of` made.
    let node = unsafe { NodeRef::new(NonNull::new_unchecked(waker.data().cast_mut().cast())) };
    #[cfg(not(target_family = "wasm"))]
    if node.thread != crate::instance::thread() {
        return None;
    }
    Some(node)
}

/// Returns whether a waker is one of this runtime, of whatever thread.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn is_ours(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &WAKER)
}

/// Polls a node again, unless it is done or will be polled anyway.
#[inline(never)]
pub(crate) fn wake(node: NodeRef) {
    if node.state.get() & (LIVE | QUEUED) == LIVE {
        enqueue(node);
    }
}

/// Puts a live node that is not queued into the ready queue of its task, which then runs it, now or when it is called
/// again.
pub(crate) fn enqueue(node: NodeRef) {
    let Some(task) = node.task.get() else { return };
    // With something in its queue, a task is running or has been signalled.
    let idle = !task.is_ready();
    task.push(node);
    if idle && !current::will_run(task) {
        signal(task);
    }
}

/// The pairs of unit streams.
struct Signals {
    pairs: UnsafeCell<Vec<Pair>>,
    /// The first free pair, or `NONE`.
    free: Cell<usize>,
}

#[derive(Clone, Copy)]
struct Pair {
    reader: u32,
    writer: u32,
    /// The set that the reader is in.
    set: u32,
    /// The next free pair, or `NONE`; for one that is not free, `IN_FLIGHT`.
    next: usize,
}

const NONE: usize = usize::MAX;
const IN_FLIGHT: usize = usize::MAX - 1;

local! {
    static SIGNALS: Signals = Signals { pairs: UnsafeCell::new(Vec::new()), free: Cell::new(NONE) };
}

impl Signals {
    fn with<T>(&self, f: impl FnOnce(&mut Vec<Pair>) -> T) -> T {
        // SAFETY: this is the only reference: what is called inside does not come back here.
        f(unsafe { &mut *self.pairs.get() })
    }

    /// Takes a free pair, whose reader will be in `set`. Returns its number, and how it was until now.
    fn take(&self, set: u32) -> (usize, Pair) {
        let number = match self.free.get() {
            NONE => self.grow(),
            number => number,
        };
        self.with(|pairs| {
            // SAFETY: numbers are those of pairs.
            let pair = unsafe { pairs.get_unchecked_mut(number) };
            let before = *pair;
            self.free.set(before.next);
            pair.next = IN_FLIGHT;
            pair.set = set;
            (number, before)
        })
    }

    /// Makes a pair.
    #[cold]
    #[inline(never)]
    fn grow(&self) -> usize {
        let ends = builtins::unit_stream_new();
        let pair = Pair { reader: ends as u32, writer: (ends >> 32) as u32, set: 0, next: NONE };
        self.with(|pairs| {
            pairs.push(pair);
            pairs.len() - 1
        })
    }
}

/// Has the engine call a task that sleeps.
#[cold]
#[inline(never)]
pub(crate) fn signal(task: TaskRef) {
    if foreign::is(task) {
        return foreign::signal(task);
    }
    let set = task.set();
    let (number, pair) = SIGNALS.take(set);
    builtins::unit_stream_read(pair.reader, 0, 1);
    table::set(pair.reader, Entry::Signal(number));
    if pair.set != set {
        builtins::waitable_join(pair.reader, set);
    }
    builtins::unit_stream_write(pair.writer, 0, 1);
}

/// The event of a signal was delivered, so its pair can be used again.
#[cold]
#[inline(never)]
pub(super) fn recycle(number: usize) {
    SIGNALS.with(|pairs| {
        // SAFETY: numbers are those of pairs.
        unsafe { pairs.get_unchecked_mut(number) }.next = SIGNALS.free.replace(number);
    });
}

/// Returns whether a signal's event was not delivered.
pub(super) fn in_flight() -> bool {
    SIGNALS.with(|pairs| pairs.iter().any(|pair| pair.next == IN_FLIGHT))
}

/// Drops all pairs. None is in flight.
pub(super) fn give_back() {
    SIGNALS.free.set(NONE);
    for pair in SIGNALS.with(core::mem::take) {
        builtins::unit_stream_drop_writable(pair.writer);
        builtins::unit_stream_drop_readable(pair.reader);
    }
}

/// Wakes that come from other threads, natively: the thread that a node belongs to does them when it next runs.
#[cfg(not(target_family = "wasm"))]
pub(crate) mod abroad {
    use super::{NodeRef, wake};
    use alloc::collections::{BTreeMap, BTreeSet};
    use core::cell::RefCell;
    use core::ptr::NonNull;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The addresses of the nodes to wake, by thread. A thread that has ended has no entry.
    type Woken = BTreeMap<usize, BTreeSet<usize>>;

    static WOKEN: Mutex<Woken> = Mutex::new(Woken::new());
    /// How many there are.
    static COUNT: AtomicUsize = AtomicUsize::new(0);

    std::thread_local! {
        static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
    }

    /// The entry of this thread, which ends with it.
    struct Here(usize);

    impl Drop for Here {
        fn drop(&mut self) {
            change(|woken| _ = woken.remove(&self.0));
        }
    }

    fn change(f: impl FnOnce(&mut Woken)) {
        let mut woken: MutexGuard<'_, Woken> = WOKEN.lock().unwrap_or_else(PoisonError::into_inner);
        f(&mut woken);
        COUNT.store(woken.values().map(BTreeSet::len).sum(), Ordering::Release);
    }

    /// This thread will look for wakes that others left.
    pub(super) fn expect() {
        // Where the thread's locals are gone already, there is nobody to wake.
        _ = HERE.try_with(|here| {
            if here.borrow().is_none() {
                let thread = crate::instance::thread();
                change(|woken| _ = woken.entry(thread).or_default());
                here.replace(Some(Here(thread)));
            }
        });
    }

    /// Leaves a wake for the node's own thread, if that has not ended.
    pub(super) fn send(node: NodeRef) {
        change(|woken| {
            if let Some(nodes) = woken.get_mut(&node.thread) {
                nodes.insert(node.block::<()>().expose_provenance());
            }
        });
    }

    /// Returns how many wakes wait for the thread of what `waker` wakes, which is a node.
    pub(crate) fn count(waker: &core::task::Waker) -> usize {
        let node = NonNull::new(waker.data().cast_mut().cast());
        // SAFETY: the caller has it from `waker_of`.
        let thread = unsafe { NodeRef::new(node.unwrap_unchecked()) }.thread;
        let mut count = 0;
        change(|woken| count = woken.get(&thread).map_or(0, BTreeSet::len));
        count
    }

    /// Does the wakes that other threads left for this one.
    pub(crate) fn receive() {
        if COUNT.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut mine = BTreeSet::new();
        change(|woken| mine = woken.get_mut(&crate::instance::thread()).map(core::mem::take).unwrap_or_default());
        for address in mine {
            let node = NonNull::new(core::ptr::with_exposed_provenance_mut(address));
            // SAFETY: `send` put the addresses of nodes there, and those of this thread only are here.
            wake(unsafe { NodeRef::new(node.unwrap_unchecked()) });
        }
    }
}
