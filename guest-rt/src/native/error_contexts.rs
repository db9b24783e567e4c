//! Error contexts: handles that share a message.

use super::rules::{Kept, allowed, builtin, builtin_unit};
use super::{frames, table};
use crate::builtins::Message;
use crate::realloc::cabi_realloc;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::cell::RefCell;
use core::ptr;

std::thread_local! {
    static MESSAGES: RefCell<BTreeMap<u32, String>> = const { RefCell::new(BTreeMap::new()) };
}

const KIND: &str = "error context";

fn message(handle: u32) -> Kept<String> {
    MESSAGES.with_borrow(|messages| messages.get(&handle).cloned().ok_or("the handle is not an error context"))
}

/// The other side passes an error context: returns a handle of the component's own to the message.
pub fn error_context(message: &str) -> u32 {
    let handle = table::new_other(KIND);
    MESSAGES.with_borrow_mut(|messages| messages.insert(handle, message.into()));
    handle
}

/// The other side reads an error context that it was passed.
pub fn error_message(handle: u32) -> String {
    allowed("an error context is lifted", message(handle))
}

/// # Safety
/// `message` points to `len` bytes of UTF-8.
pub(crate) unsafe fn error_context_new(message: *const u8, len: usize) -> u32 {
    builtin("error-context.new", &[], || {
        // SAFETY: the caller's promise: `len` bytes may be read, and they are UTF-8.
        Ok(error_context(unsafe { core::str::from_utf8_unchecked(core::slice::from_raw_parts(message, len)) }))
    })
}

pub(crate) fn error_context_drop(handle: u32) {
    builtin_unit("error-context.drop", &[handle], || {
        message(handle)?;
        MESSAGES.with_borrow_mut(|messages| messages.remove(&handle));
        table::remove(handle)
    });
}

pub(crate) fn error_context_debug_message(handle: u32, to: &mut Message) {
    builtin_unit("error-context.debug-message", &[handle], || {
        let message = message(handle)?;
        // SAFETY: there is no old memory to move.
        to.bytes = frames::realloc(|| unsafe { cabi_realloc(ptr::null_mut(), 0, 1, message.len()) });
        // SAFETY: the memory was just allocated for so many bytes, and nothing else points to it.
        unsafe { to.bytes.copy_from_nonoverlapping(message.as_ptr(), message.len()) };
        to.len = message.len();
        Ok(())
    });
}
