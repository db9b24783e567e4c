//! What generation costs is bounded by the input.

use std::fmt::Write as _;
use wasp_bindgen_core::{Options, guest, host};

#[test]
fn types_that_are_shared_are_walked_once() {
    // Half a million types, if each is counted wherever it is: walked for each function, they would take minutes.
    let mut wit = String::from("package a:b;\ninterface i {\nrecord r0 { a: u8 }\n");
    for i in 1..18 {
        writeln!(wit, "record r{i} {{ a: tuple<r{0}, r{0}> }}", i - 1).expect("strings take all");
    }
    for i in 0..2000 {
        writeln!(wit, "function{i}: func(a: r17) -> list<r17>;").expect("strings take all");
    }
    wit += "}\nworld w { import i; export i; }";
    let options = Options { inline: Some(wit), ..Options::default() };
    assert!(guest(&options).is_ok_and(|generated| generated.tokens.to_string().contains("fn function1999")));
    assert!(host(&options).is_ok_and(|generated| generated.tokens.to_string().contains("fn function1999")));
}
