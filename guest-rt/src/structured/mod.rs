//! Structured concurrency: work that ends with what started it.
//!
//! The rules for polling after completion and for cancelling by a handle are those of the whole crate, and stand at its
//! root. A third one is kept in here: wakers, destructors and futures are code of users, and may come back. So they run
//! when everything else is done and nothing is borrowed; a waker is cloned before a state is read, and what a function
//! must not drop itself it returns.

mod cancellation;
mod fused;
mod limit;
mod local;
mod per_instance;
mod scope;
mod select;
mod waker_cell;

pub use self::cancellation::{Cancellation, Requested};
pub use self::fused::Fused;
pub use self::limit::{ConcurrencyLimit, Permit};
pub use self::local::{LocalKey, Scoped};
pub use self::scope::{Scope, ScopedHandle, scope};
pub use self::select::{Deadline, Either, Select, Timeout, select, timeout};
