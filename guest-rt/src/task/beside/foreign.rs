//! Our operations and spawned futures in tasks of other runtimes. The numbers are those of the contract in [`super`].

use super::{Callback, Published, Spawn, lodger};
use crate::instance::local;
use crate::task::node::Vtable;
use crate::task::pool::Pool;
use crate::task::{Task, TaskRef};
use core::alloc::Layout;
use core::cell::Cell;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::task::Waker;

/// The block of a stand-in.
#[repr(C)]
pub(super) struct Foreign {
    task: Task,
    /// The task that it stands for, with a clone of its `ptr` and a table even in version 1. `ptr` is null out of use.
    other: Cell<Published>,
    /// The other runtime has a future that runs the ready queue.
    pub(super) is_hosted: Cell<bool>,
    /// Wakes that, once.
    pub(super) waker: Cell<Option<Waker>>,
}

/// The blocks that are out of use. Stand-ins are known by it.
static POOL: Pool = Pool::new();

struct State {
    /// How many stand-ins are in use.
    count: Cell<u32>,
    /// The one that was used last.
    last: Cell<Option<TaskRef>>,
    /// Has another runtime run the ready queue of a stand-in.
    host: Cell<Option<fn(TaskRef)>>,
}

local! {
    static STATE: State = State { count: Cell::new(0), last: Cell::new(None), host: Cell::new(None) };
}

/// Calls `f`, during which the instance is not at rest.
pub(super) fn busy(f: impl FnOnce()) {
    STATE.count.set(STATE.count.get() + 1);
    f();
    STATE.count.set(STATE.count.get() - 1);
}

/// Returns whether a stand-in is in use.
pub(in crate::task) fn any() -> bool {
    STATE.count.get() > 0
}

/// Returns whether a task is a stand-in.
#[inline(always)]
pub(in crate::task) fn is(task: TaskRef) -> bool {
    task.pool.is_some_and(|pool| ptr::eq(pool, &POOL))
}

/// Returns the block of a stand-in.
pub(super) fn block<'a>(task: TaskRef) -> &'a Foreign {
    debug_assert!(is(task));
    // SAFETY: only stand-ins are of this pool. Their blocks are never freed, and what changes in them is in cells.
    unsafe { &*task.block::<Foreign>() }
}

/// Returns whether a task is a stand-in of one that is in the word.
///
/// # Safety
/// `published` is in the word.
#[inline(never)]
unsafe fn stands_for(task: TaskRef, published: NonNull<Published>) -> bool {
    // SAFETY: valid by 1. Nothing else has its `ptr` as long as that is kept, by 3 and 4.
    is(task) && block(task).other.get().ptr == unsafe { (*published.as_ptr()).ptr }
}

/// Returns the stand-in that was used last, if it is one of a task that is in the word.
///
/// # Safety
/// `published` is in the word.
pub(in crate::task) unsafe fn last(published: NonNull<Published>) -> Option<TaskRef> {
    // SAFETY: as the caller promises.
    STATE.last.get().filter(|task| unsafe { stands_for(*task, published) })
}

/// Returns a stand-in of a task that is in the word: `hint`, if it is that. If it is new, something has to be counted in it
/// now. (A task may have several: what is in one moves when it is polled with another.)
///
/// # Safety
/// `published` is in the word.
#[cold]
#[inline(never)]
pub(in crate::task) unsafe fn stand_in(published: NonNull<Published>, hint: Option<TaskRef>) -> TaskRef {
    // SAFETY: as the caller promises.
    let known = hint.filter(|task| unsafe { stands_for(*task, published) });
    // SAFETY: as the caller promises.
    let task = known.or_else(|| unsafe { last(published) }).unwrap_or_else(|| unsafe { fresh(published) });
    STATE.last.set(Some(task));
    task
}

/// # Safety
/// `published` is in the word.
unsafe fn fresh(published: NonNull<Published>) -> TaskRef {
    let published = published.as_ptr();
    // SAFETY: valid by 1, with these fields by 2. Without a table ours does, whose `clone` and `drop` do nothing.
    let other = unsafe {
        let version = (*published).version;
        let table = if version >= 2 { (*published).table } else { &raw const lodger::TABLE };
        let ptr = ((*table).clone)((*published).ptr);
        Published { version, ptr, register: (*published).register, unregister: (*published).unregister, table }
    };
    let free = POOL.free();
    let task = match free.get() {
        Some(task) => {
            free.set(task.after.get());
            block(task).other.set(other);
            task
        }
        None => allocate(other),
    };
    STATE.count.set(STATE.count.get() + 1);
    task
}

