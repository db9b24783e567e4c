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
#[cfg(feature = "futures-io")]
mod io;
mod make;
mod raw;
mod read;
mod reader;
mod reading;
mod relay;
#[cfg(feature = "futures-sink")]
mod sink;
mod slice;
mod unit;
mod write;
mod writer;
mod writing;

use crate::copy;

pub use self::abi::stream_new;
pub(crate) use self::abi::stream_pair;
#[cfg(feature = "futures-stream")]
pub use self::futures::StreamReaderStream;
pub use self::make::{ItemSource, from_iter, from_stream, produce};
pub use self::read::StreamRead;
pub use self::reader::StreamReader;
#[cfg(feature = "futures-sink")]
pub use self::sink::{ReaderDropped, StreamWriterSink};
pub use self::unit::UnitStreamOps;
pub use self::write::{AbiBuffer, StreamWrite, WriteFrom};
pub use self::writer::StreamWriter;

/// So many items are about a page, but not too few.
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
