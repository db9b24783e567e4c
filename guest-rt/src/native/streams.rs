//! Streams and futures. One side is the component; the other is the component again, or the test.
//!
//! The test sees items as the canonical ABI has them in memory: whoever tests with strings reads or makes their pointers.

use super::trace::builtin;
use super::{table, trap};
use crate::builtins::BLOCKED;
use crate::copy::{CANCELLED, COMPLETED, DROPPED, code};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::any::TypeId;
use core::cell::RefCell;

/// What is known of an item.
#[derive(Clone, Copy)]
pub struct Items {
    size: usize,
    /// It is nothing, or a number: those are copied inside one component as well.
    is_number: bool,
}

impl Items {
    /// What is known of `T`.
    pub fn of<W, T: crate::abi::Abi<W> + 'static>() -> Items {
        macro_rules! is_one_of {
            ($($ty:ty)*) => { $(TypeId::of::<T>() == TypeId::of::<$ty>() ||)* false };
        }
        Items { size: T::SHAPE.size, is_number: is_one_of!(() u8 u16 u32 u64 i8 i16 i32 i64 f32 f64) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Component(u32),
    /// Its reader, or its writer.
    Test(bool),
}

/// A copy that is pending.
struct Copy {
    owner: Owner,
    writes: bool,
    at: *mut u8,
    count: usize,
    done: usize,
}

struct Shared {
    items: Items,
    is_future: bool,
    dropped: bool,
    pending: Option<Copy>,
    /// What the copies of the test's reader and writer came to, and their memory.
    outcome: [Option<u32>; 2],
    memory: [Vec<u64>; 2],
    /// How many ends there are.
    ends: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Copying,
    Done,
}

struct End {
    shared: usize,
    writes: bool,
    state: State,
}

struct All {
    shared: BTreeMap<usize, Shared>,
    ends: BTreeMap<u32, End>,
    next: usize,
}

std::thread_local! {
    static ALL: RefCell<All> =
        const { RefCell::new(All { shared: BTreeMap::new(), ends: BTreeMap::new(), next: 0 }) };
}

impl All {
    fn shared(&mut self, id: usize) -> &mut Shared {
        match self.shared.get_mut(&id) {
            Some(shared) => shared,
            None => trap("no such stream"),
        }
    }

    fn end(&mut self, handle: u32, is_future: bool) -> &mut End {
        match self.ends.get_mut(&handle) {
            Some(end) if self.shared.get(&end.shared).is_some_and(|shared| shared.is_future == is_future) => end,
            _ => trap("not an end of a stream or future of this type"),
        }
    }

    fn add_shared(&mut self, items: Items, is_future: bool) -> usize {
        self.next += 1;
        let shared = Shared {
            items,
            is_future,
            dropped: false,
            pending: None,
            outcome: [None; 2],
            memory: [Vec::new(), Vec::new()],
            ends: 2,
        };
        self.shared.insert(self.next, shared);
        self.next
    }

    fn add(&mut self, shared: usize, writes: bool) -> u32 {
        let handle = table::new_waitable(if writes { "writable end" } else { "readable end" });
        self.ends.insert(handle, End { shared, writes, state: State::Idle });
        handle
    }

    fn forget(&mut self, id: usize) {
        let shared = self.shared(id);
        shared.ends -= 1;
        if shared.ends == 0 {
            self.shared.remove(&id);
        }
    }
}

impl Shared {
    fn code(&self, result: u32, count: usize) -> u32 {
        if self.is_future { result } else { code(result, count) }
    }

    /// Tells the owner of the pending copy.
    fn notify(&mut self, result: u32) {
        let Some(pending) = &self.pending else { return };
        let (owner, writes, code) = (pending.owner, pending.writes, self.code(result, pending.done));
        match owner {
            Owner::Test(writes) => self.outcome[usize::from(writes)] = Some(code),
            Owner::Component(handle) => {
                let event = 2 + 2 * u32::from(self.is_future) + u32::from(writes);
                table::post(handle, event, code);
            }
        }
    }

    /// A copy of the test's reader or writer is pending.
    fn is_copying(&self, writes: bool) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.owner == Owner::Test(writes))
    }

    /// The pending copy is over.
    fn finish(&mut self, result: u32) {
        self.notify(result);
        self.pending = None;
    }

    fn start(&mut self, owner: Owner, writes: bool, at: *mut u8, count: usize) -> Option<u32> {
        let mut copy = Copy { owner, writes, at, count, done: 0 };
        if self.dropped {
            return Some(DROPPED);
        }
        if let Some(theirs) = &mut self.pending {
            if let (Owner::Component(_), Owner::Component(_), false) = (theirs.owner, owner, self.items.is_number) {
                trap("both ends are in one component, and the items are not numbers");
            }
            let moved = (theirs.count - theirs.done).min(count);
            if theirs.count > theirs.done {
                let size = self.items.size;
                // SAFETY: whoever started a copy has promised that there is memory.
                unsafe {
                    let there = theirs.at.add(theirs.done * size);
                    let (from, to) = if writes { (at, there) } else { (there, at) };
                    to.copy_from(from, moved * size);
                }
                theirs.done += moved;
                if moved > 0 {
                    self.notify(COMPLETED);
                    if self.is_future {
                        self.pending = None;
                    }
                }
                return Some(self.code(COMPLETED, moved));
            }
            if writes && count == 0 && theirs.count == 0 {
                return Some(COMPLETED);
            }
            self.finish(COMPLETED);
        }
        copy.done = 0;
        self.pending = Some(copy);
        None
    }

    fn drop_end(&mut self) {
        if !self.dropped {
            self.dropped = true;
            self.finish(DROPPED);
        }
    }
}

