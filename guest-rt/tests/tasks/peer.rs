//! Another runtime in the same module, played by hand: the C ABI of `wasip3_task`, in each of its versions.

use crate::support::native::{self, wasip3_task_set};
use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use core::future::Future;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Waker};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) type Callback = unsafe extern "C" fn(*mut c_void, u32);
type Register = unsafe extern "C" fn(*mut c_void, u32, Callback, *mut c_void) -> *mut c_void;
type Unregister = unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void;
type Spawn = unsafe fn(*mut c_void, Box<dyn Future<Output = ()>>);
type Boxed = Pin<Box<dyn Future<Output = ()>>>;

#[repr(C)]
pub(crate) struct Published {
    version: u32,
    pub(crate) ptr: *mut c_void,
    register: Register,
    unregister: Unregister,
    table: *const Table,
}

#[repr(C)]
struct Table {
    register: Register,
    unregister: Unregister,
    clone: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    drop: unsafe extern "C" fn(*mut c_void),
    spawn: Option<Spawn>,
}

static TABLE: Table = Table { register, unregister, clone, drop: drop_clone, spawn: Some(spawn) };

/// What wakers and clones refer to.
#[derive(Default)]
struct Shared {
    set: Cell<u32>,
    waitables: RefCell<BTreeMap<u32, (Callback, *mut c_void)>>,
    spawned: RefCell<Vec<Boxed>>,
    clones: Cell<usize>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task of the other runtime.
pub(crate) struct Peer {
    version: u32,
    shared: Rc<Shared>,
    futures: Vec<Boxed>,
    woken: Arc<Woken>,
}

impl Peer {
    pub(crate) fn new(version: u32, future: impl Future<Output = ()> + 'static) -> Peer {
        Peer { version, shared: Rc::default(), futures: vec![Box::pin(future)], woken: Arc::default() }
    }

    /// Delivers what has happened, then polls all its futures until nothing wakes them, in a call of an async export.
    pub(crate) fn run(&mut self) {
        native::call(|| {
            self.enter(|this| {
                this.deliver();
                this.poll();
            });
            native::task_return();
            0
        });
    }

    /// Runs something while this task is current.
    pub(crate) fn enter<T>(&mut self, inside: impl FnOnce(&mut Peer) -> T) -> T {
        let ptr = Rc::as_ptr(&self.shared).cast_mut().cast();
        let mut task = Published { version: self.version, ptr, register, unregister, table: &raw const TABLE };
        let previous = wasip3_task_set((&raw mut task).cast());
        let result = inside(self);
        assert_eq!(wasip3_task_set(previous), (&raw mut task).cast(), "what was entered is left");
        result
    }

    fn deliver(&mut self) {
        let mut payload = [0; 2];
        while self.shared.set.get() != 0 && native::waitable_set_poll(self.shared.set.get(), &mut payload) != 0 {
            let [handle, code] = payload;
            native::waitable_join(handle, 0);
            let entry = self.shared.waitables.borrow_mut().remove(&handle);
            let (callback, argument) = entry.expect("what is in the set is registered");
            // SAFETY: it is what was registered.
            unsafe { callback(argument, code) };
        }
    }

    fn poll(&mut self) {
        let waker = Waker::from(self.woken.clone());
        loop {
            self.woken.0.store(false, Ordering::Relaxed);
            let mut cx = Context::from_waker(&waker);
            self.futures.retain_mut(|future| future.as_mut().poll(&mut cx).is_pending());
            let spawned = self.shared.spawned.take();
            if spawned.is_empty() && !self.woken.0.load(Ordering::Relaxed) {
                break;
            }
            self.futures.extend(spawned);
        }
    }

    /// Returns whether a future is to be polled that was not.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.futures.is_empty() && self.shared.waitables.borrow().is_empty()
    }

    /// How many waitables are registered, and how many clones there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.shared.waitables.borrow().len(), self.shared.clones.get())
    }

    /// Drops all futures, as a runtime does whose task is cancelled.
    pub(crate) fn cancel(&mut self) {
        native::call(|| {
            self.enter(|this| drop(core::mem::take(&mut this.futures)));
            native::task_return();
            0
        });
    }

    /// Drops the futures that were spawned here, and not polled yet.
    pub(crate) fn drop_spawned(&mut self) -> usize {
        let spawned = self.shared.spawned.take();
        spawned.len()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.counts(), (0, 0), "something is left in the task");
            if self.shared.set.get() != 0 {
                native::waitable_set_drop(self.shared.set.get());
            }
        }
    }
}

fn shared<'a>(ptr: *mut c_void) -> &'a Shared {
    // SAFETY: the test keeps the task as long as anybody has such a pointer.
    unsafe { &*ptr.cast::<Shared>() }
}

/// # Safety
/// `ptr` is the pointer of such a task, which the test keeps as long as anybody has it.
unsafe extern "C" fn register(ptr: *mut c_void, handle: u32, callback: Callback, argument: *mut c_void) -> *mut c_void {
    let shared = shared(ptr);
    if shared.set.get() == 0 {
        shared.set.set(native::waitable_set_new());
    }
    native::waitable_join(handle, shared.set.get());
    let before = shared.waitables.borrow_mut().insert(handle, (callback, argument));
    before.map_or(ptr::null_mut(), |(_, argument)| argument)
}

