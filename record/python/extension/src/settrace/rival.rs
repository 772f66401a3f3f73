//! Trace functions that the program sets itself.
//!
//! Where the thread state keeps its trace function is found once by setting ours and looking for
//! it. Every change of the trace function raises an audit event; the change itself comes after it,
//! so a profile function looks at the next call what stands there now.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{as_ours, is_ours, set, set_trace_lines, trace};
use crate::api::{METH_O, PyObject, TraceFunction, py};
use crate::methods;
use crate::recorder;

type MethodO = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;

/// The original of `sys.settrace`.
static SET_TRACE: AtomicUsize = AtomicUsize::new(0);

/// How far into a thread state its trace function is looked for.
const SEARCHED_BYTES: usize = 512;

/// Where the thread state keeps its trace function, 0 while that is not known.
static OFFSET: AtomicUsize = AtomicUsize::new(0);

/// The program's own trace functions, by the object that goes with them.
static RIVALS: Mutex<Option<HashMap<usize, usize>>> = Mutex::new(None);

/// The frames whose instruction events the program asked for.
static WISHES: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// Whether the program asked for the instruction events of a frame.
pub(super) fn wishes_opcodes(frame_object: *mut PyObject) -> bool {
    WISHES
        .lock()
        .is_ok_and(|wishes| wishes.contains(&(frame_object as usize)))
}

/// Notes whether the program wants the instruction events of a frame.
pub(super) fn wish_opcodes(frame_object: *mut PyObject, wanted: bool) {
    if let Ok(mut wishes) = WISHES.lock() {
        if wanted {
            wishes.insert(frame_object as usize);
        } else {
            wishes.remove(&(frame_object as usize));
        }
    }
}

/// Finds out where thread states keep their trace function.
pub(super) unsafe fn prepare() {
    if OFFSET.load(Ordering::Relaxed) != 0 {
        return;
    }
    // SAFETY: the lock is held; the thread state is larger than what is searched.
    unsafe {
        hook_set_trace();
        let state = py::PyThreadState_Get();
        set(state, std::ptr::null_mut());
        for offset in (0..SEARCHED_BYTES).step_by(8) {
            if word(state, offset) == trace as *const () as usize {
                OFFSET.store(offset, Ordering::Relaxed);
                break;
            }
        }
    }
}

unsafe fn word(state: *mut c_void, offset: usize) -> usize {
    // SAFETY: the caller's.
    unsafe { state.cast::<u8>().add(offset).cast::<usize>().read() }
}

/// The trace function of a thread and the object that goes with it (`c_tracefunc`; then come
/// `c_profileobj` and `c_traceobj`).
unsafe fn installed(state: *mut c_void) -> (usize, *mut PyObject) {
    let offset = OFFSET.load(Ordering::Relaxed);
    if offset == 0 {
        return (0, std::ptr::null_mut());
    }
    // SAFETY: the offset was found in a thread state.
    unsafe {
        (
            word(state, offset),
            word(state, offset + 16) as *mut PyObject,
        )
    }
}

/// Puts our trace function on a thread, in front of the program's own if there is one.
pub(super) unsafe fn arm(state: *mut c_void) {
    // SAFETY: the caller's: the lock is held and the thread exists.
    unsafe {
        let (function, object) = installed(state);
        if function == trace as *const () as usize {
            return;
        }
        if function == 0 || object.is_null() {
            set(state, std::ptr::null_mut());
            return;
        }
        if let Ok(mut rivals) = RIVALS.lock() {
            rivals
                .get_or_insert_with(HashMap::new)
                .insert(object as usize, function);
        }
        py::Py_IncRef(object);
        set(state, object);
        py::Py_DecRef(object);
    }
}

