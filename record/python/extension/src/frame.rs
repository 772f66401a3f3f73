//! Reading frames: raw pointers to the interpreter's own records of what runs, or, where the
//! self-check found these laid out in another way, frame objects that the interpreter is asked about.

use crate::api::{PyObject, field, py};
use crate::ask;
use crate::collector;
use crate::layout::{ABSENT, layout};

/// A frame of the interpreter: `PyFrameObject` up to 3.10, `_PyInterpreterFrame` since; a frame
/// object in every version where the interpreter is asked.
///
/// Valid only while the frame exists; the recorder keeps the address for comparison only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RawFrame(pub(crate) *mut u8);

impl RawFrame {
    /// The interpreter frame behind a frame object.
    ///
    /// # Safety
    ///
    /// `object` is a live frame object.
    #[inline]
    pub(crate) unsafe fn of_object(object: *mut PyObject) -> RawFrame {
        let offset = layout().frame_object_frame;
        if offset == ABSENT {
            return RawFrame(object.cast());
        }
        // SAFETY: the caller's; the offset was checked at activation.
        unsafe { RawFrame(field(object, offset)) }
    }

    /// The frame object, where the interpreter is asked.
    #[inline]
    pub(crate) fn object(self) -> *mut PyObject {
        self.0.cast()
    }

    /// The code it runs.
    ///
    /// # Safety
    ///
    /// The frame exists.
    #[inline]
    pub(crate) unsafe fn code(self) -> *mut PyObject {
        if layout().asks() {
            // SAFETY: the caller's; the frame keeps its code.
            return unsafe { ask::borrowed(py::PyFrame_GetCode(self.object())) };
        }
        // SAFETY: the caller's; the offset was checked at activation.
        let word: usize = unsafe { field(self.0, layout().frame_code) };
        untag(word)
    }

    /// What a slot (or, behind the slots, an entry of the operand stack) holds, or null.
    ///
    /// # Safety
    ///
    /// The frame exists and has the slot.
    #[inline]
    pub(crate) unsafe fn slot(self, index: usize) -> *mut PyObject {
        // SAFETY: the caller's; the offset was checked at activation.
        let word: usize = unsafe { field(self.0, layout().frame_slots + 8 * index) };
        untag(word)
    }

    /// The namespace that holds its globals.
    ///
    /// # Safety
    ///
    /// The frame exists.
    #[inline]
    pub(crate) unsafe fn globals(self) -> *mut PyObject {
        if layout().asks() {
            // SAFETY: the caller's.
            return unsafe { ask::kept(self.object(), c"f_globals") };
        }
        // SAFETY: the caller's; the offset was checked at activation.
        unsafe { field(self.0, layout().frame_globals) }
    }

    /// The namespace in which it looks for globals after its own. Not to be asked for where the
    /// interpreter is asked.
    ///
    /// # Safety
    ///
    /// The frame exists.
    #[inline]
    pub(crate) unsafe fn builtins(self) -> *mut PyObject {
        // SAFETY: the caller's; the offset was checked at activation.
        unsafe { field(self.0, layout().frame_builtins) }
    }

    /// The mapping that holds its locals. Not to be asked of functions.
    ///
    /// # Safety
    ///
    /// The frame exists.
    #[inline]
    pub(crate) unsafe fn locals(self) -> *mut PyObject {
        if layout().asks() {
            // SAFETY: the caller's.
            return unsafe { ask::kept(self.object(), c"f_locals") };
        }
        // SAFETY: the caller's; the offset was checked at activation.
        unsafe { field(self.0, layout().frame_locals) }
    }

    /// The frame it was called from, or null.
    ///
    /// # Safety
    ///
    /// The frame exists and runs.
    #[inline]
    pub(crate) unsafe fn previous(self) -> RawFrame {
        if layout().asks() {
            // SAFETY: the caller's; a frame that runs keeps its object.
            let back = collector::pause(|| unsafe { py::PyFrame_GetBack(self.object()) });
            // SAFETY: as above.
            return RawFrame(unsafe { ask::borrowed(back) }.cast());
        }
        // SAFETY: the caller's; the offset was checked at activation.
        RawFrame(unsafe { field(self.0, layout().frame_previous) })
    }

    /// The innermost frame of the thread that runs.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and Python code runs.
    #[inline]
    pub(crate) unsafe fn current() -> RawFrame {
        if layout().asks() {
            // SAFETY: the caller's.
            return RawFrame(collector::pause(|| unsafe { py::PyEval_GetFrame() }).cast());
        }
        // SAFETY: the caller's; the offsets were checked at activation.
        unsafe {
            let state = py::PyThreadState_Get();
            let word: *mut u8 = field(state, layout().thread_frame);
            if layout().cframe_frame == ABSENT {
                RawFrame(word)
            } else {
                RawFrame(field(word, layout().cframe_frame))
            }
        }
    }
}

/// The object behind a word that may carry a tag. A tagged small integer of 3.14 gives null.
#[inline]
fn untag(word: usize) -> *mut PyObject {
    if !layout().tagged {
        return word as *mut PyObject;
    }
    if word & 3 == 3 {
        return std::ptr::null_mut();
    }
    (word & !3) as *mut PyObject
}
