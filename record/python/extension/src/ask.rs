//! Asking the interpreter's own functions what frames and code objects hold.
//!
//! Right with every layout, and slow. What code objects say is asked in any case, once for each; frames
//! only where the self-check found that they cannot be read directly.

use std::ffi::{CStr, c_long};

use crate::api::{PyObject, field, py};
use crate::collector;
use crate::text::text;

/// Gives a reference back to whoever else holds the object, which is why it may still be used.
///
/// # Safety
///
/// A new reference or null; something else keeps the object.
pub(crate) unsafe fn borrowed(object: *mut PyObject) -> *mut PyObject {
    if !object.is_null() {
        // SAFETY: the caller's.
        unsafe { py::Py_DecRef(object) };
    }
    object
}

/// An attribute that the object keeps while it does not change, borrowed; null for `None` and for what
/// the interpreter made only to answer.
///
/// # Safety
///
/// A live frame, traceback or code object, none of which runs the program's code for it; the
/// interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn kept(object: *mut PyObject, name: &CStr) -> *mut PyObject {
    // SAFETY: the caller's.
    unsafe {
        let value = attribute(object, name);
        let is_kept = !value.is_null() && field::<u32, _>(value, 0) > 1;
        let value = borrowed(value);
        if is_kept && value != py::_Py_NoneStruct() {
            value
        } else {
            std::ptr::null_mut()
        }
    }
}

/// An attribute as a new reference, or null.
unsafe fn attribute(object: *mut PyObject, name: &CStr) -> *mut PyObject {
    // SAFETY: the caller's.
    unsafe {
        let value = py::PyObject_GetAttrString(object, name.as_ptr());
        if value.is_null() {
            py::PyErr_Clear();
        }
        value
    }
}

/// A number; 0 where there is none.
///
/// # Safety
///
/// As for [`kept`].
pub(crate) unsafe fn number(object: *mut PyObject, name: &CStr) -> c_long {
    // SAFETY: the caller's.
    unsafe {
        let value = attribute(object, name);
        if value.is_null() {
            return 0;
        }
        let result = py::PyLong_AsLong(value);
        py::Py_DecRef(value);
        result
    }
}

/// A text; empty where there is none.
///
/// # Safety
///
/// As for [`kept`].
pub(crate) unsafe fn name(object: *mut PyObject, name: &CStr) -> String {
    // SAFETY: the caller's.
    unsafe {
        let value = attribute(object, name);
        if value.is_null() {
            return String::new();
        }
        let result = text(value);
        py::Py_DecRef(value);
        result
    }
}

/// The texts of a tuple, each with the object, which the owner of the attribute keeps.
///
/// # Safety
///
/// As for [`kept`].
pub(crate) unsafe fn names(object: *mut PyObject, name: &CStr) -> Vec<(String, *mut PyObject)> {
    // SAFETY: the caller's; the tuple is ours until it is given back.
    unsafe {
        let value = attribute(object, name);
        if value.is_null() {
            return Vec::new();
        }
        let result = (0..py::PyTuple_Size(value))
            .map(|index| py::PyTuple_GetItem(value, index))
            .map(|item| (text(item), item))
            .collect();
        py::Py_DecRef(value);
        result
    }
}

/// The instruction at an offset, without specialisation.
///
/// # Safety
///
/// As for [`kept`], a code object.
pub(crate) unsafe fn instruction(code: *mut PyObject, offset: c_long) -> Option<[u8; 2]> {
    let offset = usize::try_from(offset).ok()?;
    // SAFETY: the caller's; the bytes are copied before they are given back.
    unsafe {
        let all = attribute(code, c"co_code");
        if all.is_null() {
            return None;
        }
        let found = crate::text::bytes(all)
            .get(offset..offset + 2)
            .and_then(|unit| unit.try_into().ok());
        py::Py_DecRef(all);
        found
    }
}

/// What the variables of a frame hold, kept alive while they are looked at.
pub(crate) struct Variables(Vec<*mut PyObject>);

impl Variables {
    /// Asks for the variables of these names; the ones in closure cells too.
    ///
    /// Up to 3.11 the interpreter copies them all into the dict that `locals()` answers. They are taken
    /// out of it again unless the program holds it, or they would live longer than they should.
    ///
    /// # Safety
    ///
    /// `frame` is the object of a frame that exists and runs a function; the names are live texts;
    /// the interpreter's lock is held and no exception is pending.
    pub(crate) unsafe fn of(frame: *mut PyObject, names: &[*mut PyObject]) -> Variables {
        if names.is_empty() {
            return Variables(Vec::new());
        }
        // SAFETY: the caller's.
        collector::pause(|| unsafe {
            match py::PyFrame_GetVar() {
                Some(get) => Variables(names.iter().map(|name| found(get(frame, *name))).collect()),
                None => Variables::of_mapping(attribute(frame, c"f_locals"), names),
            }
        })
    }

    /// Takes the reference to the dict.
    unsafe fn of_mapping(dict: *mut PyObject, names: &[*mut PyObject]) -> Variables {
        const OURS_AND_THE_FRAMES: isize = 2;
        if dict.is_null() {
            return Variables(vec![std::ptr::null_mut(); names.len()]);
        }
        // SAFETY: the caller's; every value gets a reference before the dict loses its own.
        unsafe {
            let variables = names.iter().map(|name| {
                let value = py::PyDict_GetItemWithError(dict, *name);
                if !value.is_null() {
                    py::Py_IncRef(value);
                }
                found(value)
            });
            let variables = Variables(variables.collect());
            if field::<isize, _>(dict, 0) == OURS_AND_THE_FRAMES {
                for (name, value) in names.iter().zip(&variables.0) {
                    if !value.is_null() && py::PyDict_DelItem(dict, *name) != 0 {
                        py::PyErr_Clear();
                    }
                }
            }
            py::Py_DecRef(dict);
            variables
        }
    }

    /// What the variable of this number holds; null while it is unbound.
    pub(crate) fn get(&self, index: usize) -> *mut PyObject {
        self.0.get(index).copied().unwrap_or(std::ptr::null_mut())
    }
}

impl Drop for Variables {
    fn drop(&mut self) {
        for value in &self.0 {
            // SAFETY: the references are ours, and whoever uses `Variables` holds the lock.
            unsafe { borrowed(*value) };
        }
    }
}

/// A variable that was asked for: null, and nothing raised, while it is unbound.
unsafe fn found(value: *mut PyObject) -> *mut PyObject {
    if value.is_null() {
        // SAFETY: the caller's.
        unsafe { py::PyErr_Clear() };
    }
    value
}
