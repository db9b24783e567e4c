//! The registered operation of each waitable, by its handle.
//!
//! Handles are small numbers: they index one table of the engine. So this is a table as well, not a map.

use super::waitable::Operation;
use crate::instance::local;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

/// What is registered for a handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Nothing, as for most handles.
    Nothing,
    /// The reading end of a pair of unit streams, by the number of the pair: see `wake`.
    Signal(usize),
    /// An operation. It is live as long as it is registered.
    Operation(NonNull<Operation>),
}

/// An entry in one word: operations are aligned, so the address of one is even.
#[derive(Clone, Copy)]
struct Word(*const Operation);

const NOTHING: Word = Word(ptr::without_provenance(1));

impl Word {
    #[inline(always)]
    fn of(entry: Entry) -> Word {
        match entry {
            Entry::Nothing => NOTHING,
            Entry::Signal(number) => Word(ptr::without_provenance(((number + 1) << 1) | 1)),
            Entry::Operation(operation) => Word(operation.as_ptr()),
        }
    }

    #[inline(always)]
    fn entry(self) -> Entry {
        let address = self.0.addr();
        if address & 1 == 0 {
            // SAFETY: words with an even address are made of operations only.
            Entry::Operation(unsafe { NonNull::new_unchecked(self.0.cast_mut()) })
        } else {
            match address >> 1 {
                0 => Entry::Nothing,
                number => Entry::Signal(number - 1),
            }
        }
    }
}

struct Table(UnsafeCell<Vec<Word>>);

local! {
    static TABLE: Table = Table(UnsafeCell::new(Vec::new()));
}

impl Table {
    /// Calls `f` with the words.
    #[inline(always)]
    fn with<T>(&self, f: impl FnOnce(&mut Vec<Word>) -> T) -> T {
        // SAFETY: this is the only reference: the functions of this module call nothing else from inside.
        f(unsafe { &mut *self.0.get() })
    }
}

/// Returns what is registered for `handle`.
#[inline(always)]
pub(crate) fn get(handle: u32) -> Entry {
    TABLE.with(|words| words.get(handle as usize).copied().unwrap_or(NOTHING)).entry()
}

/// Takes what is registered for `handle`, for which something was at some time.
///
/// # Safety
/// It was.
#[inline(always)]
pub(crate) unsafe fn take_known(handle: u32) -> Entry {
    // SAFETY: the table has room for every handle that was registered, and does not shrink.
    TABLE.with(|words| core::mem::replace(unsafe { words.get_unchecked_mut(handle as usize) }, NOTHING)).entry()
}

/// Registers `entry` for `handle`.
#[inline(always)]
pub(crate) fn set(handle: u32, entry: Entry) {
    let word = Word::of(entry);
    TABLE.with(|words| match words.get_mut(handle as usize) {
        Some(old) => *old = word,
        None => grow(words, handle, word),
    });
}

/// Returns a number that all handles with an entry are below.
pub(crate) fn len() -> u32 {
    TABLE.with(|words| words.len() as u32)
}

#[cold]
#[inline(never)]
fn grow(words: &mut Vec<Word>, handle: u32, word: Word) {
    words.resize((handle as usize + 1).next_power_of_two().max(32), NOTHING);
    if let Some(old) = words.get_mut(handle as usize) {
        *old = word;
    }
}
