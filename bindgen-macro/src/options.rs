//! What stands between the parentheses of `generate!`.

mod values;

use crate::cursor::{Cursor, Mistake, Parsed};
use crate::suggest::nearest;
use crate::text::{self, Inputs, Text};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use wasp_bindgen_core::Options;
use wasp_bindgen_core::table::{Field, Row, Sides, TABLE};

/// Everything that was asked for, as far as it could be read.
#[derive(Default)]
pub(crate) struct Config {
    /// Paths are as the user wrote them.
    pub(crate) options: Options,
    pub(crate) side: Side,
    /// The `$crate` of the macro that called this one.
    pub(crate) runtime: Option<Ident>,
    pub(crate) debug: bool,
    pub(crate) inline: Option<Text>,
    pub(crate) inputs: Inputs,
    pub(crate) spots: Vec<Spot>,
    pub(crate) mistakes: Vec<Mistake>,
    /// What works and has a better form.
    pub(crate) notices: Vec<Mistake>,
}

/// Where an option, or an entry of one, was written.
pub(crate) struct Spot {
    pub(crate) option: &'static str,
    pub(crate) entry: Option<String>,
    pub(crate) span: Span,
}

/// How the value of an option is written, and where it goes.
#[derive(Clone, Copy)]
enum Kind {
    Text(fn(&mut Options) -> &mut Option<String>),
    Texts(fn(&mut Options) -> &mut Vec<String>),
    Flag(fn(&mut Options) -> &mut bool),
    Attributes(fn(&mut Options) -> &mut Vec<(String, String)>),
    ErrorTypes,
    Path,
    Inline,
    Derives,
    Ownership,
    With,
    Sync,
    Debug,
    /// Of earlier versions.
    Async,
    MethodChaining,
}

/// What the macro has beside the options of bindings.
const OWN: &[(&str, Sides, Kind)] = &[
    ("debug", Sides::Both, Kind::Debug),
    ("async", Sides::Guest, Kind::Async),
    ("enable_method_chaining", Sides::Guest, Kind::MethodChaining),
];

/// All options, with those they are for.
fn all() -> impl Iterator<Item = (&'static str, Sides, Kind)> {
    TABLE.iter().map(|row| (row.name, row.sides, kind(row))).chain(OWN.iter().copied())
}

/// How the value of an option is written: most by what it is, some in a form of their own.
fn kind(row: &Row) -> Kind {
    match (row.name, row.field) {
        ("inline", _) => Kind::Inline,
        ("additional_derives", _) => Kind::Derives,
        ("sync", _) => Kind::Sync,
        ("trappable_error_type", _) => Kind::ErrorTypes,
        (_, Field::Source) => Kind::Path,
        (_, Field::Flag(place)) => Kind::Flag(place),
        (_, Field::Text(place)) => Kind::Text(place),
        (_, Field::Texts(place)) => Kind::Texts(place),
        (_, Field::Pairs(place)) => Kind::Attributes(place),
        (_, Field::With) => Kind::With,
        (_, Field::Ownership) => Kind::Ownership,
    }
}

/// Whose bindings are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Side {
    #[default]
    Guest,
    Host,
}

impl Side {
    /// The crate that the bindings need.
    pub(crate) fn runtime(self) -> &'static str {
        match self {
            Side::Guest => "wasp_guest_rt",
            Side::Host => "wasp_host_rt",
        }
    }

    fn has(self, sides: Sides) -> bool {
        match sides {
            Sides::Both => true,
            Sides::Guest => self == Side::Guest,
            Sides::Host => self == Side::Host,
        }
    }
}

/// Reads `generate!`'s input. What can't be read is left out, and is a mistake.
pub(crate) fn parse(input: TokenStream, side: Side) -> Config {
    let mut config = Config { side, ..Config::default() };
    let mut cursor = Cursor::new(input, Span::call_site());
    config.runtime = runtime(&mut cursor);
    let result = match cursor.group(Delimiter::Brace) {
        Some(group) => {
            config.fields(Cursor::inside(&group));
            Ok(())
        }
        None => config.short_form(&mut cursor),
    };
    if let Err(mistake) = result {
        config.mistakes.push(mistake);
    } else if !cursor.at_end() {
        let mistake = cursor.expected("the end: all options stand between one pair of braces");
        config.mistakes.push(mistake);
    }
    config
}

impl Config {
    /// Where an option or one of its entries was written.
    pub(crate) fn spot(&self, option: &str, entry: Option<&str>) -> Option<Span> {
        let of_option = || self.spots.iter().filter(|spot| spot.option == option);
        let exact = of_option().find(|spot| entry.is_some() && spot.entry.as_deref() == entry);
        exact.or_else(|| of_option().find(|spot| spot.entry.is_none())).map(|spot| spot.span)
    }

    fn note(&mut self, option: &'static str, entry: Option<&str>, span: Span) {
        self.spots.push(Spot { option, entry: entry.map(str::to_string), span });
    }

