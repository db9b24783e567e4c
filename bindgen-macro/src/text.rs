//! Strings: literals, and the macros of the standard library that make strings of them.

use crate::cursor::{Cursor, Mistake, Parsed};
use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A string and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) span: Span,
    /// A literal whose lines are those of its value, so that a line of the value is a line of the source.
    pub(crate) verbatim: bool,
}

/// What else a string was made from: the compiler has to look at it for changes.
#[derive(Default)]
pub(crate) struct Inputs {
    /// Names of environment variables.
    pub(crate) variables: Vec<String>,
    /// Paths as `include_str!` takes them.
    pub(crate) included: Vec<Literal>,
}

const KNOWN: &str = "a string literal, or `concat!`, `env!`, `include!`, `include_str!` or `stringify!` of literals";

/// A literal, or a macro that stands for one.
pub(crate) fn parse(cursor: &mut Cursor, inputs: &mut Inputs) -> Parsed<Text> {
    let span = cursor.span();
    let value = match cursor.peek() {
        Some(TokenTree::Literal(literal)) => {
            let source = literal.to_string();
            let value = decode(&source).ok_or_else(|| cursor.expected("a string"))?;
            cursor.next();
            return Ok(Text { value, span, verbatim: source.starts_with('r') || !source.contains('\\') });
        }
        Some(TokenTree::Ident(_) | TokenTree::Punct(_)) => {
            let name = macro_name(cursor)?;
            let Some(group) = [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace]
                .into_iter()
                .find_map(|delimiter| cursor.group(delimiter))
            else {
                return Err(cursor.expected("the arguments of the macro"));
            };
            evaluate(&name, Cursor::inside(&group), group.stream(), inputs)?
        }
        _ => return Err(cursor.expected("a string")),
    };
    Ok(Text { value, span, verbatim: false })
}

/// `name!` or `std::name!`.
fn macro_name(cursor: &mut Cursor) -> Parsed<Ident> {
    let start = cursor.clone();
    if !matches!(cursor.peek(), Some(TokenTree::Ident(_)))
        && (cursor.punct(':').is_none() || cursor.punct(':').is_none())
    {
        return Err(start.expected("a string"));
    }
    while let Some(ident) = cursor.ident() {
        if cursor.punct('!').is_some() {
            return Ok(ident);
        }
        if cursor.punct(':').is_none() || cursor.punct(':').is_none() {
            break;
        }
    }
    let mut mistake = start.expected(KNOWN);
    mistake.message.push_str("\nhelp: constants have no value yet when macros run");
    Err(mistake)
}

fn evaluate(name: &Ident, mut arguments: Cursor, stream: TokenStream, inputs: &mut Inputs) -> Parsed<String> {
    let value = match name.to_string().as_str() {
        "concat" => return concat(&mut arguments, inputs),
        "stringify" => return Ok(stream.to_string()),
        "env" => variable(&mut arguments, inputs)?,
        "include_str" => included(&mut arguments, inputs)?.1,
        "include" => {
            let (span, source) = included(&mut arguments, inputs)?;
            let tokens = TokenStream::from_str(&source)
                .map_err(|error| Mistake::new(span, format!("the file is no Rust: {error}")))?;
            parse(&mut Cursor::new(tokens, span), inputs)?.value
        }
        other => {
            let message = format!("`{other}!` can't be used here: expected {KNOWN}");
            return Err(Mistake::new(name.span(), message));
        }
    };
    arguments.comma()?;
    Ok(value)
}

fn concat(arguments: &mut Cursor, inputs: &mut Inputs) -> Parsed<String> {
    let mut joined = String::new();
    while !arguments.at_end() {
        match arguments.peek() {
            Some(TokenTree::Literal(literal)) if decode(&literal.to_string()).is_none() => {
                joined.push_str(&plain(&literal.to_string()).ok_or_else(|| arguments.expected(KNOWN))?);
                arguments.next();
            }
            Some(TokenTree::Ident(ident)) if ident == "true" || ident == "false" => {
                joined.push_str(&ident.to_string());
                arguments.next();
            }
            _ => joined.push_str(&parse(arguments, inputs)?.value),
        }
        arguments.comma()?;
    }
    Ok(joined)
}

fn variable(arguments: &mut Cursor, inputs: &mut Inputs) -> Parsed<String> {
    let name = parse(arguments, inputs)?;
    let mut own_message = None;
    arguments.comma()?;
    if !arguments.at_end() {
        own_message = Some(parse(arguments, inputs)?.value);
    }
    let value = std::env::var(&name.value).map_err(|_| {
        let message = own_message.unwrap_or_else(|| {
            format!(
                "the environment variable `{}` is not set\nhelp: a build script sets it with `cargo::rustc-env={}=…`",
                name.value, name.value
            )
        });
        Mistake::new(name.span, message)
    })?;
    inputs.variables.push(name.value);
    Ok(value)
}

