//! What the runtime knows of the component instance it runs in: on wasm a static, natively one per thread.

use crate::abi::Chain;
use crate::error_context::Retired;
use crate::task::Task;
use crate::task::spawn::Blocks;
use crate::task::waitable::Operation;
use crate::task::wake::Signals;
use alloc::vec::Vec;
use core::cell::{Cell, UnsafeCell};
use core::ptr;

/// The state of the runtime.
pub(crate) struct Instance {
    /// The task that runs. While none does: null, or the background when that has work.
    pub(crate) current: Cell<*mut Task>,
    /// The tasks that have returned to the engine and will be called again, linked by `Task::after`.
    pub(crate) asleep: Cell<*mut Task>,
    /// What has no task, see `background::home`; made when it is first needed.
    pub(crate) background: Cell<*mut Task>,
    /// Finds the operation that an event is for.
    pub(crate) table: Table,
    /// For waking tasks that sleep.
    pub(crate) signals: Signals,
    /// Blocks for `block_on`.
    pub(crate) blocking: Cell<*mut Task>,
    /// Blocks for spawned futures.
    pub(crate) blocks: Blocks,
    /// What was lent to the export whose parameters were lifted last.
    pub(crate) lent: Cell<*mut Chain>,
    /// Error contexts that were passed and wait to be dropped.
    pub(crate) retired: Cell<*mut Retired>,
    /// Blocks of exports, by the address of their pool: natively a static belongs to all threads.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) pools: Pools,
}

impl Instance {
    const fn new() -> Instance {
        Instance {
            current: Cell::new(ptr::null_mut()),
            asleep: Cell::new(ptr::null_mut()),
            background: Cell::new(ptr::null_mut()),
            table: Table(UnsafeCell::new(Vec::new())),
            signals: Signals::new(),
            blocking: Cell::new(ptr::null_mut()),
            blocks: Blocks::new(),
            lent: Cell::new(ptr::null_mut()),
            retired: Cell::new(ptr::null_mut()),
            #[cfg(not(target_family = "wasm"))]
            pools: Pools::new(),
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

/// A number that only this thread has ever had.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn thread() -> usize {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    std::thread_local!(static THREAD: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    THREAD.with(|thread| *thread)
}

/// The registered operation of each waitable, by its handle. Handles are small: they index one table of the engine.
///
/// An odd address is not one of an operation: it is `NOTHING`, or see `wake::signal`.
pub(crate) struct Table(UnsafeCell<Vec<*mut Operation>>);

/// What is registered for most handles.
const NOTHING: *mut Operation = ptr::without_provenance_mut(1);

impl Table {
    /// What is registered for `handle`.
    #[inline(always)]
    pub(crate) fn get(&self, handle: u32) -> *mut Operation {
        // SAFETY: no reference into the table outlives one of these functions.
        unsafe { (&*self.0.get()).get(handle as usize).copied().unwrap_or(NOTHING) }
    }

    /// Takes what is registered for `handle`.
    #[inline(always)]
    pub(crate) fn take(&self, handle: u32) -> *mut Operation {
        // SAFETY: as in `get`.
        match unsafe { (&mut *self.0.get()).get_mut(handle as usize) } {
            Some(entry) => core::mem::replace(entry, NOTHING),
            None => NOTHING,
        }
    }

    /// Registers `operation` for `handle`.
    #[inline(always)]
    pub(crate) fn set(&self, handle: u32, operation: *mut Operation) {
        // SAFETY: as in `get`.
        match unsafe { (&mut *self.0.get()).get_mut(handle as usize) } {
            Some(entry) => *entry = operation,
            None => self.grow(handle, operation),
        }
    }

    /// Registers nothing for `handle`.
    #[inline(always)]
    pub(crate) fn clear(&self, handle: u32) {
        // SAFETY: as in `get`.
        if let Some(entry) = unsafe { (&mut *self.0.get()).get_mut(handle as usize) } {
            *entry = NOTHING;
        }
    }

    /// All handles that something is registered for are below this.
    pub(crate) fn len(&self) -> u32 {
        // SAFETY: as in `get`.
        unsafe { (&*self.0.get()).len() as u32 }
    }

    #[cold]
    #[inline(never)]
    fn grow(&self, handle: u32, operation: *mut Operation) {
        // SAFETY: as in `get`.
        let table = unsafe { &mut *self.0.get() };
        table.resize((handle as usize + 1).next_power_of_two().max(32), NOTHING);
        if let Some(entry) = table.get_mut(handle as usize) {
            *entry = operation;
        }
    }
}

/// The first free block of each pool of this thread.
#[cfg(not(target_family = "wasm"))]
pub(crate) struct Pools(UnsafeCell<Vec<(*const u8, &'static Cell<*mut Task>)>>);

#[cfg(not(target_family = "wasm"))]
impl Pools {
    const fn new() -> Pools {
        Pools(UnsafeCell::new(Vec::new()))
    }

    /// That of the pool at this address. Pools are statics: there are few, and they stay.
    pub(crate) fn free_of(&self, pool: *const u8) -> &'static Cell<*mut Task> {
        // SAFETY: no reference into the vector outlives this function.
        let pools = unsafe { &mut *self.0.get() };
        if let Some((_, free)) = pools.iter().find(|(address, _)| *address == pool) {
            return free;
        }
        let free: &'static _ = alloc::boxed::Box::leak(alloc::boxed::Box::new(Cell::new(ptr::null_mut())));
        pools.push((pool, free));
        free
    }
}
