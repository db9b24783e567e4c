//! All options, a row each. What reads options, shows them or takes one back goes by these rows.

use super::{Options, With};

/// An option.
#[derive(Clone, Copy)]
pub struct Row {
    /// As it is written in the macro, and with `-` for `_` on the command line.
    pub name: &'static str,
    /// Whose bindings it is for.
    pub sides: Sides,
    /// What it is, and where its value is.
    pub field: Field,
}

/// Whose bindings an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// For both.
    Both,
    /// For guests.
    Guest,
    /// For hosts.
    Host,
}

/// What an option is, and where its value is.
#[derive(Clone, Copy)]
pub enum Field {
    /// Where the WIT is. It is not shown, since paths differ from machine to machine.
    Source,
    /// It is on or off.
    Flag(fn(&mut Options) -> &mut bool),
    /// A text, or none.
    Text(fn(&mut Options) -> &mut Option<String>),
    /// Texts.
    Texts(fn(&mut Options) -> &mut Vec<String>),
    /// Names, and a text for each.
    Pairs(fn(&mut Options) -> &mut Vec<(String, String)>),
    /// [`Options::with`].
    With,
    /// [`Options::ownership`].
    Ownership,
}

const fn both(name: &'static str, field: Field) -> Row {
    Row { name, sides: Sides::Both, field }
}

const fn guest(name: &'static str, field: Field) -> Row {
    Row { name, sides: Sides::Guest, field }
}

const fn host(name: &'static str, field: Field) -> Row {
    Row { name, sides: Sides::Host, field }
}

/// All options.
pub const TABLE: &[Row] = &[
    both("path", Field::Source),
    both("inline", Field::Source),
    both("world", Field::Text(|o| &mut o.world)),
    both("features", Field::Texts(|o| &mut o.features)),
    both("all_features", Field::Flag(|o| &mut o.all_features)),
    guest("std_feature", Field::Flag(|o| &mut o.std_feature)),
    guest("raw_strings", Field::Flag(|o| &mut o.raw_strings)),
    both("skip", Field::Texts(|o| &mut o.skip)),
    guest("stubs", Field::Flag(|o| &mut o.stubs)),
    guest("export_prefix", Field::Text(|o| &mut o.export_prefix)),
    guest("ownership", Field::Ownership),
    guest("borrowed_async_params", Field::Flag(|o| &mut o.borrowed_async_params)),
    both("runtime_path", Field::Text(|o| &mut o.runtime_path)),
    both("map_type", Field::Text(|o| &mut o.map_type)),
    both("bitflags_path", Field::Text(|o| &mut o.bitflags_path)),
    both("additional_derives", Field::Texts(|o| &mut o.additional_derives)),
    both("additional_derives_ignore", Field::Texts(|o| &mut o.additional_derives_ignore)),
    both("additional_type_attributes", Field::Pairs(|o| &mut o.additional_type_attributes)),
    both("additional_member_attributes", Field::Pairs(|o| &mut o.additional_member_attributes)),
    both("with", Field::With),
    both("generate_all", Field::Flag(|o| &mut o.generate_all)),
    both("generate_unused_types", Field::Flag(|o| &mut o.generate_unused_types)),
    both("merge_structurally_equal_types", Field::Flag(|o| &mut o.merge_structurally_equal_types)),
    guest("type_section_suffix", Field::Text(|o| &mut o.type_section_suffix)),
    guest("disable_custom_section_link_helpers", Field::Flag(|o| &mut o.disable_custom_section_link_helpers)),
    guest("disable_run_ctors_once_workaround", Field::Flag(|o| &mut o.disable_run_ctors_once_workaround)),
    guest("default_bindings_module", Field::Text(|o| &mut o.default_bindings_module)),
    guest("export_macro_name", Field::Text(|o| &mut o.export_macro_name)),
    guest("pub_export_macro", Field::Flag(|o| &mut o.pub_export_macro)),
    guest("sync", Field::Texts(|o| &mut o.sync)),
    guest("chainable_methods", Field::Texts(|o| &mut o.chainable_methods)),
    host("trappable_imports", Field::Flag(|o| &mut o.trappable_imports)),
    host("trappable_error_type", Field::Pairs(|o| &mut o.trappable_error_type)),
    host("optional_exports", Field::Texts(|o| &mut o.optional_exports)),
    host("tracing", Field::Flag(|o| &mut o.tracing)),
];

