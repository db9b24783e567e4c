//! Calls of imports whose bindings were printed elsewhere.

use super::memory::Cleanup;
use crate::abi::{Abi, Lift, Lower, Shape, Sink, Source};
use crate::owner::Owner;
use crate::subtask::async_call;
use alloc::alloc::Layout;
use alloc::rc::Rc;
use core::cell::{Cell, UnsafeCell};
use core::future::Future;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr;

/// An async import, by what lowers its parameters, calls it and lifts its result.
///
/// # Safety
/// All functions are those of one import: the parameters are lowered to what it takes, and results are lifted from what
/// it writes. Parameters (where they are in memory) and then results have room in memory of the layout.
pub unsafe trait Subtask {
    /// The parameters.
    type Params;
    /// What they are lowered to.
    type ParamsLower: Copy;
    /// The result.
    type Results;

    /// The memory that a call needs.
    fn abi_layout(&mut self) -> Layout;

    /// Where in that memory the result is.
    fn results_offset(&mut self) -> usize;

    /// Calls the import. Returns what it returns.
    ///
    /// # Safety
    /// The parameters were lowered for this call, and there is room for the result.
    unsafe fn call_import(&mut self, params: Self::ParamsLower, results: *mut u8) -> u32;

    /// Lowers parameters, into `dst` where they are in memory.
    ///
    /// # Safety
    /// `dst` is memory of the layout.
    unsafe fn params_lower(&mut self, params: Self::Params, dst: *mut u8) -> Self::ParamsLower;

    /// Frees the memory of lowered parameters that the callee has taken.
    ///
    /// # Safety
    /// It has, and they are not used again.
    unsafe fn params_dealloc_lists(&mut self, lower: Self::ParamsLower);

    /// Frees lowered parameters that the callee has not taken, with what they own.
    ///
    /// # Safety
    /// It has not, and they are not used again.
    unsafe fn params_dealloc_lists_and_own(&mut self, lower: Self::ParamsLower);

    /// Lifts the result.
    ///
    /// # Safety
    /// The import has written it to `src`, and nobody else takes it.
    unsafe fn results_lift(&mut self, src: *mut u8) -> Self::Results;

    /// Calls the import. Dropping the future cancels the call.
    fn call(&mut self, params: Self::Params) -> impl Future<Output = Self::Results>
    where
        Self: Sized,
    {
        call(self, params)
    }
}

/// The world of what is lowered and lifted here.
struct World;

/// A call that was not cancelled. The engine writes the result into its memory, so that this is shared by all that the
/// runtime keeps of a call.
struct Shared<S: Subtask> {
    /// The caller's, as long as the call's future is there.
    subtask: *mut S,
    attached: Cell<bool>,
    /// Parameters and result.
    memory: *mut u8,
    results_offset: usize,
    /// Freed last.
    _cleanup: Option<Cleanup>,
    /// Until the parameters are lowered.
    params: UnsafeCell<Option<S::Params>>,
    /// Until the callee has taken them.
    lowered: Cell<Option<S::ParamsLower>>,
}

/// A share of a call's state.
struct Handle<S: Subtask> {
    shared: ManuallyDrop<Rc<Shared<S>>>,
    owner: Owner,
}

// SAFETY: nothing is touched elsewhere than on the owner's thread, see `Owner`.
unsafe impl<S: Subtask> Send for Handle<S> {}
// SAFETY: as above.
unsafe impl<S: Subtask> Sync for Handle<S> {}

impl<S: Subtask> Handle<S> {
    fn new(shared: Rc<Shared<S>>) -> Handle<S> {
        Handle { shared: ManuallyDrop::new(shared), owner: Owner::here() }
    }
}

impl<S: Subtask> Clone for Handle<S> {
    fn clone(&self) -> Handle<S> {
        self.owner.check();
        Handle { shared: self.shared.clone(), owner: self.owner }
    }
}

impl<S: Subtask> Deref for Handle<S> {
    type Target = Rc<Shared<S>>;

    fn deref(&self) -> &Rc<Shared<S>> {
        self.owner.check();
        &self.shared
    }
}

impl<S: Subtask> Drop for Handle<S> {
    fn drop(&mut self) {
        if self.owner.is_here() {
            // SAFETY: it is not used any more.
            unsafe { ManuallyDrop::drop(&mut self.shared) }
        }
    }
}

impl<S: Subtask> Shared<S> {
    /// The implementation, unless it went with its future: then only one that has no state can be called.
    fn with<R>(&self, call: impl FnOnce(&mut S) -> R) -> Option<R> {
        let subtask = match self.attached.get() {
            true => self.subtask,
            false if size_of::<S>() == 0 => ptr::dangling_mut(),
            false => return None,
        };
        // SAFETY: `call` below has it borrowed for as long as it is attached, and nobody's code but that of the trait runs
        // in here. Nothing is read through the address of a type without size.
        Some(call(unsafe { &mut *subtask }))
    }
}

