//! Rules, and what happens to a component that breaks one.
//!
//! Whatever checks a rule hands the broken one back; only the outermost function traps, when nothing is borrowed any
//! more. A trap is a panic, which drops what the component has, and that calls built-ins again: while a thread unwinds,
//! a broken rule is not answered by a second panic.

use super::{frames, trace};
use core::fmt;

/// A result, or the rule that was broken.
pub(crate) type Kept<T> = Result<T, &'static str>;

/// Hands back the rule unless it holds.
pub(crate) fn rule(holds: bool, rule: &'static str) -> Kept<()> {
    if holds { Ok(()) } else { Err(rule) }
}

/// Ends the component: it has broken a rule.
#[cold]
#[track_caller]
pub(crate) fn trap(why: fmt::Arguments<'_>) -> ! {
    trace::mark(format_args!("trap: {why}"));
    panic!("trap: {why}")
}

/// Calls a built-in. Traps when a rule is broken.
#[track_caller]
pub(crate) fn builtin<T: Default + Copy + Into<u64>>(
    name: &'static str,
    args: &[u32],
    body: impl FnOnce() -> Kept<T>,
) -> T {
    trace::builtin(name, args);
    let result = broken(frames::may_leave().and_then(|()| body()), name, args);
    trace::result(name, result.into());
    result
}

/// Calls a built-in without a result. Traps when a rule is broken.
#[track_caller]
pub(crate) fn builtin_unit(name: &'static str, args: &[u32], body: impl FnOnce() -> Kept<()>) {
    trace::builtin(name, args);
    broken(frames::may_leave().and_then(|()| body()), name, args)
}

/// As `builtin`, for one that is called until it answers something: there is no answer in place of that.
#[track_caller]
pub(crate) fn waiting_builtin(name: &'static str, args: &[u32], body: impl FnOnce() -> Kept<u32>) -> u32 {
    builtin(name, args, || {
        body().inspect_err(|rule| {
            if std::thread::panicking() {
                trap(format_args!("`{name}` of {args:?}, while the thread unwinds: {rule}"));
            }
        })
    })
}

#[track_caller]
fn broken<T: Default>(result: Kept<T>, name: &str, args: &[u32]) -> T {
    match result {
        Ok(value) => value,
        Err(_) if std::thread::panicking() => T::default(),
        Err(rule) => trap(format_args!("`{name}` of {args:?}: {rule}")),
    }
}

/// What the test does, as the engine or the other side. Traps when the rules do not allow it.
#[track_caller]
pub(crate) fn allowed<T: Default>(what: &str, result: Kept<T>) -> T {
    match result {
        Ok(value) => value,
        Err(_) if std::thread::panicking() => T::default(),
        Err(rule) => trap(format_args!("{what}: {rule}")),
    }
}
