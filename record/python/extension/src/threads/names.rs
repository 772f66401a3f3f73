//! The names that the program gave its threads.

use std::ffi::c_ulonglong;

use crate::api::{PyObject, py};
use crate::text::text;

/// The name of the thread that runs: `threading`'s, if it knows the thread.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(super) unsafe fn of_running_thread(number: usize) -> String {
    // SAFETY: the caller's.
    let known = unsafe { name_in_threading() };
    match known {
        Some(name) if !name.is_empty() => name,
        _ if number == 0 => "MainThread".to_owned(),
        _ => format!("thread {number}"),
    }
}

unsafe fn name_in_threading() -> Option<String> {
    // SAFETY: the caller's. Only plain dictionaries are read, and an attribute that no class defines.
    unsafe {
        let modules = py::PyImport_GetModuleDict();
        if modules.is_null() {
            return None;
        }
        let threading = py::PyDict_GetItemString(modules, c"threading".as_ptr());
        if threading.is_null() || (*threading).ob_type != py::PyModule_Type() {
            return None;
        }
        let namespace = py::PyModule_GetDict(threading);
        let active = py::PyDict_GetItemString(namespace, c"_active".as_ptr());
        if active.is_null() || (*active).ob_type != py::PyDict_Type() {
            return None;
        }
        let ident = py::PyLong_FromUnsignedLongLong(libc::pthread_self() as c_ulonglong);
        let thread = py::PyDict_GetItemWithError(active, ident);
        py::Py_DecRef(ident);
        if thread.is_null() {
            py::PyErr_Clear();
            return None;
        }
        plain_attribute(thread)
    }
}

unsafe fn plain_attribute(thread: *mut PyObject) -> Option<String> {
    // SAFETY: the caller's; the lookup runs no code because no class defines the name.
    unsafe {
        let name = py::PyUnicode_InternFromString(c"_name".as_ptr());
        let class_attribute = py::_PyType_Lookup((*thread).ob_type, name);
        let value = if class_attribute.is_null() {
            py::PyObject_GenericGetAttr(thread, name)
        } else {
            std::ptr::null_mut()
        };
        py::Py_DecRef(name);
        if value.is_null() {
            py::PyErr_Clear();
            return None;
        }
        let result = text(value);
        py::Py_DecRef(value);
        Some(result)
    }
}
