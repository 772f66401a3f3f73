//! Standing in for functions of the interpreter that are written in C.
//!
//! A function object refers to an entry of a table; the entry's address of code is exchanged. No
//! object is replaced, so whoever holds the function, looks at it or compares it sees no difference.

use crate::api::{PyMethodDef, PyObject, field, py};
use crate::layout::fixed;

/// From a method descriptor to its table entry.
const DESCRIPTOR_DEFINITION: usize = 40;

/// The flags that say how a function takes its arguments.
const CONVENTION: i32 = 0x28f;

/// The table entry of a function or method descriptor.
///
/// # Safety
///
/// `function` is a live object or null.
unsafe fn definition(function: *mut PyObject) -> Option<*mut PyMethodDef> {
    if function.is_null() {
        return None;
    }
    // SAFETY: the type says where the entry stands.
    unsafe {
        let class = (*function).ob_type;
        let offset = if class == py::PyCFunction_Type() {
            fixed::FUNCTION_DEFINITION
        } else if class == py::PyMethodDescr_Type() {
            DESCRIPTOR_DEFINITION
        } else {
            return None;
        };
        let definition: *mut PyMethodDef = field(function, offset);
        (!definition.is_null()).then_some(definition)
    }
}

/// Puts `replacement` in the place of the code of `function` and gives the original's address.
/// `None`, with nothing changed, when the function takes its arguments in another way than
/// `convention`.
///
/// # Safety
///
/// The interpreter's lock is held; `replacement` takes its arguments as `convention` says and can do
/// all that the original does.
pub(crate) unsafe fn replace(
    function: *mut PyObject,
    convention: i32,
    replacement: *const (),
) -> Option<usize> {
    // SAFETY: the caller's; tables of functions are in writable memory, since the interpreter's
    // headers do not let them be constant.
    unsafe {
        let definition = definition(function)?;
        if (*definition).flags & CONVENTION != convention {
            return None;
        }
        let original = (*definition).function as usize;
        if original == replacement as usize {
            return None;
        }
        (*definition).function = replacement.cast_mut().cast();
        Some(original)
    }
}
