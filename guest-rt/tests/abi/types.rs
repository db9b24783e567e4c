//! Types as the generator prints them, and the descriptions of all types that the tests walk.

use crate::reference::{Ty, map};
use std::cell::RefCell;
#[cfg(feature = "std")]
use std::collections::HashMap;
use wasp_guest_rt::__rt::{self, Abi, Args, Lift, Lower, Map, Shape, Sink, Source};

pub struct World;

/// A type with its description.
pub trait Described {
    fn ty() -> Ty;
}

macro_rules! described {
    ($($rust:ty => $ty:expr;)*) => {$( impl Described for $rust { fn ty() -> Ty { $ty } } )*};
}

described! {
    bool => Ty::Bool;
    u8 => Ty::U8;
    u16 => Ty::U16;
    u32 => Ty::U32;
    u64 => Ty::U64;
    i8 => Ty::S8;
    i16 => Ty::S16;
    i32 => Ty::U32;
    i64 => Ty::U64;
    f32 => Ty::F32;
    f64 => Ty::F64;
    char => Ty::Char;
    String => Ty::String;
    Box<str> => Ty::String;
    () => Ty::Record(vec![]);
    Item => Ty::Record(vec![Ty::U32, Ty::String, Ty::U8]);
    Mixed => Ty::Variant(6, vec![
        None, Some(Ty::F32), Some(Ty::U64), Some(Ty::String), Some(Item::ty()),
        Some(Ty::Record(vec![Ty::F64, Ty::F32, Ty::S8])),
    ]);
    Tone => Ty::Variant(3, vec![]);
    Wide => Ty::Variant(300, vec![Some(Ty::U8)]);
    Conn => Ty::U32;
    Few => Ty::Flags(3);
    Some12 => Ty::Flags(12);
    Word => Ty::Flags(32);
    Two => Ty::Flags(40);
    Three => Ty::Flags(96);
    Four => Ty::Flags(128);
}

impl<T: Described> Described for Vec<T> {
    fn ty() -> Ty {
        Ty::List(Box::new(T::ty()))
    }
}

impl<T: Described> Described for Box<[T]> {
    fn ty() -> Ty {
        Ty::List(Box::new(T::ty()))
    }
}

impl<T: Described, const N: usize> Described for [T; N] {
    fn ty() -> Ty {
        Ty::Fixed(Box::new(T::ty()), N)
    }
}

impl<T: Described> Described for Option<T> {
    fn ty() -> Ty {
        Ty::Variant(2, vec![None, Some(T::ty())])
    }
}

impl<T: Described, E: Described> Described for Result<T, E> {
    fn ty() -> Ty {
        Ty::Variant(2, vec![Some(T::ty()), Some(E::ty())])
    }
}

impl<K: Described, V: Described> Described for Map<K, V> {
    fn ty() -> Ty {
        map(K::ty(), V::ty())
    }
}

#[cfg(feature = "std")]
impl<K: Described, V: Described> Described for HashMap<K, V> {
    fn ty() -> Ty {
        map(K::ty(), V::ty())
    }
}

impl<A: Described, B: Described> Described for Args<A, B> {
    fn ty() -> Ty {
        let (Ty::Record(mut fields), Ty::Record(rest)) = (A::ty(), B::ty()) else { unreachable!() };
        fields.extend(rest);
        Ty::Record(fields)
    }
}

macro_rules! tuples {
    ($($($ty:ident)+;)*) => {$(
        impl<$($ty: Described),+> Described for ($($ty,)+) {
            fn ty() -> Ty {
                Ty::Record(vec![$($ty::ty()),+])
            }
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F G H I J K L M N O P;
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: u32,
    pub name: String,
    pub age: u8,
}

// SAFETY: written as the generator prints it.
unsafe impl Abi<World> for Item {
    const SHAPE: Shape =
        Shape::record(&[<u32 as Abi<World>>::SHAPE, <String as Abi<World>>::SHAPE, <u8 as Abi<World>>::SHAPE]);
}

const _: () =
    <Item as Abi<World>>::SHAPE.check(Shape { size: __rt::width(16, 32), align: __rt::width(4, 8), slots: 4 });

// SAFETY: written as the generator prints it.
unsafe impl Lift<World> for Item {
    #[inline(always)]
    unsafe fn lift<S: Source<World = World>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Item { id: from.take(), name: from.take(), age: from.take() } }
    }
}

// SAFETY: written as the generator prints it.
unsafe impl Lower<World> for Item {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = World>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            to.put(&self.id);
            to.put(&self.name);
            to.put(&self.age);
        }
    }
}

/// A variant whose payloads share slots.
#[derive(Clone, Debug, PartialEq)]
pub enum Mixed {
    Nothing,
    Float(f32),
    Long(u64),
    Text(String),
    Item(Item),
    Tuple((f64, f32, i8)),
}

