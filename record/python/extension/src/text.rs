//! Reading the program's text objects without changing them.

use crate::api::{PyObject, py};

/// The text of a `str`, with what UTF-8 cannot hold replaced; empty for anything else.
///
/// # Safety
///
/// `object` is a live object or null, the interpreter's lock is held, no exception is pending.
pub(crate) unsafe fn text(object: *mut PyObject) -> String {
    // SAFETY: the caller's. Encoding makes a new bytes object and leaves the text as it was.
    unsafe { String::from_utf8_lossy(&utf8(object)).into_owned() }
}

/// The UTF-8 bytes of a `str`, lone surrogates as three bytes each; empty for anything else.
///
/// # Safety
///
/// As for [`text`].
pub(crate) unsafe fn utf8(object: *mut PyObject) -> Vec<u8> {
    if object.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's; the new bytes object is given back.
    unsafe {
        if py::PyType_IsSubtype((*object).ob_type, py::PyUnicode_Type()) == 0 {
            return Vec::new();
        }
        let encoded =
            py::PyUnicode_AsEncodedString(object, c"utf-8".as_ptr(), c"surrogatepass".as_ptr());
        if encoded.is_null() {
            py::PyErr_Clear();
            return Vec::new();
        }
        let result = bytes(encoded).to_vec();
        py::Py_DecRef(encoded);
        result
    }
}

/// What a `bytes` object holds; empty for anything else.
///
/// # Safety
///
/// As for [`text`]; the object outlives the result.
pub(crate) unsafe fn bytes<'a>(object: *mut PyObject) -> &'a [u8] {
    let mut data = std::ptr::null_mut();
    let mut len = 0;
    // SAFETY: the caller's; the slice is what the interpreter says.
    unsafe {
        if py::PyBytes_AsStringAndSize(object, &mut data, &mut len) != 0 {
            py::PyErr_Clear();
            return &[];
        }
        std::slice::from_raw_parts(data.cast(), usize::try_from(len).unwrap_or(0))
    }
}
