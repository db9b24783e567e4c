//! Streams of nothing that are of no world.

use super::{StreamReader, StreamWriter, stream_new};

struct Root;

crate::stream_payload! {
    (), Root, "$root",
    new: "[stream-new-unit]",
    read: "[async-lower][stream-read-unit]",
    write: "[async-lower][stream-write-unit]",
    cancel_read: "[stream-cancel-read-unit]",
    cancel_write: "[stream-cancel-write-unit]",
    drop_readable: "[stream-drop-readable-unit]",
    drop_writable: "[stream-drop-writable-unit]",
}

/// Makes streams of units, in components whose world has none.
#[derive(Copy, Clone, Debug)]
pub struct UnitStreamOps;

impl UnitStreamOps {
    /// Makes a pair of ends.
    #[expect(clippy::new_ret_no_self, reason = "wit-bindgen has it under this name")]
    pub fn new() -> (StreamWriter<()>, StreamReader<()>) {
        stream_new::<Root, ()>()
    }
}