/// The parameters of a call.
struct Params<S: Subtask>(Handle<S>);

// SAFETY: nothing is written for it.
unsafe impl<S: Subtask> Abi<World> for Params<S> {
    // The import has its parameters from where they were lowered to, and not from slots.
    const SHAPE: Shape = Shape::UNIT;
}

// SAFETY: nothing is written to the sink, as the shape says. `OWNS` makes the runtime keep them until they are taken.
unsafe impl<S: Subtask> Lower<World> for Params<S> {
    const OWNS: bool = true;

    unsafe fn lower<K: Sink<World = World>>(&self, _: &mut K) {
        // SAFETY: nobody else uses the parameters, of which no reference is left.
        if let Some(params) = unsafe { (*self.0.params.get()).take() } {
            // SAFETY: the memory has the layout that the subtask has asked for.
            self.0.lowered.set(self.0.with(|subtask| unsafe { subtask.params_lower(params, self.0.memory) }));
        }
    }

    unsafe fn disown(&self) {
        if let Some(lowered) = self.0.lowered.take() {
            // SAFETY: the caller says that they were taken; they were here, so for the first time.
            self.0.with(|subtask| unsafe { subtask.params_dealloc_lists(lowered) });
        }
    }
}

impl<S: Subtask> Drop for Params<S> {
    fn drop(&mut self) {
        if !self.0.owner.is_here() {
            return;
        }
        if let Some(lowered) = self.0.lowered.take() {
            // SAFETY: nobody has taken them, or `disown` had.
            self.0.with(|subtask| unsafe { subtask.params_dealloc_lists_and_own(lowered) });
        }
    }
}

/// The result of a call, still in its memory.
struct Results<S: Subtask>(Option<Handle<S>>);

impl<S: Subtask> Results<S> {
    fn lift(mut self) -> Option<S::Results> {
        Self::take(&mut self.0)
    }

    fn take(shared: &mut Option<Handle<S>>) -> Option<S::Results> {
        let shared = shared.take()?;
        // SAFETY: the result is there, and was here, so for the first time.
        shared.with(|subtask| unsafe { subtask.results_lift(shared.memory.add(shared.results_offset)) })
    }
}

impl<S: Subtask> Drop for Results<S> {
    fn drop(&mut self) {
        // Of a call that was cancelled, but had returned.
        if self.0.as_ref().is_some_and(|shared| !shared.owner.is_here()) {
            return;
        }
        drop(Self::take(&mut self.0));
    }
}

// SAFETY: `call` writes this much to the area.
unsafe impl<S: Subtask> Abi<World> for Results<S> {
    // The address of what is shared.
    const SHAPE: Shape = Shape { size: 8, align: 8, slots: 1 };
}

// SAFETY: what it reads was written by `call`.
unsafe impl<S: Subtask> Lift<World> for Results<S> {
    unsafe fn lift<K: Source<World = World>>(from: &mut K) -> Self {
        // SAFETY: `call` wrote the address, whose owner is kept by the import for as long as the area.
        unsafe {
            let shared = from.pointer().cast::<Shared<S>>().cast_const();
            Rc::increment_strong_count(shared);
            Results(Some(Handle::new(Rc::from_raw(shared))))
        }
    }
}

async fn call<S: Subtask>(subtask: &mut S, params: S::Params) -> S::Results {
    /// From when on the subtask is not ours.
    struct Detach<S: Subtask>(Handle<S>);

    impl<S: Subtask> Drop for Detach<S> {
        fn drop(&mut self) {
            if self.0.owner.is_here() {
                self.0.attached.set(false);
            }
        }
    }

    let (memory, cleanup) = Cleanup::new(subtask.abi_layout());
    let results_offset = subtask.results_offset();
    let shared = Detach(Handle::new(Rc::new(Shared {
        subtask,
        attached: Cell::new(true),
        memory,
        results_offset,
        _cleanup: cleanup,
        params: UnsafeCell::new(Some(params)),
        lowered: Cell::new(None),
    })));
    let import = {
        let shared = shared.0.clone();
        move |_: [u64; 0], to: usize| {
            // SAFETY: the area has room for an address. The parameters were lowered for this call, and there is memory
            // for the result, which `shared` keeps.
            unsafe {
                ptr::with_exposed_provenance_mut::<*const u8>(to).write(Rc::as_ptr(&shared).cast());
                let results = shared.memory.add(shared.results_offset);
                match shared.lowered.get() {
                    Some(lowered) => shared.with(|subtask| subtask.call_import(lowered, results)),
                    None => None,
                }
            }
            .unwrap_or_else(|| crate::trap::invalid())
        }
    };
    // SAFETY: the import is called with parameters that were lowered for it, as the trait promises, and what is lifted
    // from the area is what the closure has written there.
    let results = unsafe { async_call::<World, Params<S>, Results<S>, 0, 1>(Params(shared.0.clone()), import).await };
    results.lift().unwrap_or_else(|| crate::trap::invalid())
}
