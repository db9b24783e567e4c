//! A second walk of the canonical ABI, over descriptions of types instead of types: slow, and close to the text of the
//! specification. Addresses have the width of this machine.

use std::fmt;
use wasp_guest_rt::__rt::cabi_realloc;

/// A type of the component model, without the specialised ones.
#[derive(Clone, Debug)]
pub enum Ty {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    F32,
    F64,
    Char,
    String,
    List(Box<Ty>),
    Fixed(Box<Ty>, usize),
    Record(Vec<Ty>),
    /// The number of cases and the payloads of the first ones.
    Variant(usize, Vec<Option<Ty>>),
    Flags(usize),
}

/// A value of such a type.
#[derive(Clone, PartialEq)]
pub enum Val {
    /// Integers, the bits of floats, and handles.
    Bits(u64),
    Flags(u128),
    Text(String),
    Items(Vec<Val>),
    Case(u32, Option<Box<Val>>),
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Bits(bits) => write!(f, "{bits:#x}"),
            Val::Flags(bits) => write!(f, "{bits:#b}"),
            Val::Text(text) => write!(f, "{text:?}"),
            Val::Items(items) => items.fmt(f),
            Val::Case(case, None) => write!(f, "#{case}"),
            Val::Case(case, Some(value)) => write!(f, "#{case}({value:?})"),
        }
    }
}

/// A core type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Core {
    I32,
    I64,
    F32,
    F64,
}

const POINTER: Core = if size_of::<usize>() == 8 { Core::I64 } else { Core::I32 };

fn align_to(n: usize, align: usize) -> usize {
    n.div_ceil(align) * align
}

fn tag_size(cases: usize) -> usize {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

impl Ty {
    pub fn align(&self) -> usize {
        match self {
            Ty::Bool | Ty::U8 | Ty::S8 => 1,
            Ty::U16 | Ty::S16 => 2,
            Ty::U32 | Ty::F32 | Ty::Char => 4,
            Ty::U64 | Ty::F64 => 8,
            Ty::String | Ty::List(_) => size_of::<usize>(),
            Ty::Fixed(item, _) => item.align(),
            Ty::Record(fields) => fields.iter().map(Ty::align).max().unwrap_or(1),
            Ty::Variant(cases, payloads) => {
                payloads.iter().flatten().map(Ty::align).max().unwrap_or(1).max(tag_size(*cases))
            }
            Ty::Flags(labels) => match labels {
                0..=8 => 1,
                9..=16 => 2,
                _ => 4,
            },
        }
    }

    pub fn size(&self) -> usize {
        match self {
            Ty::String | Ty::List(_) => 2 * size_of::<usize>(),
            Ty::Fixed(item, len) => item.size() * len,
            Ty::Record(fields) => {
                let end = fields.iter().fold(0, |at, field| align_to(at, field.align()) + field.size());
                align_to(end, self.align())
            }
            Ty::Variant(_, payloads) => {
                let payload = payloads.iter().flatten().map(Ty::size).max().unwrap_or(0);
                align_to(self.payload() + payload, self.align())
            }
            Ty::Flags(labels) if *labels > 32 => 4 * labels.div_ceil(32),
            scalar => scalar.align(),
        }
    }

    /// Where a variant's payload lies.
    fn payload(&self) -> usize {
        let Ty::Variant(cases, payloads) = self else { unreachable!() };
        align_to(tag_size(*cases), payloads.iter().flatten().map(Ty::align).max().unwrap_or(1))
    }

    pub fn flatten(&self) -> Vec<Core> {
        match self {
            Ty::U64 => vec![Core::I64],
            Ty::F32 => vec![Core::F32],
            Ty::F64 => vec![Core::F64],
            Ty::String | Ty::List(_) => vec![POINTER, POINTER],
            Ty::Fixed(item, len) => (0..*len).flat_map(|_| item.flatten()).collect(),
            Ty::Record(fields) => fields.iter().flat_map(Ty::flatten).collect(),
            Ty::Variant(_, payloads) => {
                let mut flat = vec![];
                for payload in payloads.iter().flatten() {
                    for (i, core) in payload.flatten().into_iter().enumerate() {
                        match flat.get_mut(i) {
                            Some(slot) => *slot = join(*slot, core),
                            None => flat.push(core),
                        }
                    }
                }
                flat.insert(0, Core::I32);
                flat
            }
            Ty::Flags(labels) => vec![Core::I32; labels.div_ceil(32).max(1)],
            _ => vec![Core::I32],
        }
    }

    fn case(&self, case: u32) -> Option<&Ty> {
        let Ty::Variant(cases, payloads) = self else { unreachable!() };
        assert!((case as usize) < *cases, "case {case} of {cases}");
        payloads.get(case as usize).and_then(Option::as_ref)
    }

    fn pair(fields: &[Ty]) -> Ty {
        Ty::Record(fields.to_vec())
    }
}

/// A map is a list of pairs.
pub fn map(key: Ty, value: Ty) -> Ty {
    Ty::List(Box::new(Ty::pair(&[key, value])))
}

fn join(a: Core, b: Core) -> Core {
    match (a, b) {
        _ if a == b => a,
        (Core::I32, Core::F32) | (Core::F32, Core::I32) => Core::I32,
        _ => Core::I64,
    }
}

/// Core values as a core function gets them. All are kept as bits; what is wider than its type is an error.
struct Values<'a> {
    slots: &'a [u64],
    types: &'a [Core],
}

