//! Does the things that leave something behind where a runtime forgets them, as often as it is asked to.

// What the peer's generated code calls its runtime: this is built with either.
extern crate wasp_guest_rt as wit_bindgen;

#[path = "../memory.rs"]
mod memory;

use futures::future::{join, poll_immediate};
use std::pin::pin;
use wasp::soak::partner;
use wasp_guest_rt::{spawn_local, yield_async};

wasp_guest_rt::generate!({ path: "../guests/soak/soak.wit", world: "driver" });

struct Driver;

export!(Driver);

impl Guest for Driver {
    async fn spawn(rounds: u32) {
        for round in 0..rounds {
            let spawned = spawn_local(async move {
                yield_async().await;
                round
            });
            // Half of them outlive their handle.
            if round % 2 == 0 {
                assert_eq!(spawned.await, Some(round));
            } else {
                drop(spawned);
                yield_async().await;
            }
        }
    }

    async fn drop_call(rounds: u32) {
        for _ in 0..rounds {
            assert_eq!(poll_immediate(pin!(partner::sleep())).await, None);
        }
    }

    async fn drop_stream(rounds: u32) {
        for _ in 0..rounds {
            let (mut writer, reader) = wit_stream::new();
            let writing = async {
                let rest = writer.write_all(vec![1, 2, 3]).await;
                assert_eq!(rest, [2, 3]);
            };
            assert_eq!(join(partner::take(reader), writing).await.0, 1);
            drop(writer);

            let mut reader = partner::give().await;
            assert_eq!(reader.next().await, Some(7));
            drop(reader);
        }
    }

    async fn wake(rounds: u32) {
        for _ in 0..rounds {
            join(partner::wait(), partner::wake()).await;
        }
    }

    async fn live() -> u32 {
        // Whatever has ended is gone once everybody had a turn.
        for _ in 0..3 {
            yield_async().await;
        }
        memory::live() + partner::live()
    }

    fn cancelled() -> u32 {
        partner::cancelled()
    }
}
