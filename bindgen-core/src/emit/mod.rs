//! What both emitters share: paths, documentation, `Debug` and the module tree.

pub(crate) mod debug;
pub(crate) mod docs;
pub(crate) mod modules;
pub(crate) mod paths;

use proc_macro2::{Ident, Span, TokenStream};
use std::str::FromStr;

/// An identifier; names were escaped when they were made.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// Tokens of a path, a type or an attribute that the user gave.
pub(crate) fn tokens(text: &str) -> TokenStream {
    // What does not lex was refused before, by `options::check`.
    TokenStream::from_str(text).unwrap_or_default()
}
