//! Errors of WIT and errors of hosts.

/// What a host's function may return in place of an error `E` of WIT's, if the option `trappable_error_type` says so.
///
/// ```
/// use wasp_host_rt::{Result, Trappable};
///
/// // What WIT has.
/// enum Errno { NotFound }
/// // What the host has.
/// struct IoError(std::io::Error);
///
/// impl Trappable<Errno> for IoError {
///     fn into_wit(self) -> Result<Errno> {
///         match self.0.kind() {
///             std::io::ErrorKind::NotFound => Ok(Errno::NotFound),
///             _ => Err(self.0.into()),
///         }
///     }
/// }
/// ```
pub trait Trappable<E> {
    /// The component's error, or one that ends the component.
    fn into_wit(self) -> wasmtime::Result<E>;
}

/// Passes an error on as the component's, or out of the call.
#[doc(hidden)]
pub fn settle<T, E>(result: Result<T, impl Trappable<E>>) -> wasmtime::Result<Result<T, E>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => error.into_wit().map(Err),
    }
}
