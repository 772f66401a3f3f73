//! New threads, for versions that trace each thread on its own.
//!
//! A thread's state exists before its first instruction, so whoever starts a thread puts the trace
//! function there while it still holds the interpreter's lock.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::{METH_VARARGS, PyObject, py};
use crate::{methods, recorder, settrace};

type Start = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;

static ORIGINAL: AtomicUsize = AtomicUsize::new(0);

/// Stands in for `_thread.start_new_thread`.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn install() {
    // SAFETY: the caller's; `_thread` is built into the interpreter.
    unsafe {
        let module = py::PyImport_ImportModule(c"_thread".as_ptr());
        if module.is_null() {
            py::PyErr_Clear();
            return;
        }
        let function =
            py::PyDict_GetItemString(py::PyModule_GetDict(module), c"start_new_thread".as_ptr());
        if let Some(original) = methods::replace(function, METH_VARARGS, start as *const ()) {
            ORIGINAL.store(original, Ordering::Relaxed);
        }
        py::Py_DecRef(module);
    }
}

unsafe extern "C-unwind" fn start(
    module: *mut PyObject,
    arguments: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the address is that of the function this one stands in for.
    unsafe {
        let original = std::mem::transmute::<usize, Start>(ORIGINAL.load(Ordering::Relaxed));
        let result = original(module, arguments);
        if !result.is_null() && recorder::is_enabled() {
            settrace::arm_all();
        }
        result
    }
}
