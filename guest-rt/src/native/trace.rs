//! What happened, in order.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt::{self, Write};

std::thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(false) };
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static COUNTS: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
}

/// Starts to record the trace, from its beginning.
pub fn record() {
    RECORDING.set(true);
    TRACE.take();
}

/// Takes what was recorded since the last time.
pub fn trace() -> Vec<String> {
    TRACE.take()
}

/// Adds a mark to the trace.
pub fn note(mark: impl Into<String>) {
    if RECORDING.get() {
        TRACE.with_borrow_mut(|trace| trace.push(mark.into()));
    }
}

/// Adds a mark to the trace, which is only formatted when that is recorded.
pub fn mark(mark: fmt::Arguments<'_>) {
    if RECORDING.get() {
        TRACE.with_borrow_mut(|trace| trace.push(alloc::format!("{mark}")));
    }
}

/// How often each built-in was called.
pub fn counts() -> Vec<(&'static str, usize)> {
    COUNTS.with_borrow(Clone::clone)
}

/// How often all built-ins were called but those that only move a word, `context.get` and `context.set`.
pub fn count() -> usize {
    COUNTS.with_borrow(|counts| {
        counts.iter().filter(|(name, _)| !name.starts_with("context.")).map(|(_, count)| count).sum()
    })
}

/// A built-in is called.
pub(crate) fn builtin(name: &'static str, args: &[u32]) {
    COUNTS.with_borrow_mut(|counts| match counts.iter_mut().find(|(known, _)| *known == name) {
        Some((_, count)) => *count += 1,
        None => counts.push((name, 1)),
    });
    if RECORDING.get() {
        let mut mark = String::from(name);
        for arg in args {
            // Writing to a string does not fail.
            _ = write!(mark, " {arg}");
        }
        note(mark);
    }
}
