//! Handles: when they pass to the other side, and when we drop them.

use crate::allocator::no_leak;
use crate::types::*;
use std::marker::PhantomData;
use wasp_guest_rt::__rt::{self, Borrows, Lift, Lower, Map};

fn conn(handle: u32) -> Conn {
    // SAFETY: handles of the tests are numbers.
    unsafe { Conn::from_handle(handle) }
}

#[test]
fn a_handle_is_dropped_once_unless_the_other_side_took_it() {
    drop(conn(1));
    assert_eq!(dropped(), [1]);
    let taken = conn(2);
    assert_eq!((taken.handle(), taken.take_handle()), (2, 2));
    drop(taken);
    assert_eq!(dropped(), []);
}

#[test]
fn only_types_that_own_something_are_walked_to_disown_it() {
    const fn owns<T: Lower<World>>() -> bool {
        T::OWNS
    }
    const { assert!(owns::<Conn>() && owns::<Vec<Conn>>() && owns::<Option<(u8, Conn)>>() && owns::<[Conn; 2]>()) };
    const { assert!(owns::<Result<u8, Conn>>() && owns::<Map<u8, Conn>>() && owns::<Box<[Conn]>>()) };
    const { assert!(!owns::<&Conn>() && !owns::<Vec<&Conn>>() && !owns::<Vec<u8>>() && !owns::<Item>()) };
    const { assert!(owns::<__rt::Args<(u8,), (Conn,)>>() && owns::<__rt::Indirect<Conn, 1>>()) };
}

#[test]
fn a_call_takes_what_it_was_given_and_not_what_it_was_lent() {
    let lent = conn(1);
    let params = (&lent, conn(2), vec![conn(3), conn(4)], Some(conn(5)), Err::<(), _>(conn(6)), [conn(7)]);
    // SAFETY: nothing is imported.
    unsafe {
        __rt::sync_call::<World, _, (), 9>(params, |slots| {
            assert_eq!((slots[0], slots[1], slots[3]), (1, 2, 2));
            assert_eq!(slots[4..], [1, 5, 1, 6, 7]);
            0
        })
    };
    assert_eq!(dropped(), []);
    drop(lent);
    assert_eq!(dropped(), [1]);
}

#[test]
fn a_result_gives_away_its_handles() {
    assert_eq!(__rt::return_flat::<World, _>(conn(1)), 1);
    __rt::task_return::<World, _, 2>(vec![conn(2)], |_| assert_eq!(dropped(), [], "still ours"));
    let map = Map::from([(1u8, conn(3)), (2, conn(4))]);
    __rt::task_return::<World, _, 2>(map, |_| ());
    __rt::task_return::<World, _, 1>(__rt::Indirect::<_, 1>::new((7u32, conn(5))), |_| ());
    static RESULT: __rt::Returned<(String, Conn), 3> = __rt::Returned::new();
    // SAFETY: one thread uses this static.
    unsafe {
        RESULT.store::<World>(("x".into(), conn(6)), false);
        RESULT.release();
    }
    assert_eq!(dropped(), []);
}

#[test]
fn borrows_live_until_they_are_closed() {
    no_leak(|| {
        let borrows = Borrows::open();
        // SAFETY: the borrows are open.
        let (one, many) = unsafe { <(&Conn, [&Conn; 2]) as Lift<World>>::load([1u32, 2, 3].as_ptr().cast()) };
        assert_eq!((one.handle(), many[0].handle(), many[1].handle()), (1, 2, 3));
        assert_eq!(dropped(), []);
        drop(borrows);
        let mut handles = dropped();
        handles.sort();
        assert_eq!(handles, [1, 2, 3]);
        dropped();
    });
}

#[test]
fn borrows_of_two_running_exports_do_not_mix() {
    let first = Borrows::open();
    // SAFETY: the borrows are open.
    let one = unsafe { <&Conn as Lift<World>>::load([1u32].as_ptr().cast()) };
    let second = Borrows::open();
    // SAFETY: the borrows are open.
    unsafe { <&Conn as Lift<World>>::load([2u32].as_ptr().cast()) };
    drop(second);
    assert_eq!((dropped(), one.handle()), (vec![2], 1));
    drop(first);
    assert_eq!(dropped(), [1]);
}

