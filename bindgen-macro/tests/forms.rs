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
