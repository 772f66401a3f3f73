//! The names that the program gave its threads.

use std::ffi::{CStr, c_ulonglong};

use crate::api::{PyObject, py};
use crate::text::text;

/// The name of the thread that runs: `threading`'s, if it knows the thread.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(super) unsafe fn of_running_thread(number: u64) -> String {
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
        let ident = py::PyLong_FromUnsignedLongLong(libc::pthread_self() as c_ulonglong);
        let name =
            name_among_active(namespace, ident).or_else(|| name_among_beginning(namespace, ident));
        py::Py_DecRef(ident);
        name
    }
}

/// Among the threads that run.
unsafe fn name_among_active(namespace: *mut PyObject, ident: *mut PyObject) -> Option<String> {
    // SAFETY: the caller's.
    unsafe {
        let active = py::PyDict_GetItemString(namespace, c"_active".as_ptr());
        if active.is_null() || (*active).ob_type != py::PyDict_Type() {
            return None;
        }
        let thread = py::PyDict_GetItemWithError(active, ident);
        if thread.is_null() {
            py::PyErr_Clear();
            return None;
        }
        name_of(thread)
    }
}

/// Among the threads that are about to run: they know their number, but are not listed by it yet.
unsafe fn name_among_beginning(namespace: *mut PyObject, ident: *mut PyObject) -> Option<String> {
    // SAFETY: the caller's; numbers are compared by value without code of the program.
    unsafe {
        let beginning = py::PyDict_GetItemString(namespace, c"_limbo".as_ptr());
        if beginning.is_null() || (*beginning).ob_type != py::PyDict_Type() {
            return None;
        }
        let wanted = py::PyLong_AsLong(ident);
        let mut position = 0;
        let mut key = std::ptr::null_mut();
        let mut thread = std::ptr::null_mut();
        while py::PyDict_Next(beginning, &mut position, &mut key, &mut thread) != 0 {
            let Some(own) = plain_attribute(thread, c"_ident") else {
                continue;
            };
            let is_wanted = (*own).ob_type == py::PyLong_Type() && py::PyLong_AsLong(own) == wanted;
            py::Py_DecRef(own);
            if is_wanted {
                return name_of(thread);
            }
        }
        None
    }
}

unsafe fn name_of(thread: *mut PyObject) -> Option<String> {
    // SAFETY: the caller's.
    unsafe {
        let value = plain_attribute(thread, c"_name")?;
        let result = text(value);
        py::Py_DecRef(value);
        Some(result)
    }
}

/// An attribute that no class defines, so that reading it runs no code. A new reference.
unsafe fn plain_attribute(thread: *mut PyObject, name: &CStr) -> Option<*mut PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let name = py::PyUnicode_InternFromString(name.as_ptr());
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
        Some(value)
    }
}
