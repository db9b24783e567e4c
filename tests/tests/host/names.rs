//! Names that WIT allows and generators trip over: that this compiles is the test, as a host and as a guest.

wasp_host_rt::generate!({ path: "../wit/hostile-names.wit", world: "host", generate_all });

#[test]
fn names_that_mean_something_else_elsewhere_are_names() {
    use wasp::hostile::words::{Error, Option, Result};
    let value = Result::Some(Option { self_: 1, type_: "a".into() });
    assert!(format!("{value:?}").starts_with("Some(Option"));
    assert_eq!(Error::Self_.message(), "");
    assert_eq!(Error::Self_.name(), "self");
}
