//! The buffer that carries items into the engine, and comes back empty to be filled again.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Range;
use std::slice;
use wasmtime::component::WriteBuffer;

/// Items on their way into the engine.
///
/// The engine's own buffer does not give its memory back, so that each batch would be allocated anew.
pub(crate) struct Batch<T> {
    /// Owns the memory only: its length is always 0.
    memory: Vec<T>,
    /// The slots of the memory that hold items.
    live: Range<usize>,
}

impl<T> Batch<T> {
    /// An empty vector, with the memory of this buffer.
    pub(crate) fn into_vec(self) -> Vec<T> {
        let mut this = ManuallyDrop::new(self);
        this.clear();
        std::mem::take(&mut this.memory)
    }

    fn items(&self) -> &[T] {
        // SAFETY: `live` lies within the memory, and says which slots are initialized.
        unsafe { slice::from_raw_parts(self.memory.as_ptr().add(self.live.start), self.live.len()) }
    }

    fn clear(&mut self) {
        self.drop_front(self.live.len());
    }

    fn drop_front(&mut self, count: usize) {
        let items: *mut [T] = {
            let first = self.items()[..count].as_ptr().cast_mut();
            std::ptr::slice_from_raw_parts_mut(first, count)
        };
        // Should an item's drop panic, then the rest of these leak.
        self.live.start += count;
        // SAFETY: the items were live, and no longer count as such; the memory is ours alone.
        unsafe { items.drop_in_place() }
    }
}

impl<T> From<Vec<T>> for Batch<T> {
    fn from(mut items: Vec<T>) -> Batch<T> {
        let live = 0..items.len();
        // SAFETY: fewer than before; the items are owned through `live` from here on.
        unsafe { items.set_len(0) };
        Batch { memory: items, live }
    }
}

impl<T> Default for Batch<T> {
    fn default() -> Batch<T> {
        Batch { memory: Vec::new(), live: 0..0 }
    }
}

impl<T> Drop for Batch<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

// SAFETY: `take` passes on live items only, which are initialized, and gives up their ownership.
unsafe impl<T: Send + Sync + 'static> WriteBuffer<T> for Batch<T> {
    fn remaining(&self) -> &[T] {
        self.items()
    }

    fn skip(&mut self, count: usize) {
        self.drop_front(count);
    }

    fn take(&mut self, count: usize, fun: &mut dyn FnMut(&[MaybeUninit<T>])) {
        let first = self.items()[..count].as_ptr().cast::<MaybeUninit<T>>();
        self.live.start += count;
        // SAFETY: these slots are within the memory, which is not changed while `self` is borrowed.
        fun(unsafe { slice::from_raw_parts(first, count) });
    }
}

#[cfg(test)]
mod tests {
    use super::Batch;
    use std::sync::Arc;
    use wasmtime::component::WriteBuffer;

    #[test]
    fn owns_what_is_neither_taken_nor_skipped() {
        let item = Arc::new(());
        let mut batch = Batch::from(vec![item.clone(); 5]);
        batch.skip(1);
        assert_eq!(Arc::strong_count(&item), 5);
        batch.take(2, &mut |taken| {
            for slot in taken {
                // SAFETY: `take` hands over initialized items.
                drop(unsafe { slot.assume_init_read() });
            }
        });
        assert_eq!((Arc::strong_count(&item), batch.remaining().len()), (3, 2));
        let memory = batch.into_vec();
        assert_eq!((Arc::strong_count(&item), memory.len()), (1, 0));
        assert!(memory.capacity() >= 5);
    }

    #[test]
    fn counts_items_without_a_size() {
        let mut batch = Batch::from(vec![(); 3]);
        batch.skip(2);
        assert_eq!(batch.remaining().len(), 1);
    }
}
