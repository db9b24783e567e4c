//! Uses clocks of both generations of WASI, and hands what they gave to the embedder.

use wasi::clocks0_2_12::monotonic_clock as old;
use wasi::clocks0_3_0::monotonic_clock as new;
use wasp::clocked::ours;

wasp_guest_rt::generate!({ path: "../guests/clocked/clocked.wit", world: "clocked", generate_all });

struct Clocked;

export!(Clocked);

impl Guest for Clocked {
    async fn run() -> u64 {
        let waits = old::subscribe_duration(1);
        waits.block();
        assert!(ours::is_ready(&waits));
        ours::keep(waits);
        let time = ours::longer(1);
        new::wait_for(time).await;
        time
    }
}
