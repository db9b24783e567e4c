//! The tasks of a component, over the stand-in for the engine: what happens in which order, and what it costs.

#[cfg(feature = "beside")]
mod beside;
mod block_on;
mod borrowed;
mod cancel;
mod completed;
#[path = "../shared/counting.rs"]
mod counting;
mod executor;
mod instances;
mod interrupted;
mod memory;
mod notices;
mod panics;
#[cfg(feature = "beside")]
mod peer;
mod printed;
mod random;
mod reentry;
mod scopes;
mod spawn;
mod structured;
mod subtask;
mod support;
mod threads;
mod wake;
mod without_a_task;
