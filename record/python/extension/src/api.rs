//! The functions and data of the interpreter, looked up by name in the process that runs.
//!
//! Nothing of Python is linked: the same library loads into a shell, `env` or any CPython, and into
//! each version finds what that version has. Call what is here as `py::PyList_Size(..)`; what not
//! every version has is an `Option` of a function. Nothing may be called before [`load`] succeeded.

#![allow(
    non_snake_case,
    reason = "the names are CPython's own, so that its documentation applies"
)]

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int, c_long, c_ulonglong, c_void};
use std::mem::MaybeUninit;

/// The start of every Python object, as builds with the interpreter lock have it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct PyObject {
    refcount: isize,
    /// The object's type.
    pub(crate) ob_type: *mut PyObject,
}

/// One entry of a table of functions; the interpreter keeps the address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct PyMethodDef {
    pub(crate) name: *const c_char,
    pub(crate) function: *mut c_void,
    pub(crate) flags: c_int,
    pub(crate) documentation: *const c_char,
}

/// `METH_VARARGS`.
pub(crate) const METH_VARARGS: c_int = 0x0001;
/// `METH_KEYWORDS`.
pub(crate) const METH_KEYWORDS: c_int = 0x0002;
/// `METH_NOARGS`.
pub(crate) const METH_NOARGS: c_int = 0x0004;
/// `METH_O`.
pub(crate) const METH_O: c_int = 0x0008;
/// `METH_FASTCALL`.
pub(crate) const METH_FASTCALL: c_int = 0x0080;

/// `METH_METHOD`.
pub(crate) const METH_METHOD: c_int = 0x0200;

/// A C trace function.
pub(crate) type TraceFunction = unsafe extern "C-unwind" fn(
    object: *mut PyObject,
    frame: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
) -> c_int;

/// An audit hook.
pub(crate) type AuditHook = unsafe extern "C" fn(
    event: *const c_char,
    arguments: *mut PyObject,
    data: *mut c_void,
) -> c_int;

struct Place<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: written once, before any thread of the program runs Python code, and only read afterwards.
unsafe impl<T> Sync for Place<T> {}

static TABLE: Place<Table> = Place(UnsafeCell::new(MaybeUninit::uninit()));

fn table() -> &'static Table {
    // SAFETY: everything that reaches this was started after `load` filled the table.
    unsafe { (*TABLE.0.get()).assume_init_ref() }
}

/// The address of a symbol of the process, or null.
pub(crate) fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: dlsym takes any text.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

macro_rules! name {
    ($name:ident) => {
        CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()).unwrap_or_default()
    };
}

macro_rules! table {
    (
        functions { $(fn $function:ident($($argument:ident: $argument_type:ty),*) $(-> $result:ty)?;)* }
        optional functions { $(fn $optional:ident($($optional_argument:ident: $optional_type:ty),*) $(-> $optional_result:ty)?;)* }
        objects { $($object:ident)* }
    ) => {
        struct Table {
            $($function: unsafe extern "C-unwind" fn($($argument_type),*) $(-> $result)?,)*
            $($optional: Option<unsafe extern "C-unwind" fn($($optional_type),*) $(-> $optional_result)?>,)*
            $($object: *mut PyObject,)*
        }

        /// Looks everything up. The error is the name of what this interpreter lacks.
        pub(crate) fn load() -> Result<(), &'static str> {
            $(if symbol(name!($function)).is_null() { return Err(stringify!($function)); })*
            $(if symbol(name!($object)).is_null() { return Err(stringify!($object)); })*
            // SAFETY: every function has the type its header gives it; addresses were checked above.
            unsafe {
                (*TABLE.0.get()).write(Table {
                    $($function: std::mem::transmute::<*mut c_void, unsafe extern "C-unwind" fn($($argument_type),*) $(-> $result)?>(symbol(name!($function))),)*
                    $($optional: std::mem::transmute::<*mut c_void, Option<unsafe extern "C-unwind" fn($($optional_type),*) $(-> $optional_result)?>>(symbol(name!($optional))),)*
                    $($object: symbol(name!($object)).cast(),)*
                });
            }
            Ok(())
        }

        /// The interpreter's functions and objects under their own names.
        pub(crate) mod py {
            use super::*;
            $(
                #[inline]
                pub(crate) unsafe fn $function($($argument: $argument_type),*) $(-> $result)? {
                    // SAFETY: the caller keeps CPython's contract for this function.
                    unsafe { (table().$function)($($argument),*) }
                }
            )*
            $(
                #[inline]
                pub(crate) fn $optional() -> Option<unsafe extern "C-unwind" fn($($optional_type),*) $(-> $optional_result)?> {
                    table().$optional
                }
            )*
            $(
                #[inline]
                pub(crate) fn $object() -> *mut PyObject { table().$object }
            )*
        }
    };
}

include!("api/table.rs");

/// Reads a field at a byte offset.
///
/// # Safety
///
/// `base + offset` holds a `T`.
#[inline]
pub(crate) unsafe fn field<T: Copy, B>(base: *const B, offset: usize) -> T {
    // SAFETY: the caller's.
    unsafe { base.cast::<u8>().add(offset).cast::<T>().read_unaligned() }
}
