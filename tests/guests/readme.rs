//! The guest of the README.

include!("../tests/readme/guest.rs");
