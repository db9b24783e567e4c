//! Tables that were made of vtables, so that each vtable has its table made once.

use alloc::boxed::Box;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A table, and what it was made of. Entries are never removed: vtables are static, and so are few.
struct Entry {
    vtable: *const (),
    /// What kind of table it is. The address of one of its functions is part of it: two vtables at one address, of types
    /// that look alike, are told apart unless their code is the same.
    kind: (u8, usize),
    table: *const (),
    next: *const Entry,
}

static FIRST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// Returns the table of this kind that was made of `vtable`, and makes it the first time.
///
/// # Safety
/// All calls with this kind have the same types.
pub(super) unsafe fn table<V, T>(vtable: &'static V, kind: (u8, usize), make: impl FnOnce() -> T) -> &'static T {
    let key = ptr::from_ref(vtable).cast();
    let mut first = FIRST.load(Ordering::Acquire);
    if let Some(found) = find(first, key, kind) {
        // SAFETY: an entry of this kind has a table of this type, which is never freed.
        return unsafe { &*found.cast() };
    }
    let table: &'static T = Box::leak(Box::new(make()));
    let entry = Box::into_raw(Box::new(Entry { vtable: key, kind, table: ptr::from_ref(table).cast(), next: first }));
    // Another thread may have made the same table meanwhile. Then there are two, and the later one is found.
    while let Err(other) = FIRST.compare_exchange(first, entry, Ordering::Release, Ordering::Acquire) {
        first = other;
        // SAFETY: nobody else has the entry yet.
        unsafe { (*entry).next = first }
    }
    table
}

fn find(first: *const Entry, vtable: *const (), kind: (u8, usize)) -> Option<*const ()> {
    // SAFETY: entries are never freed or changed once they are in the list.
    let mut entry = unsafe { first.as_ref() };
    while let Some(this) = entry {
        if this.vtable == vtable && this.kind == kind {
            return Some(this.table);
        }
        // SAFETY: as above.
        entry = unsafe { this.next.as_ref() };
    }
    None
}
