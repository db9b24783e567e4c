//! The least code that the canonical ABI allows: one static for each thing, no allocation, one waitable set for ever. What
//! it does not do traps.

// It is only ever built for wasm; elsewhere there is nothing to link it with.
#![cfg(target_family = "wasm")]
#![allow(static_mut_refs, clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks, missing_docs)]

use core::arch::wasm32::unreachable;

#[link(wasm_import_module = "wasp:bench/backend")]
unsafe extern "C" {
    #[link_name = "[async-lower]ready"]
    fn ready(x: u32, result: *mut u32) -> u32;
    #[link_name = "[async-lower]later"]
    fn later(x: u32, result: *mut u32) -> u32;
    #[link_name = "[async-lower]sum"]
    fn sum(bytes: *const u8, len: usize, result: *mut u64) -> u32;
}

#[link(wasm_import_module = "[export]wasp:bench/api")]
unsafe extern "C" {
    #[link_name = "[task-return]add"]
    fn return_add(sum: u32);
    #[link_name = "[task-return]echo-string"]
    fn return_string(text: *const u8, len: usize);
    #[link_name = "[task-return]echo-points"]
    fn return_points(points: *const u8, len: usize);
    #[link_name = "[task-return]call-ready"]
    fn return_ready(sum: u32);
    #[link_name = "[task-return]call-later"]
    fn return_later(sum: u32);
    #[link_name = "[task-return]call-sum"]
    fn return_sum(sum: u64);
}

#[link(wasm_import_module = "$root")]
unsafe extern "C" {
    #[link_name = "[waitable-set-new]"]
    fn set_new() -> u32;
    #[link_name = "[waitable-join]"]
    fn join(waitable: u32, set: u32);
    #[link_name = "[subtask-drop]"]
    fn subtask_drop(subtask: u32);
}

const EXIT: u32 = 0;
const WAIT: u32 = 2;
const RETURNED: u32 = 2;

/// What the engine passes goes here, again and again: each call is over before the next one begins.
static mut MEMORY: [u64; 1024] = [0; 1024];
static mut USED: usize = 0;

