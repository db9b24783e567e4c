//! How much a function more adds: see `few`.

include!("scalars.rs");

scalars! { world: "imports", imports: [call_a call_b call_c call_d call_e call_f call_g call_h call_i call_j], exports: [] }
