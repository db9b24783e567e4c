//! One mistake is one error, at the token that is wrong.

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