impl Values<'_> {
    fn next(&mut self, want: Core) -> u64 {
        let (have, slot) = (self.types[0], self.slots[0]);
        self.slots = &self.slots[1..];
        self.types = &self.types[1..];
        if matches!(have, Core::I32 | Core::F32) {
            assert_eq!(slot >> 32, 0, "a slot of {have:?} is wider");
        }
        match (want, have) {
            _ if want == have => slot,
            (Core::F32, Core::I32) | (Core::F64, Core::I64) => slot,
            (Core::I32 | Core::F32, Core::I64) => u64::from(slot as u32),
            _ => panic!("a {want:?} in a {have:?}"),
        }
    }
}

/// Lifts a value from slots that belong to whoever lowered it.
pub fn lift_flat(ty: &Ty, slots: &[u64]) -> Val {
    let types = ty.flatten();
    assert_eq!(slots.len(), types.len());
    let mut values = Values { slots, types: &types };
    lift(ty, &mut values)
}

fn lift(ty: &Ty, from: &mut Values<'_>) -> Val {
    match ty {
        Ty::Bool => Val::Bits(u64::from(from.next(Core::I32) != 0)),
        Ty::U8 | Ty::S8 => Val::Bits(from.next(Core::I32) % (1 << 8)),
        Ty::U16 | Ty::S16 => Val::Bits(from.next(Core::I32) % (1 << 16)),
        Ty::U32 | Ty::Char => Val::Bits(from.next(Core::I32)),
        Ty::U64 => Val::Bits(from.next(Core::I64)),
        Ty::F32 => Val::Bits(from.next(Core::F32)),
        Ty::F64 => Val::Bits(from.next(Core::F64)),
        Ty::String | Ty::List(_) => {
            let (at, len) = (from.next(POINTER) as usize, from.next(POINTER) as usize);
            load_range(ty, std::ptr::with_exposed_provenance(at), len)
        }
        Ty::Fixed(item, len) => Val::Items((0..*len).map(|_| lift(item, from)).collect()),
        Ty::Record(fields) => Val::Items(fields.iter().map(|field| lift(field, from)).collect()),
        Ty::Variant(..) => {
            let width = ty.flatten().len() - 1;
            let case = from.next(Core::I32) as u32;
            let mut payload = Values { slots: &from.slots[..width], types: &from.types[..width] };
            from.slots = &from.slots[width..];
            from.types = &from.types[width..];
            let value = ty.case(case).map(|ty| Box::new(lift(ty, &mut payload)));
            assert!(payload.slots.iter().all(|slot| *slot == 0), "slots that case {case} does not use are not zero");
            Val::Case(case, value)
        }
        Ty::Flags(labels) => {
            let words = labels.div_ceil(32).max(1);
            Val::Flags((0..words).fold(0, |bits, i| bits | u128::from(from.next(Core::I32)) << (32 * i)))
        }
    }
}

