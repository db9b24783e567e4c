//! Parameters of async imports that are borrowed: where they are copied, and where not.

use crate::export;
use crate::support::*;
use core::future::Future;
use std::rc::Rc;
use std::vec::Vec;
use wasp_guest_rt::__rt::{self, Param};

/// What the import was called with: the address and the length of the text.
type Seen = Rc<core::cell::RefCell<Vec<(usize, usize)>>>;

fn text((address, len): (usize, usize)) -> String {
    // SAFETY: the engine may read parameters until the callee has started.
    let bytes = unsafe { core::slice::from_raw_parts(core::ptr::with_exposed_provenance(address), len) };
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An async import, `(string) -> u32`, as it is generated. It answers with this state.
fn import_text(
    number: u32,
    state: fn() -> u32,
    seen: &Seen,
    param: impl Param<World, String>,
) -> impl Future<Output = u32> {
    let seen = seen.clone();
    // SAFETY: the stand-in answers as such an import does.
    unsafe {
        __rt::async_call::<World, _, u32, 2, 1>((param,), move |[address, len]: [u64; 2], result| {
            native::mark(format_args!("import {number}"));
            seen.borrow_mut().push((address as usize, len as usize));
            called(number, state(), result)
        })
    }
}

#[test]
fn what_the_callee_takes_at_once_is_not_copied() {
    let seen = Seen::default();
    let (log, kept) = (seen.clone(), String::from("kept by the caller"));
    let address = kept.as_ptr().expose_provenance();
    let task = export!(async move { (import_text(0, native::subtask_started, &log, &*kept).await, kept) });
    callee(0).returns(3);
    record();
    run();
    assert!(exited(task));
    assert_eq!(*seen.borrow(), [(address, 18)]);
    assert!(trace().contains(&"returned (3, \"kept by the caller\")".to_owned()));
}

#[test]
fn what_the_callee_takes_later_is_copied_by_then() {
    let seen = Seen::default();
    let (log, kept) = (seen.clone(), String::from("kept by the caller"));
    let address = kept.as_ptr().expose_provenance();
    record();
    let task = export!(async move { (import_text(0, native::subtask_starting, &log, &kept).await, kept) });
    assert_eq!(
        trace(),
        [
            "import 0",
            "subtask.cancel 1",
            "subtask.drop 1",
            "import 0",
            "waitable-set.new",
            "waitable.join 1 2",
            "context.set",
            "WAIT 2"
        ]
    );
    let copy = seen.borrow()[1];
    assert_eq!(seen.borrow()[0].0, address);
    assert_ne!(copy.0, address);
    assert_eq!(text(copy), "kept by the caller");
    callee(0).starts();
    run();
    callee(0).returns(3);
    run();
    assert!(exited(task));
}

#[test]
fn a_forgotten_call_reads_nothing_that_its_caller_has_back() {
    let seen = Seen::default();
    let log = seen.clone();
    let task = export!(async move {
        let mut kept = String::from("kept by the caller");
        let mut call = Box::pin(import_text(0, native::subtask_starting, &log, kept.as_str()));
        core::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            core::task::Poll::Ready(())
        })
        .await;
        core::mem::forget(call);
        kept.replace_range(0..4, "used");
        kept
    });
    assert_eq!(text(seen.borrow()[1]), "kept by the caller");
    callee(0).starts();
    callee(0).returns(0);
    // It stays for the call, which nobody has dropped.
    assert!(!exited(task));
    run();
    assert!(exited(task));
}

#[test]
fn where_nothing_can_be_cancelled_the_copy_is_made_first() {
    let seen = Seen::default();
    let kept = String::from("kept by the caller");
    record();
    {
        let mut call = Box::pin(import_text(0, native::subtask_starting, &seen, &kept));
        native::sync_export(|| {
            assert!(call.as_mut().poll(&mut core::task::Context::from_waker(core::task::Waker::noop())).is_pending());
        });
        assert_eq!(seen.borrow().len(), 1);
        assert_ne!(seen.borrow()[0].0, kept.as_ptr().addr());
        assert!(!trace().contains(&"subtask.cancel 1".to_owned()));
        callee(0).starts();
        callee(0).returns(1);
        let task = export!(call);
        run();
        assert!(exited(task));
    }
}

#[test]
fn values_are_accepted_and_never_copied() {
    let seen = Seen::default();
    let (log, given) = (seen.clone(), String::from("given away"));
    let address = given.as_ptr().expose_provenance();
    let task = export!(import_text(0, native::subtask_starting, &log, given));
    callee(0).starts();
    callee(0).returns(1);
    run();
    assert!(exited(task));
    assert_eq!(*seen.borrow(), [(address, 10)]);
}

#[test]
fn lists_strings_and_records_are_taken_by_reference() {
    fn takes<T>(_: impl Param<World, T>) {}
    let (list, text) = (Vec::from([1_u8, 2]), String::new());
    takes::<Vec<u8>>(&list);
    takes::<Vec<u8>>(&list[1..]);
    takes::<String>(&text);
    takes::<String>("text");
    takes::<(u32, String)>(&(1, text.clone()));
    takes::<Vec<u8>>(list);
    takes::<String>(text);
}
