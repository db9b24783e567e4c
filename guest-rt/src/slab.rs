//! Values under keys, each put in and taken out in constant time.

use alloc::vec::Vec;
use core::mem;

/// Values under keys. The key of a value that was removed is used again.
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    /// The first free entry, or the number of entries when none is free.
    free: usize,
    len: usize,
}

enum Entry<T> {
    Used(T),
    /// The next free entry.
    Free(usize),
}

impl<T> Slab<T> {
    /// Returns a slab without values.
    pub(crate) const fn new() -> Slab<T> {
        Slab { entries: Vec::new(), free: 0, len: 0 }
    }

    /// Returns how many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the key of the value that is inserted next.
    pub(crate) fn next_key(&self) -> usize {
        self.free
    }

    /// Inserts a value. Returns its key.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let key = self.free;
        match self.entries.get_mut(key) {
            Some(entry) => {
                if let Entry::Free(next) = mem::replace(entry, Entry::Used(value)) {
                    self.free = next;
                }
            }
            None => {
                self.entries.push(Entry::Used(value));
                self.free = self.entries.len();
            }
        }
        self.len += 1;
        key
    }

    /// Returns the value under a key.
    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        match self.entries.get_mut(key) {
            Some(Entry::Used(value)) => Some(value),
            _ => None,
        }
    }

    /// Takes the value under a key.
    #[must_use = "dropping a value may run code of users, so it is dropped last"]
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let entry = self.entries.get_mut(key)?;
        match mem::replace(entry, Entry::Free(self.free)) {
            Entry::Used(value) => {
                self.free = key;
                self.len -= 1;
                Some(value)
            }
            free => {
                *entry = free;
                None
            }
        }
    }

    /// Returns all values, in the order of their keys.
    #[must_use = "dropping a value may run code of users, so it is dropped last"]
    pub(crate) fn into_values(self) -> impl Iterator<Item = T> {
        self.entries.into_iter().filter_map(|entry| match entry {
            Entry::Used(value) => Some(value),
            Entry::Free(_) => None,
        })
    }

    /// Visits all values, in the order of their keys.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|entry| match entry {
            Entry::Used(value) => Some(value),
            Entry::Free(_) => None,
        })
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab::new()
    }
}
