//! What generated functions call: parameters and results on their way over the boundary.

use crate::abi::{Abi, Lift, Lower, Scratch, Shape, Sink, lift_flat, lower_flat, lower_padded, release};
use crate::later;
use crate::task::current;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// An import was called where there is nobody to import from.
#[cold]
pub fn missing_import(module: &str, name: &str) -> ! {
    panic!(
        "`{name}` of `{module}` is imported from another component or the host, and so exists only inside a component: \
         build for a wasm target and run it there, or keep code that is tested natively free of imports"
    );
}

/// Declares an imported function; natively, one that panics when it is called.
#[doc(hidden)]
#[macro_export]
macro_rules! import {
    ($module:literal, $name:literal, $vis:vis fn $import:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?) => {
        #[cfg(target_family = "wasm")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            #[link_name = $name]
            $vis fn $import($($arg: $ty),*) $(-> $ret)?;
        }

        #[cfg(not(target_family = "wasm"))]
        $vis unsafe fn $import($(_: $ty),*) $(-> $ret)? {
            $crate::__rt::missing_import($module, $name)
        }
    };
}

/// Calls an import with at most one flat result, given as a slot.
///
/// # Safety
/// `import` passes the slots to a function that takes `P` and returns `R`.
#[inline(always)]
pub unsafe fn sync_call<W, P: Lower<W>, R: Lift<W>, const N: usize>(
    params: P,
    import: impl FnOnce([u64; N]) -> u64,
) -> R {
    let mut scratch = Scratch::new();
    let slots = lower_flat::<W, P, N>(&params, &mut scratch);
    let result = current::calling(|| import(slots));
    // SAFETY: the call took the parameters, and gave the result.
    unsafe {
        params.disown();
        lift_flat::<W, R, 1>([result])
    }
}

/// Calls an import that writes its result to memory of `K` words.
///
/// # Safety
/// `import` passes the slots and the address of the result to a function that takes `P` and returns `R`.
#[inline(always)]
pub unsafe fn sync_call_indirect<W, P: Lower<W>, R: Lift<W>, const N: usize, const K: usize>(
    params: P,
    import: impl FnOnce([u64; N], usize),
) -> R {
    const { assert!(R::SHAPE.size <= 8 * K) };
    let mut scratch = Scratch::new();
    let mut area = MaybeUninit::<[u64; K]>::uninit();
    let slots = lower_flat::<W, P, N>(&params, &mut scratch);
    current::calling(|| import(slots, area.as_mut_ptr().expose_provenance()));
    // SAFETY: the call took the parameters, and wrote the result.
    unsafe {
        params.disown();
        R::load(area.as_ptr().cast())
    }
}

/// Lifts the parameters of an export.
///
/// # Safety
/// The slots are those that the engine passed to a function that takes `P`.
#[inline(always)]
pub unsafe fn lift_params<W, P: Lift<W>, const N: usize>(args: [u64; N]) -> P {
    // SAFETY: the caller's promise.
    unsafe { lift_flat::<W, P, N>(args) }
}

/// Lifts the parameters of an export that are too many to be flat, and frees their memory.
///
/// # Safety
/// The slot is the address that the engine passed to a function that takes `P`.
#[inline(always)]
pub unsafe fn lift_indirect<W, P: Lift<W>>(args: [u64; 1]) -> P {
    let area = core::ptr::with_exposed_provenance_mut::<u8>(args[0] as usize);
    // SAFETY: the caller's promise; the engine allocated the area for the callee to keep.
    unsafe {
        let params = P::load(area);
        release(area, P::SHAPE.size, P::SHAPE.align);
        params
    }
}

/// The slot of an export's result that has one, or none (then it is zero).
#[inline(always)]
pub fn return_flat<W, R: Lower<W>>(result: R) -> u64 {
    let [slot] = lower_padded::<W, R, 1>(&result, &mut Scratch::new());
    // SAFETY: the caller of the export gets it next.
    unsafe { result.disown() }
    slot
}

/// Passes the result of an async export to its `task.return`.
#[inline(always)]
pub fn task_return<W, R: Lower<W>, const N: usize>(result: R, task_return: impl FnOnce([u64; N])) {
    let mut scratch = Scratch::new();
    task_return(lower_flat::<W, R, N>(&result, &mut scratch));
    // SAFETY: the call took the result.
    unsafe { result.disown() }
}

/// Parameters, or a result, that are too many to be flat: they go through memory of `K` words, kept here.
pub struct Indirect<P, const K: usize> {
    value: P,
    area: UnsafeCell<MaybeUninit<[u64; K]>>,
}

// SAFETY: the area is written only while the value is lowered, by who owns this.
unsafe impl<P: Sync, const K: usize> Sync for Indirect<P, K> {}

