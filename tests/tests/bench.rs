//! What guests cost does not grow: figures that do not depend on the machine. `cargo run -p wasp-tests --bin bench` prints
//! them all, beside the peer's.

use anyhow::Result;
use wasp_tests::bench::{Guest, Opt, measure, pipes};

#[tokio::test]
async fn calls_and_streams_cost_what_they_did() -> Result<()> {
    let columns = measure(&[Guest::Ours, Guest::Floor, Guest::OursSmall], Opt::Speed).await?;
    // Fuel, allocations and built-ins of one operation: the aim where it is reached, else a little more than there is.
    for (case, fuel, allocations, built_ins) in [
        ("async export (u32, u32) -> u32, ready at once", 62.0, 0.0, 1.0),
        // Part of it is the way through the `cabi_realloc` that other versions may bring as well.
        ("async export string -> string, 30 bytes", 290.0, 1.0, 1.0),
        ("async export list<point>, 100 there and back", 42_300.0, 103.0, 1.0),
        // The fraction is what starting the measured loop costs.
        ("async import u32 -> u32, ready at once", 90.5, 0.0, 0.01),
        // The aim is 310.
        ("async import u32 -> u32, pending once", 335.0, 0.0, 4.0),
        // Most of it is the one time that the list is made.
        ("async import, list<u8> of 64 KiB that is kept", 830.0, 0.02, 0.02),
        ("join of 1,000 pending imports, all polled, each", 345.0, 0.01, 3.1),
        // With the `context.get` of a callback of each of the two tasks.
        ("wake from another task", 950.0, 0.01, 4.1),
        ("stream<u8>, read in 64 KiB, a piece", 340.0, 0.01, 1.1),
        ("stream<u8>, written in 64 KiB, a piece", 350.0, 0.01, 1.1),
        // The allocation is the item's own string.
        ("stream<point>, next(), an item", 500.0, 1.01, 0.02),
    ] {
        let figures = columns[0].of(case)?;
        println!("{case}: {figures:?}");
        assert!(figures.fuel <= fuel, "{case}: {figures:?}, more than {fuel} fuel");
        assert!(figures.allocations <= allocations, "{case}: {figures:?}, more than {allocations} allocations");
        assert!(figures.built_ins <= built_ins, "{case}: {figures:?}, more than {built_ins} built-ins");
        assert!(figures.fuel > 0.0, "{case}: nothing was measured");
    }
    for (case, fuel) in
        [("async export string -> string, 30 bytes", 150.0), ("async export list<point>, 100 there and back", 16_000.0)]
    {
        let figures = columns[2].of(case)?;
        assert!(figures.fuel <= fuel, "{case}, small allocator: {figures:?}, more than {fuel} fuel");
    }
    // What the floor needs is counted as well: the counter counts.
    let floor = columns[1].of("async import u32 -> u32, pending once")?;
    assert!((2.0..2.1).contains(&floor.built_ins), "{floor:?}");
    Ok(())
}

#[tokio::test]
async fn pipes_inside_one_component_take_few_instructions() -> Result<()> {
    let [local, composed] = pipes().await?;
    println!("local {local:?}, through several components {composed:?}");
    println!("time, local to composed: {:.3}", local.time / composed.time);
    assert!(local.fuel <= 30_000.0, "{local:?}");
    assert!(composed.fuel <= 25_000.0, "{composed:?}");
    Ok(())
}
