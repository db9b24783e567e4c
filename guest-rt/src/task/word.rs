//! The word that says which task runs.
//!
//! With the feature `beside` it is the one that all runtimes in the module share: to enter a task is to publish it, and
//! what is found there may be a task of another runtime.

#[cfg(feature = "beside")]
pub(super) use shared::{WORD, Word};

#[cfg(not(feature = "beside"))]
pub(super) use alone::{WORD, Word};

#[cfg(feature = "beside")]
mod shared {
    use crate::task::beside::Published;
    use crate::task::{Task, TaskRef};
    use core::mem::offset_of;
    use core::ptr::{self, NonNull};

    /// What the word holds: nothing, a task of ours, or one of another runtime.
    #[derive(Clone, Copy, PartialEq)]
    #[repr(transparent)]
    pub(in crate::task) struct Word(*mut Published);

    impl Word {
        pub(in crate::task) const NOTHING: Word = Word(ptr::null_mut());

        /// Holds a task of ours.
        #[inline(always)]
        pub(in crate::task) fn of(task: TaskRef) -> Word {
            // In the block, with provenance for all of it.
            Word(task.block::<u8>().wrapping_add(offset_of!(Task, published)).cast())
        }

        #[inline(always)]
        pub(in crate::task) fn is_nothing(self) -> bool {
            self.0.is_null()
        }

        /// Returns the task, if it is one of ours.
        #[inline(never)]
        pub(in crate::task) fn own(self) -> Option<TaskRef> {
            self.own_inline()
        }

        /// As `own`, for where it is called often.
        #[inline(always)]
        pub(in crate::task) fn own_inline(self) -> Option<TaskRef> {
            let published = NonNull::new(self.0)?;
            // SAFETY: the task in the word is valid (contract 1), and only tasks of this copy of the runtime have our
            // functions. In those it is part of a block.
            unsafe {
                let is_ours = (*published.as_ptr()).is_ours();
                is_ours.then(|| TaskRef::from_block(self.0.cast::<u8>().sub(offset_of!(Task, published))))
            }
        }

        /// Returns the task, if it is one of another runtime.
        #[inline(always)]
        pub(in crate::task) fn foreign(self) -> Option<NonNull<Published>> {
            // SAFETY: the task in the word is valid (contract 1).
            NonNull::new(self.0).filter(|task| unsafe { !(*task.as_ptr()).is_ours() })
        }
    }

    #[cfg(target_family = "wasm")]
    pub(in crate::task) use object::WORD;

    /// The object's word.
    #[cfg(target_family = "wasm")]
    mod object {
        use super::Word;
        use crate::instance::Local;
        use core::cell::Cell;

        #[allow(improper_ctypes, reason = "others only swap it, as a pointer")]
        unsafe extern "C" {
            #[link_name = "wasp_wasip3_task"]
            pub(in crate::task) safe static WORD: Local<Cell<Word>>;
        }
    }

    #[cfg(not(target_family = "wasm"))]
    crate::instance::local! {
        pub(in crate::task) static WORD: core::cell::Cell<Word> = core::cell::Cell::new(Word::NOTHING);
    }

    /// Stands in for the object's function of this name, for tests that play another runtime.
    #[cfg(not(target_family = "wasm"))]
    pub fn wasip3_task_set(task: *mut core::ffi::c_void) -> *mut core::ffi::c_void {
        WORD.replace(Word(task.cast())).0.cast()
    }
}

#[cfg(not(feature = "beside"))]
mod alone {
    use crate::task::TaskRef;
    use core::cell::Cell;

    /// What the word holds: nothing, or a task.
    #[derive(Clone, Copy, PartialEq)]
    pub(in crate::task) struct Word(Option<TaskRef>);

    impl Word {
        pub(in crate::task) const NOTHING: Word = Word(None);

        /// Holds a task.
        #[inline(always)]
        pub(in crate::task) fn of(task: TaskRef) -> Word {
            Word(Some(task))
        }

        #[inline(always)]
        pub(in crate::task) fn is_nothing(self) -> bool {
            self.0.is_none()
        }

        /// Returns the task.
        #[inline(always)]
        pub(in crate::task) fn own(self) -> Option<TaskRef> {
            self.0
        }

        /// As `own`.
        #[inline(always)]
        pub(in crate::task) fn own_inline(self) -> Option<TaskRef> {
            self.0
        }

        /// Returns the task of another runtime: there is none.
        #[inline(always)]
        pub(in crate::task) fn foreign(self) -> Option<core::convert::Infallible> {
            None
        }
    }

    crate::instance::local! {
        pub(in crate::task) static WORD: Cell<Word> = Cell::new(Word::NOTHING);
    }
}

#[cfg(all(feature = "beside", not(target_family = "wasm")))]
pub use shared::wasip3_task_set;
