//! The tables of intrinsics for types that come with a vtable.
//!
//! Such a vtable lowers by value: what was lowered is in the area, until the other side has accepted it, or it is lifted
//! from there again.

use super::registry;
use super::vtable::{FutureVtable, StreamVtable};
use crate::abi::Scratch;
use crate::payload::{
    CancelFn, Context, DropFn, FutureReadFn, FutureReadIntrinsics, FutureWriteFn, FutureWriteIntrinsics, Leftover,
    Lists, NewFn, ReadFn, ReadIntrinsics, Stored, WriteFn, WriteIntrinsics,
};
use core::mem::transmute;

/// Functions of a vtable as those of a table.
///
/// Their ABI strings differ in `-unwind` alone, which makes no other difference than that the table's may unwind.
mod function {
    use super::*;

    macro_rules! convert {
        ($($name:ident: ($($arg:ty),*) $(-> $ret:ty)? as $to:ty;)*) => {$(
            pub(super) fn $name(function: unsafe extern "C" fn($($arg),*) $(-> $ret)?) -> $to {
                // SAFETY: the two are ABI-compatible, see above.
                unsafe { transmute(function) }
            }
        )*};
    }

    convert! {
        read: (u32, *mut u8, usize) -> u32 as ReadFn;
        write: (u32, *const u8, usize) -> u32 as WriteFn;
        future_read: (u32, *mut u8) -> u32 as FutureReadFn;
        future_write: (u32, *const u8) -> u32 as FutureWriteFn;
        cancel: (u32) -> u32 as CancelFn;
        drop: (u32) as DropFn;
        new: () -> u64 as NewFn;
    }
}

const STREAM_READ: u8 = 0;
const STREAM_WRITE: u8 = 1;
const FUTURE_READ: u8 = 2;
const FUTURE_WRITE: u8 = 3;

/// What reads streams of `T`.
///
/// # Safety
/// The functions of the vtable are those of streams of `T`.
pub(super) unsafe fn stream_read<T: 'static>(vtable: &'static StreamVtable<T>) -> &'static ReadIntrinsics {
    let kind = (STREAM_READ, load_items::<T> as *const () as usize);
    let make = || ReadIntrinsics {
        read: function::read(vtable.start_read),
        cancel: function::cancel(vtable.cancel_read),
        drop: function::drop(vtable.drop_readable),
        size: vtable.layout.size(),
        align: vtable.layout.align(),
        load: vtable.lift.map(|_| load_items::<T> as unsafe fn(&ReadIntrinsics, *const u8, *mut u8, usize)),
        context: Context::of(vtable),
    };
    // SAFETY: tables of this kind are all of this type.
    unsafe { registry::table(vtable, kind, make) }
}

/// What writes streams of `T`.
///
/// # Safety
/// The functions of the vtable are those of streams of `T`.
pub(super) unsafe fn stream_write<T: 'static>(vtable: &'static StreamVtable<T>) -> &'static WriteIntrinsics {
    let kind = (STREAM_WRITE, end_items::<T> as *const () as usize);
    let converts = vtable.lower.is_some() && vtable.lift.is_some();
    let make = || WriteIntrinsics {
        new: function::new(vtable.new),
        write: function::write(vtable.start_write),
        cancel: function::cancel(vtable.cancel_write),
        drop: function::drop(vtable.drop_writable),
        drop_readable: function::drop(vtable.drop_readable),
        size: vtable.layout.size(),
        align: vtable.layout.align(),
        store: converts.then_some(store_items::<T>),
        end: converts.then_some(end_items::<T>),
        free: converts.then_some(free_items::<T>),
        context: Context::of(vtable),
    };
    // SAFETY: tables of this kind are all of this type.
    unsafe { registry::table(vtable, kind, make) }
}

/// What reads futures of `T`.
///
/// # Safety
/// The functions of the vtable are those of futures of `T`.
pub(super) unsafe fn future_read<T: 'static>(vtable: &'static FutureVtable<T>) -> &'static FutureReadIntrinsics<T> {
    let kind = (FUTURE_READ, load_value::<T> as *const () as usize);
    let make = || FutureReadIntrinsics {
        read: function::future_read(vtable.start_read),
        cancel: function::cancel(vtable.cancel_read),
        drop: function::drop(vtable.drop_readable),
        size: vtable.layout.size(),
        align: vtable.layout.align(),
        load: load_value::<T>,
        context: Context::of(vtable),
    };
    // SAFETY: tables of this kind are all of this type, as far as their code goes.
    unsafe { registry::table(vtable, kind, make) }
}

/// What writes futures of `T`.
///
/// # Safety
/// The functions of the vtable are those of futures of `T`.
pub(super) unsafe fn future_write<T: 'static>(vtable: &'static FutureVtable<T>) -> &'static FutureWriteIntrinsics<T> {
    let kind = (FUTURE_WRITE, store_value::<T> as *const () as usize);
    let make = || FutureWriteIntrinsics {
        new: function::new(vtable.new),
        write: function::future_write(vtable.start_write),
        cancel: function::cancel(vtable.cancel_write),
        drop: function::drop(vtable.drop_writable),
        drop_readable: function::drop(vtable.drop_readable),
        size: vtable.layout.size(),
        align: vtable.layout.align(),
        store: store_value::<T>,
        accepted: accepted_value::<T>,
        restore: Some(restore_value::<T>),
        context: Context::of(vtable),
    };
    // SAFETY: tables of this kind are all of this type, as far as their code goes.
    unsafe { registry::table(vtable, kind, make) }
}

