//! Pending operations: what awaits an event of a subtask, or of an end of a stream or future.
//!
//! One [`Operation`] for each operation that did not finish at once, kept in the pinned future that made it, or with the
//! handle of an end. It is found by the number of its waitable when an event is delivered ([`table`]), and wakes whom it
//! was parked for.
//!
//! ```text
//!            register, detach                deliver                     poll
//!   (new) ─────────────────────► WAITING ─────────────► (code) ─────────────────► IDLE
//!     ▲                          │  ▲   ▲ poll                                     │
//!     └──────────────────────────│──│───│──── register: for an end that is used again
//!                    deliver_start▼ │   │
//!                                STARTED: only a subtask, whose STARTED is told once
//!   A subtask's WAITING is called CALLING.
//!   withdraw: from WAITING, CALLING or STARTED to IDLE; whoever made the operation then cancels it.
//! ```
//!
//! # Which set a waitable is in
//!
//! That of the task that polls: an operation that is polled by another task moves there. What is polled where no task
//! is current goes to `current::for_new_work`. So nothing here can fail for want of a task. A waitable stays in its set
//! when its operation has ended, so that an end that is read again and again joins a set once.
//!
//! # Invariants
//!
//! 1. An entry of the table is a live `Operation` exactly while that is registered (WAITING, CALLING or STARTED): `list` writes
//!    it; delivery and `withdraw` clear it. (A forgotten future is leaked memory, so it stays live: that is what pinning
//!    promises.)
//! 2. `Wait` is written when `code` is neither NEW nor SKIPPED, and stays so.
//! 3. `Wait::joined` says whose set the waitable is in. `Task::members` counts those of each task, `Task::pending` those
//!    of them that are registered.

#[cfg(feature = "beside")]
mod beside;

#[cfg(feature = "beside")]
pub(super) use self::beside::lodger;
use super::node::NodeRef;
use super::parked::{Call, Parked, Wake};
use super::table::{self, Entry};
use super::{MEMBER, PENDING, TaskRef, current, foreign, rest, wake};
use crate::builtins::{self, event, subtask};
use core::cell::{Cell, UnsafeCell};
use core::hint::cold_path;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::task::Context;

/// Registered, for an end of a stream or future. All codes of events are less than this.
const WAITING: u32 = u32::MAX - 6;
/// Registered, for a subtask.
const CALLING: u32 = u32::MAX - 5;
/// Registered; the callee of the subtask has its parameters, which was not polled yet.
const STARTED: u32 = u32::MAX - 4;
/// Not registered.
const IDLE: u32 = u32::MAX - 3;
/// Was never registered.
const NEW: u32 = u32::MAX - 2;
/// Will not be registered again.
const OVER: u32 = u32::MAX - 1;
/// Was never registered, and will not be.
const SKIPPED: u32 = u32::MAX;

/// A pending operation on a waitable. It must not move while it is registered.
///
/// Nobody is parked in one that is not registered, so there is nothing to drop.
pub(crate) struct Operation {
    /// One of the seven above, or else the code of the event that was delivered, which is less.
    code: Cell<u32>,
    /// Written when it is first registered, so that an operation that finishes at once does not pay for it.
    wait: UnsafeCell<MaybeUninit<Wait>>,
}

struct Wait {
    handle: Cell<u32>,
    joined: Cell<Option<TaskRef>>,
    parked: Parked,
}

