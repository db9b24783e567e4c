//! What happened, in order.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt::{self, Write};

std::thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(false) };
    static RESULTS: Cell<bool> = const { Cell::new(false) };
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static COUNTS: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
}

/// Starts to record the trace, from its beginning.
pub fn record() {
    RECORDING.set(true);
    RESULTS.set(false);
    TRACE.take();
}

/// Starts to record the trace, from its beginning, and with what each built-in answers.
pub fn record_results() {
    record();
    RESULTS.set(true);
}

/// Takes what was recorded since the last time.
pub fn trace() -> Vec<String> {
    TRACE.take()
}

/// Returns how many marks there are in the trace.
pub fn recorded() -> usize {
    TRACE.with_borrow(Vec::len)
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
        note(alloc::format!("{mark}"));
    }
}

/// Returns how often each built-in was called.
pub fn counts() -> Vec<(&'static str, usize)> {
    COUNTS.with_borrow(Clone::clone)
}

/// Returns how often all built-ins were called but those that only move a word, `context.get` and `context.set`.
pub fn count() -> usize {
    COUNTS.with_borrow(|counts| {
        counts.iter().filter(|(name, _)| !name.starts_with("context.")).map(|(_, count)| count).sum()
    })
}

/// A built-in is called.
pub(super) fn builtin(name: &'static str, args: &[u32]) {
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

/// A built-in has answered.
pub(super) fn result(name: &'static str, result: u64) {
    if RESULTS.get() {
        mark(format_args!("{name} = {result}"));
    }
}
