//! What is there of other runtimes without the feature `beside`: nothing.

pub(super) mod foreign {
    use crate::task::TaskRef;
    use core::convert::Infallible;

    #[inline(always)]
    pub(in crate::task) fn any() -> bool {
        false
    }

    #[inline(always)]
    pub(in crate::task) fn is(_: TaskRef) -> bool {
        false
    }

    /// # Safety
    /// None is needed: nobody can call this.
    pub(in crate::task) unsafe fn last(other: Infallible) -> Option<TaskRef> {
        match other {}
    }

    /// # Safety
    /// None is needed: nobody can call this.
    pub(in crate::task) unsafe fn stand_in(other: Infallible, _: Option<TaskRef>) -> TaskRef {
        match other {}
    }

    /// # Safety
    /// None is needed: nobody can call this.
    pub(in crate::task) unsafe fn keeps(other: Infallible) -> bool {
        match other {}
    }

    pub(in crate::task) fn signal(_: TaskRef) {}
}
