//! The lines of a code object: which part belongs to which, and where a step can stop.

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

/// Which line each part of the code belongs to: from where, to where (in bytes), and the line, 0 for
/// none.
pub(super) type Spans = Vec<(u32, u32, u32)>;

/// The lines of a code object, part by part, ascending.
///
/// # Safety
///
/// `code` is a live code object; the interpreter's lock is held and no exception is pending.
pub(super) unsafe fn spans(code: *mut PyObject, first_line: u32) -> Spans {
    // SAFETY: the caller's.
    unsafe {
        if layout().minor >= Minor(10) {
            ranges(code)
        } else {
            line_table(code, first_line)
        }
    }
}

/// Ascending, without repeats. What comes before the first `RESUME` belongs to the call, not to a
/// line.
///
/// # Safety
///
/// As for [`spans`].
pub(super) unsafe fn of(
    code: *mut PyObject,
    spans: &Spans,
    first_line: u32,
    is_body: bool,
) -> Vec<u32> {
    // SAFETY: the caller's.
    let begin = unsafe { begin(code) };
    let mut lines: Vec<u32> = spans
        .iter()
        .filter(|(start, end, line)| {
            let is_prologue = *end <= begin && (*line == first_line || is_body);
            *line > 0 && start < end && !is_prologue
        })
        .map(|(_, _, line)| *line)
        .collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// From `co_lines()`.
unsafe fn ranges(code: *mut PyObject) -> Spans {
    let mut spans = Vec::new();
    // SAFETY: the caller's; new references are given back.
    unsafe {
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
            return spans;
        }
        for index in 0..py::PyList_Size(list) {
            let entry = py::PyList_GetItem(list, index);
            let number = |index| {
                let number = py::PyTuple_GetItem(entry, index);
                if number == py::_Py_NoneStruct() {
                    return 0;
                }
                u32::try_from(py::PyLong_AsLong(number)).unwrap_or(0)
            };
            spans.push((number(0), number(1), number(2)));
        }
        py::Py_DecRef(list);
        if !py::PyErr_Occurred().is_null() {
            py::PyErr_Clear();
        }
    }
    spans
}

/// The offset behind the first `RESUME`; 0 where there is none.
unsafe fn begin(code: *mut PyObject) -> u32 {
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
        at.and_then(|at| u32::try_from(2 * at + 2).ok())
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
unsafe fn line_table(code: *mut PyObject, first_line: u32) -> Spans {
    let mut spans = Vec::new();
    // SAFETY: the caller's; the bytes outlive the walk.
    unsafe {
        let table = py::PyObject_GetAttrString(code, c"co_lnotab".as_ptr());
        if table.is_null() {
            py::PyErr_Clear();
            return spans;
        }
        let (mut line, mut offset) = (i64::from(first_line), 0_u32);
        let number = |line: i64| u32::try_from(line).unwrap_or(0);
        for pair in bytes(table).chunks_exact(2) {
            let [step, delta] = pair else { continue };
            if *step != 0 {
                let end = offset + u32::from(*step);
                spans.push((offset, end, number(line)));
                offset = end;
            }
            line += i64::from(*delta as i8);
        }
        spans.push((offset, u32::MAX, number(line)));
        py::Py_DecRef(table);
    }
    spans
}
