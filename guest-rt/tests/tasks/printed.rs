//! Calls and exports as bindings printed by `wit-bindgen` make them.

use crate::export;
use crate::support::*;
use std::alloc::Layout;
use wasp_guest_rt::rt::async_support::{Subtask, TaskCancelOnDrop, start_task};
use wasp_guest_rt::yield_async;

/// An import, `(u32, string) -> string`, that the test answers.
pub(crate) struct Import;

#[derive(Clone, Copy)]
pub(crate) struct Lowered(u32, *mut u8, usize);

// SAFETY: the parameters are passed by value, and the result is an address and a length.
unsafe impl Subtask for Import {
    type Params = (u32, Noisy<String>);
    type ParamsLower = Lowered;
    type Results = Noisy<String>;

    fn abi_layout(&mut self) -> Layout {
        Layout::new::<(u64, [usize; 2])>()
    }

    fn results_offset(&mut self) -> usize {
        8
    }

    unsafe fn call_import(&mut self, params: Lowered, results: *mut u8) -> u32 {
        native::mark(format_args!("import {}", params.0));
        let status = match params.0 {
            0 => native::subtask_started(),
            _ => native::subtask_starting(),
        };
        called(params.0, status, results.expose_provenance())
    }

    unsafe fn params_lower(&mut self, (number, text): Self::Params, _: *mut u8) -> Lowered {
        // The text is the callee's, or freed by the next two: it is not dropped here.
        let mut text = std::mem::ManuallyDrop::new(text);
        let bytes = std::mem::take(&mut text.1).into_bytes().into_boxed_slice();
        let len = bytes.len();
        Lowered(number, Box::into_raw(bytes).cast(), len)
    }

    unsafe fn params_dealloc_lists(&mut self, lower: Lowered) {
        native::mark(format_args!("free"));
        // SAFETY: it was lowered from such a box.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(lower.1, lower.2)) });
    }

    unsafe fn params_dealloc_lists_and_own(&mut self, lower: Lowered) {
        native::mark(format_args!("take back"));
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(lower.1, lower.2)) });
    }

    unsafe fn results_lift(&mut self, from: *mut u8) -> Noisy<String> {
        // SAFETY: the test has written a number there.
        Noisy("result", unsafe { from.cast::<u32>().read() }.to_string())
    }
}

pub(crate) fn text() -> Noisy<String> {
    Noisy("text", "some text".to_string())
}

#[test]
fn a_call_frees_its_parameters_once_they_are_taken_and_lifts_its_result() {
    record();
    let task = export!(async { Import.call((0, text())).await.1.clone() });
    callee(0).returns(7);
    run();
    assert!(exited(task));
    let trace = trace();
    let kept = ["import 0", "free", "drop result", "returned \"7\""];
    assert_eq!(trace.iter().filter(|mark| kept.contains(&mark.as_str())).collect::<Vec<_>>(), kept);
    assert!(!trace.iter().any(|mark| mark == "drop text" || mark == "take back"));
}

#[test]
fn parameters_that_were_not_taken_come_back_when_a_call_is_dropped() {
    record();
    let task = export!(async {
        let mut import = Import;
        let mut call = Box::pin(import.call((1, text())));
        assert!(futures::poll!(&mut call).is_pending());
        native::on_cancel(callee(1).subtask, || 3);
        drop(call);
    });
    run();
    assert!(exited(task));
    let trace = trace();
    assert!(trace.iter().any(|mark| mark == "take back") && !trace.iter().any(|mark| mark == "free"), "{trace:?}");
}

#[test]
fn a_result_that_comes_when_a_call_is_dropped_is_dropped() {
    record();
    let task = export!(async {
        let mut import = Import;
        let mut call = Box::pin(import.call((0, text())));
        assert!(futures::poll!(&mut call).is_pending());
        callee(0).returns_when_cancelled(5);
        drop(call);
    });
    run();
    assert!(exited(task));
    assert!(trace().iter().any(|mark| mark == "drop result"));
}

#[test]
fn an_export_passes_its_result_on_itself() {
    record();
    let task = call(|| {
        start_task(async {
            let guard = TaskCancelOnDrop::new();
            yield_async().await;
            guard.forget();
            native::task_return();
        }) as u32
    });
    run();
    assert!(exited(task));
    assert_eq!(trace().iter().filter(|mark| *mark == "task.return").count(), 1);
}

#[test]
fn an_export_that_is_cancelled_tells_the_engine_once() {
    record();
    let task = call(|| {
        start_task(async {
            let _guard = TaskCancelOnDrop::new();
            std::future::pending::<()>().await;
        }) as u32
    });
    native::cancel(task);
    run();
    assert!(exited(task));
    assert_eq!(trace().iter().filter(|mark| *mark == "task.cancel").count(), 1);
}
