//! Ends of the program that nobody can go on from.

use alloc::alloc::Layout;

/// Something that only a broken engine or broken glue can bring about.
#[cold]
pub fn invalid() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    panic!("a value from the other side of the component boundary is not one of its type");
}

/// There is no memory left. Small components shall not link a message for it.
#[cold]
pub(crate) fn out_of_memory(layout: Layout) -> ! {
    #[cfg(target_arch = "wasm32")]
    {
        _ = layout;
        core::arch::wasm32::unreachable();
    }
    #[cfg(not(target_arch = "wasm32"))]
    alloc::alloc::handle_alloc_error(layout);
}
