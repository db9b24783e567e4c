//! Who wants to be told when the caller cancels a task.
//!
//! A block is used by many tasks, one after the other. What asks to be told belongs to one of those *uses*: the list is
//! made when it is first needed, and the block lets go of it when its task ends. An entry keeps the list alive and not the
//! block. So a future that was forgotten, or polled on by somebody else, has no part in later tasks of its block.

use crate::slab::Slab;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::task::Waker;

/// The field of a block. Where nobody asks to be told, nothing else of this is linked: the list is behind a vtable.
pub(crate) struct Notices {
    list: Cell<Option<Rc<dyn List>>>,
    /// The caller wants the task cancelled.
    requested: Cell<bool>,
}

impl Notices {
    pub(crate) const fn new() -> Notices {
        Notices { list: Cell::new(None), requested: Cell::new(false) }
    }

    /// The caller wants the task cancelled: tells everybody. Returns whether the root of the task heeds that, and so goes
    /// on.
    ///
    /// Runs wakers, which are code of users, when everything else is done.
    #[inline(always)]
    pub(crate) fn request(&self) -> bool {
        self.requested.set(true);
        match self.list() {
            None => false,
            Some(list) => list.request(),
        }
    }

    /// The task is over: nobody is told any more. Runs no code of users, as the list only shares what it holds.
    #[inline(always)]
    pub(crate) fn clear(&self) {
        self.requested.set(false);
        drop(self.list.take());
    }

    /// Adds an entry, on behalf of the root of the task or of a future that was spawned onto it.
    pub(crate) fn add(&self, notice: &Rc<Notice>, is_root: bool) -> Registered {
        notice.requested.set(self.requested.get());
        let list = match self.list() {
            Some(list) => list,
            None => {
                let list: Rc<dyn List> = Rc::new(Entries { notices: RefCell::default(), roots: Cell::new(0) });
                self.list.set(Some(list.clone()));
                list
            }
        };
        let key = list.add(Entry { notice: notice.clone(), is_root });
        Registered { list, key, is_root }
    }

    /// Returns whether this is still the use of the block that `registered` is for.
    pub(crate) fn are_of(&self, registered: &Registered) -> bool {
        self.list().is_some_and(|list| core::ptr::addr_eq(Rc::as_ptr(&list), Rc::as_ptr(&registered.list)))
    }

    #[inline(always)]
    fn list(&self) -> Option<Rc<dyn List>> {
        let list = self.list.take();
        self.list.set(list.clone());
        list
    }
}

/// The entries for one use of a block.
trait List {
    fn add(&self, entry: Entry) -> usize;
    fn remove(&self, key: usize) -> Option<Entry>;
    /// Tells everybody. Returns whether the root goes on. Runs code of users, last.
    fn request(&self) -> bool;
}

struct Entries {
    notices: RefCell<Slab<Entry>>,
    /// How many of them are the root's.
    roots: Cell<u32>,
}

struct Entry {
    notice: Rc<Notice>,
    is_root: bool,
}

impl List for Entries {
    fn add(&self, entry: Entry) -> usize {
        self.roots.set(self.roots.get() + u32::from(entry.is_root));
        self.notices.borrow_mut().insert(entry)
    }

    fn remove(&self, key: usize) -> Option<Entry> {
        let entry = self.notices.borrow_mut().remove(key)?;
        self.roots.set(self.roots.get() - u32::from(entry.is_root));
        Some(entry)
    }

    fn request(&self) -> bool {
        let mut wakers = Vec::new();
        for entry in self.notices.borrow_mut().iter_mut() {
            entry.notice.requested.set(true);
            wakers.extend(entry.notice.waiting.take().into_values());
        }
        let is_kept = self.roots.get() > 0;
        Told(wakers).wake();
        is_kept
    }
}

/// A place in the list of one use of a block; given back when this is dropped.
pub(crate) struct Registered {
    list: Rc<dyn List>,
    key: usize,
    /// It is on behalf of the root of the task.
    pub(crate) is_root: bool,
}

impl Drop for Registered {
    fn drop(&mut self) {
        // Who owns this has the notice as well, so that nothing in it is dropped here.
        drop(self.list.remove(self.key));
    }
}

/// The wakers of a request.
#[must_use = "they have to be woken, last"]
struct Told(Vec<Waker>);

impl Told {
    fn wake(mut self) {
        while let Some(waker) = self.0.pop() {
            waker.wake();
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // Where one of them panicked, the others are woken all the same.
        while let Some(waker) = self.0.pop() {
            waker.wake();
        }
    }
}

/// What one is told through.
#[derive(Default)]
pub(crate) struct Notice {
    requested: Cell<bool>,
    waiting: RefCell<Slab<Waker>>,
}

impl Notice {
    pub(crate) fn is_requested(&self) -> bool {
        self.requested.get()
    }

    /// Has a request wake `waker`, instead of the waker under `key`. Returns the new key.
    ///
    /// Runs code of users, which may bring a request about: look for one afterwards.
    pub(crate) fn wait(&self, key: Option<usize>, waker: &Waker) -> usize {
        let is_same = |registered: &mut Waker| registered.will_wake(waker);
        if let Some(key) = key
            && self.waiting.borrow_mut().get_mut(key).is_some_and(is_same)
        {
            return key;
        }
        let waker = waker.clone();
        let mut waiting = self.waiting.borrow_mut();
        let before = key.and_then(|key| waiting.remove(key));
        let key = waiting.insert(waker);
        drop(waiting);
        drop(before);
        key
    }

    /// Removes the waker under `key`, and returns it.
    #[must_use = "dropping a waker runs code of users, so it is dropped last"]
    pub(crate) fn leave(&self, key: usize) -> Option<Waker> {
        self.waiting.borrow_mut().remove(key)
    }
}
