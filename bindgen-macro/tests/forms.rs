//! Every form that `generate!` is called in makes bindings that compile.

mod world_in_path {
    wasp_guest_rt::generate!({ world: "clock", path: "tests/wit", generate_all });

    struct Clock;

    impl Guest for Clock {
        fn tick(at: Moment) -> u64 {
            at.seconds + 1
        }
    }

    export!(Clock);

    #[test]
    fn options_between_braces() {
        assert_eq!(Clock::tick(test::time::types::Moment { seconds: 1 }), 2);
    }
}

mod short {
    wasp_guest_rt::generate!("empty" in "tests/wit");
}

mod in_folder {
    wasp_guest_rt::generate!(in "tests/wit/one");

    struct One;

    impl Guest for One {
        async fn one() -> String {
            "one".to_string()
        }
    }

    export!(One);

    #[test]
    fn only_a_folder() {
        assert_eq!(wasp_guest_rt::block_on(One::one()), "one");
    }
}

mod macros_as_strings {
    wasp_guest_rt::generate!({
        path: [concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wit"), concat!("tests", "/wit/", "two")],
        world: "test:two/two",
        with: { "test:time/types": super::world_in_path::test::time::types },
        type_section_suffix: "with",
    });

    #[test]
    fn types_of_elsewhere_are_those_of_elsewhere() {
        let moment: two::Moment = super::world_in_path::test::time::types::Moment { seconds: 3 };
        assert_eq!(moment.seconds, 3);
    }
}

mod text_in_place {
    wasp_guest_rt::generate!({
        path: "tests/wit/deps/time",
        inline: include_str!("wit/one/world.wit"),
    });

    #[test]
    fn text_of_another_file() {
        struct Two;
        impl Guest for Two {
            async fn one() -> String {
                "two".to_string()
            }
        }
        assert_eq!(wasp_guest_rt::block_on(Two::one()), "two");
    }
}

/// Another macro may call `generate!` with what it was given.
macro_rules! generate_world {
    ($world:literal, $path:expr, $derive:path) => {
        wasp_guest_rt::generate!({ world: $world, path: $path, generate_all, additional_derives: [$derive, PartialEq] });
    };
}

mod through_a_macro {
    generate_world!("clock", "tests/wit", ::core::cmp::PartialOrd);

    #[test]
    fn derives_are_added() {
        use test::time::types::Moment;
        assert!(Moment { seconds: 1 } < Moment { seconds: 2 });
    }
}

// In a file, unlike in a macro's output, these lints look at bindings.
#[allow(unreachable_pub, clippy::undocumented_unsafe_blocks)]
mod as_a_file {
    wasp_guest_rt::generate!({ path: "tests/wit/one", debug: true });

    #[test]
    fn bindings_written_to_a_file_are_the_same() {
        struct Three;
        impl Guest for Three {
            async fn one() -> String {
                "three".to_string()
            }
        }
        assert_eq!(wasp_guest_rt::block_on(Three::one()), "three");
    }
}

mod nothing_but_text {
    wasp_guest_rt::generate!({ path: [], inline: "package test:text; world w { import f: func(); }" });
}

/// What a library that brings the runtime along has.
mod library {
    pub(crate) use wasp_guest_rt::rt;
}

mod runtime_of_a_library {
    wasp_guest_rt::generate!({ path: "tests/wit/one", runtime_path: "crate::library::rt", type_section_suffix: "library" });
}

mod borrowed_async_params {
    wasp_guest_rt::generate!({
        inline: "package my:store;
            interface keys {
                record entry { key: string, value: list<u8> }
                record both { first: entry, pair: tuple<u32, string> }
                variant what { none, one(entry) }
                type text = string;
                resource session {
                    constructor();
                    find: async func(key: string, within: list<entry>) -> u32;
                    plain: async func(n: u32) -> u32;
                }
                put: async func(entry: entry, what: what, text: text, of: borrow<session>) -> bool;
                swap: async func(entries: list<entry>, names: list<string>, both: both) -> list<entry>;
                send: async func(session: session, name: string) -> stream<u8>;
            }
            world w { import keys; }",
        borrowed_async_params,
    });

