use super::*;
use quote::quote;
use std::path::PathBuf;
use std::str::FromStr;
use wasp_bindgen_core::{Ownership, With};

fn parse(tokens: TokenStream) -> Config {
    super::parse(tokens, Side::Guest)
}

fn config(tokens: TokenStream) -> Config {
    let config = parse(tokens);
    let messages: Vec<_> = config.mistakes.iter().map(|mistake| &mistake.message).collect();
    assert!(messages.is_empty(), "{messages:?}");
    config
}

fn options(tokens: TokenStream) -> Options {
    config(tokens).options
}

fn mistakes(tokens: TokenStream) -> Vec<String> {
    parse(tokens).mistakes.into_iter().map(|mistake| mistake.message).collect()
}

#[test]
fn every_short_form_is_read() {
    assert!(options(quote!()).paths.is_empty());
    assert_eq!(options(quote!("w")).world.as_deref(), Some("w"));
    assert_eq!(options(quote!(in "a")).paths, [PathBuf::from("a")]);
    let both = options(quote!("w" in "a"));
    assert_eq!((both.world.as_deref(), both.paths), (Some("w"), vec![PathBuf::from("a")]));
    assert!(options(quote!({})).paths.is_empty());
}

#[test]
fn every_option_is_read() {
    let all = options(quote!({
        world: "ns:pkg/w@1.0.0",
        path: ["a", concat!("b", "/c")],
        inline: "world w {}",
        features: ["f", "g"],
        all_features: true,
        std_feature,
        raw_strings,
        skip: ["f"],
        stubs,
        export_prefix: "p",
        ownership: Borrowing { duplicate_if_necessary: true },
        borrowed_async_params,
        runtime_path: "r",
        map_type: "m",
        bitflags_path: "b",
        additional_derives: [Clone, serde::Serialize, ::a::B],
        additional_derives_ignore: ["t"],
        additional_type_attributes: { "a:b/c/t": [#[x] #[y(z = 1)]] },
        additional_member_attributes: { "a:b/c/t.m": [#[x]], },
        with: { "a:b/c": d::e, "a:b/f": generate, "a:b/g": ::h },
        generate_all,
        generate_unused_types: true,
        merge_structurally_equal_types: true,
        type_section_suffix: "s",
        disable_custom_section_link_helpers: true,
        disable_run_ctors_once_workaround: true,
        default_bindings_module: "d",
        export_macro_name: "e",
        pub_export_macro: true,
        sync: ["import:a:b/c#f"],
        chainable_methods: ["&all"],
    }));
    let attribute = |selector: &str, text: &str| (selector.to_string(), text.to_string());
    let path = |path: &str| With::Path(path.to_string());
    assert_eq!(all.world.unwrap(), "ns:pkg/w@1.0.0");
    assert_eq!(all.paths, [PathBuf::from("a"), PathBuf::from("b/c")]);
    assert_eq!(all.inline.unwrap(), "world w {}");
    assert_eq!(all.features, ["f", "g"]);
    assert!(all.all_features && all.std_feature && all.raw_strings && all.stubs && all.generate_all);
    assert_eq!((all.skip, all.export_prefix.unwrap()), (vec!["f".to_string()], "p".to_string()));
    assert_eq!(all.ownership, Ownership::Borrowing { duplicate_if_necessary: true });
    assert_eq!(
        (all.runtime_path.unwrap(), all.map_type.unwrap(), all.bitflags_path.unwrap()),
        ("r".into(), "m".into(), "b".into())
    );
    assert_eq!(all.additional_derives, ["Clone", "serde::Serialize", "::a::B"]);
    assert_eq!(all.additional_derives_ignore, ["t"]);
    assert_eq!(all.additional_type_attributes, [attribute("a:b/c/t", "#[x]"), attribute("a:b/c/t", "#[y (z = 1)]")]);
    assert_eq!(all.additional_member_attributes, [attribute("a:b/c/t.m", "#[x]")]);
    assert_eq!(
        all.with,
        [("a:b/c".into(), path("d::e")), ("a:b/f".into(), With::Generate), ("a:b/g".into(), path("::h"))]
    );
    assert!(all.borrowed_async_params);
    assert!(all.generate_unused_types && all.merge_structurally_equal_types && all.pub_export_macro);
    assert!(all.disable_custom_section_link_helpers && all.disable_run_ctors_once_workaround);
    assert_eq!((all.type_section_suffix.unwrap(), all.default_bindings_module.unwrap()), ("s".into(), "d".into()));
    assert_eq!(all.export_macro_name.unwrap(), "e");
    assert_eq!((all.sync, all.chainable_methods), (vec!["import:a:b/c#f".to_string()], vec!["&all".to_string()]));
}

#[test]
fn flags_stand_alone_or_have_a_value() {
    assert!(options(quote!({ generate_all: true })).generate_all);
    assert!(!options(quote!({ generate_all: false })).generate_all);
    assert!(options(quote!({ pub_export_macro })).pub_export_macro);
    assert_eq!(options(quote!({ sync: true })).sync, ["all"]);
    assert!(options(quote!({ sync: false })).sync.is_empty());
    assert!(config(quote!({ debug: true })).debug);
    assert_eq!(options(quote!({ ownership: Owning })).ownership, Ownership::Owning);
}

#[test]
fn lists_may_be_continued_and_single_values_may_not() {
    assert_eq!(options(quote!({ skip: ["a"], skip: ["b"] })).skip, ["a", "b"]);
    assert_eq!(mistakes(quote!({ world: "a", world: "b" })), ["`world` is given twice"]);
    assert_eq!(mistakes(quote!({ path: "a", path: ["b"] })), ["`path` is given twice"]);
    assert_eq!(mistakes(quote!({ with: { "a:b/c": d, "a:b/c": e } })), ["`a:b/c` is mapped twice"]);
}

#[test]
fn what_earlier_versions_wrote_works_and_is_noticed() {
    let old = config(quote!({ async: ["-import:a:b/c#f", "a:b/c#g"] }));
    assert_eq!(old.options.sync, ["import:a:b/c#f"]);
    assert!(
        old.notices[0].message.ends_with("write `sync: [\"import:a:b/c#f\"]` instead"),
        "{}",
        old.notices[0].message
    );
    assert_eq!(config(quote!({ async: false })).options.sync, ["all"]);
    assert!(config(quote!({ async: true })).notices[0].message.ends_with("leave it out"));
    assert_eq!(config(quote!({ enable_method_chaining: true })).options.chainable_methods, ["&all"]);
}

#[test]
fn unknown_options_name_the_nearest() {
    assert_eq!(mistakes(quote!({ wrold: "w" })), ["there is no option `wrold`\nhelp: there is `world`"]);
    assert_eq!(
        mistakes(quote!({ additional_derive_attributes: [Clone] })),
        ["there is no option `additional_derive_attributes`\nhelp: there is `additional_derives`"]
    );
    let message = &mistakes(quote!({ xyz }))[0];
    assert!(message.contains("these are the options: path, inline,") && !message.contains(" async,"), "{message}");
}

#[test]
fn a_mistake_hides_no_other_and_loses_no_option() {
    let config =
        parse(quote!({ wrold: "w", path: 5, skip: ["a" "b"], additional_type_attributes: { "s": [] }, stubs }));
    let messages: Vec<_> = config.mistakes.into_iter().map(|mistake| mistake.message).collect();
    assert_eq!(
        messages,
        [
            "there is no option `wrold`\nhelp: there is `world`",
            "expected a string, found `5`",
            "expected `,`, found `\"b\"`",
            "there is no attribute in the list\nhelp: write `[#[attribute]]`",
        ]
    );
    assert!(config.options.stubs);
}

#[test]
fn what_is_needed_is_named() {
    for (source, message) in [
        ("w", "expected a string literal, or `concat!`"),
        ("world: \"w\"", "options stand between braces"),
        ("generate_all", "options stand between braces"),
        ("\"w\" \"p\"", "expected the end"),
        ("\"w\" in", "expected a string, nothing is left"),
        ("{} {}", "expected the end"),
        ("{ world \"w\" }", "expected `:` and a value after the name of the option, found `\"w\"`"),
        ("{ world: W }", "constants have no value yet"),
        ("{ \"w\" }", "expected the name of an option, found `\"w\"`"),
        ("{ stubs: 1 }", "expected `true` or `false`, found `1`"),
        ("{ skip: \"a\" }", "expected a list of strings"),
        ("{ with: [] }", "expected a map"),
        ("{ with: { \"a\" => b } }", "expected `:` and a value after the key, found `=`"),
        ("{ with: { \"a\": \"b\" } }", "expected a path, found `\"b\"`"),
        ("{ with: { \"a\": b<c> } }", "paths here have no generics"),
        ("{ with: { \"a\": b:c } }", "expected `::`"),
        ("{ with: { a: b } }", "expected a string"),
        ("{ additional_derives: [Clone Copy] }", "expected `,`"),
        ("{ additional_type_attributes: { \"a\": #[b] } }", "expected a list of attributes"),
        ("{ additional_type_attributes: { \"a\": [b] } }", "expected an attribute"),
        ("{ ownership: Owned }", "expected `Owning` or `Borrowing"),
        ("{ ownership: Borrowing { duplicate: true } }", "expected `duplicate_if_necessary: false`"),
        ("{ sync: maybe }", "expected `true` or `false`"),
    ] {
        let mistakes = mistakes(TokenStream::from_str(source).unwrap());
        assert_eq!(mistakes.len(), 1, "{source}: {mistakes:?}");
        assert!(mistakes[0].contains(message), "{source}: {mistakes:?}");
    }
}

#[test]
fn groups_without_delimiters_are_seen_through() {
    let inner: proc_macro2::TokenTree = proc_macro2::Literal::string("w").into();
    let group = proc_macro2::Group::new(Delimiter::None, inner.into());
    assert_eq!(options(quote!({ world: #group })).world.as_deref(), Some("w"));
    assert_eq!(options(quote!(#group)).world.as_deref(), Some("w"));
}

#[test]
fn places_of_options_and_entries_are_kept() {
    let config = config(quote!({ with: { "a:b/c": d }, skip: ["f"] }));
    assert!(config.spot("with", Some("a:b/c")).is_some());
    assert!(config.spot("with", None).is_some() && config.spot("with", Some("x")).is_some());
    assert!(config.spot("sync", None).is_none());
}
