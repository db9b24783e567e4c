//! Error contexts, whose handles stay ours when they are passed.

use crate::types::World;
use wasp_guest_rt::__rt;
use wasp_guest_rt::ErrorContext;
use wasp_guest_rt::native::{error_context, error_message, handles};

#[test]
fn an_error_context_tells_its_message() {
    let context = ErrorContext::new("it broke");
    assert_eq!(context.debug_message(), "it broke");
    assert_eq!(format!("{context} {context:?}"), r#"it broke ErrorContext { debug_message: "it broke" }"#);
    drop(context);
    assert_eq!(handles(), 0);
}

#[test]
fn an_error_context_outlives_the_call_it_is_passed_to() {
    // SAFETY: the closure stands in for a function of these types.
    let back = unsafe {
        __rt::sync_call::<World, _, ErrorContext, 2>((ErrorContext::new("one"), ErrorContext::new("two")), |slots| {
            assert_eq!(slots.map(|handle| error_message(handle as u32)), ["one", "two"]);
            u64::from(error_context("three"))
        })
    };
    assert_eq!(back.debug_message(), "three");
    assert_eq!(handles(), 3, "those that were passed wait for the next use of an error context");
    __rt::task_return::<World, _, 1>(back, |[handle]| assert_eq!(error_message(handle as u32), "three"));
    drop(ErrorContext::new("four"));
    assert_eq!(handles(), 0);
}

#[test]
fn the_caller_of_an_export_can_read_the_error_context_it_gets() {
    type Failure = Result<(), ErrorContext>;
    static RESULT: __rt::Returned<Failure, { __rt::words::<World, Failure>() }> = __rt::Returned::new();
    // SAFETY: one thread uses this static.
    unsafe {
        let area = RESULT.store::<World>(Err(ErrorContext::new("it broke")), false);
        let handle = area.add(4).cast::<u32>().read();
        assert_eq!(error_message(handle), "it broke");
        let called = wasp_guest_rt::native::count();
        RESULT.release();
        assert_eq!(wasp_guest_rt::native::count(), called, "no built-in may be called any more");
        assert_eq!(error_message(handle), "it broke");
    }
    let flat = __rt::return_flat::<World, _>(ErrorContext::new("flat")) as u32;
    assert_eq!(error_message(flat), "flat");
    drop(ErrorContext::new("next"));
    assert_eq!(handles(), 0);
}

#[test]
fn a_lent_error_context_stays_with_its_owner() {
    let context = ErrorContext::new("mine");
    __rt::task_return::<World, _, 1>(&context, |_| ());
    drop(ErrorContext::new("next"));
    assert_eq!(context.debug_message(), "mine");
}
