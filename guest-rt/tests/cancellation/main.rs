//! Cancellation at every await point, in every order of events: each program below is run once for each order that the
//! engine, the other sides of its calls and streams, and its own canceller can bring about.

#[path = "../shared/counting.rs"]
#[allow(dead_code, reason = "other tests count more")]
mod counting;
mod explore;
mod programs;
mod world;

#[path = "../streams/support.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "shared with the tests of streams")]
mod support;
