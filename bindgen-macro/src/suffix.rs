//! What makes the name of a section unique in a module: who generates the world, and where.
//!
//! The linker puts sections of one name together, and two copies of a world in one would be none that can be read.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Returns a suffix of this call's own, or nothing where cargo does not say which crate this is.
///
/// Calls of a crate are told apart by their number: a compiler expands them in the same order each time, and so the
/// same source gives the same section.
pub(crate) fn of_this_call() -> Option<String> {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let env = |name: &str| std::env::var(name).ok();
    let (package, version, name) = (env("CARGO_PKG_NAME")?, env("CARGO_PKG_VERSION")?, env("CARGO_CRATE_NAME")?);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // A library and a binary may have one name.
    let target = if env("CARGO_BIN_NAME").is_some() { ":bin" } else { "" };
    Some(format!(":{package}@{version}:{name}{target}:{call}"))
}