/// The text of a file, which is looked for beside the source file.
fn included(arguments: &mut Cursor, inputs: &mut Inputs) -> Parsed<(Span, String)> {
    let path = parse(arguments, inputs)?;
    let file = beside(path.span).join(&path.value);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Mistake::new(path.span, format!("`{}` can't be read: {error}", path.value)))?;
    let mut literal = Literal::string(&path.value);
    literal.set_span(path.span);
    inputs.included.push(literal);
    Ok((path.span, text))
}

/// The folder of the source file that has `span`.
fn beside(span: Span) -> PathBuf {
    let file = proc_macro::is_available().then(|| span.unwrap().local_file()).flatten();
    file.and_then(|file| file.parent().map(Path::to_path_buf)).unwrap_or_default()
}

/// What `concat!` makes of a number or a character.
fn plain(source: &str) -> Option<String> {
    if let Some(inner) = source.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return unescape(inner);
    }
    let digits = source.replace('_', "");
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(digits)
}

/// The value of a string literal, as it stands in the source; `None` for other literals.
pub(crate) fn decode(source: &str) -> Option<String> {
    if let Some(raw) = source.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw.get(hashes..raw.len().checked_sub(hashes)?)?;
        return Some(inner.strip_prefix('"')?.strip_suffix('"')?.to_string());
    }
    unescape(source.strip_prefix('"')?.strip_suffix('"')?)
}

fn unescape(source: &str) -> Option<String> {
    let mut value = String::with_capacity(source.len());
    let mut rest = source.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match rest.next()? {
            'n' => value.push('\n'),
            'r' => value.push('\r'),
            't' => value.push('\t'),
            '0' => value.push('\0'),
            '\\' => value.push('\\'),
            '\'' => value.push('\''),
            '"' => value.push('"'),
            'x' => {
                let digits: String = rest.by_ref().take(2).collect();
                value.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
            }
            'u' => {
                let digits: String =
                    rest.by_ref().take_while(|c| *c != '}').filter(|c| !matches!(c, '{' | '_')).collect();
                value.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
            }
            '\r' | '\n' => {
                let left = rest.as_str().trim_start_matches([' ', '\t', '\n', '\r']);
                rest = left.chars();
            }
            _ => return None,
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn value(tokens: TokenStream) -> Result<String, String> {
        let mut inputs = Inputs::default();
        let text = parse(&mut Cursor::new(tokens, Span::call_site()), &mut inputs);
        text.map(|text| text.value).map_err(|mistake| mistake.message)
    }

    #[test]
    fn literals_mean_what_they_mean_in_rust() {
        for source in [
            "\"a\"",
            "\"\"",
            "\"a\\n\\t\\\\\\\"\\'\\0\\r\"",
            "\"\\x41\\u{1F600}\\u{4_1}\"",
            "r\"a\\n\"",
            "r##\"a\"#b\"##",
            "\"a \\\n     b\"",
        ] {
            let expected = TokenStream::from_str(source).unwrap();
            let literal = expected.into_iter().next().unwrap().to_string();
            assert!(decode(&literal).is_some(), "{literal}");
        }
        assert_eq!(decode("\"a\\n\\x41\\u{1F600}\"").unwrap(), "a\nA\u{1F600}");
        assert_eq!(decode("\"a \\\n     b\"").unwrap(), "a b");
        assert_eq!(decode("r##\"a\"#b\"##").unwrap(), "a\"#b");
        assert_eq!(decode("b\"a\""), None);
        assert_eq!(decode("c\"a\""), None);
        assert_eq!(decode("1"), None);
    }

    #[test]
    fn macros_of_literals_are_evaluated() {
        assert_eq!(value(quote!(concat!("a", 1, 'x', true, concat!("b",),))).unwrap(), "a1xtrueb");
        assert_eq!(value(quote!(env!("CARGO_PKG_NAME"))).unwrap(), "wasp-bindgen-macro");
        assert_eq!(value(quote!(::core::stringify!(a))).unwrap(), "a");
        assert_eq!(value(quote!(core::stringify!(a))).unwrap(), "a");
    }

    #[test]
    fn what_has_no_value_yet_is_refused_with_the_reason() {
        assert!(value(quote!(WIT_DIR)).unwrap_err().contains("constants have no value yet"));
        assert!(value(quote!(format!("a"))).unwrap_err().contains("`format!` can't be used here"));
        assert!(value(quote!(env!("SURELY_NOT_SET_ANYWHERE"))).unwrap_err().contains("is not set"));
        assert_eq!(value(quote!(env!("SURELY_NOT_SET_ANYWHERE", "own words"))).unwrap_err(), "own words");
        assert!(value(quote!(b"a")).unwrap_err().starts_with("expected a string"));
    }
}
