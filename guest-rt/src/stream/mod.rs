//! Streams: the ends of `stream<T>`.
//!
//! A pair that was made in this component is *local* until its reader crosses the boundary: items move as Rust values,
//! whatever their type, with the same results that a stream of the engine gives.
//!
//! # The modules
//!
//! Each uses only those above it.
//!
//! - `channel`: what the two ends share: buffers, the copies of either end, canonical values, what was read ahead, and how
//!   a local pair becomes a stream of the engine.
//! - `raw_copy`: a read or a write in progress, without the type of its items.
//! - `raw`: the ends without the type of their items, and how they are dropped.
//! - `lower`: what leaves the component.
//! - `reader`, `writer`: the ends.
//! - `read`, `write`, `slice`: the futures of reads and writes.
//! - `abi`, `make`, `unit`: where streams come from.
//! - `result`, `adapters`: what is built on all that.

mod abi;
mod adapters;
mod channel;
mod lower;
mod make;
mod raw;
mod raw_copy;
mod read;
mod reader;
mod result;
mod slice;
mod unit;
mod write;
mod writer;

use crate::copy;

pub use self::abi::stream_new;
pub(crate) use self::abi::stream_pair;
#[cfg(feature = "futures-stream")]
pub use self::adapters::futures::StreamReaderStream;
#[cfg(feature = "futures-sink")]
pub use self::adapters::sink::{ReaderDropped, StreamWriterSink};
pub use self::make::{ItemSource, from_iter, from_stream, produce};
pub use self::read::StreamRead;
pub use self::reader::StreamReader;
pub use self::result::ResultStream;
pub use self::unit::UnitStreamOps;
pub use self::write::{AbiBuffer, StreamWrite, WriteFrom};
pub use self::writer::StreamWriter;

/// Returns how many items are about a page, but not too few.
const fn page_of<T>() -> usize {
    page(size_of::<T>())
}

const fn page(size: usize) -> usize {
    let count = 4096 / if size == 0 { 1 } else { size };
    if count < 16 { 16 } else { count }
}

/// What came of a read or a write.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum StreamResult {
    /// This many items moved. It is zero only if the copy was of no items, which completes once the other end is ready.
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
