//! Resources that an export is lent, for as long as it runs.

use crate::instance::local;
use alloc::boxed::Box;
use core::cell::Cell;
use core::ptr::{self, NonNull};

local! {
    /// What was lent to the export whose parameters were lifted last.
    static LENT: Cell<*mut Chain> = Cell::new(ptr::null_mut());
}

/// The imported resources that the running export was lent, as values that references can point to.
///
/// Their handles must be dropped before the export returns, so this is opened before its parameters are lifted and
/// dropped before its result goes back.
pub struct Borrows {
    chain: NonNull<Chain>,
}

/// Everything lent to one export. Parameters are lifted at once after it was opened, with nobody's code in between, so
/// that the instance keeps the last one only.
struct Chain {
    head: *mut Lent<()>,
}

/// A lent value with its place in the chain in front.
#[repr(C)]
struct Lent<T> {
    next: *mut Lent<()>,
    free: unsafe fn(*mut Lent<()>),
    value: T,
}

impl Borrows {
    /// Starts to collect what is lent.
    pub fn open() -> Borrows {
        let chain = NonNull::from(Box::leak(Box::new(Chain { head: ptr::null_mut() })));
        LENT.set(chain.as_ptr());
        Borrows { chain }
    }

    /// Keeps a value for as long as the borrows that were opened last; where there are none, for ever.
    ///
    /// # Safety
    /// The reference is not used after those borrows were dropped.
    pub unsafe fn keep<'a, T: 'a>(value: T) -> &'a T {
        let lent = Box::into_raw(Box::new(Lent { next: ptr::null_mut(), free: Lent::<T>::free, value }));
        let chain = LENT.get();
        // SAFETY: a chain is live as long as the instance points to it; `Lent` starts with the same fields whatever it holds.
        unsafe {
            if !chain.is_null() {
                (*lent).next = (*chain).head;
                (*chain).head = lent.cast();
            }
            &(*lent).value
        }
    }
}

impl<T> Lent<T> {
    /// # Safety
    /// `lent` was boxed by [`Borrows::keep`] with a value of this type, and is not used any more.
    unsafe fn free(lent: *mut Lent<()>) {
        // SAFETY: it is a box of this type, which is used for the last time.
        drop(unsafe { Box::from_raw(lent.cast::<Lent<T>>()) });
    }
}

impl Drop for Borrows {
    fn drop(&mut self) {
        let chain = self.chain.as_ptr();
        if LENT.get() == chain {
            LENT.set(ptr::null_mut());
        }
        // SAFETY: `open` leaked the chain for us, and its members are freed once each.
        unsafe {
            let mut lent = Box::from_raw(chain).head;
            while let Some(this) = NonNull::new(lent) {
                lent = this.as_ref().next;
                (this.as_ref().free)(this.as_ptr());
            }
        }
    }
}
