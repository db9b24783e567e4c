//! The tasks of a component, over the stand-in for the engine: what happens in which order, and what it costs.

mod block_on;
mod borrowed;
mod cancel;
#[path = "../shared/counting.rs"]
mod counting;
mod executor;
mod memory;
mod printed;
mod random;
mod spawn;
mod structured;
mod subtask;
mod support;
mod wake;
mod without_a_task;
