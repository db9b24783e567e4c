//! Futures: the ends of `future<T>`.
//!
//! As with streams, a pair that was made in this component is local until its reader crosses the boundary.

mod abi;
mod pair;
mod read;
mod write;

pub use self::abi::future_new;
pub(crate) use self::abi::future_pair;
pub use self::read::{FutureRead, FutureReader};
pub use self::write::{FutureWrite, FutureWriteCancel, FutureWriteError, FutureWriter};

use crate::abi::Scratch;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;

/// Memory for a canonical value, inside unless that is surprisingly large.
struct Area<T> {
    inside: UnsafeCell<MaybeUninit<(T, [u64; 2])>>,
    /// Where it is otherwise.
    outside: Cell<*mut u8>,
    scratch: UnsafeCell<Scratch>,
}

impl<T> Area<T> {
    fn new() -> Area<T> {
        Area {
            inside: UnsafeCell::new(MaybeUninit::uninit()),
            outside: Cell::new(core::ptr::null_mut()),
            scratch: UnsafeCell::new(Scratch::new()),
        }
    }

    /// Returns room for a value, and the scratch that it may use. What was there before is gone.
    ///
    /// # Safety
    /// Nobody uses what was returned before.
    #[expect(clippy::mut_from_ref, reason = "the caller promises that there is no other")]
    unsafe fn room(&self, size: usize, align: usize) -> (*mut u8, &mut Scratch) {
        // SAFETY: the only other reference to it was returned before, and is not used any more.
        let scratch = unsafe { &mut *self.scratch.get() };
        scratch.clear();
        if self.fits(size, align) {
            (self.inside.get().cast(), scratch)
        } else {
            let room = scratch.alloc(size, align);
            self.outside.set(room);
            (room, scratch)
        }
    }

    /// Returns where `room` was, for the same size and alignment.
    fn written(&self, size: usize, align: usize) -> *const u8 {
        if self.fits(size, align) { self.inside.get().cast() } else { self.outside.get() }
    }

    fn fits(&self, size: usize, align: usize) -> bool {
        size <= size_of_val(&self.inside) && align <= align_of_val(&self.inside)
    }
}
