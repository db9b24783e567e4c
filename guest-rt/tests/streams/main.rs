//! Streams and futures of a component, over the stand-in for the engine.

mod adapters;
#[path = "../shared/counting.rs"]
mod counting;
mod future;
mod local_pairs;
mod memory;
mod result_stream;
mod same_rules;
mod stream;
mod stream_cancel;
mod support;
mod threads;
mod vtables;