impl Operation {
    /// Makes an operation that is not registered.
    #[inline(always)]
    pub(crate) const fn new() -> Operation {
        Operation { code: Cell::new(NEW), wait: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// # Safety
    /// It was registered before.
    #[inline(always)]
    unsafe fn wait(&self) -> &Wait {
        // SAFETY: invariant 2; all that changes in there is in cells.
        unsafe { (*self.wait.get()).assume_init_ref() }
    }

    #[inline(always)]
    fn wait_if_any(&self) -> Option<&Wait> {
        // SAFETY: the code says that it was registered.
        (!matches!(self.code.get(), SKIPPED | NEW)).then(|| unsafe { self.wait() })
    }

    /// Waits for the event of `handle` on behalf of `wake`. That was made before the built-in was called that the event
    /// is of: no code of users runs in here.
    ///
    /// # Safety
    /// `this` is live and not registered, and does not move or go away before it has an event or was withdrawn. An
    /// operation on `handle` is pending, and this instance owns it.
    #[inline(never)]
    pub(crate) unsafe fn register(this: *const Self, handle: u32, wake: Wake) {
        // SAFETY: the operation is live.
        let operation = unsafe { &*this };
        match operation.wait_if_any() {
            Some(wait) => {
                wait.handle.set(handle);
                // Foreign wakers are parked only in what is registered.
                let _nobody = wait.parked.put(wake);
            }
            // SAFETY: nobody refers to what was not written yet.
            None => unsafe {
                operation.write_wait(handle, wake);
                (&raw mut (*operation.wait.get().cast::<Wait>()).joined).write(Cell::new(None));
            },
        }
        displace(handle);
        // SAFETY: it stays in place, as the caller promises, and `wait` was written.
        unsafe { Self::enlist(this, handle, WAITING, current::for_new_work()) }
    }

    /// As [`register`](Self::register), for a waitable that is new and an operation that never was registered. Returns
    /// whether whom `cx` wakes is parked: not if that runs code of users, which is then left to [`poll`](Self::poll).
    ///
    /// # Safety
    /// As for `register`.
    #[inline(never)]
    pub(crate) unsafe fn register_new(this: *const Self, handle: u32, cx: &Context<'_>) -> bool {
        // SAFETY: the operation is live and new, so that nobody refers to what is written; then as in `register`.
        unsafe {
            let wait = (*this).wait.get().cast::<Wait>();
            let is_parked = Parked::write_node(&raw mut (*wait).parked, cx);
            (&raw mut (*wait).handle).write(Cell::new(handle));
            Self::list(this, handle, CALLING);
            let joined = &raw mut (*wait).joined;
            match current::own() {
                Some(task) => {
                    joined.write(Cell::new(Some(task)));
                    task.add(PENDING + MEMBER);
                    builtins::waitable_join(handle, task.set());
                }
                None => {
                    joined.write(Cell::new(None));
                    let task = current::elsewhere();
                    task.add(PENDING);
                    (*this).wait().join(task, CALLING);
                }
            }
            is_parked
        }
    }

    /// Has `call` called with the operation and the code of its event. For what must end well after its owner is gone.
    /// A subtask's STARTED calls it as well.
    ///
    /// # Safety
    /// As for `register`. `call` may free the operation, but at STARTED. It runs while an event is delivered, as the last
    /// thing that this module does: it may run code of users when it is done itself.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn detach(this: *const Self, handle: u32, is_subtask: bool, call: Call) {
        // SAFETY: the operation is live; if it is new, nobody refers to what was not written yet.
        let old = unsafe {
            match (*this).wait_if_any() {
                Some(wait) => {
                    wait.handle.set(handle);
                    wait.parked.replace(Parked::call(call))
                }
                None => {
                    (*(*this).wait.get()).write(Wait::new(handle, Parked::call(call)));
                    Wake::Nobody
                }
            }
        };
        displace(handle);
        // SAFETY: it stays in place, as the caller promises, and `wait` was written.
        unsafe { Self::enlist(this, handle, if is_subtask { CALLING } else { WAITING }, current::for_left_work()) }
        drop(old);
    }

    /// Writes all of `wait` but `joined`.
    ///
    /// # Safety
    /// It was never registered, so that nobody refers to what is written.
    #[inline(always)]
    unsafe fn write_wait(&self, handle: u32, wake: Wake) {
        let wait = self.wait.get().cast::<Wait>();
        // SAFETY: the fields are valid for writes, and nobody refers to them.
        unsafe {
            Parked::write(&raw mut (*wait).parked, wake);
            (&raw mut (*wait).handle).write(Cell::new(handle));
        }
    }

    /// Registers it with `task`, and joins its waitable to that one's set.
    ///
    /// # Safety
    /// `wait` was written, and it stays in place while it is registered.
    unsafe fn enlist(this: *const Self, handle: u32, code: u32, task: TaskRef) {
        // SAFETY: as the caller promises.
        unsafe {
            Self::list(this, handle, code);
            task.add(PENDING);
            (*this).wait().join(task, code);
        }
    }

    /// Enters it into the table. The caller counts it with a task.
    ///
    /// # Safety
    /// As for `enlist`.
    #[inline(always)]
    unsafe fn list(this: *const Self, handle: u32, code: u32) {
        // SAFETY: the operation is live, so its address is not null.
        unsafe {
            (*this).code.set(code);
            table::set(handle, Entry::Operation(NonNull::new_unchecked(this.cast_mut())));
        }
    }

    /// Returns the code of the event, once: the operation is then no longer registered. Otherwise `wake` is woken by it,
    /// and the waitable has moved to the set of the current task.
    ///
    /// A subtask's STARTED event is also returned, once; the operation stays registered.
    ///
    /// What `wake` is afterwards is to be dropped last. One that is registered to be [called](Self::detach) stays so, and
    /// `wake` as it was.
    #[inline(always)]
    pub(crate) fn poll(&self, wake: &mut Wake) -> Option<u32> {
        let code = self.code.get();
        if code < WAITING {
            self.code.set(IDLE);
            return Some(code);
        }
        self.wait_on(wake)
    }

    /// Not delivered: moves to the current task, and parks `wake`.
    #[inline(never)]
    fn wait_on(&self, wake: &mut Wake) -> Option<u32> {
        let code = self.code.get();
        if !matches!(code, STARTED | CALLING | WAITING) {
            return None;
        }
        // SAFETY: it is registered.
        let wait = unsafe { self.wait() };
        let joined = wait.joined.get();
        if let Some(task) = current::polling(joined)
            && joined != Some(task)
        {
            wait.move_to(task, code);
        }
        if wait.parked.called().is_none() {
            wait.parked.swap(wake);
        }
        if code == STARTED {
            self.code.set(CALLING);
            return Some(subtask::STARTED);
        }
        None
    }

    /// Returns whether it is registered to be [called](Self::detach).
    pub(crate) fn is_called(&self) -> bool {
        self.wait_if_any().is_some_and(|wait| wait.parked.called().is_some())
    }

    /// Returns whether it was never registered, and not finished.
    #[inline(always)]
    pub(crate) fn is_new(&self) -> bool {
        self.code.get() == NEW
    }

    /// Returns whether it was finished.
    #[inline(always)]
    pub(crate) fn is_over(&self) -> bool {
        self.code.get() >= OVER
    }

    /// Returns whether its event was delivered, with this code, and not polled; a short way past `poll`.
    #[inline(always)]
    pub(crate) fn has(&self, code: u32) -> bool {
        self.code.get() == code
    }

    /// Notes that an operation that never was registered will not be.
    #[inline(always)]
    pub(crate) fn skip(&self) {
        self.code.set(SKIPPED);
    }

    /// Notes that an operation that was registered will not be again.
    #[inline(always)]
    pub(crate) fn finish(&self) {
        self.code.set(OVER);
    }

    /// Returns the handle of a new waitable's operation, which is to be dropped now; then [`finish`](Self::finish).
    ///
    /// # Safety
    /// It was registered, and is not any more; its waitable has not left its set.
    #[inline(always)]
    pub(crate) unsafe fn last_handle(&self) -> u32 {
        // SAFETY: as the caller promises; what was registered has joined a set.
        let (wait, task) = unsafe { (self.wait(), self.wait().joined.get().unwrap_unchecked()) };
        task.remove(MEMBER);
        wait.handle.get()
    }

    /// Returns the waitable.
    ///
    /// # Safety
    /// It was registered.
    #[inline(always)]
    pub(crate) unsafe fn handle(&self) -> u32 {
        // SAFETY: as the caller promises.
        unsafe { self.wait() }.handle.get()
    }

    /// Stops waiting. Returns the code of the event if it was delivered already. If not, the waitable has left its set,
    /// and what it waited for can be cancelled synchronously (which traps in a set). Harmless when nothing is registered.
    ///
    /// Also returns who waited, to be dropped last.
    #[cold]
    #[inline(never)]
    pub(crate) fn withdraw(&self) -> (Option<u32>, Wake) {
        match self.code.get() {
            SKIPPED | NEW | IDLE | OVER => (None, Wake::Nobody),
            STARTED | CALLING | WAITING => {
                self.code.set(IDLE);
                // SAFETY: it is registered.
                let wait = unsafe { self.wait() };
                table::set(wait.handle.get(), Entry::Nothing);
                let parked = wait.parked.take();
                if let Some(task) = wait.joined.get() {
                    unlist(task);
                }
                wait.leave();
                (None, parked)
            }
            code => {
                self.code.set(IDLE);
                (Some(code), Wake::Nobody)
            }
        }
    }

    /// The waitable leaves its set, so that it can be given away. Nothing is registered.
    pub(crate) fn leave_set(&self) {
        if let Some(wait) = self.wait_if_any() {
            wait.leave();
        }
    }

    /// The handle will be dropped now, and with that leave its set.
    pub(crate) fn forget_handle(&self) {
        if let Some(wait) = self.wait_if_any() {
            wait.will_be_gone();
        }
    }
}

impl Wait {
    /// Joins the waitable to the set of `task`, unless it is there.
    #[inline(always)]
    fn join(&self, task: TaskRef, code: u32) {
        let old = self.joined.replace(Some(task));
        if old != Some(task) {
            if let Some(old) = old {
                if foreign::is(old) {
                    self.leave_foreign(old);
                } else {
                    old.remove(MEMBER);
                }
            }
            task.add(MEMBER);
            self.enter_set(task, code);
        }
    }

