//! The canonical ABI as two traits: [`Lift`] makes values from core values, [`Lower`] core values from values.
//!
//! One walk per type serves both media, flat slots and linear memory; a [`Source`] or a [`Sink`] is the medium. What is
//! inlined here is measured: the flat walk always (its slot array then dissolves into locals), list loops never.
//!
//! # Variants
//!
//! An impl asks its medium for [`Source::variant`] or [`Sink::variant`], and gets the case and a medium of its own for the
//! payload. What the two media do there differs. In memory (`memory.rs`) the discriminant comes first and the payload lies
//! at the variant's alignment; what is left over is padding. Among slots (`flat.rs`) the payload takes as many as the
//! widest one, and those that a case leaves over are zero. The joins of the canonical ABI, where cases differ in the type
//! of a slot, are the identity: all slots are 64 bits wide and zero-extended. `option.rs` and `result.rs` are the variants
//! of the runtime, the others are printed.

mod borrows;
mod flags;
mod flat;
mod handle;
mod list;
mod map;
mod memory;
mod option;
mod param;
mod result;
mod scalar;
mod scratch;
mod shape;
mod string;
mod tuple;

use alloc::vec::Vec;

pub use borrows::Borrows;
pub use flags::Bits;
pub(crate) use flat::{lift_flat, lower_flat, lower_padded};
pub use handle::{Resource, WasmResource};
pub use map::{Map, WitMap, lift_map, store_map};
pub(crate) use memory::release;
use memory::{Reader, Writer};
pub use param::Param;
pub use scratch::Scratch;
pub use shape::{Shape, width, words};
pub use tuple::{Args, FieldChain, Fields};

/// A type that has a place in the canonical ABI of the world `W`.
///
/// # Safety
/// The shape is that of the WIT type: memory is reserved and laid out by it.
pub unsafe trait Abi<W> {
    /// Its size and alignment in memory and its number of flat slots.
    const SHAPE: Shape;
}

/// A type that can be made from core values.
///
/// Whatever a lift reads was written by the engine or by [`Lower`] of the same shape: that is the contract of all its
/// functions, and what it reads it owns.
///
/// # Safety
/// A lift reads one value of [`Abi::SHAPE`], and no more. [`Lift::PLAIN`] is true only where it may be.
pub unsafe trait Lift<W>: Abi<W> + Sized {
    /// The Rust layout is the canonical layout, and every bit pattern is a value.
    const PLAIN: bool = false;

    /// Takes a value from `from`.
    ///
    /// # Safety
    /// `from` holds a value of this type that nobody else takes.
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self;

    /// Takes the value at `from`.
    ///
    /// # Safety
    /// A value of this type that nobody else takes lies at `from`, aligned.
    #[inline]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self::lift(&mut Reader::<W>::new(from)) }
    }

    /// Takes the array at `from` with its `len` values.
    ///
    /// # Safety
    /// The array was allocated by `cabi_realloc` with the canonical layout of `len` values, and nobody else takes it.
    #[inline(always)]
    unsafe fn load_list(from: *mut u8, len: usize) -> Vec<Self> {
        // SAFETY: the caller's promise, and `PLAIN`.
        unsafe { if Self::PLAIN { list::adopt(from, len) } else { list::load_each::<W, Self>(from, len) } }
    }
}

/// A type that can be written as core values.
///
/// Lowering reads the value in place: what it writes may point into the value and into the [`Scratch`], so both must
/// outlive its use. Ownership moves later, by [`Lower::disown`].
///
/// # Safety
/// Lowering writes one value of [`Abi::SHAPE`], and no more. The constants are as they say: memory is borrowed, copied and
/// given up by them.
pub unsafe trait Lower<W>: Abi<W> {
    /// The Rust layout is the canonical layout.
    const PLAIN: bool = false;
    /// Holds own handles, readable ends or error contexts, so that [`Lower::disown`] does something.
    const OWNS: bool = false;
    /// Holds a reference, to something else than a handle: what it lowers to may point into memory that others own.
    const BORROWS: bool = false;
    /// Holds a reference to a handle, which is lent until the callee has returned.
    const LENDS: bool = false;
    /// Lowers to the address of memory inside of the value, unless the scratch is deep.
    const SPILLS: bool = false;
    /// Lowers to a handle, and to no memory: references to it borrow nothing that matters here.
    const HANDLE: bool = false;

