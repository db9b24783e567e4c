//! What tasks hand each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic elsewhere does not make the state any worse: none of ours panics halfway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