fn with<T>(f: impl FnOnce(&mut All) -> T) -> T {
    ALL.with_borrow_mut(f)
}

fn new(items: Items, is_future: bool) -> u64 {
    with(|all| {
        let shared = all.add_shared(items, is_future);
        let (reader, writer) = (all.add(shared, false), all.add(shared, true));
        u64::from(reader) | u64::from(writer) << 32
    })
}

fn copy(handle: u32, is_future: bool, writes: bool, at: *mut u8, count: usize) -> u32 {
    let code = with(|all| {
        let end = all.end(handle, is_future);
        if end.writes != writes {
            trap("the wrong end");
        }
        match end.state {
            State::Idle => end.state = State::Copying,
            State::Copying => trap("another copy is in progress"),
            State::Done => trap("the copy comes after the end"),
        }
        let shared = end.shared;
        all.shared(shared).start(Owner::Component(handle), writes, at, count)
    });
    match code {
        Some(code) => {
            arrived(handle, code);
            code
        }
        None => BLOCKED,
    }
}

/// The component knows what a copy came to.
fn arrived(handle: u32, code: u32) {
    with(|all| {
        let Some(end) = all.ends.get_mut(&handle) else { return };
        let Some(shared) = all.shared.get_mut(&end.shared) else { return };
        if shared.pending.as_ref().is_some_and(|pending| pending.owner == Owner::Component(handle)) {
            shared.pending = None;
        }
        let done = code & 15 == DROPPED || shared.is_future && code & 15 == COMPLETED;
        end.state = if done { State::Done } else { State::Idle };
    });
}

/// An event gets to the component.
pub(super) fn delivered(event: u32, handle: u32, code: u32) {
    if (2..=5).contains(&event) {
        arrived(handle, code);
    }
}

fn cancel(handle: u32, is_future: bool) -> u32 {
    if with(|all| all.end(handle, is_future).state) != State::Copying {
        trap("there is nothing to cancel");
    }
    if table::is_in_set(handle) {
        trap("cancelled while in a set");
    }
    let code = match table::take_event(handle) {
        Some((_, code)) => code,
        None => CANCELLED,
    };
    arrived(handle, code);
    code
}

fn drop_end(handle: u32, is_future: bool) {
    with(|all| {
        let end = all.end(handle, is_future);
        if end.state == State::Copying {
            trap("dropped while a copy is in progress");
        }
        if is_future && end.writes && end.state != State::Done {
            trap("the writable end of a future is dropped unwritten");
        }
        let shared = end.shared;
        all.ends.remove(&handle);
        all.shared(shared).drop_end();
        all.forget(shared);
    });
    table::remove(handle);
}

/// `stream.new`
pub fn stream_new(items: Items) -> u64 {
    builtin("stream.new", &[]);
    new(items, false)
}

/// `stream.read`
///
/// # Safety
/// There is room for `count` items at `to`, until the read has ended.
pub unsafe fn stream_read(reader: u32, to: *mut u8, count: usize) -> u32 {
    builtin("stream.read", &[reader, count as u32]);
    copy(reader, false, false, to, count)
}

/// `stream.write`
///
/// # Safety
/// There are `count` items at `from`, until the write has ended.
pub unsafe fn stream_write(writer: u32, from: *const u8, count: usize) -> u32 {
    builtin("stream.write", &[writer, count as u32]);
    copy(writer, false, true, from.cast_mut(), count)
}

/// `stream.cancel-read` and `stream.cancel-write`
pub fn stream_cancel(end: u32) -> u32 {
    builtin("stream.cancel", &[end]);
    cancel(end, false)
}

/// `stream.drop-readable` and `stream.drop-writable`
pub fn stream_drop(end: u32) {
    builtin("stream.drop", &[end]);
    drop_end(end, false);
}

/// `future.new`
pub fn future_new(items: Items) -> u64 {
    builtin("future.new", &[]);
    new(items, true)
}

/// `future.read`
///
/// # Safety
/// There is room for an item at `to`, until the read has ended.
pub unsafe fn future_read(reader: u32, to: *mut u8) -> u32 {
    builtin("future.read", &[reader]);
    copy(reader, true, false, to, 1)
}