/// Lowers a value to slots that belong to whoever lifts it.
pub fn lower_flat(ty: &Ty, val: &Val) -> Vec<u64> {
    let mut slots = vec![];
    lower(ty, val, &mut slots);
    slots
}

fn lower(ty: &Ty, val: &Val, to: &mut Vec<u64>) {
    match (ty, val) {
        // Signed integers are sign-extended to 32 bits.
        (Ty::S8, Val::Bits(bits)) => to.push(u64::from(*bits as i8 as i32 as u32)),
        (Ty::S16, Val::Bits(bits)) => to.push(u64::from(*bits as i16 as i32 as u32)),
        (_, Val::Bits(bits)) => to.push(*bits),
        (Ty::String | Ty::List(_), _) => {
            let (at, len) = store_range(ty, val);
            to.extend([at.expose_provenance() as u64, len as u64]);
        }
        (Ty::Fixed(item, _), Val::Items(items)) => items.iter().for_each(|val| lower(item, val, to)),
        (Ty::Record(fields), Val::Items(items)) => fields.iter().zip(items).for_each(|(ty, val)| lower(ty, val, to)),
        (Ty::Variant(..), Val::Case(case, payload)) => {
            let end = to.len() + ty.flatten().len();
            to.push(u64::from(*case));
            if let (Some(ty), Some(val)) = (ty.case(*case), payload) {
                lower(ty, val, to);
            }
            to.resize(end, 0);
        }
        (Ty::Flags(labels), Val::Flags(bits)) => {
            to.extend((0..labels.div_ceil(32).max(1)).map(|i| u64::from((bits >> (32 * i)) as u32)));
        }
        _ => panic!("{val:?} is no {ty:?}"),
    }
}

fn allocate(size: usize, align: usize) -> *mut u8 {
    // SAFETY: there is no old memory.
    unsafe { cabi_realloc(std::ptr::null_mut(), 0, align, size) }
}

fn store_range(ty: &Ty, val: &Val) -> (*mut u8, usize) {
    match (ty, val) {
        (Ty::String, Val::Text(text)) => {
            let at = allocate(text.len(), 1);
            // SAFETY: fresh memory of that size.
            unsafe { at.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
            (at, text.len())
        }
        (Ty::List(item), Val::Items(items)) => {
            let at = allocate(items.len() * item.size(), item.align());
            for (i, val) in items.iter().enumerate() {
                store(item, val, at.wrapping_add(i * item.size()));
            }
            (at, items.len())
        }
        _ => panic!("{val:?} is no {ty:?}"),
    }
}

fn load_range(ty: &Ty, at: *const u8, len: usize) -> Val {
    match ty {
        Ty::String => {
            // SAFETY: whoever lowered it says that there are so many bytes.
            let bytes = if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(at, len) } };
            Val::Text(String::from_utf8(bytes.to_vec()).expect("UTF-8"))
        }
        Ty::List(item) => Val::Items((0..len).map(|i| load(item, at.wrapping_add(i * item.size()))).collect()),
        _ => unreachable!(),
    }
}

/// Writes a value to memory that has room for it; what it points to belongs to whoever loads it.
pub fn store(ty: &Ty, val: &Val, to: *mut u8) {
    assert_eq!(to.addr() % ty.align(), 0, "misaligned");
    match (ty, val) {
        (Ty::String | Ty::List(_), _) => {
            let (at, len) = store_range(ty, val);
            // SAFETY: there is room for both.
            unsafe {
                to.cast::<*mut u8>().write(at);
                to.cast::<usize>().add(1).write(len);
            }
        }
        (Ty::Fixed(item, _), Val::Items(items)) => {
            for (i, val) in items.iter().enumerate() {
                store(item, val, to.wrapping_add(i * item.size()));
            }
        }
        (Ty::Record(fields), Val::Items(items)) => {
            let mut at = 0;
            for (ty, val) in fields.iter().zip(items) {
                at = align_to(at, ty.align());
                store(ty, val, to.wrapping_add(at));
                at += ty.size();
            }
        }
        (Ty::Variant(cases, _), Val::Case(case, payload)) => {
            store_int(to, tag_size(*cases), u64::from(*case));
            if let (Some(inner), Some(val)) = (ty.case(*case), payload) {
                store(inner, val, to.wrapping_add(ty.payload()));
            }
        }
        (Ty::Flags(labels), Val::Flags(bits)) => {
            for i in 0..labels.div_ceil(32).max(1) {
                store_int(to.wrapping_add(4 * i), ty.align(), u64::from((bits >> (32 * i)) as u32));
            }
        }
        (_, Val::Bits(bits)) => store_int(to, ty.size(), *bits),
        _ => panic!("{val:?} is no {ty:?}"),
    }
}

