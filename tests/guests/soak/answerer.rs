//! The other side of `driver.rs`.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

#[path = "../memory.rs"]
mod memory;

use exports::wasp::soak::partner::Guest;
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::task::{Poll, Waker};
use wasp_guest_rt::{StreamReader, spawn_local};

wasp_guest_rt::generate!({ path: "../guests/soak/soak.wit", world: "answerer" });

thread_local! {
    static CANCELLED: Cell<u32> = const { Cell::new(0) };
    static WOKEN: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

struct Answerer;

export!(Answerer);

/// Counts the futures that are dropped before they are done.
struct Unfinished;

impl Drop for Unfinished {
    fn drop(&mut self) {
        CANCELLED.set(CANCELLED.get() + 1);
    }
}

impl Guest for Answerer {
    async fn sleep() {
        let _unfinished = Unfinished;
        pending().await
    }

    async fn take(mut bytes: StreamReader<u8>) -> u8 {
        bytes.next().await.unwrap_or_default()
    }

    async fn give() -> StreamReader<u8> {
        let (mut writer, reader) = wit_stream::new();
        spawn_local(async move { while writer.write_all(vec![7; 10]).await.is_empty() {} });
        reader
    }

    async fn wait() {
        poll_fn(|cx| {
            if WOKEN.replace(false) {
                return Poll::Ready(());
            }
            WAITING.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await
    }

    async fn wake() {
        WOKEN.set(true);
        if let Some(waker) = WAITING.take() {
            waker.wake();
        }
    }

    fn live() -> u32 {
        memory::live()
    }

    fn cancelled() -> u32 {
        CANCELLED.get()
    }
}
