//! Linear memory: a base address and an offset that the compiler folds, because only `take` and `put` move it.

use super::shape::align_up;
use super::{Abi, Lift, Lower, Scratch, Sink, Source};
use alloc::alloc::{Layout, dealloc};
use core::marker::PhantomData;

/// A cursor over memory to lift from.
pub(crate) struct Reader<W> {
    base: *const u8,
    offset: usize,
    world: PhantomData<fn() -> W>,
}

/// A cursor over memory to lower into.
pub(crate) struct Writer<W> {
    base: *mut u8,
    offset: usize,
    scratch: *mut Scratch,
    world: PhantomData<fn() -> W>,
}

/// Frees what `cabi_realloc` allocated.
///
/// # Safety
/// `memory` was allocated with this size and alignment (or has no size), and is not used any more.
#[inline(never)]
pub(crate) unsafe fn release(memory: *mut u8, size: usize, align: usize) {
    if size != 0 {
        // SAFETY: the caller's promise; a layout that was allocated is valid.
        unsafe { dealloc(memory, Layout::from_size_align_unchecked(size, align)) }
    }
}

impl<W> Reader<W> {
    #[inline(always)]
    pub(crate) fn new(base: *const u8) -> Reader<W> {
        Reader { base, offset: 0, world: PhantomData }
    }

    /// Returns the address of the next field, and moves past it.
    ///
    /// # Safety
    /// There is another field of this size and alignment.
    #[inline(always)]
    unsafe fn field(&mut self, size: usize, align: usize) -> *const u8 {
        let at = align_up(self.offset, align);
        self.offset = at + size;
        // SAFETY: the caller knows that there is another field.
        unsafe { self.base.add(at) }
    }

    /// # Safety
    /// A `T` is next.
    #[inline(always)]
    unsafe fn scalar<T: Copy>(&mut self) -> T {
        // SAFETY: the caller knows that a `T` is next; scalars are aligned to their size.
        unsafe { self.field(size_of::<T>(), size_of::<T>()).cast::<T>().read() }
    }
}

impl<W> Writer<W> {
    #[inline(always)]
    pub(crate) fn new(base: *mut u8, scratch: &mut Scratch) -> Writer<W> {
        Writer { base, offset: 0, scratch, world: PhantomData }
    }

    /// Returns the address of the next field, and moves past it.
    ///
    /// # Safety
    /// There is room for another field of this size and alignment.
    #[inline(always)]
    unsafe fn field(&mut self, size: usize, align: usize) -> *mut u8 {
        let at = align_up(self.offset, align);
        self.offset = at + size;
        // SAFETY: the caller knows that there is room for another field.
        unsafe { self.base.add(at) }
    }

    /// # Safety
    /// There is room for a `T`.
    #[inline(always)]
    unsafe fn scalar<T: Copy>(&mut self, value: T) {
        // SAFETY: the caller knows that there is room for a `T`; scalars are aligned to their size.
        unsafe { self.field(size_of::<T>(), size_of::<T>()).cast::<T>().write(value) }
    }
}

/// The functions of a source that read one scalar.
macro_rules! read {
    ($($name:ident: $ty:ty;)*) => {$(
        #[inline(always)]
        unsafe fn $name(&mut self) -> $ty {
            // SAFETY: the caller's promise.
            unsafe { self.scalar() }
        }
    )*};
}

/// The functions of a sink that write one scalar.
macro_rules! write {
    ($($name:ident: $ty:ty;)*) => {$(
        #[inline(always)]
        unsafe fn $name(&mut self, value: $ty) {
            // SAFETY: the caller's promise.
            unsafe { self.scalar(value) }
        }
    )*};
}

impl<W> Source for Reader<W> {
    type World = W;

    #[inline(always)]
    unsafe fn take<T: Lift<W>>(&mut self) -> T {
        // SAFETY: the caller's promise.
        unsafe { T::load(self.field(T::SHAPE.size, T::SHAPE.align)) }
    }

    #[inline(always)]
    unsafe fn variant<T: Abi<W>>(&mut self, tag: usize) -> (u32, Self) {
        // SAFETY: the discriminant is the first thing in a variant, its payload lies at its alignment.
        unsafe {
            let at = self.field(T::SHAPE.size, T::SHAPE.align);
            let case = match tag {
                1 => u32::from(at.read()),
                2 => u32::from(at.cast::<u16>().read()),
                _ => at.cast::<u32>().read(),
            };
            (case, Reader::new(at.wrapping_add(T::SHAPE.align)))
        }
    }

    read! { u8: u8; u16: u16; u32: u32; u64: u64; f32: f32; f64: f64; usize: usize; pointer: *mut u8; }
}

impl<W> Sink for Writer<W> {
    type World = W;

    #[inline(always)]
    unsafe fn put<T: Lower<W> + ?Sized>(&mut self, value: &T) {
        // SAFETY: the caller's promise.
        unsafe { value.store(self.field(T::SHAPE.size, T::SHAPE.align), self.scratch()) }
    }

    #[inline(always)]
    unsafe fn variant<T: Abi<W>>(&mut self, tag: usize, case: u32) -> Self {
        // SAFETY: the discriminant is the first thing in a variant, its payload lies at its alignment.
        unsafe {
            let at = self.field(T::SHAPE.size, T::SHAPE.align);
            match tag {
                1 => at.write(case as u8),
                2 => at.cast::<u16>().write(case as u16),
                _ => at.cast::<u32>().write(case),
            }
            Writer { base: at.wrapping_add(T::SHAPE.align), offset: 0, scratch: self.scratch, world: PhantomData }
        }
    }

    write! { u8: u8; s8: i8; u16: u16; s16: i16; u32: u32; u64: u64; f32: f32; f64: f64; usize: usize; pointer: *const u8; }

    #[inline(always)]
    fn scratch(&mut self) -> &mut Scratch {
        // SAFETY: it outlives the lowering, and no other reference is live.
        unsafe { &mut *self.scratch }
    }
}
