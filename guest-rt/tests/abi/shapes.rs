//! Every shape of type, through flat slots and through memory, in both directions, against the reference.

use crate::allocator::no_leak;
use crate::reference::{Random, Val, lift_flat, load, lower_flat, store};
use crate::types::*;
#[cfg(feature = "std")]
use std::collections::HashMap;
use wasp_guest_rt::__rt::{self, Abi, Args, Lift, Lower, Map, Scratch};

const ROUNDS: u64 = if cfg!(miri) { 2 } else { 300 };

/// Room for a value of any type of these tests.
#[repr(align(8))]
struct Room([u8; 1024]);

/// Values of `$ty` that the reference wrote come out of our lift and our lower as they went in.
macro_rules! walks {
    ($($(#[$attribute:meta])* $name:ident: $($ty:ty),* ;)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            $( flat_and_memory!($ty); )*
        }
    )*};
}

macro_rules! flat_and_memory {
    ($ty:ty) => {{
        const SLOTS: usize = <$ty as Abi<World>>::SHAPE.slots;
        let ty = <$ty as Described>::ty();
        let name = stringify!($ty);
        let shape = <$ty as Abi<World>>::SHAPE;
        assert_eq!((shape.size, shape.align, shape.slots), (ty.size(), ty.align(), ty.flatten().len()), "{name}");
        let mut random = Random(shape.size as u64);
        for _ in 0..ROUNDS {
            let val = random.value(&ty);
            no_leak(|| {
                let slots: [u64; SLOTS] = lower_flat(&ty, &val).try_into().expect(name);
                // SAFETY: the reference lowered a value of this type, for us to keep.
                let value = unsafe { __rt::lift_params::<World, $ty, SLOTS>(slots) };
                let lifted = std::cell::RefCell::new(None);
                __rt::task_return::<World, _, SLOTS>(value, |slots| {
                    *lifted.borrow_mut() = Some(lift_flat(&ty, &slots))
                });
                same(name, lifted.into_inner().expect(name), &val);
            });
            no_leak(|| same(name, through_memory::<$ty>(&val), &val));
        }
        assert_eq!(dropped(), []);
    }};
}

fn through_memory<T: Described + Lift<World> + Lower<World>>(val: &Val) -> Val {
    let ty = T::ty();
    assert!(ty.size() <= size_of::<Room>());
    let (mut theirs, mut ours) = (Room([0xaa; 1024]), Room([0x55; 1024]));
    store(&ty, val, theirs.0.as_mut_ptr());
    let mut scratch = Scratch::new();
    // SAFETY: the reference stored a value of this type, for us to keep; there is room for it.
    unsafe {
        let value = T::load(theirs.0.as_ptr());
        value.store(ours.0.as_mut_ptr(), &mut scratch);
        let back = load(&ty, ours.0.as_ptr());
        value.disown();
        assert!(ours.0[ty.size()..].iter().all(|byte| *byte == 0x55), "wrote beyond its end");
        back
    }
}

/// Maps may come back in another order.
fn same(name: &str, left: Val, right: &Val) {
    if name.starts_with("HashMap") || name.starts_with("Map") {
        let pairs = |val: &Val| {
            let Val::Items(items) = val else { unreachable!() };
            let mut latest = std::collections::BTreeMap::new();
            for item in items {
                let Val::Items(pair) = item else { unreachable!() };
                latest.insert(format!("{:?}", pair[0]), format!("{:?}", pair[1]));
            }
            latest
        };
        assert_eq!(pairs(&left), pairs(right), "{name}");
    } else {
        assert_eq!(left, *right, "{name}");
    }
}

