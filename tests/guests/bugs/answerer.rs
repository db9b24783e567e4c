//! The other side of `driver.rs`.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

#[path = "../memory.rs"]
mod memory;

use exports::wasp::bugs::partner::{Guest, GuestHolder, Wide};
use std::cell::RefCell;
use wasp::bugs::host;
use wasp_guest_rt::rt::async_support::ErrorContext;
use wasp_guest_rt::{FutureReader, FutureWriter};

wasp_guest_rt::generate!({ path: "../guests/bugs/bugs.wit", world: "answerer" });

struct Answerer;

export!(Answerer);

struct Holder {
    writer: RefCell<Option<FutureWriter<u32>>>,
}

impl GuestHolder for Holder {
    fn new() -> Self {
        Self { writer: RefCell::new(None) }
    }

    fn later(&self) -> FutureReader<u32> {
        let (writer, reader) = wit_future::new(|| 43);
        self.writer.replace(Some(writer));
        reader
    }
}

impl Guest for Answerer {
    type Holder = Holder;

    async fn take_wide(_: Wide) {}

    async fn sleep() {
        host::never().await;
    }

    async fn read_error(error: ErrorContext) -> String {
        error.debug_message()
    }

    fn abandoned() -> FutureReader<u32> {
        wit_future::new(|| 42).1
    }

    fn live() -> u32 {
        memory::live()
    }
}
