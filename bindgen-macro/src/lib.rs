//! The `generate!` macro, which guests use through `wasp_guest_rt`.

mod cursor;
mod debug;
mod expand;
mod options;
mod places;
mod runtime;
mod suggest;
mod text;
mod track;

/// Generates the bindings of a world, in place.
#[proc_macro]
pub fn generate(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into()).into()
}
