//! The custom section that tells the linker the world, and what keeps it in libraries.

use crate::model::World;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Prints the section of the world (without its exports where those come with a public export macro).
pub(super) fn define(world: &World) -> TokenStream {
    let bytes = world.section.imports.as_ref().unwrap_or(&world.section.bytes);
    let section = statics(world, bytes, "");
    let link = world.style.link_helpers.then(|| {
        quote! {
            /// Referred to by the modules, so that the section above is linked wherever they are used.
            #[inline(never)]
            #[doc(hidden)]
            pub fn __link_custom_section_describing_imports() {}
        }
    });
    quote! {
        #section
        #link
        /// Keeps the runtime's allocation function: the C library has one of the same name that knows nothing of a
        /// global allocator.
        #[cfg(target_family = "wasm")]
        #[used]
        static __CABI_REALLOC: unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8 = __rt::cabi_realloc;
    }
}

/// The static that is the section.
pub(super) fn statics(world: &World, bytes: &[u8], suffix: &str) -> TokenStream {
    let name = format!("{}{suffix}", world.section.name);
    let (len, bytes) = (Literal::usize_unsuffixed(bytes.len()), Literal::byte_string(bytes));
    quote! {
        #[rustfmt::skip]
        #[cfg(target_family = "wasm")]
        #[unsafe(link_section = #name)]
        #[doc(hidden)]
        #[allow(clippy::octal_escapes)]
        pub static __WASP_BINDGEN_COMPONENT_TYPE: [u8; #len] = *#bytes;
    }
}