#[test]
fn a_borrow_outside_of_all_is_kept_for_ever() {
    // What a static reaches is not leaked.
    static KEPT: std::sync::OnceLock<&Conn> = std::sync::OnceLock::new();
    drop(Borrows::open());
    // SAFETY: there are no borrows that could be dropped.
    let one = KEPT.get_or_init(|| unsafe { <&Conn as Lift<World>>::load([1u32].as_ptr().cast()) });
    drop(Borrows::open());
    assert_eq!((dropped(), one.handle()), (vec![], 1));
}

/// The borrow of an exported resource.
struct SessBorrow<'a> {
    rep: *const u8,
    lifetime: PhantomData<&'a ()>,
}

impl SessBorrow<'_> {
    /// # Safety
    /// None, here.
    unsafe fn lift(rep: *const u8) -> Self {
        SessBorrow { rep, lifetime: PhantomData }
    }
}

__rt::exported_borrow!(SessBorrow, World);

#[test]
fn a_borrow_of_an_exported_resource_is_its_representation() {
    // SAFETY: the representation is a number.
    let (borrow, list) = unsafe { __rt::lift_params::<World, (SessBorrow<'_>, u8), 2>([0x1000, 7]) };
    assert_eq!((borrow.rep.addr(), borrow.lifetime, list), (0x1000, PhantomData, 7));
}

#[test]
fn handles_cross_threads() {
    fn check<T: Send + Sync>() {}
    check::<Conn>();
    check::<__rt::Scratch>();
    check::<wasp_guest_rt::ErrorContext>();
}

/// A record as bindings have it, with a destructor of the user's.
struct Report(String);

impl Drop for Report {
    fn drop(&mut self) {
        drop(conn(9));
    }
}

// SAFETY: walked as what it has.
unsafe impl __rt::Abi<World> for Report {
    const SHAPE: __rt::Shape = <String as __rt::Abi<World>>::SHAPE;
}

// SAFETY: walked as what it has.
unsafe impl Lower<World> for Report {
    unsafe fn lower<S: __rt::Sink<World = World>>(&self, to: &mut S) {
        // SAFETY: the caller promises the same.
        unsafe { Lower::<World>::lower(&self.0, to) }
    }
}

#[test]
fn a_destructor_of_a_result_runs_before_its_export_returns() {
    const { assert!(__rt::has_destructor!(Item, Report) && !__rt::has_destructor!(Item, Tone)) };
    static RESULT: __rt::Returned<Report, { __rt::words::<World, Report>() }> = __rt::Returned::new();
    no_leak(|| {
        // SAFETY: one thread uses this static, and reads the result before it is released.
        unsafe {
            let area = RESULT.store::<World>(Report("a text".into()), __rt::has_destructor!(Report));
            assert_eq!(dropped(), [9], "it may call imports only now");
            let (text, len) = (area.cast::<*const u8>().read(), area.cast::<usize>().add(1).read());
            let text = std::slice::from_raw_parts(text, len);
            assert_eq!(text, b"a text");
            RESULT.release();
        }
        assert_eq!(dropped(), []);
    });
}

#[test]
fn whatever_holds_a_reference_says_so() {
    const fn borrows<T: Lower<World>>() -> bool {
        T::BORROWS
    }
    const { assert!(borrows::<&str>() && borrows::<Option<&str>>() && borrows::<Result<u8, &str>>()) };
    const { assert!(borrows::<Vec<&str>>() && borrows::<Box<[&str]>>() && borrows::<[&str; 2]>()) };
    const { assert!(borrows::<Map<u8, &str>>() && borrows::<Map<&str, u8>>() && borrows::<(u8, &str)>()) };
    const { assert!(!borrows::<String>() && !borrows::<Vec<&Conn>>() && !borrows::<Result<Item, Map<u8, Conn>>>()) };
}
