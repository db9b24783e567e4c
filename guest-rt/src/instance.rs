//! What the runtime knows of the component instance it runs in: on wasm a static, natively one per thread.

use crate::spawn::Blocks;
use crate::task::Task;
use crate::waitable::Operation;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// The state of the runtime.
pub(crate) struct Instance {
    /// The task that runs. While none does: null, or the background when that has work.
    pub(crate) current: Cell<*mut Task>,
    /// The tasks that have returned to the engine and will be called again, linked by `Task::after`.
    pub(crate) asleep: Cell<*mut Task>,
    /// What has no task, see `executor::home`; made when it is first needed.
    pub(crate) background: Cell<*mut Task>,
    /// Finds the operation that an event is for.
    pub(crate) table: Table,
    /// Pairs of unit streams for waking sleeping tasks: reader, writer, and the set the reader is in.
    pub(crate) signals: Stack<(u32, u32, u32)>,
    /// Blocks for `block_on`.
    pub(crate) blocking: Cell<*mut Task>,
    /// Blocks for spawned futures.
    pub(crate) blocks: Blocks,
    /// Blocks of exports, by the address of their pool: natively a static belongs to all threads.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) pools: Stack<(*const u8, Cell<*mut Task>)>,
}

impl Instance {
    const fn new() -> Instance {
        Instance {
            current: Cell::new(ptr::null_mut()),
            asleep: Cell::new(ptr::null_mut()),
            background: Cell::new(ptr::null_mut()),
            table: Table(UnsafeCell::new(Vec::new())),
            signals: Stack::new(),
            blocking: Cell::new(ptr::null_mut()),
            blocks: Blocks::new(),
            #[cfg(not(target_family = "wasm"))]
            pools: Stack::new(),
        }
    }
}

/// The instance that this code runs in.
#[cfg(target_family = "wasm")]
#[inline(always)]
pub(crate) fn instance() -> &'static Instance {
    struct Only(Instance);
    // SAFETY: a component instance has one thread at a time.
    unsafe impl Sync for Only {}
    static INSTANCE: Only = Only(Instance::new());
    &INSTANCE.0
}

/// The instance that this thread stands in for.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn instance() -> &'static Instance {
    use core::mem::ManuallyDrop;
    // Never dropped: a destructor of another thread-local may still come here.
    std::thread_local!(static INSTANCE: ManuallyDrop<Instance> = const { ManuallyDrop::new(Instance::new()) });
    // SAFETY: `Instance` is neither `Send` nor `Sync`, so that no reference leaves the thread; nothing drops it.
    INSTANCE.with(|instance| unsafe { &*ptr::from_ref::<Instance>(instance) })
}

/// The registered operation of each waitable, by its handle. Handles are small: they index one table of the engine.
///
/// An odd address is not one of an operation: see `executor::signal`.
pub(crate) struct Table(UnsafeCell<Vec<*mut Operation>>);

impl Table {
    /// What is registered for `handle`, or null.
    #[inline(always)]
    pub(crate) fn get(&self, handle: u32) -> *mut Operation {
        // SAFETY: no reference into the table outlives one of these functions.
        unsafe { (*self.0.get()).get(handle as usize).copied().unwrap_or(ptr::null_mut()) }
    }

    /// Registers `operation` for `handle`.
    #[inline(always)]
    pub(crate) fn set(&self, handle: u32, operation: *mut Operation) {
        // SAFETY: as in `get`.
        match unsafe { (*self.0.get()).get_mut(handle as usize) } {
            Some(entry) => *entry = operation,
            None => self.grow(handle, operation),
        }
    }

    /// Registers nothing for `handle`.
    #[inline(always)]
    pub(crate) fn clear(&self, handle: u32) {
        // SAFETY: as in `get`.
        if let Some(entry) = unsafe { (*self.0.get()).get_mut(handle as usize) } {
            *entry = ptr::null_mut();
        }
    }

    /// All handles that something is registered for are below this.
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: as in `get`.
        unsafe { (*self.0.get()).len() as u32 }
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, handle: u32, operation: *mut Operation) {
        // SAFETY: as in `get`.
        let table = unsafe { &mut *self.0.get() };
        table.resize((handle as usize + 1).next_power_of_two().max(32), ptr::null_mut());
        if let Some(entry) = table.get_mut(handle as usize) {
            *entry = operation;
        }
    }
}

/// A vector that is never borrowed across a call.
pub(crate) struct Stack<T>(UnsafeCell<Vec<T>>);

impl<T> Stack<T> {
    pub(crate) const fn new() -> Stack<T> {
        Stack(UnsafeCell::new(Vec::new()))
    }

    pub(crate) fn push(&self, item: T) {
        // SAFETY: no reference into the vector outlives one of these functions.
        unsafe { (*self.0.get()).push(item) }
    }

    pub(crate) fn pop(&self) -> Option<T> {
        // SAFETY: as in `push`.
        unsafe { (*self.0.get()).pop() }
    }
}
