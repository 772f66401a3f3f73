//! Keeping the interpreter's collector of garbage from running inside the recorder, where the code
//! that it may set off would not be recorded.

use crate::api::py;

/// Runs `work` without collections, where the interpreter can be told so (from 3.10).
pub(crate) fn pause<R>(work: impl FnOnce() -> R) -> R {
    let (Some(disable), Some(enable)) = (py::PyGC_Disable(), py::PyGC_Enable()) else {
        return work();
    };
    // SAFETY: every entry of the recorder holds the interpreter's lock.
    let was_on = unsafe { disable() } != 0;
    let result = work();
    if was_on {
        // SAFETY: as above.
        unsafe { enable() };
    }
    result
}
