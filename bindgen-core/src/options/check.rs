//! Refuses values of options that could not be printed: a path that is none, a name that is no name.

use super::{Options, With};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::names;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use std::str::FromStr;

/// Checks everything that is printed as it is given, and reports all that is wrong at once.
pub(crate) fn options(options: &Options) -> Result<(), Diagnostics> {
    let mut errors = Vec::new();
    let mut check = |option: &'static str, entry: &str, value: &str, is_right: fn(&str) -> bool, example: &str| {
        if !is_right(value) {
            let message = format!("`{value}` can't be printed for `{option}`");
            let help = format!("write it as {example}");
            errors.push(Diagnostic::new(message).help(help).option(option, Some(entry.to_string())));
        }
    };
    for (option, value) in [
        ("runtime_path", &options.runtime_path),
        ("map_type", &options.map_type),
        ("bitflags_path", &options.bitflags_path),
        ("default_bindings_module", &options.default_bindings_module),
    ] {
        if let Some(value) = value {
            check(option, value, value, is_path, "a path: `name::name`");
        }
    }
    if let Some(name) = &options.export_macro_name {
        check("export_macro_name", name, name, is_name, "one name of Rust's: `export_it`");
    }
    for derive in &options.additional_derives {
        check("additional_derives", derive, derive, is_path, "a path: `name::name`");
    }
    for (key, with) in &options.with {
        if let With::Path(path) = with {
            check("with", key, path, is_path, "a path: `name::name`");
        }
    }
    for (key, error) in &options.trappable_error_type {
        check("trappable_error_type", key, error, is_path, "a path: `name::name`");
    }
    let (of_types, of_members) = (&options.additional_type_attributes, &options.additional_member_attributes);
    for (option, attributes) in [("additional_type_attributes", of_types), ("additional_member_attributes", of_members)]
    {
        for (key, attribute) in attributes {
            check(option, key, attribute, is_attributes, "attributes: `#[name]`");
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Diagnostics(errors)) }
}

fn lex(text: &str) -> Vec<TokenTree> {
    TokenStream::from_str(text).map(|tokens| tokens.into_iter().collect()).unwrap_or_default()
}

/// Words that are no names, but that a path may have.
const STARTS: &[&str] = &["crate", "self", "super", "Self"];

fn is_name(text: &str) -> bool {
    matches!(lex(text).as_slice(), [TokenTree::Ident(name)] if is_part(name)) && !STARTS.contains(&text)
}

/// Returns whether a word may be a part of a path.
fn is_part(word: &Ident) -> bool {
    let word = word.to_string();
    word != "_" && (STARTS.contains(&word.as_str()) || !names::is_keyword(&word))
}

/// Returns whether a text is names with `::` between them, and perhaps before them.
fn is_path(text: &str) -> bool {
    let tokens = lex(text);
    let colons = |tokens: &[TokenTree]| matches!(tokens, [TokenTree::Punct(a), TokenTree::Punct(b), ..] if a.as_char() == ':' && b.as_char() == ':');
    let mut rest = if colons(&tokens) { &tokens[2..] } else { &tokens[..] };
    loop {
        match rest {
            [TokenTree::Ident(name)] => return is_part(name),
            [TokenTree::Ident(name), after @ ..] if is_part(name) && colons(after) => rest = &after[2..],
            _ => return false,
        }
    }
}

/// Returns whether a text is attributes and nothing else.
fn is_attributes(text: &str) -> bool {
    let tokens = lex(text);
    let is_attribute = |pair: &[TokenTree]| {
        matches!(pair, [TokenTree::Punct(hash), TokenTree::Group(group)]
            if hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket && !group.stream().is_empty())
    };
    !tokens.is_empty() && tokens.len().is_multiple_of(2) && tokens.chunks(2).all(is_attribute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_with_colons_between_them() {
        for path in ["a", "a::b", "::a::b_c", "crate::a", "super::super::a", "r#type::b", "crate::gen::a"] {
            assert!(is_path(path), "{path}");
        }
        for other in ["", "::", "a::", "a b", "not a path!!", "((", ")(", "1x", "fn", "a::fn", "a.b", "a<b>", "a;b"] {
            assert!(!is_path(other), "{other}");
        }
    }

    #[test]
    fn names_are_single_words_that_are_free() {
        assert!(is_name("export") && is_name("r#fn") && is_name("_a"));
        for other in ["1x", "", "fn", "_", "a::b", "crate", "a!", "a b"] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn attributes_carry_no_items() {
        assert!(is_attributes("#[a]") && is_attributes("#[a(b = 1)] #[c]"));
        for other in ["", "a", "#a", "#[]", "#[a] struct S;", "#[a] #", "#![a]", "#(a)"] {
            assert!(!is_attributes(other), "{other}");
        }
    }
}
