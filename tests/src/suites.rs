//! The peer's own suites, read from its published package and run with either side's generator and runtime.

pub mod codegen;
pub mod corpus;
pub mod host;
pub mod runtime;
pub mod wasi;
