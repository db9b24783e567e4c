//! Error contexts: handles that share a message.

use super::trace::builtin;
use super::{table, trap};
use crate::builtins::Message;
use crate::realloc::cabi_realloc;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::cell::RefCell;
use core::ptr;

std::thread_local! {
    static MESSAGES: RefCell<BTreeMap<u32, String>> = const { RefCell::new(BTreeMap::new()) };
}

fn with<T>(handle: u32, f: impl FnOnce(&str) -> T) -> T {
    MESSAGES.with_borrow(|messages| match messages.get(&handle) {
        Some(message) => f(message),
        None => trap("not an error context"),
    })
}

/// The other side passes an error context: a handle of the component's own to the message.
pub fn error_context(message: &str) -> u32 {
    let handle = table::new_waitable("error-context");
    MESSAGES.with_borrow_mut(|messages| messages.insert(handle, message.into()));
    handle
}

/// The other side reads an error context that it was passed.
pub fn error_message(handle: u32) -> String {
    with(handle, |message| message.into())
}

/// # Safety
/// `message` points to `len` bytes of UTF-8.
pub(crate) unsafe fn error_context_new(message: *const u8, len: usize) -> u32 {
    builtin("error-context.new", &[]);
    // SAFETY: the caller's promise.
    error_context(unsafe { core::str::from_utf8_unchecked(core::slice::from_raw_parts(message, len)) })
}

pub(crate) fn error_context_drop(handle: u32) {
    builtin("error-context.drop", &[handle]);
    if MESSAGES.with_borrow_mut(|messages| messages.remove(&handle)).is_none() {
        trap("not an error context");
    }
    table::remove(handle);
}

pub(crate) fn error_context_debug_message(handle: u32, to: &mut Message) {
    builtin("error-context.debug-message", &[handle]);
    with(handle, |message| {
        // SAFETY: there is no old memory, and the new one has room for the message.
        unsafe {
            to.bytes = cabi_realloc(ptr::null_mut(), 0, 1, message.len());
            to.bytes.copy_from_nonoverlapping(message.as_ptr(), message.len());
        }
        to.len = message.len();
    });
}