/// `future.write`
///
/// # Safety
/// There is an item at `from`, until the write has ended.
pub unsafe fn future_write(writer: u32, from: *const u8) -> u32 {
    builtin("future.write", &[writer]);
    copy(writer, true, true, from.cast_mut(), 1)
}

/// `future.cancel-read` and `future.cancel-write`
pub fn future_cancel(end: u32) -> u32 {
    builtin("future.cancel", &[end]);
    cancel(end, true)
}

/// `future.drop-readable` and `future.drop-writable`
pub fn future_drop(end: u32) {
    builtin("future.drop", &[end]);
    drop_end(end, true);
}

/// An end that the test has, or a host or another component that it plays. Dropping it drops the end.
pub struct Remote {
    shared: usize,
    writes: bool,
}

impl Remote {
    /// A stream that the test writes: its end, and the handle of the reader that the component is to lift.
    pub fn stream<T: crate::abi::Abi<()> + 'static>() -> (Remote, u32) {
        Self::new(Items::of::<(), T>(), false)
    }

    /// A future that the test writes: its end, and the handle of the reader that the component is to lift.
    pub fn future<T: crate::abi::Abi<()> + 'static>() -> (Remote, u32) {
        Self::new(Items::of::<(), T>(), true)
    }

    fn new(items: Items, is_future: bool) -> (Remote, u32) {
        with(|all| {
            let shared = all.add_shared(items, is_future);
            (Remote { shared, writes: true }, all.add(shared, false))
        })
    }

    /// Takes the reader that the component has lowered.
    pub fn lift(handle: u32) -> Remote {
        if table::is_in_set(handle) {
            trap("lifted while in a set");
        }
        table::remove(handle);
        with(|all| match all.ends.remove(&handle) {
            Some(End { shared, writes: false, state: State::Idle }) => Remote { shared, writes: false },
            _ => trap("lifted, but not an idle readable end"),
        })
    }

    /// Gives this reader back to the component: its new handle.
    pub fn lower(self) -> u32 {
        let this = core::mem::ManuallyDrop::new(self);
        with(|all| all.add(this.shared, false))
    }

    /// Starts to write items, in canonical form.
    pub fn write<T>(&self, items: &[T]) {
        self.copy(items.len(), size_of_val(items), Some(items.as_ptr().cast()));
    }

    /// Starts to read so many items.
    pub fn read(&self, count: usize) {
        let size = with(|all| all.shared(self.shared).items.size);
        self.copy(count, count * size, None);
    }

    fn copy(&self, count: usize, bytes: usize, from: Option<*const u8>) {
        if from.is_some() != self.writes {
            trap("the test uses the wrong end");
        }
        with(|all| {
            let shared = all.shared(self.shared);
            if shared.is_copying(self.writes) {
                trap("the test has not awaited its last copy");
            }
            let memory = &mut shared.memory[usize::from(self.writes)];
            *memory = vec![0; bytes.div_ceil(8)];
            let at = memory.as_mut_ptr().cast::<u8>();
            if let Some(from) = from {
                // SAFETY: both have so many bytes.
                unsafe { at.copy_from_nonoverlapping(from, bytes) }
            }
            shared.outcome[usize::from(self.writes)] = shared.start(Owner::Test(self.writes), self.writes, at, count);
        });
    }

    /// What the copy came to, once: the result, and how many items.
    pub fn outcome(&self) -> Option<(u32, usize)> {
        with(|all| {
            let shared = all.shared(self.shared);
            let outcome = shared.outcome[usize::from(self.writes)].take();
            if outcome.is_some() && shared.is_copying(self.writes) {
                shared.pending = None;
            }
            outcome.map(|code| (code & 15, (code >> 4) as usize))
        })
    }

    /// Gives the copy up: what it has come to.
    pub fn cancel(&self) -> (u32, usize) {
        self.outcome().unwrap_or_else(|| {
            with(|all| {
                let shared = all.shared(self.shared);
                if shared.is_copying(self.writes) {
                    shared.pending = None;
                }
            });
            (CANCELLED, 0)
        })
    }

    /// The first items of the memory of the last copy.
    ///
    /// # Safety
    /// They are of this type.
    pub unsafe fn items<T: core::marker::Copy>(&self, count: usize) -> Vec<T> {
        with(|all| {
            let memory = &all.shared(self.shared).memory[usize::from(self.writes)];
            // SAFETY: the caller's promise.
            (0..count).map(|i| unsafe { memory.as_ptr().cast::<T>().add(i).read() }).collect()
        })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        with(|all| {
            let shared = all.shared(self.shared);
            if shared.is_copying(self.writes) {
                shared.pending = None;
            }
            shared.drop_end();
            all.forget(self.shared);
        });
    }
}

/// How many streams and futures there are.
pub fn streams() -> usize {
    with(|all| all.shared.len())
}
