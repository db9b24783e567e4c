//! What is refused, and how the refusal reads: place, underline and hint are part of the promise.

use std::path::{Path, PathBuf};
use wasp_bindgen_core::{Options, With, guest};

/// The message for wrong WIT.
fn refused(wit: &str) -> String {
    refused_with(wit, |_| {})
}

/// The message for WIT that is wrong together with some options.
fn refused_with(wit: &str, change: impl FnOnce(&mut Options)) -> String {
    let mut options = Options { inline: Some(wit.to_string()), ..Options::default() };
    change(&mut options);
    match guest(&options) {
        Ok(_) => panic!("this was accepted:\n{wit}"),
        Err(diagnostics) => diagnostics.to_string(),
    }
}

/// A folder of the examples of what is refused.
fn folder(name: &str) -> PathBuf {
    Path::new("../wit/refused").join(name)
}

macro_rules! refusals {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            let text = $text;
            assert!(text.contains("help: "), "no hint:\n{text}");
            insta::assert_snapshot!(text);
        }
    )*};
}

refusals! {
    a_world_that_does_not_exist: refused_with("package a:b;\nworld w { }\nworld other { }", |options| {
        options.world = Some("wrld".into());
    });
    a_choice_of_worlds_that_was_not_made: refused("package a:b;\nworld w { }\nworld other { }");
    a_package_without_worlds: refused("package a:b;\ninterface i { }");
    no_wit_at_all: guest(&Options::default()).map(|_| ()).map_err(|error| error.to_string()).unwrap_err();
    a_folder_that_does_not_exist: guest(&Options { paths: vec![folder("nowhere")], ..Options::default() })
        .map(|_| ())
        .map_err(|error| error.to_string())
        .unwrap_err();
    a_syntax_error_in_a_file: guest(&Options { paths: vec![folder("syntax.wit")], ..Options::default() })
        .map(|_| ())
        .map_err(|error| error.to_string())
        .unwrap_err();
    a_package_that_is_missing: refused("package a:b;\nworld w {\n  import c:d/e;\n}");
    an_interface_that_is_missing: refused("package a:b;\nworld w {\n  import missing;\n}");
    a_type_that_is_missing: refused("package a:b;\ninterface i {\n  f: func(x: point);\n}\nworld w { import i; }");
    a_type_that_contains_itself: refused("package a:b;\ninterface i {\n  record node { next: option<node> }\n}\nworld w { import i; }");
    a_name_that_is_defined_twice: refused("package a:b;\ninterface i {\n  f: func();\n  f: func();\n}\nworld w { import i; }");
    fields_that_are_one_in_rust: refused("package a:b;\ninterface i {\n  record r { a-b: u32, A-B: u32 }\n  f: func(r: r);\n}\nworld w { import i; }");
    cases_that_are_one_in_rust: refused("package a:b;\ninterface i {\n  variant v { x1(u32), x1 }\n  f: func(v: v);\n}\nworld w { import i; }");
    functions_that_are_one_in_rust: refused("package a:b;\ninterface i {\n  get-id: func() -> u32;\n  GET-id: func() -> u32;\n}\nworld w { import i; }");
    parameters_that_are_one_in_rust: refused("package a:b;\ninterface i {\n  f: func(to-go: u32, TO-GO: u32);\n}\nworld w { import i; }");
    too_many_flags: {
        let flags: Vec<String> = (0..129).map(|i| format!("flag{i}")).collect();
        refused(&format!("package a:b;\ninterface i {{\n  flags many {{ {} }}\n  f: func(m: many);\n}}\nworld w {{ import i; }}", flags.join(", ")))
    };
    a_tuple_that_is_too_long: refused(&format!(
        "package a:b;\ninterface i {{\n  f: func() -> tuple<{}>;\n}}\nworld w {{ import i; }}",
        ["u8"; 17].join(", ")
    ));
    a_type_that_fills_memory: refused("package a:b;\ninterface i {\n  f: func() -> list<list<u64, 4294967295>, 4294967295>;\n}\nworld w { import i; }");
    a_type_made_of_millions: {
        let doubled: Vec<_> = (1..26).map(|i| format!("record r{i} {{ a: tuple<r{0}, r{0}> }}", i - 1)).collect();
        refused(&format!("package a:b;\ninterface i {{\n  record r0 {{ a: u8 }}\n{}\n  f: func(a: r25);\n}}\nworld w {{ import i; }}", doubled.join("\n")))
    };
    values_of_options_that_cannot_be_printed: refused_with("package a:b;\nworld w { import f: func(); }", |options| {
        options.export_macro_name = Some("1x".into());
        options.runtime_path = Some("not a path!!".into());
        options.map_type = Some("((".into());
        options.additional_derives = vec!["Debug".into(), ")(".into()];
        options.additional_type_attributes = vec![("a:b/i/t".into(), "#[a] struct S;".into())];
        options.with = vec![("a:b/j".into(), With::Path("a::fn".into()))];
    });
    a_name_in_skip_that_no_function_has: refused_with("package a:b;\nworld w { import f: func(); }", |options| {
        options.skip = vec!["f".into(), "nothere".into()];
    });
    a_stream_of_characters: refused("package a:b;\nworld w {\n  import f: func() -> stream<char>;\n}");
    a_key_of_with_that_nothing_imports: refused_with("package a:b;\ninterface i { f: func(); }\nworld w { import i; }", |options| {
        options.with = vec![("a:b/j".into(), With::Path("crate::j".into()))];
    });
    an_interface_of_another_package_without_with: {
        guest(&Options { paths: vec![folder("foreign")], ..Options::default() }).map(|_| ()).map_err(|error| error.to_string()).unwrap_err()
    };
    a_gated_interface_without_its_feature: refused(
        "package a:b;\n@unstable(feature = fancy)\ninterface i { f: func(); }\nworld w {\n  import i;\n}"
    );
    a_filter_that_matches_nothing: refused_with("package a:b;\nworld w { import f: async func(); }", |options| {
        options.sync = vec!["g".into()];
    });
    a_chain_that_matches_nothing: refused_with("package a:b;\nworld w { import f: func(); }", |options| {
        options.chainable_methods = vec!["a:b/i#r".into()];
    });
    an_attribute_for_nothing: refused_with("package a:b;\nworld w { import f: func(); }", |options| {
        options.additional_type_attributes = vec![("a:b/i/r".into(), "#[allow(dead_code)]".into())];
    });
    payloads_that_raw_strings_make_equal: refused_with(
        "package a:b;\nworld w {\n  import f: func() -> stream<string>;\n  import g: func() -> stream<list<u8>>;\n}",
        |options| options.raw_strings = true
    );
}