#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(_: *mut u8, _: usize, align: usize, size: usize) -> *mut u8 {
    unsafe {
        let at = USED.next_multiple_of(align);
        if at + size > size_of_val(&MEMORY) {
            unreachable();
        }
        USED = at + size;
        (&raw mut MEMORY).cast::<u8>().add(at)
    }
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#add")]
unsafe extern "C" fn add(a: u32, b: u32) -> u32 {
    unsafe { return_add(a.wrapping_add(b)) }
    EXIT
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#echo-string")]
unsafe extern "C" fn echo_string(text: *const u8, len: usize) -> u32 {
    unsafe {
        return_string(text, len);
        USED = 0;
    }
    EXIT
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#echo-points")]
unsafe extern "C" fn echo_points(points: *const u8, len: usize) -> u32 {
    unsafe {
        return_points(points, len);
        USED = 0;
    }
    EXIT
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#call-ready")]
unsafe extern "C" fn call_ready(n: u32) -> u32 {
    static mut RESULT: u32 = 0;
    let mut total = 0_u32;
    for i in 0..n {
        unsafe {
            if ready(i, &raw mut RESULT) != RETURNED {
                unreachable();
            }
            total = total.wrapping_add((&raw const RESULT).read_volatile());
        }
    }
    unsafe { return_ready(total) }
    EXIT
}

static mut LATER: Later = Later { set: 0, i: 0, n: 0, total: 0, result: 0 };

struct Later {
    set: u32,
    i: u32,
    n: u32,
    total: u32,
    result: u32,
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#call-later")]
unsafe extern "C" fn call_later(n: u32) -> u32 {
    unsafe {
        if LATER.set == 0 {
            LATER.set = set_new();
        }
        (LATER.i, LATER.n, LATER.total) = (0, n, 0);
        next_later()
    }
}

unsafe fn next_later() -> u32 {
    unsafe {
        while LATER.i < LATER.n {
            let status = later(LATER.i, &raw mut LATER.result);
            LATER.i += 1;
            if status != RETURNED {
                join(status >> 4, LATER.set);
                return WAIT | LATER.set << 4;
            }
            LATER.total = LATER.total.wrapping_add((&raw const LATER.result).read_volatile());
        }
        return_later(LATER.total);
    }
    EXIT
}

#[unsafe(export_name = "[callback][async-lift]wasp:bench/api#call-later")]
unsafe extern "C" fn later_returned(_: u32, subtask: u32, _: u32) -> u32 {
    unsafe {
        subtask_drop(subtask);
        LATER.total = LATER.total.wrapping_add((&raw const LATER.result).read_volatile());
        next_later()
    }
}

#[unsafe(export_name = "[async-lift]wasp:bench/api#call-sum")]
unsafe extern "C" fn call_sum(n: u32) -> u32 {
    static KEPT: [u8; 64 * 1024] = [1; 64 * 1024];
    static mut RESULT: u64 = 0;
    let mut total = 0;
    for _ in 0..n {
        unsafe {
            if sum(KEPT.as_ptr(), KEPT.len(), &raw mut RESULT) != RETURNED {
                unreachable();
            }
            total += (&raw const RESULT).read_volatile();
        }
    }
    unsafe { return_sum(total) }
    EXIT
}

/// Callbacks of what never waits, and functions that are not part of the floor.
macro_rules! trap {
    ($($name:ident: $export:literal ($($param:ident),*) -> $result:ty;)*) => {$(
        #[unsafe(export_name = $export)]
        extern "C" fn $name($(_: $param),*) -> $result {
            unreachable()
        }
    )*};
}

trap! {
    callback_add: "[callback][async-lift]wasp:bench/api#add" (u32, u32, u32) -> u32;
    callback_string: "[callback][async-lift]wasp:bench/api#echo-string" (u32, u32, u32) -> u32;
    callback_points: "[callback][async-lift]wasp:bench/api#echo-points" (u32, u32, u32) -> u32;
    callback_ready: "[callback][async-lift]wasp:bench/api#call-ready" (u32, u32, u32) -> u32;
    callback_sum: "[callback][async-lift]wasp:bench/api#call-sum" (u32, u32, u32) -> u32;
    join_later: "[async-lift]wasp:bench/api#join-later" (u32) -> u32;
    callback_join: "[callback][async-lift]wasp:bench/api#join-later" (u32, u32, u32) -> u32;
    poll_later: "[async-lift]wasp:bench/api#poll-later" (u32) -> u32;
    callback_poll: "[callback][async-lift]wasp:bench/api#poll-later" (u32, u32, u32) -> u32;
    wake: "[async-lift]wasp:bench/api#wake" (u32, u32) -> u32;
    callback_wake: "[callback][async-lift]wasp:bench/api#wake" (u32, u32, u32) -> u32;
    read_bytes: "[async-lift]wasp:bench/api#read-bytes" (u32) -> u32;
    callback_read: "[callback][async-lift]wasp:bench/api#read-bytes" (u32, u32, u32) -> u32;
    write_bytes: "[async-lift]wasp:bench/api#write-bytes" (u32) -> u32;
    callback_write: "[callback][async-lift]wasp:bench/api#write-bytes" (u32, u32, u32) -> u32;
    read_points: "[async-lift]wasp:bench/api#read-points" (u32) -> u32;
    callback_read_points: "[callback][async-lift]wasp:bench/api#read-points" (u32, u32, u32) -> u32;
}

#[unsafe(export_name = "wasp:bench/api#built-ins")]
extern "C" fn built_ins() -> u64 {
    core::hint::black_box(0x6275_696c)
}

#[unsafe(export_name = "wasp:bench/api#allocations")]
extern "C" fn allocations() -> u64 {
    0
}
