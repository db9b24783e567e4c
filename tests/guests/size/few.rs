//! The least: one import and one export, both with scalars.

include!("scalars.rs");

scalars! { world: "few", imports: [], exports: [] }
