//! Whom to wake when something has happened.

use super::node::NodeRef;
use super::waitable::Operation;
use super::wake::{node_of, wake};
use crate::later;
use core::cell::{Cell, UnsafeCell};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::{self, NonNull};
use core::task::{Context, Waker};

/// Whom to wake: a node of ours by its pointer; anything else is kept out of line.
///
/// Wakers are anybody's code, also when they are cloned or dropped. So they are cloned before anything is looked at, and
/// woken or dropped from a [`Wake`], when everything else is done.
pub(crate) struct Parked {
    /// A node, or one of the four below.
    node: Cell<*const ()>,
    other: UnsafeCell<MaybeUninit<Other>>,
}

union Other {
    waker: ManuallyDrop<Waker>,
    call: Call,
}

/// What is called instead of waking somebody: see [`Operation::detach`].
pub(crate) type Call = unsafe fn(*const Operation, u32);

/// Somebody to wake, or to let go. Either runs code of users, which may come back to where this was taken from: so it is
/// used up last, when everything else is done and nothing is borrowed.
#[must_use = "it is to be woken, or dropped, when everything else is done"]
pub(crate) enum Wake {
    Nobody,
    Node(NodeRef),
    Waker(Waker),
}

impl Wake {
    /// Wakes nobody.
    #[inline(always)]
    pub(crate) const fn nobody() -> Wake {
        Wake::Nobody
    }

    /// Returns whom `cx` wakes. Runs code of users, if the waker is not one of this runtime: nothing that was read before
    /// is true any more.
    #[inline]
    pub(crate) fn of(cx: &Context<'_>) -> Wake {
        match node_of(cx.waker()) {
            Some(node) => Wake::Node(node),
            None => Wake::Waker(cx.waker().clone()),
        }
    }

    /// Has it dropped when nothing that is being lowered is in use any more.
    pub(crate) fn drop_later(self) {
        if let Wake::Waker(waker) = self {
            later::put_off(|| drop(waker));
        }
    }

    /// Wakes it.
    #[inline]
    pub(crate) fn wake(self) {
        match self {
            Wake::Node(node) => wake(node),
            Wake::Waker(waker) => waker.wake(),
            Wake::Nobody => {}
        }
    }
}

const NOBODY: *const () = ptr::null();
const FOREIGN: *const () = ptr::without_provenance(1);
const CALL: *const () = ptr::without_provenance(2);
/// A call as well, for the owner in another runtime.
const LODGER: *const () = ptr::without_provenance(3);

