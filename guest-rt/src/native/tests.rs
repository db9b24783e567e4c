//! The rules that the stand-in keeps, each broken once.

use super::builtins::*;
use super::*;
use crate::builtins::{BLOCKED, code};
use alloc::string::String;
use core::cell::Cell;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Checks that something traps, and that this rule is named.
#[track_caller]
fn breaks<T>(rule: &str, code: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(|| _ = code())).expect_err("it traps");
    let why = panic.downcast_ref::<String>().expect("traps have a message");
    assert!(why.starts_with("trap: ") && why.contains(rule), "{why}");
}

/// Runs code in a call of an async export, which returns.
fn in_task(code: impl FnOnce()) {
    call(|| {
        code();
        task_return();
        code::EXIT
    });
}

fn ends(items: Items) -> (u32, u32) {
    let both = stream_new(items);
    (both as u32, (both >> 32) as u32)
}

fn numbers() -> (u32, u32) {
    ends(Items::of::<(), u32>())
}

const MAY_NOT_BLOCK: &str = "must not block";

#[test]
fn only_calls_of_async_exports_may_block() {
    let (set, subtask) = (waitable_set_new(), subtask_started() >> 4);
    waitable_join(subtask, set);
    returned(subtask);
    let (reader, writer) = numbers();
    let mut room = [0u32; 1];
    // SAFETY: the room outlives the read, which is met below.
    assert_eq!(unsafe { stream_read(reader, room.as_mut_ptr().cast(), 1) }, BLOCKED);
    // SAFETY: there is an item.
    assert_eq!(unsafe { stream_write(writer, [7u32].as_ptr().cast(), 1) }, 1 << 4);
    // None of these would have to wait.
    sync_export(|| {
        breaks(MAY_NOT_BLOCK, || waitable_set_wait(set, &mut [0; 2]));
        breaks(MAY_NOT_BLOCK, || subtask_cancel(subtask));
        breaks(MAY_NOT_BLOCK, || stream_cancel(reader));
        assert_eq!((thread_yield(), thread_yield_cancellable()), (0, 0));
        assert_eq!(waitable_set_poll(set, &mut [0; 2]), 1);
        subtask_drop(subtask);
    });
    // What a cancel answers: the items were moved, but nobody was told so yet.
    in_task(|| assert_eq!((stream_cancel(reader), room[0]), (2 | 1 << 4, 7)));
    stream_drop(reader);
    stream_drop(writer);
    waitable_set_drop(set);
    assert_eq!(owned(), [""; 0]);
}

#[test]
fn no_built_in_is_called_in_post_return_or_realloc() {
    breaks("in post-return", || post_return(waitable_set_new));
    breaks("in `cabi_realloc`", || realloc(backpressure_inc));
    in_task(|| {
        context_set(core::ptr::dangling_mut());
        assert!(!context_get().is_null());
        breaks("in post-return", || post_return(task_return));
    });
    breaks("outside of a call", context_get);
}

#[test]
fn sets_are_dropped_when_nobody_needs_them() {
    let (set, subtask) = (waitable_set_new(), subtask_started() >> 4);
    waitable_join(subtask, set);
    breaks("there are waitables in the set", || waitable_set_drop(set));
    breaks("not a waitable set", || waitable_set_drop(subtask));
    breaks("not a waitable set", || waitable_join(subtask, subtask));
    breaks("not a waitable", || waitable_join(set, 0));
    breaks("unknown handle", || waitable_set_poll(99, &mut [0; 2]));
    later(move || {
        breaks("somebody waits on the set", || waitable_set_drop(set));
        returned(subtask);
    });
    in_task(|| {
        waitable_join(subtask, set);
        let mut payload = [0; 2];
        assert_eq!((waitable_set_wait(set, &mut payload), payload), (1, [subtask, 2]));
    });
    subtask_drop(subtask);
    waitable_set_drop(set);
}

