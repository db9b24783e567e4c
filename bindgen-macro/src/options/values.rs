//! The values of options that are more than a string, a list of strings or a flag.

use super::{Config, colon};
use crate::cursor::{Cursor, Mistake, Parsed};
use crate::text::{self, Text};
use proc_macro2::{Delimiter, Ident, TokenTree};
use std::path::PathBuf;
use wasp_bindgen_core::{Ownership, With};

impl Config {
    pub(super) fn paths(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        let Some(list) = cursor.group(Delimiter::Bracket) else {
            let path = text::parse(cursor, &mut self.inputs)?;
            self.add_path(path);
            return Ok(());
        };
        let mut elements = Cursor::inside(&list);
        while !elements.at_end() {
            let path = text::parse(&mut elements, &mut self.inputs)?;
            self.add_path(path);
            elements.comma()?;
        }
        Ok(())
    }

    pub(super) fn add_path(&mut self, path: Text) {
        self.note("path", Some(&path.value), path.span);
        self.options.paths.push(PathBuf::from(path.value));
    }

    pub(super) fn texts(&mut self, option: &'static str, cursor: &mut Cursor) -> Parsed<Vec<String>> {
        let Some(list) = cursor.group(Delimiter::Bracket) else {
            return Err(cursor.expected("a list of strings, `[\"…\"]`"));
        };
        let (mut elements, mut texts) = (Cursor::inside(&list), Vec::new());
        while !elements.at_end() {
            let text = text::parse(&mut elements, &mut self.inputs)?;
            self.note(option, Some(&text.value), text.span);
            texts.push(text.value);
            elements.comma()?;
        }
        Ok(texts)
    }

    pub(super) fn derives(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        let Some(list) = cursor.group(Delimiter::Bracket) else {
            return Err(cursor.expected("a list of derive macros, `[Clone, serde::Serialize]`"));
        };
        let mut elements = Cursor::inside(&list);
        while !elements.at_end() {
            let path = elements.path()?;
            self.note("additional_derives", Some(&path.text), path.span);
            self.options.additional_derives.push(path.text);
            elements.comma()?;
        }
        Ok(())
    }

    /// `{ "selector": [#[attribute]] }`: a pair for each attribute.
    pub(super) fn attributes(&mut self, option: &'static str, cursor: &mut Cursor) -> Parsed<Vec<(String, String)>> {
        let Some(map) = cursor.group(Delimiter::Brace) else {
            return Err(cursor.expected("a map of attributes, `{ \"ns:pkg/interface/type\": [#[attribute]] }`"));
        };
        let (mut entries, mut pairs) = (Cursor::inside(&map), Vec::new());
        while !entries.at_end() {
            let selector = text::parse(&mut entries, &mut self.inputs)?;
            self.note(option, Some(&selector.value), selector.span);
            colon(&mut entries, "the selector")?;
            let Some(list) = entries.group(Delimiter::Bracket) else {
                return Err(entries.expected("a list of attributes, `[#[attribute]]`"));
            };
            let mut attributes = Cursor::inside(&list);
            if attributes.at_end() {
                return Err(Mistake::new(
                    list.span(),
                    "there is no attribute in the list\nhelp: write `[#[attribute]]`",
                ));
            }
            while !attributes.at_end() {
                let body = attributes.punct('#').and_then(|_| attributes.group(Delimiter::Bracket));
                let body = body.ok_or_else(|| attributes.expected("an attribute, `#[…]`"))?;
                pairs.push((selector.value.clone(), format!("#[{}]", body.stream())));
            }
            entries.comma()?;
        }
        Ok(pairs)
    }

    /// `{ "ns:pkg/interface": path::to::module, "ns:pkg/other": generate }`.
    pub(super) fn with(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        let Some(map) = cursor.group(Delimiter::Brace) else {
            return Err(cursor.expected("a map, `{ \"ns:pkg/interface\": path::to::module }`"));
        };
        let mut entries = Cursor::inside(&map);
        while !entries.at_end() {
            let key = text::parse(&mut entries, &mut self.inputs)?;
            colon(&mut entries, "the key")?;
            let path = entries.path()?;
            if self.options.with.iter().any(|(known, _)| *known == key.value) {
                return Err(Mistake::new(key.span, format!("`{}` is mapped twice", key.value)));
            }
            self.note("with", Some(&key.value), key.span);
            let with = if path.text == "generate" { With::Generate } else { With::Path(path.text) };
            self.options.with.push((key.value, with));
            entries.comma()?;
        }
        Ok(())
    }

