//! What comes up while a value is lowered, and runs code of users.
//!
//! Lowering happens in the middle of things: the pair or the channel that a value is written to is in use, and so is the
//! memory that it is lowered to. Readers are lowered with it, though, and those may have a default to be made or a waker to
//! be dropped. Such acts are put off, by [`put_off`], until nothing is in use any more: whoever lowers a value
//! calls [`settle`] when it is done with it.
//!
//! An import may wait for what is written by such an act. So it comes before the call that the value is lowered for, but
//! after a write.

use crate::instance::local;
use alloc::boxed::Box;
use core::cell::Cell;

/// What was put off, and what before or after it.
struct Act {
    act: Box<dyn FnOnce()>,
    other: Acts,
}

type Acts = Option<Box<Act>>;

struct State {
    /// The acts that are next, the first one first.
    next: Cell<Acts>,
    /// Those after them, the last one first.
    more: Cell<Acts>,
    /// There are acts. Looked at each time that something is lowered.
    any: Cell<bool>,
    /// How many writes are lowering what they write.
    writes: Cell<u32>,
}

local! {
    static STATE: State =
        State { next: Cell::new(None), more: Cell::new(None), any: Cell::new(false), writes: Cell::new(0) };
}

/// Puts an act off until what is being lowered is no longer in use.
#[cold]
#[inline(never)]
pub(crate) fn put_off(act: impl FnOnce() + 'static) {
    push(Box::new(act));
}

#[inline(never)]
fn push(act: Box<dyn FnOnce()>) {
    STATE.more.set(Some(Box::new(Act { act, other: STATE.more.take() })));
    STATE.any.set(true);
}

/// Takes the act that comes next.
fn pop() -> Option<Box<dyn FnOnce()>> {
    let mut next = STATE.next.take();
    if next.is_none() {
        let mut more = STATE.more.take();
        while let Some(mut act) = more {
            more = act.other.take();
            act.other = next.take();
            next = Some(act);
        }
    }
    let Act { act, other } = *next?;
    STATE.next.set(other);
    Some(act)
}

/// Drops what is left of a value that was lowered by moving it, which may run code of users: not within a write.
#[inline]
pub(crate) fn drop_unused<T: 'static>(value: T) {
    if core::mem::needs_drop::<T>() && is_writing() {
        put_off(|| drop(value));
    }
}

/// Runs what was put off, which runs code of users: nothing is borrowed, and all is noted. Does nothing within a write
/// that is being lowered, whose writer does it when it is done.
#[inline(always)]
pub(crate) fn settle() {
    if STATE.any.get() {
        run();
    }
}

#[cold]
#[inline(never)]
fn run() {
    while !is_writing() {
        // Each act on its own: the next ones are not lost if it panics, and it may come here itself.
        let Some(act) = pop() else {
            STATE.any.set(false);
            return;
        };
        act();
    }
}

/// Lowers what a pair or a channel writes, which is in use meanwhile.
#[inline]
pub(crate) fn writing<T>(lower: impl FnOnce() -> T) -> T {
    struct Writing;
    impl Drop for Writing {
        fn drop(&mut self) {
            STATE.writes.set(STATE.writes.get() - 1);
        }
    }
    STATE.writes.set(STATE.writes.get() + 1);
    let _writing = Writing;
    lower()
}

/// Returns whether a pair or a channel is in use by a write that is being lowered: nothing that might wait may be called.
pub(crate) fn is_writing() -> bool {
    STATE.writes.get() > 0
}
