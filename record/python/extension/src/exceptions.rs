//! Telling a first raise from an exception that passes through or is raised again.
//!
//! The exception carries the answer itself: its traceback names the frames it went through. No
//! exception object has to be remembered for that.

use crate::api::{PyObject, field, py};
use crate::ask;
use crate::codes::Codes;
use crate::frame::RawFrame;
use crate::layout::{fixed, layout};

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
    // SAFETY: the caller's.
    unsafe {
        if !is_traceback(traceback) || RawFrame::of_object(frame_of(traceback)) != frame {
            return Sight::Elsewhere;
        }
        let mut at = next(traceback);
        while is_traceback(at) {
            let code = py::PyFrame_GetCode(frame_of(at));
            let is_recorded = codes.is_recorded(code);
            py::Py_DecRef(code);
            if is_recorded {
                return Sight::Again;
            }
            at = next(at);
        }
        Sight::First
    }
}

unsafe fn is_traceback(object: *mut PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { !object.is_null() && (*object).ob_type == py::PyTraceBack_Type() }
}

/// The frame object of a traceback.
unsafe fn frame_of(traceback: *mut PyObject) -> *mut PyObject {
    // SAFETY: the caller's; the offsets of tracebacks are the same in all versions.
    unsafe {
        if layout().asks() {
            return ask::kept(traceback, c"tb_frame");
        }
        field(traceback, fixed::TRACEBACK_FRAME)
    }
}

/// The traceback of the frame that was called, or null.
unsafe fn next(traceback: *mut PyObject) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        if layout().asks() {
            return ask::kept(traceback, c"tb_next");
        }
        field(traceback, fixed::TRACEBACK_NEXT)
    }
}
