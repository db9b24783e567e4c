//! Who frees what, and when.

use crate::allocator::no_leak;
use crate::reference::{Random, load, store};
use crate::types::*;
use wasp_guest_rt::__rt::{self, Abi, Args, Lower, Returned, Scratch};

type Many = Args<
    (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, u8, Tone, u8, u16),
    (u8, Option<String>, Vec<Item>, [String; 3]),
>;

#[test]
fn spilled_parameters_are_lifted_and_their_area_is_freed() {
    let ty = Many::ty();
    let mut random = Random(7);
    for _ in 0..20 {
        let val = random.value(&ty);
        no_leak(|| {
            // SAFETY: there is no old memory; then the area has a value of this type, for us to keep.
            let params = unsafe {
                let area = __rt::cabi_realloc(std::ptr::null_mut(), 0, ty.align(), ty.size());
                store(&ty, &val, area);
                __rt::lift_indirect::<World, Many>([area.expose_provenance() as u64])
            };
            let spilled = __rt::Indirect::<_, { __rt::words::<World, Many>() }>::new(params);
            __rt::task_return::<World, _, 1>(spilled, |[area]| {
                assert_eq!(load(&ty, std::ptr::with_exposed_provenance(area as usize)), val);
            });
        });
    }
}

#[test]
fn a_scratch_frees_what_was_lowered_into_it() {
    let items = vec![Item { id: 1, name: "one".into(), age: 1 }; 3];
    let mut area = [0usize; 2];
    let ((), allocations) = no_leak(|| {
        let mut scratch = Scratch::new();
        // SAFETY: there is room for a list.
        unsafe { Lower::<World>::store(&items, area.as_mut_ptr().cast(), &mut scratch) };
    });
    assert_eq!(allocations, 1, "one array, and the strings are lent");
    let ((), allocations) = no_leak(|| {
        let mut scratch = Scratch::new();
        // SAFETY: there is room for a list.
        unsafe { Lower::<World>::store(&Vec::<Item>::new(), area.as_mut_ptr().cast(), &mut scratch) };
    });
    assert_eq!(allocations, 0, "an empty list needs no memory");
}

#[test]
fn what_a_deep_scratch_holds_outlives_the_value() {
    type Value = (String, Vec<u8>, Vec<Item>, Option<String>, [String; 2], __rt::Map<String, String>);
    let ty = crate::reference::Ty::Record(vec![
        String::ty(),
        Vec::<u8>::ty(),
        Vec::<Item>::ty(),
        Option::<String>::ty(),
        <[String; 2]>::ty(),
        __rt::Map::<String, String>::ty(),
    ]);
    let mut random = Random(3);
    for _ in 0..20 {
        let val = random.value(&ty);
        no_leak(|| {
            let mut area = [0u64; 32];
            let mut scratch = Scratch::deep();
            // SAFETY: the reference stores a value of this type, for us to keep; there is room for it.
            unsafe {
                let area = area.as_mut_ptr().cast::<u8>();
                store(&ty, &val, area);
                let value = <Value as __rt::Lift<World>>::load(area);
                area.write_bytes(0xaa, 200);
                Lower::<World>::store(&value, area, &mut scratch);
                let before = load(&ty, area);
                drop(value);
                assert_eq!(load(&ty, area), before);
            }
        });
    }
}

#[test]
fn a_returned_result_stays_until_it_is_released() {
    static RESULT: Returned<Vec<Item>, { __rt::words::<World, Vec<Item>>() }> = Returned::new();
    let items = |n: u32| (0..n).map(|id| Item { id, name: format!("item {id}"), age: 0 }).collect::<Vec<_>>();
    no_leak(|| {
        for n in [3, 0, 5] {
            // SAFETY: one thread uses this static.
            unsafe {
                let area = RESULT.store::<World>(items(n), false);
                let crate::reference::Val::Items(list) = load(&Vec::<Item>::ty(), area) else { unreachable!() };
                assert_eq!(list.len(), n as usize);
                if n != 3 {
                    RESULT.release();
                }
            }
        }
    });
    // SAFETY: one thread uses this static.
    unsafe {
        RESULT.store::<World>(items(2), false);
        no_leak(|| RESULT.store::<World>(items(2), false));
        RESULT.release();
    }
}

#[test]
fn realloc_grows_what_it_allocated() {
    no_leak(|| {
        // SAFETY: sizes and alignments are those of the calls before.
        unsafe {
            let memory = __rt::cabi_realloc(std::ptr::null_mut(), 0, 8, 4);
            memory.copy_from_nonoverlapping([1, 2, 3, 4].as_ptr(), 4);
            let memory = __rt::cabi_realloc(memory, 4, 8, 64);
            assert_eq!(std::slice::from_raw_parts(memory, 4), [1, 2, 3, 4]);
            std::alloc::dealloc(memory, std::alloc::Layout::from_size_align(64, 8).expect("valid"));
            let nothing = __rt::cabi_realloc(std::ptr::null_mut(), 0, 4, 0);
            assert_eq!(nothing.addr(), 4, "aligned, and never null");
        }
    });
}

#[test]
fn shapes_are_known_at_compile_time() {
    const MANY: usize = __rt::words::<World, Many>();
    assert_eq!(MANY, Many::ty().size().div_ceil(8));
    assert_eq!(<Many as Abi<World>>::SHAPE.slots, Many::ty().flatten().len());
}
