//! How much a function more adds: see `few`.

include!("scalars.rs");

scalars! { world: "exports", imports: [], exports: [run_a run_b run_c run_d run_e run_f run_g run_h run_i run_j] }