// SAFETY: written as the generator prints it.
unsafe impl Abi<World> for Mixed {
    const SHAPE: Shape = Shape::variant(
        1,
        &[
            <f32 as Abi<World>>::SHAPE,
            <u64 as Abi<World>>::SHAPE,
            <String as Abi<World>>::SHAPE,
            <Item as Abi<World>>::SHAPE,
            <(f64, f32, i8) as Abi<World>>::SHAPE,
        ],
    );
}

// SAFETY: written as the generator prints it.
unsafe impl Lift<World> for Mixed {
    #[inline(always)]
    unsafe fn lift<S: Source<World = World>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let (case, mut payload) = from.variant::<Self>(1);
            match case {
                0 => Mixed::Nothing,
                1 => Mixed::Float(payload.take()),
                2 => Mixed::Long(payload.take()),
                3 => Mixed::Text(payload.take()),
                4 => Mixed::Item(payload.take()),
                5 => Mixed::Tuple(payload.take()),
                _ => __rt::invalid(),
            }
        }
    }
}

// SAFETY: written as the generator prints it.
unsafe impl Lower<World> for Mixed {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = World>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Mixed::Nothing => _ = to.variant::<Self>(1, 0),
                Mixed::Float(value) => to.variant::<Self>(1, 1).put(value),
                Mixed::Long(value) => to.variant::<Self>(1, 2).put(value),
                Mixed::Text(value) => to.variant::<Self>(1, 3).put(value),
                Mixed::Item(value) => to.variant::<Self>(1, 4).put(value),
                Mixed::Tuple(value) => to.variant::<Self>(1, 5).put(value),
            }
        }
    }
}

/// An enum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tone {
    Low,
    Middle,
    High,
}

// SAFETY: written as the generator prints it.
unsafe impl Abi<World> for Tone {
    const SHAPE: Shape = Shape::variant(1, &[]);
}

// SAFETY: written as the generator prints it.
unsafe impl Lift<World> for Tone {
    #[inline(always)]
    unsafe fn lift<S: Source<World = World>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        match unsafe { from.variant::<Self>(1).0 } {
            0 => Tone::Low,
            1 => Tone::Middle,
            2 => Tone::High,
            _ => __rt::invalid(),
        }
    }
}

// SAFETY: written as the generator prints it.
unsafe impl Lower<World> for Tone {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = World>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe { to.variant::<Self>(1, *self as u32) };
    }
}

/// A variant of 300 cases, the first with a payload.
pub struct Wide(u32, u8);

// SAFETY: written as the generator prints it.
unsafe impl Abi<World> for Wide {
    const SHAPE: Shape = Shape::variant(2, &[<u8 as Abi<World>>::SHAPE]);
}

// SAFETY: written as the generator prints it.
unsafe impl Lift<World> for Wide {
    #[inline(always)]
    unsafe fn lift<S: Source<World = World>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            match from.variant::<Self>(2) {
                (0, mut payload) => Wide(0, payload.take()),
                (case, _) => Wide(case, 0),
            }
        }
    }
}

// SAFETY: written as the generator prints it.
unsafe impl Lower<World> for Wide {
    #[inline(always)]
    unsafe fn lower<S: Sink<World = World>>(&self, to: &mut S) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut payload = to.variant::<Self>(2, self.0);
            if self.0 == 0 {
                payload.put(&self.1);
            }
        }
    }
}

macro_rules! flags {
    ($($name:ident: $bits:ident $(, $words:literal)?;)*) => {$(
        __rt::bitflags::bitflags! {
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub struct $name: $bits {
                const ALL = $bits::MAX;
            }
        }
        __rt::flags!($name, World, $bits $(, $words)?);
    )*};
}

flags! {
    Few: u8;
    Some12: u16;
    Word: u32;
    Two: u64;
    Three: u128, 3;
    Four: u128;
}

thread_local! {
    /// Handles that were dropped on this thread.
    static DROPPED: RefCell<Vec<u32>> = const { RefCell::new(vec![]) };
}

/// The handles dropped since the last call.
pub fn dropped() -> Vec<u32> {
    DROPPED.take()
}

/// An imported resource.
#[derive(Debug)]
pub struct Conn {
    handle: __rt::Resource<Conn>,
}

// SAFETY: this is the intrinsic of the tests.
unsafe impl __rt::WasmResource for Conn {
    unsafe fn drop(handle: u32) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(handle));
    }
}

impl Conn {
    /// # Safety
    /// Nobody else owns the handle.
    pub unsafe fn from_handle(handle: u32) -> Self {
        // SAFETY: the caller's promise.
        Conn { handle: unsafe { __rt::Resource::from_handle(handle) } }
    }

    pub fn handle(&self) -> u32 {
        __rt::Resource::handle(&self.handle)
    }

    pub fn take_handle(&self) -> u32 {
        __rt::Resource::take_handle(&self.handle)
    }
}

__rt::handle!(Conn, World);
__rt::map!(::wasp_guest_rt::rt::Map, World);
#[cfg(feature = "std")]
__rt::map!(HashMap, World);
