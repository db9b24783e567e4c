//! Streams as other people's traits have them, each behind its feature.

#[cfg(feature = "futures-stream")]
pub(super) mod futures;
#[cfg(feature = "futures-io")]
mod io;
#[cfg(feature = "futures-sink")]
pub(super) mod sink;
