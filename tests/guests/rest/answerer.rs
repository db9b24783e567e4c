//! What the driver calls: callees that wait, and such that do not stop when they are told to.

use exports::wasp::rest::partner::Guest;
use wasp::rest::host;
use wasp_guest_rt::{Cancellation, StreamReader};

wasp_guest_rt::generate!({ path: "../guests/rest/rest.wit", world: "answerer" });

struct Answerer;

export!(Answerer);

impl Guest for Answerer {
    async fn echo(turns: u32, text: String) -> String {
        if turns > 0 {
            host::later(turns).await;
        }
        text
    }

    async fn stubborn(turns: u32) -> String {
        Cancellation::heed(async |cancellation| {
            cancellation.requested().await;
            host::later(turns).await;
            "after all".into()
        })
        .await
    }

    async fn drain(bytes: StreamReader<u8>) -> u32 {
        Cancellation::heed(async |_| bytes.collect().await.len() as u32).await
    }
}