    /// The waitable joins the set of a task.
    #[inline(always)]
    fn enter_set(&self, task: TaskRef, code: u32) {
        if foreign::is(task) {
            self.enter_foreign(task, code != WAITING);
        } else {
            builtins::waitable_join(self.handle.get(), task.set());
        }
    }

    /// Moves a registered operation to `task`.
    #[inline(never)]
    fn move_to(&self, task: TaskRef, code: u32) {
        let old = self.joined.get();
        task.add(PENDING);
        self.join(task, code);
        if let Some(old) = old {
            unlist(old);
        }
    }

    /// The waitable leaves its set.
    #[inline(never)]
    fn leave(&self) {
        let Some(task) = self.joined.take() else { return };
        if foreign::is(task) {
            self.leave_foreign(task);
        } else {
            builtins::waitable_join(self.handle.get(), 0);
            task.remove(MEMBER);
        }
        rest::if_idle();
    }

    /// The waitable has left its set.
    #[inline(always)]
    fn left(&self) {
        if let Some(task) = self.joined.take() {
            task.remove(MEMBER);
        }
    }

    /// The waitable will be dropped now, and leaves its set by that. Where no end of a task looks after the set, it leaves
    /// it here, since it may have been the last one.
    #[inline(always)]
    fn will_be_gone(&self) {
        if let Some(task) = self.joined.get() {
            if current::is_background(task) {
                self.leave();
            } else {
                self.left();
            }
        }
    }
}

/// Forgets the operation that is registered for `handle`, if there is one: that of a future that was forgotten.
#[inline(always)]
fn displace(handle: u32) {
    if let Entry::Operation(operation) = table::get(handle) {
        // SAFETY: invariants 1 and 2.
        let wait = unsafe {
            operation.as_ref().code.set(IDLE);
            operation.as_ref().wait()
        };
        if let Some(task) = wait.joined.get() {
            unlist(task);
            if foreign::is(task) {
                return wait.leave();
            }
        }
        wait.left();
    }
}

/// An operation is no longer registered with `task`, which may have waited for that alone.
#[inline(never)]
fn unlist(task: TaskRef) {
    task.remove(PENDING);
    if task.pending() == 0 && task.slept.get() && task.is_over() && !current::will_run(task) {
        wake::signal(task);
    }
}

/// Delivers an event to the operation of `handle`, if there is one: strays come from forgotten operations. Returns the
/// node to wake, if it is one of ours; all others are woken here.
///
/// The event comes from a set of this instance.
#[inline(always)]
pub(crate) fn deliver(event: u32, handle: u32, code: u32) -> Option<NodeRef> {
    if code == subtask::STARTED {
        cold_path();
        if event == event::SUBTASK {
            return deliver_start(handle);
        }
    }
    // SAFETY: the waitables in our sets were all registered: `enlist`, `register_new` and `wake::signal` do that before they
    // join one.
    match unsafe { table::take_known(handle) } {
        Entry::Operation(operation) => {
            // SAFETY: invariants 1 and 2.
            let wait = unsafe {
                operation.as_ref().code.set(code);
                operation.as_ref().wait()
            };
            // SAFETY: what is registered has joined a set.
            unsafe { wait.joined.get().unwrap_unchecked() }.remove(PENDING);
            let node = wait.parked.node();
            if node.is_none() {
                deliver_elsewhere(operation, code);
            }
            node
        }
        Entry::Signal(number) => {
            wake::recycle(number);
            None
        }
        Entry::Nothing => None,
    }
}

/// Delivers that a subtask has started: its operation stays registered.
#[cold]
#[inline(never)]
fn deliver_start(handle: u32) -> Option<NodeRef> {
    let Entry::Operation(operation) = table::get(handle) else { return None };
    // SAFETY: invariants 1 and 2.
    let wait = unsafe {
        operation.as_ref().code.set(STARTED);
        operation.as_ref().wait()
    };
    let node = wait.parked.node();
    if node.is_none() {
        deliver_elsewhere(operation, subtask::STARTED);
    }
    node
}

/// Wakes what is not one of our nodes, or calls it.
#[cold]
#[inline(never)]
fn deliver_elsewhere(operation: NonNull<Operation>, code: u32) {
    // SAFETY: its event was just delivered, so it is live; invariant 2. What is called was passed to `detach` with it.
    unsafe {
        let parked = &operation.as_ref().wait().parked;
        match parked.called() {
            Some(call) => call(operation.as_ptr(), code),
            None => parked.take().wake(),
        }
    }
}

/// Delivers an event of a set, and wakes who waits for it.
pub(crate) fn arrive(event: u32, [handle, code]: [u32; 2]) {
    if let Some(node) = deliver(event, handle, code) {
        wake::wake(node);
    }
}

/// Delivers an event of the background's set, or of another runtime's. Nobody looks after that set when the operation's
/// owner hears of the event, so the waitable leaves it now, and is counted with `adrift` instead, a task without a set.
pub(super) fn arrive_adrift(event: u32, [handle, code]: [u32; 2], adrift: TaskRef) {
    if let Entry::Operation(operation) = table::get(handle)
        && !(code == subtask::STARTED && event == event::SUBTASK)
    {
        // SAFETY: invariants 1 and 2.
        let wait = unsafe { operation.as_ref().wait() };
        builtins::waitable_join(handle, 0);
        adrift.add(PENDING + MEMBER);
        if let Some(task) = wait.joined.replace(Some(adrift)) {
            task.remove(PENDING + MEMBER);
        }
    }
    arrive(event, [handle, code]);
}

/// Moves the operations that are registered with `from` to `to`.
#[cold]
#[inline(never)]
pub(super) fn move_all(from: TaskRef, to: TaskRef) {
    let mut handle = 0;
    while from.pending() > 0 && handle < table::len() {
        if let Entry::Operation(operation) = table::get(handle) {
            // SAFETY: invariants 1 and 2.
            let (wait, code) = unsafe { (operation.as_ref().wait(), operation.as_ref().code.get()) };
            if wait.joined.get() == Some(from) {
                wait.move_to(to, code);
            }
        }
        handle += 1;
    }
}

impl Wait {
    fn new(handle: u32, parked: Parked) -> Wait {
        Wait { handle: Cell::new(handle), joined: Cell::new(None), parked }
    }
}

#[cfg(not(feature = "beside"))]
impl Wait {
    fn enter_foreign(&self, _: TaskRef, _: bool) {}

    fn leave_foreign(&self, _: TaskRef) {}
}
