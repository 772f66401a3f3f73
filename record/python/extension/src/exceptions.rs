//! Telling a first raise from an exception that passes through or is raised again.
//!
//! The exception carries the answer itself: its traceback names the frames it went through. No
//! exception object has to be remembered for that.

use crate::api::{PyObject, field, py};
use crate::codes::Codes;
use crate::frame::RawFrame;
use crate::layout::fixed;

/// What an exception does in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// First raised here, or first came into recorded code here.
    First,
    /// Passed through recorded code before.
    Again,
    /// Not in this frame: an iterator said that it has nothing more.
    Elsewhere,
}

/// What an exception with this traceback does in `frame`.
///
/// # Safety
///
/// `traceback` is null, `None` or a live traceback; `frame` runs.
pub(crate) unsafe fn sight(codes: &Codes, frame: RawFrame, traceback: *mut PyObject) -> Sight {
    // SAFETY: the caller's; the offsets of tracebacks are the same in all versions.
    unsafe {
        if !is_traceback(traceback) || traceback_frame(traceback) != frame {
            return Sight::Elsewhere;
        }
        let mut at: *mut PyObject = field(traceback, fixed::TRACEBACK_NEXT);
        while is_traceback(at) {
            let code = py::PyFrame_GetCode(field(at, fixed::TRACEBACK_FRAME));
            let is_recorded = codes.is_recorded(code);
            py::Py_DecRef(code);
            if is_recorded {
                return Sight::Again;
            }
            at = field(at, fixed::TRACEBACK_NEXT);
        }
        Sight::First
    }
}

unsafe fn is_traceback(object: *mut PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { !object.is_null() && (*object).ob_type == py::PyTraceBack_Type() }
}

unsafe fn traceback_frame(traceback: *mut PyObject) -> RawFrame {
    // SAFETY: the caller's.
    unsafe { RawFrame::of_object(field(traceback, fixed::TRACEBACK_FRAME)) }
}
