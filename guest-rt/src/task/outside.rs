//! Code of the component that is no task's.

use super::{current, rest};

/// Kept by generated code while a synchronous export or the destructor of a resource runs. To that code no task is
/// current, also where one is in the middle of a call meanwhile. When it ends, the instance may be at rest.
pub struct Outside(current::Under);

impl Outside {
    /// Enters such code.
    #[inline]
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Outside {
        Outside(current::step_out(false))
    }

    /// Enters such code of a world that has no async exports. Unless another world of the component has some, no task will
    /// ever be there that work could be left to.
    #[inline]
    pub fn without_tasks() -> Outside {
        Outside(current::step_out(true))
    }
}

impl Drop for Outside {
    #[inline]
    fn drop(&mut self) {
        current::step_in(self.0);
        rest::if_idle();
    }
}
