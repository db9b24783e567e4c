//! Memory for canonical values on their way in or out, which a channel uses again and again.

use super::buf::allocate;
use super::channel::Channel;
use alloc::alloc::{Layout, dealloc};
use core::ptr;

impl Channel {
    /// Room for `count` canonical values.
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
            // SAFETY: that is how it was allocated.
            unsafe { dealloc(self.area.replace(ptr::null_mut()), Layout::from_size_align_unchecked(size, align)) }
        }
    }

    /// Nothing of the area is needed any more.
    pub(super) fn clear_area(&self) {
        self.stamp.set(0);
        // SAFETY: nobody else uses the scratch.
        unsafe { (*self.scratch.get()).clear() }
    }
}
