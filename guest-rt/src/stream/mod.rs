//! Streams: the ends of `stream<T>`.
//!
//! A pair that was made in this component is *local* until its reader crosses the boundary: items move as Rust values,
//! whatever their type, with the same results that a stream of the engine gives.

mod abi;
mod ahead;
mod area;
mod buf;
mod channel;
mod crossing;
#[cfg(feature = "futures-stream")]
mod futures;
mod read;
mod reader;
mod reading;
mod unit;
mod write;
mod writer;
mod writing;

use crate::copy;

pub use self::abi::stream_new;
#[cfg(feature = "futures-stream")]
pub use self::futures::StreamReaderStream;
pub use self::read::StreamRead;
pub use self::reader::StreamReader;
pub use self::unit::UnitStreamOps;
pub use self::write::{AbiBuffer, StreamWrite, WriteFrom};
pub use self::writer::StreamWriter;

/// What came of a read or a write.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum StreamResult {
    /// So many items were read or written. None, when a copy of no items has ended: the other side is ready.
    Complete(usize),
    /// Nothing was read or written: the other end is gone.
    Dropped,
    /// Nothing was read or written: this side has cancelled.
    Cancelled,
}

impl StreamResult {
    fn from_code(code: u32) -> StreamResult {
        match (copy::count(code), code & 15) {
            (0, copy::DROPPED) => StreamResult::Dropped,
            (0, copy::CANCELLED) => StreamResult::Cancelled,
            (count, _) => StreamResult::Complete(count),
        }
    }
}
