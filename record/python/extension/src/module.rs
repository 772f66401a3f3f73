//! The module `_retrostep`, through which the Python package `retrostep` reaches the recorder.
//! It appears when it is first imported.

use std::ffi::{CStr, c_char, c_int};
use std::ptr::null_mut;

use retrostep_record_python_wire::Mode;
use retrostep_record_python_wire::message::{self, put};

use crate::api::{METH_NOARGS, METH_O, PyMethodDef, PyObject, py};
use crate::text::utf8;
use crate::{engine, recorder};

const fn definition(name: &'static CStr, function: *const (), flags: c_int) -> PyMethodDef {
    PyMethodDef {
        name: name.as_ptr().cast::<c_char>(),
        function: function.cast_mut().cast(),
        flags,
        documentation: std::ptr::null(),
    }
}

struct Definitions([PyMethodDef; 4]);

// SAFETY: nothing in it changes.
unsafe impl Sync for Definitions {}

static DEFINITIONS: Definitions = Definitions([
    definition(c"imported", imported as *const (), METH_NOARGS),
    definition(c"begin", begin as *const (), METH_O),
    definition(c"end", end as *const (), METH_NOARGS),
    definition(c"mark", mark as *const (), METH_O),
]);

/// Puts the module where an import finds it.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn provide() {
    // SAFETY: the caller's; dictionaries take their own references.
    unsafe {
        let modules = py::PyImport_GetModuleDict();
        let name = py::PyUnicode_InternFromString(c"_retrostep".as_ptr());
        let module = py::PyModule_NewObject(name);
        py::Py_DecRef(name);
        if module.is_null() || modules.is_null() {
            py::PyErr_Clear();
            return;
        }
        let namespace = py::PyModule_GetDict(module);
        for entry in &DEFINITIONS.0 {
            let function = py::PyCMethod_New(
                std::ptr::from_ref(entry).cast_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
            );
            if !function.is_null() {
                py::PyDict_SetItemString(namespace, entry.name, function);
                py::Py_DecRef(function);
            }
        }
        py::PyDict_SetItemString(modules, c"_retrostep".as_ptr(), module);
        py::Py_DecRef(module);
    }
}

unsafe fn none() -> *mut PyObject {
    let none = py::_Py_NoneStruct();
    // SAFETY: always alive.
    unsafe { py::Py_IncRef(none) };
    none
}

fn is_marked_mode() -> bool {
    recorder::reach(|recorder| recorder.mode == Mode::Marked).unwrap_or(false)
}

unsafe fn emit_mark(name: *mut PyObject) {
    // SAFETY: the caller's.
    let name = unsafe { utf8(name) };
    recorder::enter(|recorder| {
        recorder.switch_thread();
        recorder.out.push(message::MARK);
        put::text(&mut recorder.out, b"user");
        put::text(&mut recorder.out, &name);
    });
}

/// The program imports the package that marks parts.
unsafe extern "C-unwind" fn imported(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    // SAFETY: the interpreter calls with its lock held.
    unsafe {
        let is_automatic = recorder::reach(|recorder| {
            let is_automatic = recorder.mode == Mode::Automatic;
            if is_automatic {
                recorder.mode = Mode::Marked;
            }
            is_automatic
        });
        if is_automatic == Some(true) {
            engine::pause();
        }
        none()
    }
}

/// A marked part begins.
unsafe extern "C-unwind" fn begin(_: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: the interpreter calls with its lock held.
    unsafe {
        if is_marked_mode() {
            engine::begin_part();
        }
        emit_mark(name);
        none()
    }
}

/// A marked part ends.
unsafe extern "C-unwind" fn end(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        if is_marked_mode() {
            engine::end_part();
        }
        none()
    }
}

/// A named moment.
unsafe extern "C-unwind" fn mark(_: *mut PyObject, name: *mut PyObject) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        emit_mark(name);
        none()
    }
}