impl Row {
    /// Takes an entry of the option back, or all of it if none is meant. Returns whether there was something.
    pub fn take_away(&self, options: &mut Options, entry: Option<&str>) -> bool {
        fn without<T>(values: &mut Vec<T>, is_meant: impl Fn(&T) -> bool) -> bool {
            let before = values.len();
            values.retain(|value| !is_meant(value));
            values.len() < before
        }
        let is_meant = |text: &str| entry.is_none_or(|entry| entry == text);
        match self.field {
            Field::Source | Field::Ownership => false,
            Field::Flag(flag) => core::mem::take(flag(options)),
            Field::Text(text) => text(options).take_if(|text| is_meant(text)).is_some(),
            Field::Texts(texts) => without(texts(options), |text| is_meant(text)),
            Field::Pairs(pairs) => without(pairs(options), |(key, _)| is_meant(key)),
            Field::With => without(&mut options.with, |(key, _)| is_meant(key)),
        }
    }

    /// Returns the option with its value, unless it is the default.
    pub fn show(&self, options: &Options) -> Option<String> {
        // The accessors are those that write.
        let options = &mut options.clone();
        let name = self.name;
        match self.field {
            Field::Source => None,
            Field::Flag(flag) => flag(options).then(|| name.to_string()),
            Field::Text(text) => text(options).as_ref().map(|value| format!("{name}: {value:?}")),
            Field::Texts(texts) => list(name, texts(options).iter().map(|text| format!("{text:?}")), ('[', ']')),
            Field::Pairs(pairs) => {
                list(name, pairs(options).iter().map(|(key, of)| format!("{key:?}: {of:?}")), ('{', '}'))
            }
            Field::With => {
                let entries = options.with.iter().map(|(key, with)| match with {
                    With::Generate => format!("{key:?}: generate"),
                    With::Path(path) => format!("{key:?}: {path}"),
                });
                list(name, entries, ('{', '}'))
            }
            Field::Ownership => {
                (options.ownership != Default::default()).then(|| format!("{name}: {:?}", options.ownership))
            }
        }
    }
}

fn list(name: &str, entries: impl Iterator<Item = String>, (open, close): (char, char)) -> Option<String> {
    let entries: Vec<_> = entries.collect();
    let space = if open == '{' { " " } else { "" };
    (!entries.is_empty()).then(|| format!("{name}: {open}{space}{}{space}{close}", entries.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options in which every row has a value.
    fn everything() -> Options {
        let mut options = Options::default();
        for row in TABLE {
            match row.field {
                Field::Source => {}
                Field::Flag(flag) => *flag(&mut options) = true,
                Field::Text(text) => *text(&mut options) = Some(row.name.into()),
                Field::Texts(texts) => texts(&mut options).extend([row.name.into(), "other".into()]),
                Field::Pairs(pairs) => pairs(&mut options).push((row.name.into(), "value".into())),
                Field::With => options.with.push(("with".into(), With::Path("a::b".into()))),
                Field::Ownership => {
                    options.ownership = crate::Ownership::Borrowing { duplicate_if_necessary: false };
                }
            }
        }
        options
    }

    #[test]
    fn every_option_of_the_struct_has_a_row() {
        // What is written for one field: its name and its value.
        let shown = format!("{:?}", everything());
        let unset: Vec<_> =
            shown.split(", ").filter(|field| field.ends_with("None") || field.ends_with("[]")).collect();
        assert_eq!(unset, ["Options { paths: []", "inline: None"]);
        assert!(!shown.contains("false,"), "{shown}");
    }

    #[test]
    fn every_option_is_shown_and_can_be_taken_away() {
        for row in TABLE.iter().filter(|row| !matches!(row.field, Field::Source)) {
            let mut options = everything();
            assert!(row.show(&options).is_some_and(|line| line.starts_with(row.name)), "{}", row.name);
            assert!(row.show(&Options::default()).is_none(), "{}", row.name);
            if !matches!(row.field, Field::Ownership) {
                assert!(row.take_away(&mut options, None), "{}", row.name);
                assert!(row.show(&options).is_none() && !row.take_away(&mut options, None), "{}", row.name);
            }
        }
    }

    #[test]
    fn one_entry_is_taken_away_alone() {
        let mut options = everything();
        let row = TABLE.iter().find(|row| row.name == "skip").expect("there is such an option");
        assert!(row.take_away(&mut options, Some("skip")) && !row.take_away(&mut options, Some("skip")));
        assert_eq!(row.show(&options).as_deref(), Some("skip: [\"other\"]"));
    }
}
