//! Flat core values: slots of 64 bits, zero-extended, so that joins of variants are the identity.

use super::{Abi, Lift, Lower, Scratch, Sink, Source};
use crate::later;
use core::marker::PhantomData;
use core::ptr;

/// A cursor over slots to lift from.
pub(crate) struct FlatSource<W> {
    at: *const u64,
    world: PhantomData<fn() -> W>,
}

/// A cursor over slots to lower into.
pub(crate) struct FlatSink<W> {
    at: *mut u64,
    scratch: *mut Scratch,
    world: PhantomData<fn() -> W>,
}

/// Lifts a value from all of its slots.
///
/// # Safety
/// As for [`Lift::lift`]; `N` is at least the number of slots of `T`.
#[inline(always)]
pub(crate) unsafe fn lift_flat<W, T: Lift<W>, const N: usize>(slots: [u64; N]) -> T {
    const { assert!(T::SHAPE.slots <= N) };
    // SAFETY: the caller's promise; there are enough slots.
    unsafe { T::lift(&mut FlatSource { at: slots.as_ptr(), world: PhantomData }) }
}

/// Lowers a value into its slots, which borrow from it and from `scratch`. Runs code of users in the end, if the value has
/// readers: see [`later`].
#[inline(always)]
pub(crate) fn lower_flat<W, T: Lower<W>, const N: usize>(value: &T, scratch: &mut Scratch) -> [u64; N] {
    const { assert!(T::SHAPE.slots == N) };
    lower_padded::<W, T, N>(value, scratch)
}

/// The same with more slots than there need be; those are zero.
#[inline(always)]
pub(crate) fn lower_padded<W, T: Lower<W>, const N: usize>(value: &T, scratch: &mut Scratch) -> [u64; N] {
    const { assert!(T::SHAPE.slots <= N) };
    let mut slots = [0; N];
    // SAFETY: there are as many slots as a value of this type has.
    unsafe { value.lower(&mut FlatSink { at: slots.as_mut_ptr(), scratch, world: PhantomData }) }
    if T::OWNS {
        later::settle();
    }
    slots
}

impl<W> FlatSource<W> {
    /// # Safety
    /// There is another slot.
    #[inline(always)]
    unsafe fn slot(&mut self) -> u64 {
        // SAFETY: the caller knows that there is another slot.
        unsafe {
            let slot = *self.at;
            self.at = self.at.add(1);
            slot
        }
    }
}

impl<W> FlatSink<W> {
    /// # Safety
    /// There is room for another slot.
    #[inline(always)]
    unsafe fn slot(&mut self, slot: u64) {
        // SAFETY: the caller knows that there is another slot.
        unsafe {
            self.at.write(slot);
            self.at = self.at.add(1);
        }
    }
}

/// The functions of a source that read one slot.
macro_rules! read {
    ($($name:ident: $ty:ty, |$slot:ident| $value:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(&mut self) -> $ty {
            // SAFETY: the caller's promise.
            let $slot = unsafe { self.slot() };
            $value
        }
    )*};
}

/// The functions of a sink that write one slot.
macro_rules! write {
    ($($name:ident: $ty:ty, |$value:ident| $slot:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(&mut self, $value: $ty) {
            // SAFETY: the caller's promise.
            unsafe { self.slot($slot) }
        }
    )*};
}

impl<W> Source for FlatSource<W> {
    type World = W;

    #[inline(always)]
    unsafe fn take<T: Lift<W>>(&mut self) -> T {
        // SAFETY: the caller's promise.
        unsafe { T::lift(self) }
    }

    #[inline(always)]
    unsafe fn variant<T: Abi<W>>(&mut self, _tag: usize) -> (u32, Self) {
        // SAFETY: the slots of a variant are its case and those of its widest payload.
        unsafe {
            let end = self.at.add(T::SHAPE.slots);
            let case = self.u32();
            (case, FlatSource { at: core::mem::replace(&mut self.at, end), world: PhantomData })
        }
    }

    read! {
        u8: u8, |slot| slot as u8;
        u16: u16, |slot| slot as u16;
        u32: u32, |slot| slot as u32;
        u64: u64, |slot| slot;
        f32: f32, |slot| f32::from_bits(slot as u32);
        f64: f64, |slot| f64::from_bits(slot);
        usize: usize, |slot| slot as usize;
        pointer: *mut u8, |slot| ptr::with_exposed_provenance_mut(slot as usize);
    }
}

impl<W> Sink for FlatSink<W> {
    type World = W;

    #[inline(always)]
    unsafe fn put<T: Lower<W> + ?Sized>(&mut self, value: &T) {
        // SAFETY: the caller's promise.
        unsafe { value.lower(self) }
    }

    #[inline(always)]
    unsafe fn variant<T: Abi<W>>(&mut self, _tag: usize, case: u32) -> Self {
        // SAFETY: the slots of a variant are its case and those of its widest payload. Those that this case leaves
        // over are zero.
        unsafe {
            let end = self.at.add(T::SHAPE.slots);
            self.u32(case);
            let payload = core::mem::replace(&mut self.at, end);
            for i in 0..T::SHAPE.slots - 1 {
                payload.add(i).write(0);
            }
            FlatSink { at: payload, scratch: self.scratch, world: PhantomData }
        }
    }

    write! {
        u8: u8, |value| u64::from(value);
        s8: i8, |value| u64::from(value as i32 as u32);
        u16: u16, |value| u64::from(value);
        s16: i16, |value| u64::from(value as i32 as u32);
        u32: u32, |value| u64::from(value);
        u64: u64, |value| value;
        f32: f32, |value| u64::from(value.to_bits());
        f64: f64, |value| value.to_bits();
        usize: usize, |value| value as u64;
        pointer: *const u8, |value| value.expose_provenance() as u64;
    }

    #[inline(always)]
    fn scratch(&mut self) -> &mut Scratch {
        // SAFETY: it outlives the lowering, and no other reference is live.
        unsafe { &mut *self.scratch }
    }
}