walks! {
    scalars_round_trip: bool, u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, char;
    strings_round_trip: String, Box<str>, (String, String), Option<String>;
    lists_round_trip: Vec<u8>, Vec<i16>, Vec<u64>, Vec<f32>, Vec<f64>, Vec<bool>, Vec<char>, Vec<String>, Vec<Vec<u8>>,
        Vec<Vec<String>>, Vec<Item>, Vec<Option<u64>>, Vec<(u8, u64)>, Box<[u32]>, Box<[Item]>, Vec<()>;
    fixed_length_lists_round_trip: [u8; 3], [u64; 2], [String; 3], [Item; 2], [Option<f32>; 4], [[u16; 2]; 3],
        Vec<[u8; 4]>, Vec<[String; 2]>, [Vec<u8>; 2], (u8, [u32; 3], u8), Option<[u64; 2]>, [bool; 5];
    options_round_trip: Option<u8>, Option<u64>, Option<f32>, Option<Option<u8>>, Option<Option<Option<String>>>,
        (Option<u8>, Option<u64>, u8), Option<()>, Option<(u8, Option<u16>)>;
    results_round_trip: Result<(), ()>, Result<u8, ()>, Result<(), String>, Result<f32, u64>, Result<u64, f32>, Result<f64, String>,
        Result<Result<f32, i8>, Option<f64>>, Result<Vec<Item>, Mixed>, (Result<u32, f32>, u8), Result<(f32, f64), (u64, u32)>;
    tuples_round_trip: (u8,), (u8, u64), (u64, u8), (u8, u16, u32), (u8, (u16, u8), u8, (u64,), u8),
        (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, u8, Tone, u8, u16);
    records_round_trip: Item, (Item, Item), Option<Item>;
    variants_round_trip: Mixed, Vec<Mixed>, Option<Mixed>, Result<Mixed, Item>, Tone, Vec<Tone>, Wide, Vec<Wide>, Option<Wide>;
    flags_round_trip: Few, Some12, Word, Two, Three, Four, (Few, Two, Few, Four), Option<Three>, Vec<Some12>, Result<Two, f32>;
    handles_round_trip: Conn, Vec<Conn>, Option<Conn>, Result<Conn, String>, (u8, Conn), [Conn; 2];
    maps_round_trip: Map<String, u32>, Map<u16, Vec<Item>>;
    #[cfg(feature = "std")]
    hash_maps_round_trip: HashMap<u8, String>, HashMap<String, Option<f32>>;
    chained_parameters_are_one_record: Args<(u32, u8), (u8, u64)>, Args<(u8, u16), Args<(u8,), (String, u8)>>,
        Args<(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, char, u8, Tone, u8, u16), (u8, Option<String>)>;
}

#[test]
fn bytes_of_lists_and_strings_are_lent_and_adopted_without_a_copy() {
    let list = vec![1u64, 2, 3];
    let text = String::from("text");
    let ((), allocations) = no_leak(|| {
        __rt::task_return::<World, _, 4>((&list, text.as_str()), |slots| {
            assert_eq!(slots, [list.as_ptr().addr() as u64, 3, text.as_ptr().addr() as u64, 4]);
        });
    });
    assert_eq!(allocations, 0);
    let at = list.as_ptr();
    // SAFETY: the list's memory is as `cabi_realloc` would have allocated it.
    let back = unsafe {
        let mut list = std::mem::ManuallyDrop::new(list);
        __rt::lift_params::<World, Vec<u64>, 2>([list.as_mut_ptr().expose_provenance() as u64, list.len() as u64])
    };
    assert_eq!((back.as_ptr(), &*back), (at, &[1, 2, 3][..]));
}

#[test]
fn borrowed_forms_lower_like_owned_ones() {
    let (item, other) = (Item { id: 1, name: "one".into(), age: 2 }, Item { id: 3, name: "".into(), age: 4 });
    let names = [item.name.as_str(), "two"];
    let items = [&item, &other];
    let mut scratch = Scratch::new();
    let mut room = Room([0; 1024]);
    let mut stored = |value: &dyn Fn(*mut u8, &mut Scratch), ty| {
        value(room.0.as_mut_ptr(), &mut scratch);
        load(&ty, room.0.as_ptr())
    };
    // SAFETY: there is room for all of these.
    unsafe {
        let strings = stored(&|to, scratch| Lower::<World>::store(&&names[..], to, scratch), Vec::<String>::ty());
        assert_eq!(strings, Val::Items(vec![Val::Text("one".into()), Val::Text("two".into())]));
        let by_reference = stored(&|to, scratch| Lower::<World>::store(&&items[..], to, scratch), Vec::<Item>::ty());
        let owned = vec![item.clone(), other.clone()];
        assert_eq!(by_reference, stored(&|to, scratch| Lower::<World>::store(&owned, to, scratch), Vec::<Item>::ty()));
        let option = stored(&|to, scratch| Lower::<World>::store(&Some("x"), to, scratch), Option::<String>::ty());
        assert_eq!(option, Val::Case(1, Some(Box::new(Val::Text("x".into())))));
    }
}

#[test]
fn values_mean_the_same_on_both_sides() {
    __rt::task_return::<World, _, 5>(Mixed::Tuple((1.0, -1.0, -2)), |slots| {
        assert_eq!(slots, [5, 1.0f64.to_bits(), u64::from((-1.0f32).to_bits()), 0xffff_fffe, 0]);
    });
    __rt::task_return::<World, _, 2>(Err::<u64, f32>(1.5), |slots| assert_eq!(slots, [1, u64::from(1.5f32.to_bits())]));
    __rt::task_return::<World, _, 3>(Some(None::<u8>), |slots| assert_eq!(slots, [1, 0, 0]));
    __rt::task_return::<World, _, 3>(Three::from_bits_retain(1 | 2 << 32 | 3 << 64), |slots| {
        assert_eq!(slots, [1, 2, 3])
    });
    assert_eq!(__rt::return_flat::<World, _>(Tone::High), 2);
    assert_eq!(__rt::return_flat::<World, _>(()), 0);
    assert_eq!(__rt::return_flat::<World, _>(-1i8), 0xffff_ffff);
}
