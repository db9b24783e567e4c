//! Memory for canonical values on their way in or out, which a channel uses again and again.

use super::Channel;
use super::buf::allocate;
use alloc::alloc::{Layout, dealloc};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

impl Channel {
    /// Returns room for `count` canonical values.
    #[inline(never)]
    pub(super) fn area_for(&self, count: usize, size: usize, align: usize) -> *mut u8 {
        let needed = count.saturating_mul(size);
        if needed > self.area_size.get() {
            self.free_area();
            self.area.set(allocate(count, size, align));
            self.area_size.set(needed);
        } else if self.area.get().is_null() {
            return ptr::without_provenance_mut(align);
        }
        self.area.get()
    }

    #[inline(never)]
    pub(super) fn free_area(&self) {
        let size = self.area_size.replace(0);
        let align = match (self.reading, self.writing) {
            (Some(reading), _) => reading.align,
            (None, Some(writing)) => writing.align,
            (None, None) => 1,
        };
        if size != 0 {
            // SAFETY: `area_for` allocated it with this size and this alignment, which is the same for all calls.
            unsafe { dealloc(self.area.replace(ptr::null_mut()), Layout::from_size_align_unchecked(size, align)) }
        }
    }

    /// Notes that nothing of the area is needed any more.
    pub(super) fn clear_area(&self) {
        self.stamp.set(0);
        // SAFETY: the scratch is used here and where items are lowered, and neither runs code that comes back.
        unsafe { (*self.scratch.get()).clear() }
    }
}

/// Returns a number that no buffer of items had before: what the area of a channel holds is found again by it, when the
/// rest of a buffer is written. Addresses would not do, since they are used again.
pub(super) fn next_stamp() -> u64 {
    static STAMP: AtomicU64 = AtomicU64::new(1);
    STAMP.fetch_add(1, Ordering::Relaxed)
}
