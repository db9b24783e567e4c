//! Streams from a source, through a component, to a sink, written twice: `ours` is what one writes with this project's
//! bindings, `peer` with the engine's own.

pub mod ours;
#[allow(missing_docs, reason = "the engine's macro documents nothing")]
pub mod peer;
