//! The built-ins of streams and futures.

use super::rules::{Kept, builtin, builtin_unit, rule};
use super::transmit::{Items, Side, with};
use super::{frames, table};

pub(super) fn new(items: Items, is_future: bool) -> Kept<u64> {
    with(|all| {
        let id = all.add(items, is_future);
        let (reader, writer) = (all.give(id, Side::Read)?, all.give(id, Side::Write)?);
        Ok(u64::from(reader) | u64::from(writer) << 32)
    })
}

/// Starts a copy at an end of the component's.
///
/// # Safety
/// Until the copy has ended, `at` is valid for reads, or writes, of as many items.
pub(super) unsafe fn copy(handle: u32, is_future: bool, side: Side, at: *mut u8, count: usize) -> Kept<u32> {
    with(|all| {
        let (_, actual, transmit) = all.of_handle(handle, is_future)?;
        rule(actual == side, "this is the other end")?;
        // SAFETY: the caller promises the same.
        unsafe { transmit.copy(side, at, count) }
    })
}

fn cancel(handle: u32, is_future: bool) -> Kept<u32> {
    // The built-ins that the runtime imports are the synchronous ones.
    frames::check_blocking()?;
    with(|all| {
        let (_, side, transmit) = all.of_handle(handle, is_future)?;
        transmit.check_busy(side)?;
        table::check_unwatched(handle)?;
        transmit.cancel(side)
    })
}

pub(super) fn drop_end(handle: u32, is_future: bool) -> Kept<()> {
    with(|all| {
        let (id, side, _) = all.of_handle(handle, is_future)?;
        all.drop_end(id, side)?;
        all.handles.remove(&handle);
        table::remove(handle)
    })
}

/// `stream.new`
pub fn stream_new(items: Items) -> u64 {
    builtin("stream.new", &[], || new(items, false))
}

/// `stream.read`
///
/// # Safety
/// There is room for `count` items at `to`, until the read has ended.
pub unsafe fn stream_read(reader: u32, to: *mut u8, count: usize) -> u32 {
    builtin("stream.read", &[reader, count as u32], || {
        // SAFETY: the caller promises the room, until the read has ended.
        unsafe { copy(reader, false, Side::Read, to, count) }
    })
}

/// `stream.write`
///
/// # Safety
/// There are `count` items at `from`, until the write has ended.
pub unsafe fn stream_write(writer: u32, from: *const u8, count: usize) -> u32 {
    builtin("stream.write", &[writer, count as u32], || {
        // SAFETY: the caller promises the items, until the write has ended. A write only reads them.
        unsafe { copy(writer, false, Side::Write, from.cast_mut(), count) }
    })
}

/// `stream.cancel-read` and `stream.cancel-write`
pub fn stream_cancel(end: u32) -> u32 {
    builtin("stream.cancel", &[end], || cancel(end, false))
}

/// `stream.drop-readable` and `stream.drop-writable`
pub fn stream_drop(end: u32) {
    builtin_unit("stream.drop", &[end], || drop_end(end, false));
}

/// `future.new`
pub fn future_new(items: Items) -> u64 {
    builtin("future.new", &[], || new(items, true))
}

/// `future.read`
///
/// # Safety
/// There is room for an item at `to`, until the read has ended.
pub unsafe fn future_read(reader: u32, to: *mut u8) -> u32 {
    builtin("future.read", &[reader], || {
        // SAFETY: the caller promises the room, until the read has ended.
        unsafe { copy(reader, true, Side::Read, to, 1) }
    })
}

/// `future.write`
///
/// # Safety
/// There is an item at `from`, until the write has ended.
pub unsafe fn future_write(writer: u32, from: *const u8) -> u32 {
    builtin("future.write", &[writer], || {
        // SAFETY: the caller promises the item, until the write has ended. A write only reads it.
        unsafe { copy(writer, true, Side::Write, from.cast_mut(), 1) }
    })
}

/// `future.cancel-read` and `future.cancel-write`
pub fn future_cancel(end: u32) -> u32 {
    builtin("future.cancel", &[end], || cancel(end, true))
}

/// `future.drop-readable` and `future.drop-writable`
pub fn future_drop(end: u32) {
    builtin_unit("future.drop", &[end], || drop_end(end, true));
}
