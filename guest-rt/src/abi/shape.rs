//! What the canonical ABI says about a type's place in memory and among core values.

use super::{Abi, FieldChain};

/// Size and alignment in memory, and the number of flat core values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes in memory, a multiple of `align`.
    pub size: usize,
    /// Alignment in memory.
    pub align: usize,
    /// Flat core values.
    pub slots: usize,
}

impl Shape {
    /// No value at all.
    pub const UNIT: Shape = Shape { size: 0, align: 1, slots: 0 };
    /// An address and a length.
    pub(crate) const SLICE: Shape = Shape { size: 2 * size_of::<usize>(), align: size_of::<usize>(), slots: 2 };

    /// One core value of `size` bytes.
    pub const fn scalar(size: usize) -> Shape {
        Shape { size, align: size, slots: 1 }
    }

    /// Fields one after the other.
    pub const fn record(fields: &[Shape]) -> Shape {
        Shape::UNIT.followed_by(fields).rounded()
    }

    /// A discriminant of `tag` bytes and the payload of one of `cases`; cases without payload may be left out.
    pub const fn variant(tag: usize, cases: &[Shape]) -> Shape {
        let mut payload = Shape { size: 0, align: tag, slots: 0 };
        let mut i = 0;
        while i < cases.len() {
            payload = Shape {
                size: max(payload.size, cases[i].size),
                align: max(payload.align, cases[i].align),
                slots: max(payload.slots, cases[i].slots),
            };
            i += 1;
        }
        Shape { size: payload.align + payload.size, align: payload.align, slots: 1 + payload.slots }.rounded()
    }

    /// `len` values one after the other.
    pub const fn array(self, len: usize) -> Shape {
        Shape { size: self.size * len, align: self.align, slots: self.slots * len }
    }

    /// Asserts that this shape, derived from the Rust type, is the one derived from the WIT type.
    ///
    /// # Panics
    /// Where they differ. It is made to be called in a constant, where that is a compile error.
    pub const fn check(self, expected: Shape) {
        assert!(
            self.size == expected.size,
            "the Rust type and the WIT type differ in size: are the fields of a type given by `with` those of the WIT type?"
        );
        assert!(
            self.align == expected.align,
            "the Rust type and the WIT type differ in alignment: are the fields of a type given by `with` those of the WIT type?"
        );
        assert!(
            self.slots == expected.slots,
            "the Rust type and the WIT type differ in core values: are the fields of a type given by `with` those of the WIT type?"
        );
    }

    /// The shape of all fields of `list`, as one record.
    pub(crate) const fn fields(list: &FieldChain) -> Shape {
        let mut shape = Shape::UNIT.followed_by(list.shapes);
        let mut next = list.next;
        while let Some(list) = next {
            shape = shape.followed_by(list.shapes);
            next = list.next;
        }
        shape.rounded()
    }

    /// More fields after a record's fields, whose end is not rounded yet.
    const fn followed_by(self, fields: &[Shape]) -> Shape {
        let Shape { mut size, mut align, mut slots } = self;
        let mut i = 0;
        while i < fields.len() {
            size = align_up(size, fields[i].align) + fields[i].size;
            align = max(align, fields[i].align);
            slots += fields[i].slots;
            i += 1;
        }
        Shape { size, align, slots }
    }

    const fn rounded(self) -> Shape {
        Shape { size: align_up(self.size, self.align), ..self }
    }
}

/// One of two numbers: the first where addresses have 4 bytes, the second where they have 8.
pub const fn width(four: usize, eight: usize) -> usize {
    if size_of::<usize>() == 4 { four } else { eight }
}

/// How many words of 64 bits a value of `T` takes in memory.
pub const fn words<W, T: Abi<W>>() -> usize {
    T::SHAPE.size.div_ceil(8)
}

/// `n` rounded up to a multiple of `align`, a power of two.
#[inline(always)]
pub(super) const fn align_up(n: usize, align: usize) -> usize {
    (n + align - 1) & !(align - 1)
}

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTE: Shape = Shape::scalar(1);
    const WORD: Shape = Shape::scalar(4);
    const LONG: Shape = Shape::scalar(8);

    #[test]
    fn a_record_pads_between_fields_and_at_its_end() {
        assert_eq!(Shape::record(&[BYTE, WORD, BYTE]), Shape { size: 12, align: 4, slots: 3 });
        assert_eq!(Shape::record(&[]), Shape::UNIT);
    }

    #[test]
    fn a_variants_payload_lies_at_its_alignment() {
        assert_eq!(Shape::variant(1, &[]), Shape { size: 1, align: 1, slots: 1 });
        assert_eq!(Shape::variant(1, &[BYTE, LONG]), Shape { size: 16, align: 8, slots: 2 });
        assert_eq!(Shape::variant(4, &[BYTE]), Shape { size: 8, align: 4, slots: 2 });
        assert_eq!(Shape::variant(1, &[Shape::record(&[WORD, WORD]), BYTE]), Shape { size: 12, align: 4, slots: 3 });
    }

    #[test]
    fn chained_fields_are_laid_out_as_one_record() {
        static TAIL: FieldChain = FieldChain { shapes: &[BYTE, WORD], next: None };
        assert_eq!(
            Shape::fields(&FieldChain { shapes: &[WORD, BYTE], next: Some(&TAIL) }),
            Shape::record(&[WORD, BYTE, BYTE, WORD])
        );
        assert_eq!(Shape::fields(&TAIL), Shape::record(&[BYTE, WORD]));
    }

    #[test]
    #[should_panic(expected = "differ in size")]
    fn a_shape_that_is_not_the_expected_one_is_refused() {
        WORD.check(LONG);
    }
}