fn allocate(other: Published) -> TaskRef {
    // It has no root: its node is never live.
    static NOTHING: Vtable = Vtable { poll: |_| true, cancel: |_| {}, release: |_| {} };
    // SAFETY: the layout is that of such a block, of which the rest is written here.
    unsafe {
        let task = TaskRef::allocate(Layout::new::<Foreign>(), &NOTHING, Some(&POOL), |_| Waker::noop().clone());
        let block = task.block::<Foreign>();
        (&raw mut (*block).other).write(Cell::new(other));
        (&raw mut (*block).is_hosted).write(Cell::new(false));
        (&raw mut (*block).waker).write(Cell::new(None));
        // Nobody makes one, which would be dropped for nothing.
        task.set.set(u32::MAX);
        task
    }
}

/// Returns whether a task that is in the word takes what nobody polls, such as the rest of a call that was dropped. Those
/// of version 1 drop their set when they are cancelled, for which the engine ends the component.
///
/// # Safety
/// `published` is in the word.
pub(in crate::task) unsafe fn keeps(published: NonNull<Published>) -> bool {
    // SAFETY: valid by 1.
    unsafe { (*published.as_ptr()).version >= 2 }
}

/// Returns whether the task that is stood in for goes on for what is registered with it when it is cancelled: those of
/// versions before 3 do not.
pub(in crate::task) fn is_lasting(task: TaskRef) -> bool {
    block(task).other.get().version >= 3
}

/// Registers a waitable with the task that is stood in for. `callback` gets its handle as an address.
///
/// # Safety
/// The waitable is ours, and has an operation pending. `callback` may be called with its event.
pub(in crate::task) unsafe fn register(task: TaskRef, handle: u32, callback: Callback) {
    let other = block(task).other.get();
    // SAFETY: `ptr` is valid by 1 or 3. As to 7, the argument is a number.
    unsafe { (other.register)(other.ptr, handle, callback, ptr::without_provenance_mut(handle as usize)) };
}

/// Takes a registration back; the waitable has left its set.
///
/// # Safety
/// The waitable is ours, and registered there.
pub(in crate::task) unsafe fn unregister(task: TaskRef, handle: u32) {
    let other = block(task).other.get();
    // SAFETY: `ptr` is valid by 3 or 4.
    unsafe { (other.unregister)(other.ptr, handle) };
}

/// Gives a stand-in back if nothing is in it.
#[cold]
#[inline(never)]
pub(in crate::task) fn release(task: TaskRef) {
    let block = block(task);
    let other = block.other.get();
    if other.ptr.is_null() || task.members() | task.spawned.get() != 0 || block.is_hosted.get() {
        return;
    }
    block.other.set(Published { ptr: ptr::null_mut(), ..other });
    STATE.count.set(STATE.count.get() - 1);
    task.after.set(POOL.free().replace(Some(task)));
    // SAFETY: it is a clone, which nobody uses any more.
    unsafe { ((*other.table).drop)(other.ptr) }
}

/// Notes who has the other runtimes run ready queues. Only what has such a queue needs that, and links it.
pub(super) fn set_host(host: fn(TaskRef)) {
    STATE.host.set(Some(host));
}

/// A task that is stood in for has something to run.
#[cold]
#[inline(never)]
pub(in crate::task) fn signal(task: TaskRef) {
    if let Some(host) = STATE.host.get() {
        host(task);
    }
}

/// Returns whether futures can be spawned in the task that is stood in for, and were spawned anywhere.
pub(in crate::task) fn can_host(task: TaskRef) -> bool {
    STATE.host.get().is_some() && spawner(task).is_some()
}

/// Returns what spawns futures in the task that is stood in for, if there is such a thing.
#[inline(never)]
pub(super) fn spawner(task: TaskRef) -> Option<(Spawn, *mut c_void)> {
    let other = block(task).other.get();
    // SAFETY: the table is static, and has this field by 2.
    let spawn = if other.version >= 3 { unsafe { (*other.table).spawn } } else { None };
    Some((spawn?, other.ptr))
}