impl Parked {
    /// Wakes nobody.
    pub(crate) const fn nobody() -> Parked {
        Parked { node: Cell::new(NOBODY), other: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Calls `call`.
    pub(crate) const fn call(call: Call) -> Parked {
        Parked { node: Cell::new(CALL), other: UnsafeCell::new(MaybeUninit::new(Other { call })) }
    }

    /// Calls `call`, for [`is_lodger`](Self::is_lodger).
    #[cfg(feature = "beside")]
    pub(crate) const fn lodger(call: Call) -> Parked {
        Parked { node: Cell::new(LODGER), other: UnsafeCell::new(MaybeUninit::new(Other { call })) }
    }

    /// Returns whether it was made by [`lodger`](Self::lodger), and not taken.
    #[cfg(feature = "beside")]
    pub(crate) fn is_lodger(&self) -> bool {
        self.node.get() == LODGER
    }

    /// Parks whom `cx` wakes, in what was not written yet, if that runs no code of users: it is a node of ours. Returns
    /// whether it is; otherwise nobody is parked.
    ///
    /// # Safety
    /// As for `write`.
    #[inline(always)]
    pub(super) unsafe fn write_node(this: *mut Parked, cx: &Context<'_>) -> bool {
        let node = node_of(cx.waker());
        // SAFETY: valid for writes.
        unsafe { (&raw mut (*this).node).write(Cell::new(node.map_or(NOBODY, |node| node.block::<()>()))) }
        node.is_some()
    }

    /// Parks `wake`, in what was not written yet.
    ///
    /// # Safety
    /// `this` is valid for writes, and nobody refers to it.
    #[inline(always)]
    pub(super) unsafe fn write(this: *mut Parked, wake: Wake) {
        // Written in place, since most of it is not written.
        match wake {
            // SAFETY: valid for writes.
            Wake::Node(node) => unsafe { (&raw mut (*this).node).write(Cell::new(node.block::<()>())) },
            // SAFETY: as above.
            other => unsafe { Parked::write_other(this, other) },
        }
    }

    /// # Safety
    /// As for `write`.
    #[cold]
    #[inline(never)]
    unsafe fn write_other(this: *mut Parked, wake: Wake) {
        let parked = Parked::nobody();
        // Nobody is there who could be displaced.
        let _nobody = parked.put(wake);
        // SAFETY: valid for writes.
        unsafe { this.write(parked) }
    }

    /// Parks whom `cx` wakes instead of what was parked, which is dropped last.
    #[inline(never)]
    pub(crate) fn park(&self, cx: &Context<'_>) {
        let node = self.node.get();
        match node_of(cx.waker()) {
            Some(new) => {
                let new = new.block::<()>().cast_const();
                if new != node {
                    let old = self.take();
                    self.node.set(new);
                    drop(old);
                }
            }
            None => self.park_foreign(cx),
        }
    }

    #[cold]
    #[inline(never)]
    fn park_foreign(&self, cx: &Context<'_>) {
        // SAFETY: what `FOREIGN` says; comparing runs no code of users.
        if self.node.get() == FOREIGN && unsafe { (*self.other.get()).assume_init_ref().waker.will_wake(cx.waker()) } {
            return;
        }
        // First, since it may come back here.
        let waker = cx.waker().clone();
        let old = self.take();
        self.node.set(FOREIGN);
        // SAFETY: nobody refers into the cell: each function here that does calls nothing from inside. What it held was
        // taken.
        unsafe { (*self.other.get()).write(Other { waker: ManuallyDrop::new(waker) }) };
        drop(old);
    }

    /// Parks `wake` instead of who was parked, whom `wake` is afterwards: to be dropped last.
    #[inline(always)]
    pub(crate) fn swap(&self, wake: &mut Wake) {
        if let Wake::Node(node) = wake
            && self.node.get() == node.block::<()>().cast_const()
        {
            return;
        }
        *wake = self.put(core::mem::replace(wake, Wake::Nobody));
    }

    /// Parks `wake` instead of who was parked, who is returned: to be dropped last.
    #[inline(never)]
    pub(crate) fn put(&self, wake: Wake) -> Wake {
        let old = self.take();
        match wake {
            Wake::Nobody => {}
            Wake::Node(node) => self.node.set(node.block::<()>()),
            Wake::Waker(waker) => {
                self.node.set(FOREIGN);
                // SAFETY: nobody refers into the cell: each function here that does calls nothing from inside. What it
                // held was taken.
                unsafe { (*self.other.get()).write(Other { waker: ManuallyDrop::new(waker) }) };
            }
        }
        old
    }

    /// Parks `new` instead of what was parked, which is returned.
    pub(crate) fn replace(&self, new: Parked) -> Wake {
        let new = ManuallyDrop::new(new);
        let old = self.take();
        self.node.set(new.node.get());
        // SAFETY: nobody refers into either cell: each function here that does calls nothing from inside. What this one
        // held was taken, and the new one is forgotten.
        unsafe { self.other.get().copy_from_nonoverlapping(new.other.get(), 1) };
        old
    }

    /// Returns the node, if one is parked.
    #[inline(always)]
    pub(crate) fn node(&self) -> Option<NodeRef> {
        let node = self.node.get();
        // SAFETY: anything above the constants is a node.
        (node.addr() > LODGER.addr()).then(|| unsafe { NodeRef::new(NonNull::new_unchecked(node.cast_mut().cast())) })
    }

    /// Returns the call, if one is parked.
    pub(crate) fn called(&self) -> Option<Call> {
        // SAFETY: what the constants say.
        matches!(self.node.get(), CALL | LODGER).then(|| unsafe { (*self.other.get()).assume_init_ref().call })
    }

    /// Takes who is parked. What is called instead is forgotten.
    #[inline(never)]
    pub(crate) fn take(&self) -> Wake {
        if let Some(node) = self.node() {
            self.node.set(NOBODY);
            return Wake::Node(node);
        }
        // SAFETY: what the constants say. The waker is moved out, since the cell holds nobody from now on.
        unsafe {
            match self.node.replace(NOBODY) {
                FOREIGN => Wake::Waker(ManuallyDrop::into_inner((*self.other.get()).assume_init_read().waker)),
                _ => Wake::Nobody,
            }
        }
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        drop(self.take());
    }
}
