//! `error-context`: a message for debugging that travels with a failure.

use crate::abi::{Abi, Lift, Lower, Shape, Sink, Source};
use crate::builtins::{self, Message};
use crate::instance::local;
use crate::owner::Owner;
use crate::task::rest;
use alloc::boxed::Box;
use alloc::string::String;
use core::cell::Cell;
use core::fmt;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

/// A handle whose context the other side may still have to read.
///
/// Passing an error context shares it: unlike a resource's, the handle stays ours and must be dropped. The result of a
/// synchronous export is read after the export has returned, when nothing can be dropped any more, so all handles that
/// were passed wait for the next use of an error context.
struct Retired {
    handle: u32,
    next: *mut Retired,
}

local! {
    /// Error contexts that were passed and wait to be dropped.
    static RETIRED: Cell<*mut Retired> = Cell::new(ptr::null_mut());
}

/// A handle that was retired already.
const TAKEN: u32 = u32::MAX;

/// The component model's `error-context`: what went wrong, for people who debug.
///
/// The message may be changed or dropped on its way, so programs must not depend on it.
///
/// Natively it belongs to the thread that it was made on: elsewhere it has no message, and dropping it changes nothing.
pub struct ErrorContext {
    handle: AtomicU32,
    owner: Owner,
}

impl ErrorContext {
    /// A context with a message.
    pub fn new(debug_message: &str) -> ErrorContext {
        drop_retired();
        // SAFETY: the message is valid for reads.
        ErrorContext::from_handle(unsafe { builtins::error_context_new(debug_message.as_ptr(), debug_message.len()) })
    }

    /// Owns a handle.
    #[doc(hidden)]
    pub fn from_handle(handle: u32) -> ErrorContext {
        ErrorContext { handle: AtomicU32::new(handle), owner: Owner::here() }
    }

    /// The handle.
    #[doc(hidden)]
    pub fn handle(&self) -> u32 {
        self.handle.load(Ordering::Relaxed)
    }

    /// The message.
    pub fn debug_message(&self) -> String {
        if !self.owner.is_here() {
            return String::new();
        }
        let mut message = Message { bytes: ptr::null_mut(), len: 0 };
        builtins::error_context_debug_message(self.handle(), &mut message);
        // SAFETY: the engine wrote a message of UTF-8 that it had `cabi_realloc` allocate.
        unsafe { String::from_utf8_unchecked(<u8 as Lift<()>>::load_list(message.bytes, message.len)) }
    }
}

fn drop_retired() {
    let mut next = RETIRED.replace(ptr::null_mut());
    while !next.is_null() {
        // SAFETY: `retire` boxed it, and nobody else has it any more.
        let retired = unsafe { Box::from_raw(next) };
        builtins::error_context_drop(retired.handle);
        next = retired.next;
    }
}

fn retire(handle: u32) {
    RETIRED.set(Box::into_raw(Box::new(Retired { handle, next: RETIRED.get() })));
    rest::then(drop_retired);
}

// SAFETY: an error context is a handle.
unsafe impl<W> Abi<W> for ErrorContext {
    const SHAPE: Shape = Shape::scalar(4);
}

// SAFETY: an error context is a handle.
unsafe impl<W> Lift<W> for ErrorContext {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        ErrorContext::from_handle(unsafe { from.u32() })
    }
}

// SAFETY: an error context is a handle.
unsafe impl<W> Lower<W> for ErrorContext {
    const OWNS: bool = true;

    #[inline]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        drop_retired();
        // SAFETY: the caller's promise.
        unsafe { to.u32(self.handle()) }
    }

    #[inline]
    unsafe fn disown(&self) {
        let handle = self.handle.swap(TAKEN, Ordering::Relaxed);
        if handle != TAKEN {
            retire(handle);
        }
    }
}

impl PartialEq for ErrorContext {
    fn eq(&self, other: &ErrorContext) -> bool {
        self.handle() == other.handle()
    }
}

impl Eq for ErrorContext {}

impl fmt::Debug for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorContext").field("debug_message", &self.debug_message()).finish()
    }
}

impl fmt::Display for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug_message())
    }
}

impl core::error::Error for ErrorContext {}

impl Drop for ErrorContext {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            return;
        }
        let handle = *self.handle.get_mut();
        if handle != TAKEN {
            builtins::error_context_drop(handle);
        }
    }
}
