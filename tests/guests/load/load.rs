//! Many races, and many calls at a time.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

use futures::{FutureExt, select};
use std::pin::pin;
use wasp::load::host;
use wasp_guest_rt::StreamReader;

wasp_guest_rt::generate!({ path: "../guests/load/load.wit", world: "load" });

#[path = "../memory.rs"]
mod memory;

struct Load;

export!(Load);

impl Outcome {
    fn take(&mut self, item: u32) {
        self.out_of_order += u32::from(item != self.got);
        self.got += 1;
    }
}

impl Guest for Load {
    async fn race(mut items: StreamReader<u32>, rounds: u32) -> Outcome {
        let mut outcome = Outcome { got: 0, out_of_order: 0, ticks: 0 };
        for _ in 0..rounds {
            let (mut read, mut timer) = (pin!(items.next().fuse()), pin!(host::tick().fuse()));
            select! {
                item = read => match item {
                    Some(item) => outcome.take(item),
                    None => break,
                },
                () = timer => outcome.ticks += 1,
            }
        }
        while let Some(item) = items.next().await {
            outcome.take(item);
        }
        outcome
    }

    async fn sum(n: u32, mut items: StreamReader<u32>) -> u64 {
        let mut sum = u64::from(host::answer(n).await);
        while let Some(item) = items.next().await {
            sum += u64::from(item);
        }
        sum
    }

    fn live() -> u32 {
        memory::live()
    }
}
