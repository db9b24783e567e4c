//! The runtime's name: `$crate`, so that bindings find it under whatever name it has in `Cargo.toml`.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};

/// What stands for the runtime until the bindings are complete: `$crate` is no text that could be read.
pub(crate) const PLACEHOLDER: &str = "__WASP_GUEST_RT";

/// Puts the runtime where its placeholder is.
pub(crate) fn insert(tokens: TokenStream, runtime: Option<&Ident>) -> TokenStream {
    match runtime {
        Some(runtime) => insert_in(tokens, runtime).0,
        None => tokens,
    }
}

/// The tokens, and whether anything had to be put in.
fn insert_in(tokens: TokenStream, runtime: &Ident) -> (TokenStream, bool) {
    let (mut changed, mut output) = (false, Vec::new());
    for token in tokens.clone() {
        output.push(match token {
            TokenTree::Ident(ident) if ident == PLACEHOLDER => {
                changed = true;
                TokenTree::Ident(runtime.clone())
            }
            TokenTree::Group(group) => {
                let (inner, is_new) = insert_in(group.stream(), runtime);
                changed |= is_new;
                match is_new {
                    true => TokenTree::Group(with_span(Group::new(group.delimiter(), inner), &group)),
                    false => TokenTree::Group(group),
                }
            }
            token => token,
        });
    }
    // Most groups are handed back as they came, which costs nothing.
    if changed { (output.into_iter().collect(), true) } else { (tokens, false) }
}

fn with_span(mut group: Group, like: &Group) -> Group {
    group.set_span(like.span());
    group
}
