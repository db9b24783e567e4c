//! Mistakes that are easily made in a runtime, one export for each: it returns where they are not made.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

use futures::future::poll_immediate;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use wasp::bugs::{host, partner};
use wasp_guest_rt::rt::async_support::ErrorContext;
use wasp_guest_rt::{block_on, yield_async};

wasp_guest_rt::generate!({ path: "../guests/bugs/bugs.wit", world: "driver" });

struct Driver;

export!(Driver);

impl Guest for Driver {
    async fn wide_parameters() {
        partner::take_wide(wide()).await;
        let before = partner::live();
        for _ in 0..100 {
            partner::take_wide(wide()).await;
        }
        assert_eq!(partner::live(), before, "the parameters were not freed");
    }

    async fn cancel_a_sleeper() {
        for _ in 0..3 {
            let mut call = pin!(partner::sleep());
            for _ in 0..3 {
                assert_eq!(poll_immediate(call.as_mut()).await, None);
                yield_async().await;
            }
        }
    }

    async fn pass_an_error() {
        let error = ErrorContext::new("what went wrong");
        assert_eq!(partner::read_error(error).await, "what went wrong");
    }

    async fn abandon_a_writer() {
        assert_eq!(partner::abandoned().await, 42);
    }

    async fn abandon_a_writer_in_a_destructor() {
        let holder = partner::Holder::new();
        let later = holder.later();
        drop(holder);
        assert_eq!(later.await, 43);
    }

    async fn block_on_a_busy_future() {
        block_on(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if host::done() { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}

fn wide() -> partner::Wide {
    let text = || String::from("some text");
    partner::Wide { a: text(), b: text(), c: text(), d: text(), e: text(), f: text(), g: text(), h: text(), i: text() }
}
