//! Tuples, and chains of them where a function has more parameters than a tuple has traits.

use super::{Abi, Lift, Lower, Shape, Sink, Source};

/// The shapes of a record's fields, in pieces.
pub struct FieldChain {
    /// The first fields.
    pub shapes: &'static [Shape],
    /// Those after them.
    pub next: Option<&'static FieldChain>,
}

/// A record whose fields are known one by one.
///
/// # Safety
/// They are those of the type.
pub unsafe trait Fields<W> {
    /// Their shapes.
    const FIELDS: FieldChain;
}

/// Parameters, and more parameters: one flat record, whatever the nesting.
pub struct Args<A, B>(
    /// The first sixteen.
    pub A,
    /// The others.
    pub B,
);

/// One tuple.
macro_rules! tuple {
    ($($ty:ident $index:tt)*) => {
        // SAFETY: a tuple is a record of its parts, which are walked in order.
        unsafe impl<W, $($ty: Abi<W>),*> Abi<W> for ($($ty,)*) {
            const SHAPE: Shape = Shape::record(&[$($ty::SHAPE),*]);
        }

        // SAFETY: a tuple is a record of its parts, which are walked in order.
        unsafe impl<W, $($ty: Abi<W>),*> Fields<W> for ($($ty,)*) {
            const FIELDS: FieldChain = FieldChain { shapes: &[$($ty::SHAPE),*], next: None };
        }

        // SAFETY: a tuple is a record of its parts, which are walked in order.
        unsafe impl<W, $($ty: Lift<W>),*> Lift<W> for ($($ty,)*) {
            #[inline(always)]
            unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe { ($(from.take::<$ty>(),)*) }
            }
        }

        // SAFETY: a tuple is a record of its parts, which are walked in order.
        unsafe impl<W, $($ty: Lower<W>),*> Lower<W> for ($($ty,)*) {
            const OWNS: bool = $($ty::OWNS)||*;
            const BORROWS: bool = $($ty::BORROWS)||*;
            const LENDS: bool = $($ty::LENDS)||*;

            #[inline(always)]
            unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
                // SAFETY: the caller's promise.
                unsafe { $(to.put(&self.$index);)* }
            }

            #[inline]
            unsafe fn disown(&self) {
                // SAFETY: the caller's promise.
                unsafe { $(self.$index.disown();)* }
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0 B 1);
tuple!(A 0 B 1 C 2);
tuple!(A 0 B 1 C 2 D 3);
tuple!(A 0 B 1 C 2 D 3 E 4);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14);
tuple!(A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15);

// SAFETY: a tuple is a record of its parts, which are walked in order.
unsafe impl<W> Fields<W> for () {
    const FIELDS: FieldChain = FieldChain { shapes: &[], next: None };
}

// SAFETY: a tuple is a record of its parts, which are walked in order.
unsafe impl<W, A: Fields<W>, B: Fields<W>> Fields<W> for Args<A, B> {
    const FIELDS: FieldChain = {
        assert!(A::FIELDS.next.is_none(), "`Args` nests on its right side");
        FieldChain { shapes: A::FIELDS.shapes, next: Some(&B::FIELDS) }
    };
}

// SAFETY: a tuple is a record of its parts, which are walked in order.
unsafe impl<W, A: Fields<W>, B: Fields<W>> Abi<W> for Args<A, B> {
    const SHAPE: Shape = Shape::fields(&<Self as Fields<W>>::FIELDS);
}

// SAFETY: a tuple is a record of its parts, which are walked in order.
unsafe impl<W, A: Lift<W> + Fields<W>, B: Lift<W> + Fields<W>> Lift<W> for Args<A, B> {
    #[inline(always)]
    unsafe fn lift<S: Source<World = W>>(from: &mut S) -> Self {
        // SAFETY: the caller's promise. Not `take`, which would give each side an alignment of its own.
        unsafe { Args(A::lift(from), B::lift(from)) }
    }
}

// SAFETY: a tuple is a record of its parts, which are walked in order.
unsafe impl<W, A: Lower<W> + Fields<W>, B: Lower<W> + Fields<W>> Lower<W> for Args<A, B> {
    const OWNS: bool = A::OWNS || B::OWNS;
    const BORROWS: bool = A::BORROWS || B::BORROWS;
    const LENDS: bool = A::LENDS || B::LENDS;

    #[inline(always)]
    unsafe fn lower<S: Sink<World = W>>(&self, to: &mut S) {
        // SAFETY: the caller's promise. Not `put`, which would give each side an alignment of its own.
        unsafe {
            self.0.lower(to);
            self.1.lower(to);
        }
    }

    #[inline]
    unsafe fn disown(&self) {
        // SAFETY: the caller's promise.
        unsafe {
            self.0.disown();
            self.1.disown();
        }
    }
}
