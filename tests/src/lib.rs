//! What tests of generated code need: guests built, made components, composed and run; and the drivers of the peer's
//! suites.

pub mod bench;
pub mod beside;
pub mod build;
pub mod build_time;
pub mod component;
pub mod engine;
pub mod generate;
pub mod host_bench;
pub mod parallel;
pub mod places;
pub mod report;
pub mod suites;
