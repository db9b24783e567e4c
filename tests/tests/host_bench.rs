//! What calls through the bindings of a host allocate, beside `bindgen!` and code written by hand. Times are not looked at.

use anyhow::{Result, ensure};
use wasp_tests::host_bench::{Counting, measure};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::test]
async fn hosts_allocate_no_more_than_they_did() -> Result<()> {
    let rows = measure("", 1).await?;
    ensure!(rows.len() > 20, "nothing was measured");
    for (row, ours, theirs) in rows {
        // How many more there may be than in what it is compared with.
        let more = match row.name {
            // The pieces, and who is woken when there is one.
            name if name.contains("to Bytes") || name.contains("Bytes, 64 KiB; by hand") => 2.5,
            // The tasks, and what is between them and the store.
            name if name.contains("calls at a time") => 5.5,
            name if name.starts_with("instantiation") => 7.5,
            // The engine's own, for batches.
            _ => 0.1,
        };
        println!("{}: {} allocations, {} theirs", row.name, ours.allocations, theirs.allocations);
        ensure!(
            ours.allocations <= theirs.allocations + more,
            "{}: {} allocations, where the other has {}",
            row.name,
            ours.allocations,
            theirs.allocations
        );
        if row.name.starts_with("import of") {
            ensure!(ours.allocations <= theirs.allocations - 0.9, "{}: what is borrowed is not copied", row.name);
        }
    }
    Ok(())
}
