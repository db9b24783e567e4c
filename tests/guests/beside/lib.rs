//! A component with several runtimes in its one module. Each exports `run`, which runs a case with the imports of one of
//! them.

mod runtimes;
mod shared;

/// The cases, for each runtime whose imports they use.
macro_rules! cases {
    ($($runtime:ident)*) => {
        $(
            mod $runtime {
                use crate::runtimes::$runtime::*;
                include!("cases.rs");
            }
        )*

        /// Runs a case with the imports of a runtime, in a task of the one that `spawn` is of.
        pub(crate) async fn run(importer: &str, name: &str, spawn: shared::Spawn) -> String {
            match importer {
                $(stringify!($runtime) => $runtime::run(name, spawn).await,)*
                _ => format!("there is no runtime `{importer}`"),
            }
        }
    };
}

cases!(ours another wb57 wb61 wb63 wasip3);