    /// `"world"`, `in "path"`, `"world" in "path"` or nothing.
    fn short_form(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        if is_field(cursor) {
            let mistake = Mistake::new(cursor.span(), "options stand between braces: `generate!({ … })`");
            self.fields(std::mem::replace(cursor, Cursor::new(TokenStream::new(), Span::call_site())));
            return Err(mistake);
        }
        if !cursor.at_end() && !is_in(cursor) {
            let world = text::parse(cursor, &mut self.inputs)?;
            self.note("world", None, world.span);
            self.options.world = Some(world.value);
        }
        if is_in(cursor) {
            cursor.next();
            let path = text::parse(cursor, &mut self.inputs)?;
            self.add_path(path);
        }
        Ok(())
    }

    fn fields(&mut self, mut cursor: Cursor) {
        while !cursor.at_end() {
            if let Err(mistake) = self.field(&mut cursor).and_then(|()| cursor.comma()) {
                self.mistakes.push(mistake);
                cursor.skip_past_comma();
            }
        }
    }

    fn field(&mut self, cursor: &mut Cursor) -> Parsed<()> {
        let Some(name) = cursor.ident() else {
            return Err(cursor.expected("the name of an option"));
        };
        let (option, kind) = known(&name, self.side)?;
        let repeatable =
            matches!(kind, Kind::Texts(_) | Kind::Derives | Kind::With | Kind::Attributes(_) | Kind::ErrorTypes);
        let given = self.spots.iter().any(|spot| spot.option == option && spot.entry.is_none());
        if given && (!repeatable || option == "chainable_methods") {
            // The first one holds: what uses the bindings was probably written for it.
            let first = (self.options.clone(), self.inline.clone(), self.debug);
            self.value(option, kind, &name, cursor)?;
            (self.options, self.inline, self.debug) = first;
            return Err(Mistake::new(name.span(), format!("`{option}` is given twice")));
        }
        self.note(option, None, name.span());
        self.value(option, kind, &name, cursor)
    }

    fn value(&mut self, option: &'static str, kind: Kind, name: &Ident, cursor: &mut Cursor) -> Parsed<()> {
        // A flag may stand alone.
        if let Kind::Flag(flag) = kind {
            let on = if cursor.is_punct(':') { colon(cursor, "the name of the option")?.bool()? } else { true };
            *flag(&mut self.options) = on;
            return Ok(());
        }
        colon(cursor, "the name of the option")?;
        match kind {
            Kind::Text(place) => {
                let text = text::parse(cursor, &mut self.inputs)?;
                self.note(option, Some(&text.value), text.span);
                *place(&mut self.options) = Some(text.value);
            }
            Kind::Texts(place) => {
                let texts = self.texts(option, cursor)?;
                place(&mut self.options).extend(texts);
            }
            Kind::Attributes(place) => {
                let entries = self.attributes(option, cursor)?;
                place(&mut self.options).extend(entries);
            }
            Kind::ErrorTypes => self.error_types(cursor)?,
            Kind::Path => self.paths(cursor)?,
            Kind::Inline => {
                let text = text::parse(cursor, &mut self.inputs)?;
                self.options.inline = Some(text.value.clone());
                self.inline = Some(text);
            }
            Kind::Derives => self.derives(cursor)?,
            Kind::Ownership => self.options.ownership = values::ownership(cursor)?,
            Kind::With => self.with(cursor)?,
            Kind::Sync => self.sync(cursor)?,
            Kind::Debug => self.debug = cursor.bool()?,
            Kind::Async => self.async_option(name, cursor)?,
            Kind::MethodChaining => self.method_chaining(name, cursor)?,
            Kind::Flag(_) => {}
        }
        Ok(())
    }
}

/// `$crate;`, which comes first if this was called through the runtime.
fn runtime(cursor: &mut Cursor) -> Option<Ident> {
    let mut ahead = cursor.clone();
    let runtime = ahead.ident().filter(|name| name == "$crate")?;
    ahead.punct(';')?;
    *cursor = ahead;
    Some(runtime)
}

fn is_in(cursor: &Cursor) -> bool {
    matches!(cursor.peek(), Some(TokenTree::Ident(ident)) if ident == "in")
}

/// Whether `name:` comes next, or the name of a flag.
fn is_field(cursor: &Cursor) -> bool {
    let mut ahead = cursor.clone();
    let Some(name) = ahead.ident() else {
        return false;
    };
    (ahead.punct(':').is_some() && !ahead.is_punct(':')) || all().any(|(option, ..)| name == option)
}

fn colon<'a>(cursor: &'a mut Cursor, after: &str) -> Parsed<&'a mut Cursor> {
    match cursor.punct(':') {
        Some(_) => Ok(cursor),
        None => Err(cursor.expected(&format!("`:` and a value after {after}"))),
    }
}

fn known(name: &Ident, side: Side) -> Parsed<(&'static str, Kind)> {
    let text = name.to_string();
    let known = || all().filter(|(_, sides, _)| side.has(*sides));
    if let Some((option, _, kind)) = known().find(|(option, ..)| *option == text) {
        return Ok((option, kind));
    }
    let current = known().filter(|(.., kind)| !matches!(kind, Kind::Async | Kind::MethodChaining));
    let names: Vec<&str> = current.map(|(option, ..)| option).collect();
    let help = match nearest(&text, &names) {
        Some(option) => format!("there is `{option}`"),
        None => format!("these are the options: {}", names.join(", ")),
    };
    Err(Mistake::new(name.span(), format!("there is no option `{text}`\nhelp: {help}")))
}

#[cfg(test)]
mod tests;
