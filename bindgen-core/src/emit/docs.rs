//! Documentation and deprecation.

use crate::model::Docs;
use proc_macro2::TokenStream;
use quote::quote;

/// The attributes that carry an item's documentation.
pub(crate) fn attributes(docs: &Docs) -> TokenStream {
    let lines =
        docs.text.lines().map(|line| if line.is_empty() { String::new() } else { format!(" {}", line.trim_end()) });
    let deprecated = docs.deprecated.as_ref().map(|since| quote!(#[deprecated(since = #since)]));
    quote! { #(#[doc = #lines])* #deprecated }
}