    /// Puts the value into `to`.
    ///
    /// # Safety
    /// `to` has room for a value of this type.
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S);

    /// Writes the value at `to`.
    ///
    /// # Safety
    /// `to` is valid for writes of a value of this type, aligned.
    #[inline]
    unsafe fn store(&self, to: *mut u8, scratch: &mut Scratch) {
        // SAFETY: the caller's promise.
        unsafe { self.lower(&mut Writer::<W>::new(to, scratch)) }
    }

    /// An array of `items` in canonical form: the slice itself where that is one already, else a part of `scratch`.
    #[inline(always)]
    fn store_list(items: &[Self], scratch: &mut Scratch) -> *const u8
    where
        Self: Sized,
    {
        if Self::PLAIN { list::lend(items, scratch) } else { list::store_each::<W, Self>(items, scratch) }
    }

    /// The other side has taken what this value owned: marks its handles as taken.
    ///
    /// # Safety
    /// The value was lowered, and the other side has accepted it.
    #[inline(always)]
    unsafe fn disown(&self) {}
}

/// A medium to lift from: a cursor that copies are made of freely.
pub trait Source: Sized {
    /// The world whose types are lifted.
    type World;

    /// The next value.
    ///
    /// # Safety
    /// As for [`Lift::lift`].
    unsafe fn take<T: Lift<Self::World>>(&mut self) -> T;
    /// The case of the variant `T`, whose discriminant has `tag` bytes in memory, and a source for its payload.
    ///
    /// # Safety
    /// As for [`Lift::lift`].
    unsafe fn variant<T: Abi<Self::World>>(&mut self, tag: usize) -> (u32, Self);
    /// Eight bits.
    ///
    /// # Safety
    /// This and the following: as for [`Lift::lift`].
    unsafe fn u8(&mut self) -> u8;
    /// Sixteen bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u16(&mut self) -> u16;
    /// Thirty-two bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u32(&mut self) -> u32;
    /// Sixty-four bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u64(&mut self) -> u64;
    /// A float.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn f32(&mut self) -> f32;
    /// A double.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn f64(&mut self) -> f64;
    /// A length.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn usize(&mut self) -> usize;
    /// An address.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn pointer(&mut self) -> *mut u8;
}

/// A medium to lower into: a cursor, and the [`Scratch`] that temporaries hang on.
pub trait Sink: Sized {
    /// The world whose types are lowered.
    type World;

    /// Writes a value.
    ///
    /// # Safety
    /// As for [`Lower::lower`].
    unsafe fn put<T: Lower<Self::World> + ?Sized>(&mut self, value: &T);
    /// Writes the case of the variant `T`, whose discriminant has `tag` bytes in memory; a sink for its payload.
    ///
    /// # Safety
    /// As for [`Lower::lower`].
    unsafe fn variant<T: Abi<Self::World>>(&mut self, tag: usize, case: u32) -> Self;
    /// Eight bits.
    ///
    /// # Safety
    /// This and the following: as for [`Lower::lower`].
    unsafe fn u8(&mut self, value: u8);
    /// Eight bits, sign-extended where the medium is wider.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn s8(&mut self, value: i8);
    /// Sixteen bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u16(&mut self, value: u16);
    /// Sixteen bits, sign-extended where the medium is wider.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn s16(&mut self, value: i16);
    /// Thirty-two bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u32(&mut self, value: u32);
    /// Sixty-four bits.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn u64(&mut self, value: u64);
    /// A float.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn f32(&mut self, value: f32);
    /// A double.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn f64(&mut self, value: f64);
    /// A length.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn usize(&mut self, value: usize);
    /// An address.
    #[expect(clippy::missing_safety_doc, reason = "said above")]
    unsafe fn pointer(&mut self, value: *const u8);
    /// Where temporaries go.
    fn scratch(&mut self) -> &mut Scratch;
}

// SAFETY: a reference is walked as what it refers to.
unsafe impl<W, T: Abi<W> + ?Sized> Abi<W> for &T {
    const SHAPE: Shape = T::SHAPE;
}

/// A reference lends: it never gives up what the value owns.
// SAFETY: a reference is walked as what it refers to.
unsafe impl<W, T: Lower<W> + ?Sized> Lower<W> for &T {
    const BORROWS: bool = !T::HANDLE;
    const LENDS: bool = T::HANDLE || T::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { (**self).lower(to) }
    }

    #[inline(always)]
    unsafe fn store(&self, to: *mut u8, scratch: &mut Scratch) {
        // SAFETY: the caller's promise.
        unsafe { (**self).store(to, scratch) }
    }
}
