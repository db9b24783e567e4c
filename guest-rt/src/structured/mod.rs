//! Structured concurrency: work that ends with what started it.

mod cancellation;
mod limit;
mod local;
mod scope;
mod select;

pub use self::cancellation::Cancellation;
pub(crate) use self::cancellation::Notices;
pub use self::limit::{ConcurrencyLimit, Permit};
#[doc(hidden)]
pub use self::local::Slot;
pub use self::local::{LocalKey, Scoped};
pub use self::scope::{Scope, ScopedHandle, scope};
pub use self::select::{Either, select, timeout};
