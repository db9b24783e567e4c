//! Ends of the program that nobody can go on from.
//!
//! With the feature `trap-messages` they say why before the trap, through the program's panic handler. Without it a
//! component is smaller, and its trap is bare.

use alloc::alloc::Layout;

/// Ends the program, which says why.
#[cold]
#[inline(never)]
pub(crate) fn trap(why: &'static str) -> ! {
    #[cfg(all(target_family = "wasm", not(feature = "trap-messages")))]
    {
        _ = why;
        core::arch::wasm32::unreachable()
    }
    #[cfg(not(all(target_family = "wasm", not(feature = "trap-messages"))))]
    panic!("{why}")
}

/// Ends the program, since a value is not one of its type: only a broken engine or broken glue can bring that about.
#[cold]
pub fn invalid() -> ! {
    trap("a value from the other side of the component boundary is not one of its type")
}

/// Ends the program, since there is no memory left.
#[cold]
pub(crate) fn out_of_memory(layout: Layout) -> ! {
    #[cfg(target_family = "wasm")]
    {
        _ = layout;
        trap("there is no memory left")
    }
    #[cfg(not(target_family = "wasm"))]
    alloc::alloc::handle_alloc_error(layout);
}