    use my::store::keys::*;

    /// Never called: there is nobody to import from.
    #[expect(dead_code)]
    async fn all_ways(entry: Entry, entries: Vec<Entry>, both: Both, session: Session) {
        put(&entry, &What::None, "text", &session).await;
        put(entry, What::None, String::new(), &session).await;
        swap(&entries, &["a".to_string()][..], &both).await;
        swap(&entries[..1], Vec::new(), both).await;
        session.find("key", &entries).await;
        session.find("key".to_string(), entries).await;
        let plain = session.plain(1);
        plain.await;
        send(session, "name").await;
    }
}

mod names_of_parameters {
    wasp_guest_rt::generate!({
        inline: "package test:names;
        interface names {
            here: func(%import: u32, slots: string, to: u32, args: u32, %result: u32, call: u32) -> string;
            later: async func(%import: list<string>, slots: u32, to: u32, task-return: u32) -> string;
            resource thing { constructor(%import: u32); act: func(%import: string, handle: u32, rep: u32) -> u32; }
        }
        world w { import names; export names; export run: async func(%import: u32, task-return: string) -> u32; }",
    });

    #[test]
    fn hide_nothing_that_functions_need() {
        // They are called inside a component only: that they compile is what is promised.
        _ = test::names::names::here;
        _ = test::names::names::later;
    }
}

/// What guests of `wit-bindgen` print, theirs print as well.
mod text_of_types {
    wasp_guest_rt::generate!({
        inline: "package test:text;
        interface types {
            record address { port: u16, flow-info: u32, %type: option<color> }
            record plain { %type: u8 }
            enum color { red, dark-blue }
            variant failure { exist, not-empty(address) }
            /// Ignored.
            enum code {
                /// Nobody knows.
                unknown,
                too-long,
            }
            f: func(color: color, plain: plain) -> result<_, failure>;
            g: func() -> result<_, code>;
        }
        world w { import types; }",
    });

    use test::text::types::{Address, Code, Color, Failure, Plain};

    #[test]
    fn is_that_of_wit_bindgen() {
        let address = || Address { port: 1, flow_info: 0, type_: Some(Color::DarkBlue) };
        assert_eq!(format!("{:?}", address()), "Address { port: 1, flow-info: 0, type: Some(Color::DarkBlue) }");
        assert_eq!(format!("{:?}", Plain { type_: 1 }), "Plain { type: 1 }");
        assert_eq!(format!("{:?} {0:>9?}", Color::Red), "Color::Red Color::Red");
        assert_eq!(format!("{:?} {0}", Failure::Exist), "Failure::Exist Failure::Exist");
        let failure = Failure::NotEmpty(Address { type_: None, ..address() });
        assert_eq!(failure.to_string(), "Failure::NotEmpty(Address { port: 1, flow-info: 0, type: None })");
        let code = "Code { code: 0, name: \"unknown\", message: \"Nobody knows.\" }";
        assert_eq!(format!("{:?}", Code::Unknown), code);
        assert_eq!(Code::TooLong.to_string(), "too-long (error 1)");
    }
}

/// Who exports needs no runtime of its own: it may be one that only the bindings can name.
mod library_that_hides_its_runtime {
    mod hidden {
        pub(super) use wasp_guest_rt::rt;
    }

    pub(crate) mod bindings {
        wasp_guest_rt::generate!({
            inline: "package test:hidden; interface tasks { hide: async func(); } world w { export tasks; export hide-too: async func(); }",
            runtime_path: "super::hidden::rt",
        });
    }
}

mod user_of_that_library {
    use super::library_that_hides_its_runtime::bindings;

    struct User;

    impl bindings::Guest for User {
        async fn hide_too() {}
    }

    impl bindings::exports::test::hidden::tasks::Guest for User {
        async fn hide() {}
    }

    bindings::export!(User with_types_in super::library_that_hides_its_runtime::bindings);
}
