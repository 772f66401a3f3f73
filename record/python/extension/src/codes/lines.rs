//! The lines of a code object where a step can stop.

use std::ffi::c_long;

use crate::api::{PyObject, py};
use crate::layout::{Minor, layout};
use crate::text::bytes;

/// `RESUME` of 3.11 to 3.14 in `co_code`.
fn resume_opcode() -> Option<u8> {
    match layout().minor {
        Minor(11 | 12) => Some(151),
        Minor(13) => Some(149),
        Minor(14) => Some(128),
        _ => None,
    }
}

/// Ascending, without repeats.
///
/// # Safety
///
/// `code` is a live code object; the interpreter's lock is held and no exception is pending.
pub(super) unsafe fn of(code: *mut PyObject, first_line: u32, is_body: bool) -> Vec<u32> {
    // SAFETY: the caller's.
    let mut lines = unsafe {
        if layout().minor >= Minor(10) {
            ranges(code, first_line, is_body)
        } else {
            line_table(code, first_line)
        }
    };
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// From `co_lines()`. What comes before the first `RESUME` belongs to the call, not to a line.
unsafe fn ranges(code: *mut PyObject, first_line: u32, is_body: bool) -> Vec<u32> {
    let mut lines = Vec::new();
    // SAFETY: the caller's; new references are given back.
    unsafe {
        let begin = begin(code);
        let method = py::PyObject_GetAttrString(code, c"co_lines".as_ptr());
        let list = if method.is_null() {
            std::ptr::null_mut()
        } else {
            let iterator = py::PyObject_CallNoArgs(method);
            py::Py_DecRef(method);
            listed(iterator)
        };
        if list.is_null() {
            py::PyErr_Clear();
            return lines;
        }
        for index in 0..py::PyList_Size(list) {
            let entry = py::PyList_GetItem(list, index);
            let end = py::PyLong_AsLong(py::PyTuple_GetItem(entry, 1));
            let line = py::PyTuple_GetItem(entry, 2);
            if line == py::_Py_NoneStruct() {
                continue;
            }
            let line = u32::try_from(py::PyLong_AsLong(line)).unwrap_or(0);
            let is_prologue = end <= begin && (line == first_line || is_body);
            if line > 0 && !is_prologue {
                lines.push(line);
            }
        }
        py::Py_DecRef(list);
        if !py::PyErr_Occurred().is_null() {
            py::PyErr_Clear();
        }
    }
    lines
}

/// The offset behind the first `RESUME`; 0 where there is none.
unsafe fn begin(code: *mut PyObject) -> c_long {
    let Some(resume) = resume_opcode() else {
        return 0;
    };
    // SAFETY: the caller's; the bytes outlive the search.
    unsafe {
        let object = py::PyObject_GetAttrString(code, c"co_code".as_ptr());
        if object.is_null() {
            py::PyErr_Clear();
            return 0;
        }
        let at = bytes(object)
            .chunks_exact(2)
            .position(|unit| unit.first() == Some(&resume));
        py::Py_DecRef(object);
        at.and_then(|at| c_long::try_from(2 * at + 2).ok())
            .unwrap_or(0)
    }
}

/// A new list of what an iterator gives. Takes the iterator.
unsafe fn listed(iterator: *mut PyObject) -> *mut PyObject {
    if iterator.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: `list` is a class; the argument tuple takes the iterator.
    unsafe {
        let arguments = py::PyTuple_New(1);
        py::PyTuple_SetItem(arguments, 0, iterator);
        let list = py::PyObject_CallObject(py::PyList_Type(), arguments);
        py::Py_DecRef(arguments);
        list
    }
}

/// From the pairs of `co_lnotab`.
unsafe fn line_table(code: *mut PyObject, first_line: u32) -> Vec<u32> {
    let mut lines = vec![];
    // SAFETY: the caller's; the bytes outlive the walk.
    unsafe {
        let table = py::PyObject_GetAttrString(code, c"co_lnotab".as_ptr());
        if table.is_null() {
            py::PyErr_Clear();
            return lines;
        }
        let mut line = i64::from(first_line);
        let mut pending = true;
        for pair in bytes(table).chunks_exact(2) {
            let [step, delta] = pair else { continue };
            if *step != 0 && pending {
                lines.push(u32::try_from(line).unwrap_or(0));
                pending = false;
            }
            line += i64::from(*delta as i8);
            pending |= *delta != 0;
        }
        if pending {
            lines.push(u32::try_from(line).unwrap_or(0));
        }
        py::Py_DecRef(table);
    }
    lines
}