/// Gives every thread back to the program.
pub(super) unsafe fn disarm_all() {
    // SAFETY: the caller's.
    unsafe {
        let mut state = py::PyInterpreterState_ThreadHead(py::PyInterpreterState_Get());
        while !state.is_null() {
            let (function, object) = installed(state);
            if function == trace as *const () as usize
                && object.is_null()
                && let Some(set) = py::_PyEval_SetTrace()
            {
                as_ours(|| {
                    set(state, None, std::ptr::null_mut());
                });
            }
            state = py::PyThreadState_Next(state);
        }
    }
}

/// Gives the running thread back to the program.
pub(super) unsafe fn disarm_current() {
    // SAFETY: the caller's.
    as_ours(|| unsafe { py::PyEval_SetTrace(None, std::ptr::null_mut()) });
}

/// Passes an event on to the program's own trace function.
pub(super) unsafe fn pass_on(
    object: *mut PyObject,
    frame_object: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
) -> c_int {
    let function = RIVALS
        .lock()
        .ok()
        .and_then(|rivals| rivals.as_ref()?.get(&(object as usize)).copied());
    let Some(function) = function else {
        return 0;
    };
    // SAFETY: the address was the thread's trace function with this very object.
    unsafe {
        let function = std::mem::transmute::<usize, TraceFunction>(function);
        let result = function(object, frame_object, what, argument);
        if result != 0 && recorder::is_enabled() {
            arm(py::PyThreadState_Get());
        }
        result
    }
}

/// Stands in for `sys.settrace`: does the same, and puts our trace function back in front.
pub(super) unsafe extern "C-unwind" fn set_trace(
    module: *mut PyObject,
    argument: *mut PyObject,
) -> *mut PyObject {
    let original = SET_TRACE.load(Ordering::Relaxed);
    // SAFETY: the address is that of the function this one stands in for.
    unsafe {
        let original = std::mem::transmute::<usize, MethodO>(original);
        let mut result = std::ptr::null_mut();
        as_ours(|| result = original(module, argument));
        if recorder::is_enabled() && !result.is_null() {
            arm(py::PyThreadState_Get());
            if argument != py::_Py_NoneStruct() {
                wake(py::PyEval_GetFrame());
            }
        }
        result
    }
}

/// Puts [`set_trace`] in the place of `sys.settrace`.
unsafe fn hook_set_trace() {
    // SAFETY: the caller's: the lock is held.
    unsafe {
        let function = py::PySys_GetObject(c"settrace".as_ptr());
        if let Some(original) = methods::replace(function, METH_O, set_trace as *const ()) {
            SET_TRACE.store(original, Ordering::Relaxed);
        }
    }
}

/// The program is about to change the trace function of the running thread.
pub(crate) unsafe fn on_set_trace() {
    if is_ours() || !recorder::is_enabled() {
        return;
    }
    // SAFETY: the caller's: called by an audit hook, the lock is held.
    unsafe { py::PyEval_SetProfile(Some(look_again), std::ptr::null_mut()) };
}

/// Called at the first call or return after the program changed the trace function.
unsafe extern "C-unwind" fn look_again(
    _object: *mut PyObject,
    _frame_object: *mut PyObject,
    _what: c_int,
    _argument: *mut PyObject,
) -> c_int {
    // SAFETY: the interpreter calls with its lock held and the thread running.
    unsafe {
        py::PyEval_SetProfile(None, std::ptr::null_mut());
        if !recorder::is_enabled() {
            return 0;
        }
        arm(py::PyThreadState_Get());
        let frame = py::PyEval_GetFrame();
        wake(frame);
    }
    0
}

/// Line events again for frames that the recorder had silenced: the program's tracer wants them.
unsafe fn wake(innermost: *mut PyObject) {
    // SAFETY: the caller's; each reference is given back.
    unsafe {
        let mut frame = innermost;
        py::Py_IncRef(frame);
        while !frame.is_null() {
            set_trace_lines(frame, true);
            let next = py::PyFrame_GetBack(frame);
            py::Py_DecRef(frame);
            frame = next;
        }
    }
}
