//! WIT names as Rust names: the only place that changes case and knows keywords.

use heck::{ToKebabCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};

/// Words that can't be identifiers in some edition of Rust.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Returns whether a word can't be an identifier in any edition that bindings are printed for.
pub(crate) fn is_keyword(word: &str) -> bool {
    // A keyword since 2024 only.
    word != "gen" && KEYWORDS.contains(&word)
}

/// A function, a parameter, a field or a module.
pub(crate) fn snake(wit: &str) -> String {
    let name = wit.to_snake_case();
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// A type or a case. `Guest` is left to the trait of that name.
pub(crate) fn camel(wit: &str) -> String {
    match wit {
        "guest" => "Guest_".to_string(),
        "self" => "Self_".to_string(),
        wit => wit.to_upper_camel_case(),
    }
}

/// A case of an enum: what is reserved for types is not for cases.
pub(crate) fn case(wit: &str) -> String {
    if wit == "self" { "Self_".to_string() } else { wit.to_upper_camel_case() }
}

/// A flag.
pub(crate) fn shouty(wit: &str) -> String {
    wit.to_shouty_snake_case()
}

/// The part of a name that stands between others, where keywords do no harm.
pub(crate) fn snake_part(wit: &str) -> String {
    wit.to_snake_case()
}

/// The part of a type's name that follows `Guest`.
pub(crate) fn camel_part(wit: &str) -> String {
    wit.to_upper_camel_case()
}

/// A Rust name as WIT would spell it.
pub(crate) fn kebab(rust: &str) -> String {
    rust.to_kebab_case()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_get_an_underscore_and_other_names_do_not() {
        assert_eq!(snake("type"), "type_");
        assert_eq!(snake("get-type"), "get_type");
        assert_eq!(snake("self"), "self_");
        assert_eq!(camel("guest"), "Guest_");
        assert_eq!(case("guest"), "Guest");
        assert_eq!(case("self"), "Self_");
        assert_eq!(shouty("read-only"), "READ_ONLY");
    }

    #[test]
    fn acronyms_are_words() {
        assert_eq!(camel("DNS-error"), "DnsError");
        assert_eq!(snake("HTTP-request-URI"), "http_request_uri");
    }
}
