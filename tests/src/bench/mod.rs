//! What guests cost: fuel, allocations and calls of built-ins for each operation, beside the peer and a hand-written floor.

mod guests;
mod instrument;
mod measure;
mod pipes;
mod table;

pub use guests::{Guest, Opt};
pub use measure::{CASES, Case, Figures, Measured, measure};
pub use pipes::{Pipe, pipes};
pub use table::Table;
