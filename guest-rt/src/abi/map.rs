//! `map<k, v>`: in the ABI a list of pairs, in Rust whatever type the generator was told to use.

use super::{Abi, Lift, Lower, Scratch, Shape, release, shape::align_up};
use alloc::collections::BTreeMap;

/// What `map<k, v>` is unless `map_type` says otherwise.
pub type Map<K, V> = BTreeMap<K, V>;

/// A type that `map<k, v>` can be; it must also implement `IntoIterator` for its references.
pub trait WitMap<K, V>: Sized {
    /// An empty map with room for `capacity` entries, as far as it knows room.
    fn wit_map_new(capacity: usize) -> Self;
    /// Adds an entry; of two with the same key the later one counts.
    fn wit_map_push(&mut self, key: K, value: V);
    /// The number of entries.
    fn wit_map_len(&self) -> usize;
}

impl<K: Ord, V> WitMap<K, V> for BTreeMap<K, V> {
    fn wit_map_new(_capacity: usize) -> Self {
        BTreeMap::new()
    }

    fn wit_map_push(&mut self, key: K, value: V) {
        self.insert(key, value);
    }

    fn wit_map_len(&self) -> usize {
        self.len()
    }
}

#[cfg(feature = "std")]
impl<K: core::hash::Hash + Eq, V, S: core::hash::BuildHasher + Default> WitMap<K, V>
    for std::collections::HashMap<K, V, S>
{
    fn wit_map_new(capacity: usize) -> Self {
        std::collections::HashMap::with_capacity_and_hasher(capacity, S::default())
    }

    fn wit_map_push(&mut self, key: K, value: V) {
        self.insert(key, value);
    }

    fn wit_map_len(&self) -> usize {
        self.len()
    }
}

/// Where the value of an entry lies.
const fn value_offset<W, K: Abi<W>, V: Abi<W>>() -> usize {
    align_up(K::SHAPE.size, V::SHAPE.align)
}

/// Takes the array of entries at `from`.
///
/// # Safety
/// As for [`Lift::load_list`] of pairs.
#[inline(never)]
pub unsafe fn lift_map<W, K: Lift<W>, V: Lift<W>, M: WitMap<K, V>>(from: *mut u8, len: usize) -> M {
    let entry = const { Shape::record(&[K::SHAPE, V::SHAPE]) };
    let mut map = M::wit_map_new(len);
    let mut at = from;
    for _ in 0..len {
        // SAFETY: the caller's promise: there are as many entries.
        let (key, value) = unsafe { (K::load(at), V::load(at.add(value_offset::<W, K, V>()))) };
        map.wit_map_push(key, value);
        at = at.wrapping_add(entry.size);
    }
    // SAFETY: the caller's promise; everything was taken out.
    unsafe { release(from, len * entry.size, entry.align) }
    map
}

/// Writes at most `len` entries as an array; the array and the number of entries in it.
#[inline(never)]
pub fn store_map<'a, W, K: Lower<W> + 'a, V: Lower<W> + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    len: usize,
    scratch: &mut Scratch,
) -> (*const u8, usize) {
    let entry = const { Shape::record(&[K::SHAPE, V::SHAPE]) };
    let Some(size) = len.checked_mul(entry.size) else { crate::trap::invalid() };
    let array = scratch.alloc(size, entry.align);
    let mut at = array;
    let mut count = 0;
    for (key, value) in entries.take(len) {
        // SAFETY: the array has room for `len` entries.
        unsafe {
            key.store(at, scratch);
            value.store(at.add(value_offset::<W, K, V>()), scratch);
        }
        at = at.wrapping_add(entry.size);
        count += 1;
    }
    (array, count)
}

/// The ABI of a map type, once in a world that has maps: `map!(::std::collections::HashMap, World)`.
///
/// It is the world's and not the runtime's, so that any type may be a map.
#[doc(hidden)]
#[macro_export]
macro_rules! map {
    (:: $($map:ident)::+, $world:ty) => { $crate::map!([:: $($map)::+] $world); };
    ($($map:ident)::+, $world:ty) => { $crate::map!([$($map)::+] $world); };
    ([$($map:tt)+] $world:ty) => {
        // SAFETY: a map is walked as a list of pairs.
        unsafe impl<K, V> $crate::__rt::Abi<$world> for $($map)+<K, V> {
            const SHAPE: $crate::__rt::Shape = <[u8] as $crate::__rt::Abi<$world>>::SHAPE;
        }

        // SAFETY: a map is walked as a list of pairs.
        unsafe impl<K, V> $crate::__rt::Lift<$world> for $($map)+<K, V>
        where
            K: $crate::__rt::Lift<$world>,
            V: $crate::__rt::Lift<$world>,
            Self: $crate::__rt::WitMap<K, V>,
        {
            #[inline(always)]
            unsafe fn lift<S: $crate::__rt::Source<World = $world>>(from: &mut S) -> Self {
                // SAFETY: the caller's promise.
                unsafe {
                    let entries = from.pointer();
                    $crate::__rt::lift_map::<$world, K, V, Self>(entries, from.usize())
                }
            }
        }

        // SAFETY: a map is walked as a list of pairs.
        unsafe impl<K, V> $crate::__rt::Lower<$world> for $($map)+<K, V>
        where
            K: $crate::__rt::Lower<$world>,
            V: $crate::__rt::Lower<$world>,
            Self: $crate::__rt::WitMap<K, V>,
            for<'a> &'a Self: ::core::iter::IntoIterator<Item = (&'a K, &'a V)>,
        {
            const OWNS: bool = <K as $crate::__rt::Lower<$world>>::OWNS || <V as $crate::__rt::Lower<$world>>::OWNS;
            const BORROWS: bool =
                <K as $crate::__rt::Lower<$world>>::BORROWS || <V as $crate::__rt::Lower<$world>>::BORROWS;
            const LENDS: bool =
                <K as $crate::__rt::Lower<$world>>::LENDS || <V as $crate::__rt::Lower<$world>>::LENDS;

            #[inline(always)]
            unsafe fn lower<S: $crate::__rt::Sink<World = $world>>(&self, to: &mut S) {
                let len = $crate::__rt::WitMap::wit_map_len(self);
                let entries = ::core::iter::IntoIterator::into_iter(self);
                // SAFETY: the caller's promise.
                unsafe {
                    let (array, count) = $crate::__rt::store_map::<$world, K, V>(entries, len, to.scratch());
                    to.pointer(array);
                    to.usize(count);
                }
            }

            #[inline]
            unsafe fn disown(&self) {
                if <Self as $crate::__rt::Lower<$world>>::OWNS {
                    for (key, value) in self {
                        // SAFETY: the caller's promise.
                        unsafe {
                            <K as $crate::__rt::Lower<$world>>::disown(key);
                            <V as $crate::__rt::Lower<$world>>::disown(value);
                        }
                    }
                }
            }
        }
    };
}