impl<P, const K: usize> Indirect<P, K> {
    /// Passes a value through memory; it must stay in place from its lowering until the call has read it.
    #[inline(always)]
    pub const fn new(value: P) -> Self {
        Indirect { value, area: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

// SAFETY: what goes through memory is one address.
unsafe impl<W, P, const K: usize> Abi<W> for Indirect<P, K> {
    const SHAPE: Shape = Shape::scalar(size_of::<usize>());
}

// SAFETY: what goes through memory is one address.
unsafe impl<W, P: Lower<W>, const K: usize> Lower<W> for Indirect<P, K> {
    const OWNS: bool = P::OWNS;
    const BORROWS: bool = P::BORROWS;
    const LENDS: bool = P::LENDS;
    const SPILLS: bool = true;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        const { assert!(P::SHAPE.size <= 8 * K) };
        let area = to.scratch().area(self.area.get());
        // SAFETY: the area has room, and nobody else looks at it.
        unsafe {
            self.value.store(area, to.scratch());
            to.pointer(area);
        }
    }

    #[inline(always)]
    unsafe fn disown(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.value.disown() }
    }
}

/// Where a synchronous export keeps a result that goes through memory until the caller has read it.
pub struct Returned<R, const K: usize> {
    kept: UnsafeCell<Kept<R, K>>,
}

struct Kept<R, const K: usize> {
    area: MaybeUninit<[u64; K]>,
    scratch: Scratch,
    value: Option<R>,
}

// SAFETY: its functions may only be called by the one thread an instance has.
unsafe impl<R, const K: usize> Sync for Returned<R, K> {}

impl<R, const K: usize> Returned<R, K> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Returned { kept: UnsafeCell::new(Kept { area: MaybeUninit::uninit(), scratch: Scratch::new(), value: None }) }
    }

    /// Writes a result and keeps what it points to until [`Returned::release`], or until the next result.
    ///
    /// With `destructors`, dropping the result runs code of the user. That may call imports, which is over once the export
    /// has returned: what is kept is a copy, and the result is dropped here.
    ///
    /// # Safety
    /// The instance has one thread, and the caller has read the result before.
    #[inline]
    pub unsafe fn store<W>(&'static self, result: R, destructors: bool) -> *mut u8
    where
        R: Lower<W>,
    {
        const { assert!(R::SHAPE.size <= 8 * K) };
        // SAFETY: there is one thread, and no reference is left when the user's code runs: this is the only one.
        unsafe {
            self.release();
            let kept = &mut *self.kept.get();
            let area = kept.area.as_mut_ptr().cast::<u8>();
            if destructors {
                kept.scratch = Scratch::deep();
                result.store(area, &mut kept.scratch);
                result.disown();
                later::settle();
                drop(result);
                return area;
            }
            let value = kept.value.insert(result);
            value.store(area, &mut kept.scratch);
            value.disown();
            later::settle();
            area
        }
    }

    /// Frees the result: its caller has read it.
    ///
    /// No built-in may be called at this time. None is: whatever would need one was disowned.
    ///
    /// # Safety
    /// The instance has one thread, and the caller has read the result.
    #[inline(never)]
    pub unsafe fn release(&'static self) {
        // SAFETY: there is one thread, and nobody's code runs here: what is kept has no destructors of the user.
        unsafe {
            let kept = &mut *self.kept.get();
            kept.scratch.clear();
            kept.value = None;
        }
    }
}

/// Whether `T` implements `Drop`: see [`has_destructor!`](crate::has_destructor).
pub struct Destructor<T: ?Sized>(core::marker::PhantomData<T>);

#[allow(drop_bounds, reason = "whether it is implemented is the question")]
impl<T: ?Sized + Drop> Destructor<T> {
    /// It does: this hides the constant of the trait.
    pub const RUNS: bool = true;
}

/// What [`Destructor`] says of all other types.
pub trait NoDestructor {
    /// It does not.
    const RUNS: bool = false;
}

impl<T: ?Sized> NoDestructor for Destructor<T> {}

/// Whether one of these types implements `Drop`. Bindings' types do if the user has written that.
#[doc(hidden)]
#[macro_export]
macro_rules! has_destructor {
    ($($ty:ty),*) => {{
        #[allow(unused_imports)]
        use $crate::__rt::NoDestructor as _;
        false $(|| $crate::__rt::Destructor::<$ty>::RUNS)*
    }};
}

impl<R, const K: usize> Default for Returned<R, K> {
    fn default() -> Self {
        Returned::new()
    }
}

/// Runs static constructors, the first time it is called; exports call it, `cabi_realloc` must not.
///
/// The linker would else run them at the start of every exported core function.
#[inline]
pub fn run_ctors_once() {
    #[cfg(target_family = "wasm")]
    {
        use core::sync::atomic::{AtomicBool, Ordering};

        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        static RUN: AtomicBool = AtomicBool::new(false);
        if !RUN.load(Ordering::Relaxed) {
            // First the call: an export that a constructor would call is part of the same start.
            // SAFETY: the linker makes this function, for exactly this use.
            unsafe { __wasm_call_ctors() }
            RUN.store(true, Ordering::Relaxed);
        }
    }
}
