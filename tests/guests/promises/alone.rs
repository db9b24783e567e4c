//! A world without async exports: what is spawned here never has its turn.

use wasp_guest_rt::{StreamReader, block_on, spawn_local};

wasp_guest_rt::generate!({
    inline: "
        package wasp:alone;
        world alone {
            export numbers: func() -> stream<u32>;
            export add: func(a: u32, b: u32) -> u32;
        }
    ",
});

struct Alone;

export!(Alone);

impl Guest for Alone {
    fn numbers() -> StreamReader<u32> {
        wit_stream::from_iter(0..3)
    }

    /// Inside of `block_on` there is somebody who runs it.
    fn add(a: u32, b: u32) -> u32 {
        block_on(async move { spawn_local(async move { a + b }).await.unwrap_or_default() })
    }
}
