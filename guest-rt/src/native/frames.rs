//! Which code of the component is running, and what it may do.

use super::rules::{Kept, rule};
use core::cell::Cell;
use core::ptr;

/// What kind of code is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// None. What the test itself does counts as code of an `async` export that was lifted without a callback: it may
    /// wait, and drop what it holds.
    Outside,
    /// A call of an export that WIT declares `async`.
    Async(usize),
    /// A call of any other export, or of a destructor.
    Sync,
    /// A function that must not call anything: `post-return`, `cabi_realloc`.
    NoLeave(&'static str),
}

#[derive(Clone, Copy)]
struct Frame {
    kind: Kind,
    /// The context of a synchronous call. That of a task is kept with the task.
    context: *mut u8,
}

std::thread_local! {
    static CURRENT: Cell<Frame> = const { Cell::new(Frame { kind: Kind::Outside, context: ptr::null_mut() }) };
}

/// Code is running until this is dropped, also by a panic.
pub(super) struct Entered {
    outer: Frame,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

/// Starts to run code of a kind.
pub(super) fn enter(kind: Kind) -> Entered {
    Entered { outer: CURRENT.replace(Frame { kind, context: ptr::null_mut() }) }
}

/// Returns what is running.
pub(super) fn current() -> Kind {
    CURRENT.get().kind
}

/// Returns the context of the synchronous call that is running, and replaces it by `new` if there is one.
pub(super) fn context(new: Option<*mut u8>) -> Kept<*mut u8> {
    let frame = CURRENT.get();
    rule(frame.kind != Kind::Outside, "there is no context outside of a call")?;
    CURRENT.set(Frame { context: new.unwrap_or(frame.context), ..frame });
    Ok(frame.context)
}

/// Checks that built-ins and imports may be called.
pub(super) fn may_leave() -> Kept<()> {
    match current() {
        Kind::NoLeave("post-return") => Err("no built-in may be called in post-return"),
        Kind::NoLeave(_) => Err("no built-in may be called in `cabi_realloc`"),
        _ => Ok(()),
    }
}

/// Returns whether the running code may wait for others: it is part of a call of an `async` export.
pub(super) fn may_block() -> bool {
    matches!(current(), Kind::Async(_) | Kind::Outside)
}

/// Checks that the running code may wait. Comes before anything else, so it does not matter whether it would have to.
pub(super) fn check_blocking() -> Kept<()> {
    rule(may_block() || std::thread::panicking(), "a call that is not of an `async` export must not block")
}

/// Runs what an export's `post-return` does: it must not call any built-in but `context.get` and `context.set`.
pub fn post_return<T>(code: impl FnOnce() -> T) -> T {
    let _entered = enter(Kind::NoLeave("post-return"));
    code()
}

/// Runs what `cabi_realloc` does: it must not call any built-in but `context.get` and `context.set`.
pub fn realloc<T>(code: impl FnOnce() -> T) -> T {
    let _entered = enter(Kind::NoLeave("cabi_realloc"));
    code()
}

/// Calls a synchronous export, a destructor of a resource, or the start function: code that must not block.
///
/// It enters at once, also while a task blocks.
pub fn sync_export<T>(export: impl FnOnce() -> T) -> T {
    let _entered = enter(Kind::Sync);
    // As generated code does.
    let _outside = crate::task::outside::Outside::new();
    export()
}