#[test]
fn subtasks_are_cancelled_once_and_dropped_at_their_end() {
    let (set, first, second) = (waitable_set_new(), subtask_started() >> 4, subtask_started() >> 4);
    goes_on_when_cancelled(first);
    breaks("before its end was delivered", || subtask_drop(first));
    breaks("not a subtask", || subtask_cancel_async(set));
    in_task(|| {
        waitable_join(second, set);
        breaks("is in a set", || subtask_cancel(second));
        assert_eq!((subtask_cancel_async(first), subtask_cancel_async(second)), (BLOCKED, 4));
        breaks("was cancelled before", || subtask_cancel_async(first));
        breaks("nothing to cancel", || subtask_cancel_async(second));
    });
    cancelled(first);
    breaks("before its end was delivered", || subtask_drop(first));
    waitable_join(first, set);
    let mut payload = [0; 2];
    assert_eq!((waitable_set_poll(set, &mut payload), payload), (1, [first, 4]));
    subtask_drop(first);
    subtask_drop(second);
    let late = subtask_starting() >> 4;
    on_cancel(late, || 2);
    breaks("never does", || subtask_cancel_async(late));
}

#[test]
fn a_synchronous_cancel_waits_for_the_callee() {
    let subtask = subtask_started() >> 4;
    goes_on_when_cancelled(subtask);
    later(move || started_again_traps(subtask));
    later(move || returned(subtask));
    in_task(|| assert_eq!(subtask_cancel(subtask), 2));
    subtask_drop(subtask);

    fn started_again_traps(subtask: u32) {
        breaks("has started", || started(subtask));
        breaks("somebody waits for this waitable alone", || waitable_join(subtask, 0));
    }
}

#[test]
fn an_end_has_one_copy_at_a_time_and_is_not_dropped_with_it() {
    let (reader, writer) = numbers();
    let mut room = [0u32; 4];
    let room = room.as_mut_ptr().cast::<u8>();
    // SAFETY: the room outlives both reads, and is for as many items.
    let read = |count| unsafe { stream_read(reader, room, count) };
    breaks("no copy to cancel", || stream_cancel(reader));
    breaks("too many items", || read(1 << 28));
    assert_eq!(read(4), BLOCKED);
    breaks("another copy", || read(1));
    breaks("while a copy", || stream_drop(reader));
    // SAFETY: nothing is read there: it is the wrong end.
    breaks("the other end", || unsafe { stream_write(reader, room, 1) });
    breaks("of this type", || future_drop(reader));
    in_task(|| assert_eq!(stream_cancel(reader), 2));
    stream_drop(writer);
    assert_eq!(read(1), 1);
    breaks("was told", || read(1));
    stream_drop(reader);
}

#[test]
fn only_numbers_are_copied_inside_one_component() {
    let (reader, writer) = ends(Items::of::<(), String>());
    let mut room = [0usize; 2];
    // SAFETY: neither copy moves anything.
    unsafe {
        stream_read(reader, room.as_mut_ptr().cast(), 1);
        breaks("only numbers", || stream_write(writer, room.as_ptr().cast(), 1));
    }
}

#[test]
fn futures_are_written_once() {
    let both = future_new(Items::of::<(), u32>());
    let (reader, writer) = (both as u32, (both >> 32) as u32);
    breaks("without a write", || future_drop(writer));
    let mut room = 0u32;
    // SAFETY: there are an item and room for one.
    unsafe {
        assert_eq!(future_read(reader, (&raw mut room).cast()), BLOCKED);
        assert_eq!(future_write(writer, (&raw const room).cast()), 0);
        breaks("one value", || future_write(writer, (&raw const room).cast()));
    }
    future_drop(writer);
}

#[test]
fn an_end_is_told_that_the_other_one_is_gone_although_it_did_not_ask() {
    let (set, (reader, writer)) = (waitable_set_new(), numbers());
    waitable_join(writer, set);
    stream_drop(reader);
    let mut payload = [0; 2];
    assert_eq!((waitable_set_poll(set, &mut payload), payload), (3, [writer, 1]));
    // It was nothing's end: the writer finds out by a write.
    // SAFETY: there is an item.
    let write = || unsafe { stream_write(writer, [7u32].as_ptr().cast(), 1) };
    assert_eq!(write(), 1);
    breaks("was told", write);
}

#[test]
fn back_pressure_has_limits_and_keeps_calls_from_starting() {
    breaks("below zero", backpressure_dec);
    let ran = Rc::new(Cell::new(0));
    let export = |by: u32| {
        let ran = ran.clone();
        move || {
            ran.set(ran.get() + by);
            task_return();
            code::EXIT
        }
    };
    backpressure_inc();
    let (first, second) = (offer(export(1)), offer(export(10)));
    breaks("there is back-pressure", || call(|| code::EXIT));
    run();
    assert!(starting(first) && starting(second));
    cancel(second);
    assert!(exited(second) && !exited(first));
    backpressure_dec();
    run();
    assert!(exited(first) && ran.get() == 1);
    // That takes too long where each step is checked.
    if !cfg!(miri) {
        (0..65_535).for_each(|_| backpressure_inc());
        breaks("above 65535", backpressure_inc);
    }
}

