//! Ends of streams and futures that the other side has.
//!
//! The test sees items as the canonical ABI has them in memory: whoever tests with strings reads or makes their pointers.

use super::rules::{Kept, allowed, rule};
use super::table;
use super::transmit::{All, Items, Side, State, Transmit, with};
use crate::builtins::BLOCKED;
use crate::copy::CANCELLED;
use alloc::vec;
use alloc::vec::Vec;

/// An end that the test has, or a host or another component that it plays. Dropping it drops the end.
pub struct Remote {
    id: usize,
    side: Side,
    /// What the last copy came to at once.
    answer: core::cell::Cell<Option<u32>>,
}

impl Remote {
    /// Makes a stream that the test writes: returns its end, and the handle of the reader that the component is to lift.
    pub fn stream<T: crate::abi::Abi<()> + 'static>() -> (Remote, u32) {
        Self::pair(Items::of::<(), T>(), false)
    }

    /// Makes a future that the test writes: returns its end, and the handle of the reader that the component is to lift.
    pub fn future<T: crate::abi::Abi<()> + 'static>() -> (Remote, u32) {
        Self::pair(Items::of::<(), T>(), true)
    }

    fn pair(items: Items, is_future: bool) -> (Remote, u32) {
        let (id, handle) = with(|all| {
            let id = all.add(items, is_future);
            (id, all.give(id, Side::Read))
        });
        (Remote::new(id, Side::Write), allowed("a reader is lowered", handle))
    }

    fn new(id: usize, side: Side) -> Remote {
        Remote { id, side, answer: core::cell::Cell::new(None) }
    }

    /// Takes the reader that the component has lowered.
    pub fn lift(handle: u32) -> Remote {
        fn lift(all: &mut All, handle: u32) -> Kept<usize> {
            let &(id, side) = all.handles.get(&handle).ok_or("the handle is not an end of a stream or future")?;
            rule(side == Side::Read, "only readable ends are passed on")?;
            let transmit = all.get(id)?;
            match transmit.end(side).state {
                State::Idle => {}
                State::Busy => return Err("there is a copy in progress"),
                State::Done => return Err("the end was told that the other one is dropped"),
            }
            table::check_unwatched(handle)?;
            rule(!transmit.is_spent(), "the value of the future was read before")?;
            transmit.end(side).handle = None;
            all.handles.remove(&handle);
            table::remove(handle)?;
            Ok(id)
        }
        Remote::new(allowed("a reader is lifted", with(|all| lift(all, handle))), Side::Read)
    }

    /// Gives this reader back to the component: returns its new handle.
    pub fn lower(self) -> u32 {
        let this = core::mem::ManuallyDrop::new(self);
        allowed("a reader is lowered", with(|all| all.give(this.id, this.side)))
    }

    fn with<T: Default>(&self, what: &str, f: impl FnOnce(&mut Transmit) -> Kept<T>) -> T {
        allowed(what, with(|all| f(all.get(self.id)?)))
    }

    /// Starts to write items, in canonical form.
    pub fn write<T>(&self, items: &[T]) {
        self.copy(Side::Write, items.len(), |_| size_of_val(items), Some(items.as_ptr().cast()));
    }

    /// Starts to read so many items.
    pub fn read(&self, count: usize) {
        self.copy(Side::Read, count, |size| count * size, None);
    }

    fn copy(&self, side: Side, count: usize, bytes: impl FnOnce(usize) -> usize, from: Option<*const u8>) {
        self.with("the other side starts a copy", |transmit| {
            rule(self.side == side, "this is the other end")?;
            let bytes = bytes(transmit.items.size);
            let memory = &mut transmit.end(side).memory;
            *memory = vec![0; bytes.div_ceil(8)];
            let at = memory.as_mut_ptr().cast::<u8>();
            if let Some(from) = from {
                // SAFETY: both have so many bytes, and the memory is fresh.
                unsafe { at.copy_from_nonoverlapping(from, bytes) }
            }
            // SAFETY: the memory has so many bytes, and is kept with the end until its next copy. That comes after this one.
            let code = unsafe { transmit.copy(side, at, count) }?;
            self.answer.set((code != BLOCKED).then_some(code));
            Ok(())
        });
    }

    /// Returns what the copy came to, once: the result, and how many items.
    pub fn outcome(&self) -> Option<(u32, usize)> {
        let code = match self.answer.take() {
            Some(code) => Some(code),
            None => self.with("the other side asks for an outcome", |transmit| Ok(transmit.outcome(self.side))),
        };
        code.map(|code| (code & 15, (code >> 4) as usize))
    }

    /// Gives the copy up: returns what it has come to.
    pub fn cancel(&self) -> (u32, usize) {
        self.outcome().unwrap_or_else(|| {
            self.with("the other side cancels", |transmit| {
                if transmit.end(self.side).state == State::Busy {
                    transmit.cancel(self.side)?;
                }
                Ok(())
            });
            (CANCELLED, 0)
        })
    }

    /// Returns the first items of the memory of the last copy.
    ///
    /// # Safety
    /// They are of this type.
    pub unsafe fn items<T: core::marker::Copy>(&self, count: usize) -> Vec<T> {
        self.with("the other side looks at its items", |transmit| {
            let memory = &transmit.end(self.side).memory;
            rule(count * size_of::<T>() <= 8 * memory.len(), "there are not so many items")?;
            // SAFETY: the memory has room for them and is aligned to 8, and the caller promises their type.
            Ok((0..count).map(|i| unsafe { memory.as_ptr().cast::<T>().add(i).read() }).collect())
        })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        allowed(
            "the other side drops an end",
            with(|all| {
                let transmit = all.get(self.id)?;
                if transmit.end(self.side).state == State::Busy {
                    transmit.cancel(self.side)?;
                }
                all.drop_end(self.id, self.side)
            }),
        );
    }
}