    /// `{ "ns:pkg/interface/type" => path::to::Error }`, or with a colon.
    pub(super) fn error_types(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        let Some(map) = cursor.group(Delimiter::Brace) else {
            return Err(cursor.expected("a map, `{ \"ns:pkg/interface/type\" => path::to::Error }`"));
        };
        let mut entries = Cursor::inside(&map);
        while !entries.at_end() {
            let key = text::parse(&mut entries, &mut self.inputs)?;
            if entries.punct('=').is_none_or(|_| entries.punct('>').is_none()) {
                colon(&mut entries, "the key")?;
            }
            let path = entries.path()?;
            self.note("trappable_error_type", Some(&key.value), key.span);
            self.options.trappable_error_type.push((key.value, path.text));
            entries.comma()?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        if matches!(cursor.peek(), Some(TokenTree::Ident(_))) {
            if cursor.bool()? {
                self.options.sync.push("all".to_string());
            }
            return Ok(());
        }
        let texts = self.texts("sync", cursor)?;
        self.options.sync.extend(texts);
        Ok(())
    }

    /// What 0.62 and before had: functions are async where WIT says so, so that only what `-` excludes is left to say.
    pub(super) fn async_option(&mut self, name: &Ident, cursor: &mut Cursor) -> Parsed<()> {
        let advice = if matches!(cursor.peek(), Some(TokenTree::Ident(_))) {
            match cursor.bool()? {
                true => "leave it out".to_string(),
                false => {
                    self.options.sync.push("all".to_string());
                    "write `sync: true` instead".to_string()
                }
            }
        } else {
            let filters = self.texts("async", cursor)?;
            let excluded: Vec<_> = filters.iter().filter_map(|filter| filter.strip_prefix('-')).collect();
            self.options.sync.extend(excluded.iter().map(|filter| filter.to_string()));
            match excluded.is_empty() {
                true => "leave it out".to_string(),
                false => format!("write `sync: {excluded:?}` instead"),
            }
        };
        let message = format!("functions that are `async` in WIT are async without the option `async`: {advice}");
        self.notices.push(Mistake::new(name.span(), message));
        Ok(())
    }

    pub(super) fn method_chaining(&mut self, name: &Ident, cursor: &mut Cursor) -> Parsed<()> {
        let advice = match cursor.bool()? {
            true => {
                self.options.chainable_methods.push("&all".to_string());
                "write `chainable_methods: [\"&all\"]` instead"
            }
            false => "leave it out",
        };
        self.notices.push(Mistake::new(
            name.span(),
            format!("`enable_method_chaining` has become `chainable_methods`: {advice}"),
        ));
        Ok(())
    }
}

/// `Owning`, `Borrowing` or `Borrowing { duplicate_if_necessary: true }`.
pub(super) fn ownership(cursor: &mut Cursor) -> Parsed<Ownership> {
    const FORMS: &str = "`Owning` or `Borrowing { duplicate_if_necessary: false }`";
    let start = cursor.clone();
    let Some(name) = cursor.ident() else {
        return Err(start.expected(FORMS));
    };
    match name.to_string().as_str() {
        "Owning" => return Ok(Ownership::Owning),
        "Borrowing" => {}
        _ => return Err(start.expected(FORMS)),
    }
    let mut duplicate_if_necessary = false;
    if let Some(group) = cursor.group(Delimiter::Brace) {
        let mut fields = Cursor::inside(&group);
        let start = fields.clone();
        if fields.ident().is_none_or(|field| field != "duplicate_if_necessary") {
            return Err(start.expected("`duplicate_if_necessary: false`"));
        }
        duplicate_if_necessary = colon(&mut fields, "the name of the field")?.bool()?;
        fields.comma()?;
        if !fields.at_end() {
            return Err(fields.expected("`}`"));
        }
    }
    Ok(Ownership::Borrowing { duplicate_if_necessary })
}