/// Reads a value from memory.
pub fn load(ty: &Ty, from: *const u8) -> Val {
    assert_eq!(from.addr() % ty.align(), 0, "misaligned");
    match ty {
        Ty::String | Ty::List(_) => {
            // SAFETY: whoever stored it wrote both.
            let (at, len) = unsafe { (from.cast::<*const u8>().read(), from.cast::<usize>().add(1).read()) };
            load_range(ty, at, len)
        }
        Ty::Fixed(item, len) => Val::Items((0..*len).map(|i| load(item, from.wrapping_add(i * item.size()))).collect()),
        Ty::Record(fields) => {
            let mut at = 0;
            let field = |ty: &Ty| {
                let start = align_to(at, ty.align());
                at = start + ty.size();
                load(ty, from.wrapping_add(start))
            };
            Val::Items(fields.iter().map(field).collect())
        }
        Ty::Variant(cases, _) => {
            let case = load_int(from, tag_size(*cases)) as u32;
            Val::Case(case, ty.case(case).map(|inner| Box::new(load(inner, from.wrapping_add(ty.payload())))))
        }
        Ty::Flags(labels) => {
            let words = labels.div_ceil(32).max(1);
            let word = |i| u128::from(load_int(from.wrapping_add(4 * i), ty.align())) << (32 * i);
            Val::Flags((0..words).fold(0, |bits, i| bits | word(i)))
        }
        scalar => Val::Bits(load_int(from, scalar.size())),
    }
}

fn store_int(to: *mut u8, size: usize, value: u64) {
    for (i, byte) in value.to_le_bytes()[..size].iter().enumerate() {
        // SAFETY: there is room for `size` bytes.
        unsafe { to.add(i).write(*byte) }
    }
}

fn load_int(from: *const u8, size: usize) -> u64 {
    // SAFETY: there are `size` bytes.
    (0..size).fold(0, |value, i| value | u64::from(unsafe { from.add(i).read() }) << (8 * i))
}

/// Numbers that look random and are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = self.0 ^ (self.0 >> 29);
        bits.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (bits >> 32)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n
    }

    /// A value of a type; small numbers are as likely as large ones.
    pub fn value(&mut self, ty: &Ty) -> Val {
        match ty {
            Ty::Bool => Val::Bits(self.below(2)),
            Ty::Char => Val::Bits([0, 0x41, 0xe9, 0xd7ff, 0xe000, 0x1f980, 0x10_ffff][self.below(7) as usize]),
            Ty::String => Val::Text(["", "a", "naïve", "🦀 and more than a few bytes"][self.below(4) as usize].into()),
            Ty::List(item) => {
                let len = self.below(5);
                Val::Items((0..len).map(|_| self.value(item)).collect())
            }
            Ty::Fixed(item, len) => Val::Items((0..*len).map(|_| self.value(item)).collect()),
            Ty::Record(fields) => Val::Items(fields.iter().map(|field| self.value(field)).collect()),
            Ty::Variant(cases, _) => {
                let case = self.below(*cases as u64) as u32;
                Val::Case(case, ty.case(case).map(|ty| Box::new(self.value(ty))))
            }
            Ty::Flags(labels) => {
                let bits = u128::from(self.next()) << 64 | u128::from(self.next());
                Val::Flags(bits & (u128::MAX >> (128 - labels)))
            }
            scalar => {
                let bits = if self.below(2) == 0 { self.below(100) } else { self.next() };
                Val::Bits(bits & (u64::MAX >> (64 - 8 * scalar.size())))
            }
        }
    }
}
