//! Waking: a node gets into the ready queue of its task, and a task that sleeps gets an event.
//!
//! Handles belong to the instance, not to a task. So a task arms nothing when it goes to sleep: who wakes it from outside
//! joins the reading end of a pair of unit streams to the set it sleeps on, and writes to the other end.

use crate::builtins;
use crate::instance::{Instance, instance};
use crate::task::waitable::Operation;
use crate::task::{LIVE, Node, QUEUED, Task};
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// Polls a node again, unless it is done or will be polled anyway.
///
/// # Safety
/// `node` is the node of a block.
#[inline(never)]
pub(crate) unsafe fn wake(node: *mut Node) {
    // SAFETY: nodes and tasks are live for ever.
    unsafe {
        if (*node).state.get() & (LIVE | QUEUED) != LIVE {
            return;
        }
        enqueue(node);
    }
}

/// Puts a live node into the ready queue of its task, which then runs it, now or when it is called again.
///
/// # Safety
/// `node` is the node of a block, live and not queued.
pub(crate) unsafe fn enqueue(node: *mut Node) {
    let instance = instance();
    // SAFETY: nodes and tasks are live for ever.
    unsafe {
        let task = (*node).task.get();
        // With something in its queue, a task is running or has been signalled.
        let idle = (*task).head.get().is_null();
        (*task).push(node);
        if idle && !is_running(instance, task) {
            signal(instance, task);
        }
    }
}

/// The task will look into its queue without being called.
#[inline(always)]
unsafe fn is_running(instance: &Instance, task: *mut Task) -> bool {
    let mut current = instance.current.get();
    // SAFETY: tasks are live for ever.
    unsafe {
        while !current.is_null() {
            if current == task {
                return true;
            }
            current = (*current).outer.get();
        }
    }
    // The background is never called; its work waits.
    task == instance.background.get()
}

/// The pairs of unit streams.
pub(crate) struct Signals {
    pairs: UnsafeCell<Vec<Pair>>,
    /// The number of the first free pair, plus one.
    free: Cell<u32>,
}

#[derive(Clone, Copy)]
struct Pair {
    reader: u32,
    writer: u32,
    /// The set that the reader is in.
    set: u32,
    next_free: u32,
}

impl Signals {
    pub(crate) const fn new() -> Signals {
        Signals { pairs: UnsafeCell::new(Vec::new()), free: Cell::new(0) }
    }

    /// Takes a free pair, whose reader will be in `set`: its number plus one, and how it was until now.
    fn take(&self, set: u32) -> (u32, Pair) {
        let mut number = self.free.get();
        let ends = if number == 0 { builtins::unit_stream_new() } else { 0 };
        // SAFETY: no reference into the vector outlives this function.
        let pairs = unsafe { &mut *self.pairs.get() };
        if number == 0 {
            pairs.push(Pair { reader: ends as u32, writer: (ends >> 32) as u32, set: 0, next_free: 0 });
            number = pairs.len() as u32;
        }
        // SAFETY: numbers are those of pairs.
        let pair = unsafe { pairs.get_unchecked_mut(number as usize - 1) };
        let before = *pair;
        self.free.set(pair.next_free);
        pair.set = set;
        (number, before)
    }
}

/// Has the engine call a task that sleeps.
#[cold]
#[inline(never)]
fn signal(instance: &Instance, task: *mut Task) {
    // SAFETY: tasks are live for ever.
    let set = unsafe { (*task).set() };
    let (number, pair) = instance.signals.take(set);
    builtins::unit_stream_read(pair.reader, 0, 1);
    if pair.set != set {
        builtins::waitable_join(pair.reader, set);
    }
    // An odd address tells it from an operation.
    instance.table.set(pair.reader, ptr::without_provenance_mut((number as usize) << 1 | 1));
    builtins::unit_stream_write(pair.writer, 0, 1);
}

/// An event was delivered to what is no operation. If it was that of a signal, its pair can be used again.
#[cold]
#[inline(never)]
pub(crate) fn recycle(instance: &Instance, entry: *mut Operation) {
    let number = entry.addr() >> 1;
    if number == 0 {
        return;
    }
    // SAFETY: numbers are those of pairs, and the reference does not outlive this function.
    unsafe {
        let pair = (&mut *instance.signals.pairs.get()).get_unchecked_mut(number - 1);
        instance.table.clear(pair.reader);
        pair.next_free = instance.signals.free.replace(number as u32);
    }
}
