//! Natively: which thread stands in for the instance that something belongs to.

/// The thread that something was made on, and is used on alone.
///
/// What has one may be `Send` and `Sync` natively, as it is on wasm, if it calls [`check`](HomeThread::check) before it
/// touches anything that is neither: it can be moved to another thread and back, and is of no use there. On wasm this is
/// nothing.
pub(crate) struct HomeThread {
    #[cfg(not(target_family = "wasm"))]
    thread: usize,
}

impl HomeThread {
    /// Returns the home of something that is made now.
    #[inline(always)]
    pub(crate) fn new() -> HomeThread {
        HomeThread {
            #[cfg(not(target_family = "wasm"))]
            thread: crate::instance::thread(),
        }
    }

    /// Returns whether this is the thread.
    #[inline(always)]
    pub(crate) fn is_here(&self) -> bool {
        #[cfg(target_family = "wasm")]
        return true;
        #[cfg(not(target_family = "wasm"))]
        return self.thread == crate::instance::thread();
    }

    /// Checks that this is the thread.
    ///
    /// # Panics
    ///
    /// On any other. Nothing was touched then.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn check(&self) {
        if !self.is_here() {
            elsewhere()
        }
    }

    /// Returns whether a destructor may run. If not, everything that it would drop has to be leaked.
    ///
    /// # Panics
    ///
    /// On any other thread, unless that is panicking already.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn may_drop(&self) -> bool {
        if self.is_here() {
            return true;
        }
        #[cfg(not(target_family = "wasm"))]
        if !std::thread::panicking() {
            elsewhere()
        }
        false
    }
}

#[cold]
#[track_caller]
fn elsewhere() -> ! {
    panic!("an end of a stream or future was used on another thread, but a component instance has only one")
}