/// # Safety
/// `ptr` is the pointer of such a task, which the test keeps as long as anybody has it.
unsafe extern "C" fn unregister(ptr: *mut c_void, handle: u32) -> *mut c_void {
    native::waitable_join(handle, 0);
    shared(ptr).waitables.borrow_mut().remove(&handle).map_or(ptr::null_mut(), |(_, argument)| argument)
}

/// # Safety
/// `ptr` is the pointer of such a task, which the test keeps as long as anybody has it.
unsafe extern "C" fn clone(ptr: *mut c_void) -> *mut c_void {
    let clones = &shared(ptr).clones;
    clones.set(clones.get() + 1);
    ptr
}

/// # Safety
/// `ptr` is the pointer of such a task, which the test keeps as long as anybody has it.
unsafe extern "C" fn drop_clone(ptr: *mut c_void) {
    let clones = &shared(ptr).clones;
    clones.set(clones.get() - 1);
}

/// # Safety
/// `ptr` is the pointer of such a task, which the test keeps as long as anybody has it.
unsafe fn spawn(ptr: *mut c_void, future: Box<dyn Future<Output = ()>>) {
    shared(ptr).spawned.borrow_mut().push(future.into());
}

/// An operation of the other runtime, wherever it is polled: it registers with the current task.
pub(crate) struct Call {
    handle: u32,
    /// The codes of its events.
    codes: Rc<RefCell<Vec<u32>>>,
    state: Box<State>,
}

struct State {
    codes: Rc<RefCell<Vec<u32>>>,
    code: Cell<Option<u32>>,
    waker: Cell<Option<Waker>>,
    /// What unregisters it.
    task: Cell<Option<(Unregister, *mut c_void)>>,
}

impl Call {
    /// A call that has started, or not.
    pub(crate) fn new(has_started: bool) -> Call {
        let status = if has_started { native::subtask_started() } else { native::subtask_starting() };
        let codes = Rc::<RefCell<Vec<u32>>>::default();
        let state =
            State { codes: codes.clone(), code: Cell::default(), waker: Cell::default(), task: Cell::default() };
        Call { handle: status >> 4, codes, state: Box::new(state) }
    }

    pub(crate) fn handle(&self) -> u32 {
        self.handle
    }

    /// The codes of its events, also when it is gone.
    pub(crate) fn codes(&self) -> Rc<RefCell<Vec<u32>>> {
        self.codes.clone()
    }
}

/// # Safety
/// `argument` is the state of an operation, which unregisters it before that is gone.
unsafe extern "C" fn arrived(argument: *mut c_void, code: u32) {
    // SAFETY: as the caller promises.
    let state = unsafe { &*argument.cast::<State>() };
    state.code.set(Some(code));
    state.codes.borrow_mut().push(code);
    if let Some(waker) = state.waker.take() {
        waker.wake();
    }
}

const STARTED: u32 = 1;
const RETURNED: u32 = 2;

impl Future for Call {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> core::task::Poll<()> {
        let state = &self.state;
        match state.code.take() {
            Some(RETURNED) => {
                state.task.set(None);
                state.code.set(Some(RETURNED));
                return core::task::Poll::Ready(());
            }
            Some(STARTED) | None => {}
            Some(code) => panic!("{code}"),
        }
        state.waker.set(Some(cx.waker().clone()));
        // As `wit-bindgen` does: nothing is current meanwhile.
        let task = wasip3_task_set(ptr::null_mut()).cast::<Published>();
        assert!(!task.is_null(), "a task is current");
        // SAFETY: the task is current. The state stays in place until it is unregistered.
        unsafe {
            if let Some((unregister, ptr)) = state.task.get()
                && ptr != (*task).ptr
            {
                unregister(ptr, self.handle);
            }
            let argument = ptr::from_ref::<State>(state).cast_mut().cast();
            let before = ((*task).register)((*task).ptr, self.handle, arrived, argument);
            assert!(before.is_null() || before == argument, "nobody else's");
            state.task.set(Some(((*task).unregister, (*task).ptr)));
        }
        wasip3_task_set(task.cast());
        core::task::Poll::Pending
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.state.code.get() != Some(RETURNED) {
            // A code that was not polled means that it is registered nowhere.
            if self.state.code.get().is_none()
                && let Some((unregister, ptr)) = self.state.task.get()
            {
                // SAFETY: it was registered there.
                unsafe { unregister(ptr, self.handle) };
            }
            native::subtask_cancel(self.handle);
        }
        native::subtask_drop(self.handle);
    }
}

/// Spawns in the task that is current, as the other runtime does.
pub(crate) fn spawn_in_current(future: Box<dyn Future<Output = ()>>) {
    let task = wasip3_task_set(ptr::null_mut()).cast::<Published>();
    wasip3_task_set(task.cast());
    // SAFETY: the task is current, and of version 3.
    unsafe {
        assert_eq!((*task).version, 3);
        ((*(*task).table).spawn.expect("it spawns for others"))((*task).ptr, future);
    }
}
