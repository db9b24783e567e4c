//! Streams and futures of a component, over the stand-in for the engine.

mod adapters;
mod clones;
#[path = "../shared/counting.rs"]
mod counting;
mod ended;
mod future;
mod future_users;
mod left;
mod local_pairs;
mod lowering;
mod memory;
mod reentrancy;
mod result_stream;
mod same_rules;
mod stream;
mod stream_cancel;
mod support;
mod threads;
mod vtables;