#[test]
fn a_task_that_blocks_keeps_calls_from_starting_but_not_synchronous_ones() {
    let subtask = subtask_started() >> 4;
    goes_on_when_cancelled(subtask);
    let entered = Rc::new(Cell::new(false));
    let seen = entered.clone();
    later(move || {
        let other = offer(|| {
            task_return();
            code::EXIT
        });
        sync_export(|| seen.set(true));
        assert!(starting(other));
        returned(subtask);
    });
    in_task(|| assert_eq!(subtask_cancel(subtask), 2));
    assert!(entered.get());
    run();
    assert_eq!(owned(), [std::format!("{subtask}: subtask")]);
}

#[test]
fn a_task_resolves_once_and_before_it_ends() {
    breaks("neither returned nor", || call(|| code::EXIT));
    breaks("none of EXIT, YIELD and WAIT", || call(|| 7));
    in_task(|| breaks("was not told", task_cancel));
    breaks("has returned", || in_task(task_return));
    breaks("not of an `async` export", || sync_export(task_return));
}

#[test]
fn whoever_waits_for_nothing_is_told() {
    in_task(|| breaks("everybody waits", || waitable_set_wait(waitable_set_new(), &mut [0; 2])));
}

#[test]
fn a_panic_takes_along_no_more_than_its_call() {
    let set = waitable_set_new();
    let panicked = catch_unwind(|| {
        call(|| {
            let _drops = Drops(subtask_started() >> 4);
            panic!("of a user's");
        })
    });
    assert!(panicked.is_err());
    in_task(|| _ = thread_yield());
    waitable_set_drop(set);
    assert_eq!(owned().iter().filter(|left| left.contains("task ")).count(), 0);

    struct Drops(u32);

    impl Drop for Drops {
        fn drop(&mut self) {
            // It breaks a rule, which must not be a second panic.
            subtask_drop(self.0);
        }
    }
}

/// Runs code in a destructor, while the thread unwinds.
fn while_unwinding(code: impl FnOnce()) {
    struct Last<F: FnOnce()>(Option<F>);

    impl<F: FnOnce()> Drop for Last<F> {
        fn drop(&mut self) {
            self.0.take().expect("this is dropped once")();
        }
    }

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _last = Last(Some(code));
        panic!("of a user's");
    }));
    assert!(panicked.is_err());
}

#[test]
fn nobody_else_runs_while_a_thread_unwinds() {
    let ran = Rc::new(Cell::new(false));
    let (seen, subtask) = (ran.clone(), subtask_started() >> 4);
    goes_on_when_cancelled(subtask);
    later(move || seen.set(true));
    let state = Cell::new(0);
    while_unwinding(|| {
        // What the callee would do later comes too late: the call is over.
        state.set(subtask_cancel(subtask));
        subtask_drop(subtask);
        thread_yield();
    });
    assert_eq!((state.get(), ran.get()), (4, false));
    breaks("unknown handle", || returned(subtask));
    run();
    assert!(ran.get());
    assert_eq!(owned(), [""; 0]);
}

#[test]
fn whoever_waits_for_nothing_is_told_while_a_thread_unwinds() {
    let set = waitable_set_new();
    while_unwinding(|| breaks("everybody waits", || waitable_set_wait(set, &mut [0; 2])));
    waitable_set_drop(set);
}

#[test]
fn a_guide_is_asked_which_event_is_next() {
    let (set, first, second) = (waitable_set_new(), subtask_started() >> 4, subtask_started() >> 4);
    for subtask in [first, second] {
        waitable_join(subtask, set);
        returned(subtask);
    }
    guide(Some(Box::new(|options| {
        assert_eq!(options.len(), 2);
        1
    })));
    let mut payload = [0; 2];
    assert_eq!((waitable_set_poll(set, &mut payload), payload), (1, [second, 2]));
    guide(None);
    assert_eq!((waitable_set_poll(set, &mut payload), payload), (1, [first, 2]));
}
