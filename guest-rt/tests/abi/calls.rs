//! Calls as generated code makes them.

use crate::types::*;
use wasp_guest_rt::__rt;

#[test]
fn a_flat_call_passes_slots_and_lifts_its_slot() {
    let name = String::from("ab");
    // SAFETY: the closure stands in for a function of these types.
    let tone = unsafe {
        __rt::sync_call::<World, _, Tone, 3>((7u8, name.as_str()), |slots| {
            assert_eq!((slots[0], slots[2]), (7, 2));
            let bytes = std::ptr::with_exposed_provenance::<u8>(slots[1] as usize);
            assert_eq!(std::slice::from_raw_parts(bytes, 2), b"ab");
            1
        })
    };
    assert_eq!(tone, Tone::Middle);
}

#[test]
fn an_indirect_call_lifts_what_was_written_to_its_area() {
    const WORDS: usize = __rt::words::<World, Item>();
    let expected = Item { id: 9, name: "nine".into(), age: 3 };
    // SAFETY: the closure stands in for a function of these types.
    let item = unsafe {
        __rt::sync_call_indirect::<World, _, Item, 0, WORDS>((), |[], area| {
            let val = crate::reference::Val::Items(vec![
                crate::reference::Val::Bits(9),
                crate::reference::Val::Text("nine".into()),
                crate::reference::Val::Bits(3),
            ]);
            crate::reference::store(&Item::ty(), &val, std::ptr::with_exposed_provenance_mut(area));
        })
    };
    assert_eq!(item, expected);
}

#[test]
fn an_import_that_is_not_there_names_itself() {
    __rt::import!("my:pkg/store@1.0.0", "[method]conn.peek", fn import(a: u32, b: usize) -> u32);
    // SAFETY: natively this is a function that panics.
    let panic = std::panic::catch_unwind(|| unsafe { import(1, 2) }).expect_err("there is nobody to call");
    let message = panic.downcast_ref::<String>().expect("a formatted message");
    assert!(message.contains("`[method]conn.peek` of `my:pkg/store@1.0.0`"), "{message}");
}

#[test]
#[should_panic(expected = "not one of its type")]
fn a_case_that_does_not_exist_is_refused() {
    // SAFETY: the value is invalid, which is what is tested.
    unsafe { __rt::lift_params::<World, Tone, 1>([3]) };
}
