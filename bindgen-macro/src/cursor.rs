//! Tokens, one after the other, and what is wrong with them.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use std::collections::VecDeque;

/// What the user wrote and can't be meant.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    pub(crate) first: Span,
    pub(crate) last: Span,
    pub(crate) message: String,
}

impl Mistake {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Mistake {
        Mistake { first: span, last: span, message: message.into() }
    }

    /// As rustc shows it: the path has the first span and the braces the last one, so that all between is underlined.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let message = self.message.trim_end();
        let mut literal = Literal::string(message);
        literal.set_span(self.last);
        let mut braces = Group::new(Delimiter::Brace, TokenTree::Literal(literal).into());
        braces.set_span(self.last);
        let path = quote_spanned!(self.first=> ::core::compile_error!);
        quote::quote!(#path #braces)
    }
}

pub(crate) type Parsed<T> = Result<T, Mistake>;

/// A place between tokens. Groups without delimiters, which is what macros make of `$path:expr`, are not seen.
#[derive(Clone)]
pub(crate) struct Cursor {
    tokens: VecDeque<TokenTree>,
    end: Span,
}

impl Cursor {
    /// Stands before all of `stream`; mistakes at its end are shown at `end`.
    pub(crate) fn new(stream: TokenStream, end: Span) -> Cursor {
        let mut tokens = VecDeque::new();
        flatten(stream, &mut tokens);
        Cursor { tokens, end }
    }

    /// Inside of a group.
    pub(crate) fn inside(group: &Group) -> Cursor {
        Cursor::new(group.stream(), group.span_close())
    }

    pub(crate) fn peek(&self) -> Option<&TokenTree> {
        self.tokens.front()
    }

    pub(crate) fn next(&mut self) -> Option<TokenTree> {
        self.tokens.pop_front()
    }

    pub(crate) fn at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Where the next token is.
    pub(crate) fn span(&self) -> Span {
        self.peek().map_or(self.end, TokenTree::span)
    }

    /// Says that something else is needed here.
    pub(crate) fn expected(&self, what: &str) -> Mistake {
        let found = match self.peek() {
            None => "nothing is left".to_string(),
            Some(TokenTree::Group(group)) => match group.delimiter() {
                Delimiter::Brace => "found `{`".to_string(),
                Delimiter::Bracket => "found `[`".to_string(),
                _ => "found `(`".to_string(),
            },
            Some(token) => format!("found `{token}`"),
        };
        Mistake::new(self.span(), format!("expected {what}, {found}"))
    }

    pub(crate) fn is_punct(&self, character: char) -> bool {
        matches!(self.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
    }

    pub(crate) fn punct(&mut self, character: char) -> Option<Punct> {
        match self.is_punct(character).then(|| self.next()).flatten() {
            Some(TokenTree::Punct(punct)) => Some(punct),
            _ => None,
        }
    }

    pub(crate) fn ident(&mut self) -> Option<Ident> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => {
                let ident = ident.clone();
                self.next();
                Some(ident)
            }
            _ => None,
        }
    }

    pub(crate) fn group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let group = group.clone();
                self.next();
                Some(group)
            }
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self) -> Parsed<bool> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) if ident == "true" || ident == "false" => {
                let value = ident == "true";
                self.next();
                Ok(value)
            }
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// The comma after an element, or the end.
    pub(crate) fn comma(&mut self) -> Parsed<()> {
        if self.at_end() || self.punct(',').is_some() { Ok(()) } else { Err(self.expected("`,`")) }
    }

    /// Goes on after the next comma, to find further mistakes.
    pub(crate) fn skip_past_comma(&mut self) {
        while let Some(token) = self.next() {
            if matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',') {
                return;
            }
        }
    }

    /// `a::b`, without generics.
    pub(crate) fn path(&mut self) -> Parsed<Path> {
        let first = self.span();
        let mut path = Path { text: String::new(), span: first };
        loop {
            if self.is_punct(':') {
                self.next();
                if self.punct(':').is_none() {
                    return Err(self.expected("`::`"));
                }
                path.text.push_str("::");
            } else if !path.text.is_empty() {
                break;
            }
            let Some(ident) = self.ident() else {
                return Err(self.expected("a path"));
            };
            let name = ident.to_string();
            if name.starts_with('$') {
                return Err(Mistake::new(
                    ident.span(),
                    "`$crate` has no meaning in the bindings: write the name of the crate",
                ));
            }
            path.text.push_str(&name);
            path.span = ident.span();
        }
        if self.is_punct('<') {
            return Err(Mistake::new(self.span(), "paths here have no generics: name a type alias instead"));
        }
        Ok(Path { span: first, ..path })
    }
}

/// A path as text, and where it begins.
pub(crate) struct Path {
    pub(crate) text: String,
    pub(crate) span: Span,
}

fn flatten(stream: TokenStream, tokens: &mut VecDeque<TokenTree>) {
    for token in stream {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => flatten(group.stream(), tokens),
            token => tokens.push_back(token),
        }
    }
}