/// # Safety
/// The context is one of [`stream_read`] or [`stream_write`] of this type.
unsafe fn of_stream<T: 'static>(context: Context) -> &'static StreamVtable<T> {
    // SAFETY: so it is a vtable of this type, which is static.
    unsafe { context.get() }
}

/// # Safety
/// The context is one of [`future_read`] or [`future_write`] of this type.
unsafe fn of_future<T: 'static>(context: Context) -> &'static FutureVtable<T> {
    // SAFETY: so it is a vtable of this type, which is static.
    unsafe { context.get() }
}

/// # Safety
/// As for `ReadIntrinsics::load`; the table is of [`stream_read`].
unsafe fn load_items<T: 'static>(table: &ReadIntrinsics, from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: the table says which vtable it was made of.
    let vtable = unsafe { of_stream::<T>(table.context) };
    let Some(lift) = vtable.lift else { return };
    let to = to.cast::<T>();
    for i in 0..count {
        // SAFETY: there are as many values, which nobody else takes, and there is room for as many items.
        unsafe { to.add(i).write(lift(from.add(i * table.size).cast_mut())) }
    }
}

/// # Safety
/// As for `WriteIntrinsics::store`; the table is of [`stream_write`].
unsafe fn store_items<T: 'static>(
    table: &WriteIntrinsics,
    items: *const u8,
    to: *mut u8,
    count: usize,
    _: &mut Scratch,
) {
    // SAFETY: the table says which vtable it was made of.
    let vtable = unsafe { of_stream::<T>(table.context) };
    let Some(lower) = vtable.lower else { return };
    let items = items.cast::<T>();
    for i in 0..count {
        // SAFETY: there are as many items, which are not read again before `end_items`, and room for as many values.
        unsafe { lower(items.add(i).read(), to.add(i * table.size)) }
    }
}

/// # Safety
/// As for `WriteIntrinsics::end`; the table is of [`stream_write`].
unsafe fn end_items<T: 'static>(table: &WriteIntrinsics, stored: Stored) {
    // SAFETY: the table says which vtable it was made of.
    let vtable = unsafe { of_stream::<T>(table.context) };
    let items = stored.items.cast::<T>();
    let Some(lift) = vtable.lift else { return };
    for i in stored.accepted..stored.accepted + stored.rest {
        // SAFETY: `store_items` has lowered this many items. Those that were not accepted are items again.
        unsafe { items.add(i).write(lift(stored.area.add(i * table.size))) }
    }
}

/// # Safety
/// As for `WriteIntrinsics::free`; the table is of [`stream_write`].
unsafe fn free_items<T: 'static>(table: &WriteIntrinsics, area: *mut u8, count: usize) {
    // SAFETY: the table says which vtable it was made of.
    let vtable = unsafe { of_stream::<T>(table.context) };
    let Some(dealloc_lists) = vtable.dealloc_lists else { return };
    for i in 0..count {
        // SAFETY: `store_items` has lowered this many items, which are gone but for their lists.
        unsafe { dealloc_lists(area.add(i * table.size)) }
    }
}

/// # Safety
/// As for `FutureReadIntrinsics::load`; the table is of [`future_read`].
unsafe fn load_value<T: 'static>(table: &FutureReadIntrinsics<T>, from: *const u8) -> T {
    // SAFETY: the table says which vtable it was made of, and a value lies there that nobody else takes.
    unsafe { (of_future::<T>(table.context).lift)(from.cast_mut()) }
}

/// # Safety
/// As for `FutureWriteIntrinsics::store`; the table is of [`future_write`].
unsafe fn store_value<T: 'static>(table: &FutureWriteIntrinsics<T>, value: *const T, to: *mut u8, _: &mut Scratch) {
    // SAFETY: the table says which vtable it was made of. The value is not read again before it was restored.
    unsafe { (of_future::<T>(table.context).lower)(value.read(), to) }
}

/// # Safety
/// As for `FutureWriteIntrinsics::accepted`; the table is of [`future_write`].
unsafe fn accepted_value<T: 'static>(
    table: &FutureWriteIntrinsics<T>,
    _: *const T,
    area: *mut u8,
) -> Option<Leftover<T>> {
    // SAFETY: the table says which vtable it was made of. The value in the area is gone but for its lists.
    unsafe {
        let dealloc_lists = of_future::<T>(table.context).dealloc_lists;
        if core::mem::needs_drop::<T>() {
            return Some(Leftover::Lists(Lists::take(area, table.size, dealloc_lists)));
        }
        dealloc_lists(area);
    }
    None
}

/// # Safety
/// As for `FutureWriteIntrinsics::restore`; the table is of [`future_write`].
unsafe fn restore_value<T: 'static>(table: &FutureWriteIntrinsics<T>, value: *mut T, area: *mut u8) {
    // SAFETY: the table says which vtable it was made of. The value in the area was not accepted.
    unsafe { value.write((of_future::<T>(table.context).lift)(area)) }
}
