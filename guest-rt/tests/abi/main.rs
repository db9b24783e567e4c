//! The canonical ABI walk against a second, straightforward one, and what it does with memory and handles.
#![expect(unreachable_pub, reason = "`pub` says what a module is for")]

mod allocator;
mod calls;
mod error_contexts;
mod memory;
mod ownership;
mod reference;
mod shapes;
mod types;
