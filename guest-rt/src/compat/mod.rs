//! The names under which `wit-bindgen` offers the same things, for code that was written, or generated, for it.
//!
//! A crate that depends on `wit-bindgen` moves over by its manifest alone, `wit-bindgen = { package = "wasp-guest-rt", … }`:
//! each name here is re-exported where that crate has it. That holds for bindings that its generator (0.62 and 0.63) has
//! printed into the crate as well; those reach the runtime by vtables and by [`Subtask`](rt::async_support::Subtask).
//!
//! What is not here: `raw_stream_new`, `raw_future_new` and constructors of the `Raw…` types for operations that a
//! program implements itself. The ends of this runtime carry tables that live as long as the program.

mod memory;
mod registry;
mod subtask;
mod tables;
mod task;
mod vtable;

#[doc(hidden)]
pub use vtable::{future_vtable, stream_vtable};

#[cfg(not(feature = "bitflags"))]
pub use crate::bitflags;
pub use crate::resource;
#[cfg(feature = "bitflags")]
pub use bitflags;
pub use rt::async_support::{
    AbiBuffer, FutureOps, RawFutureRead, RawFutureReader, RawFutureWrite, RawFutureWriter, RawStreamRead,
    RawStreamReader, RawStreamWrite, RawStreamWriter, StreamOps, UnitStreamOps,
};

/// What generated code of `wit-bindgen` calls.
pub mod rt {
    #[doc(hidden)]
    pub use crate::__rt;
    pub use crate::abi::{Map, WitMap};
    pub use crate::bitflags;
    pub use crate::call::run_ctors_once;
    #[doc(hidden)]
    pub use crate::compat::memory::{Cleanup, maybe_link_cabi_realloc};
    #[doc(hidden)]
    pub use crate::realloc::cabi_realloc;
    pub use crate::resource::{Resource, ResourceRep};

    /// What `wit-bindgen` keeps in its async module.
    pub mod async_support {
        pub use crate::backpressure::{backpressure_dec, backpressure_inc};
        #[doc(hidden)]
        pub use crate::compat::subtask::Subtask;
        #[doc(hidden)]
        pub use crate::compat::task::{TaskCancelOnDrop, start_task};
        pub use crate::compat::vtable::{
            FutureOps, RawFutureRead, RawFutureReader, RawFutureWrite, RawFutureWriter, RawStreamRead, RawStreamReader,
            RawStreamWrite, RawStreamWriter, StreamOps,
        };
        #[doc(hidden)]
        pub use crate::compat::vtable::{FutureVtable, StreamVtable, future_new, stream_new};
        pub use crate::error_context::ErrorContext;
        pub use crate::future::{
            FutureRead, FutureReader, FutureWrite, FutureWriteCancel, FutureWriteError, FutureWriter,
        };
        #[cfg(feature = "futures-stream")]
        pub use crate::stream::StreamReaderStream;
        pub use crate::stream::{
            AbiBuffer, ResultStream, StreamRead, StreamReader, StreamResult, StreamWrite, StreamWriter, UnitStreamOps,
        };
        pub use crate::task::block_on::block_on;
        #[doc(hidden)]
        pub use crate::task::executor::callback;
        pub use crate::task::spawn::{JoinHandle, spawn_local};
        pub use crate::task::yields::{yield_async, yield_blocking};
    }
}
