//! The Python symbols that values need, found at run time: nothing stays undefined in the library.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::raw::{Object, Type};

fn find(name: &CStr) -> *mut c_void {
    // SAFETY: `name` ends with NUL; looking a symbol up changes nothing.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

macro_rules! symbols {
    (objects { $($object:ident: $object_name:literal,)* } functions { $($function:ident: $function_name:literal $kind:ty,)* }) => {
        /// Addresses inside the interpreter. Objects that this version lacks are null, functions `None`.
        #[derive(Clone, Copy)]
        pub(super) struct Symbols {
            $(pub(super) $object: Object,)*
            $(pub(super) $function: Option<$kind>,)*
        }

        impl Symbols {
            pub(super) fn new() -> Symbols {
                Symbols {
                    $($object: find($object_name).cast(),)*
                    $($function: {
                        let address = find($function_name);
                        // SAFETY: the symbol is a function of this signature in every version that
                        // has it, and null is `None`.
                        unsafe { std::mem::transmute::<*mut c_void, Option<$kind>>(address) }
                    },)*
                }
            }
        }
    };
}

symbols! {
    objects {
        none: c"_Py_NoneStruct",
        yes: c"_Py_TrueStruct",
        no: c"_Py_FalseStruct",
        ellipsis: c"_Py_EllipsisObject",
        not_implemented: c"_Py_NotImplementedStruct",
        object: c"PyBaseObject_Type",
        class: c"PyType_Type",
        int: c"PyLong_Type",
        float: c"PyFloat_Type",
        complex: c"PyComplex_Type",
        text: c"PyUnicode_Type",
        bytes: c"PyBytes_Type",
        bytearray: c"PyByteArray_Type",
        list: c"PyList_Type",
        tuple: c"PyTuple_Type",
        dict: c"PyDict_Type",
        ordered_dict: c"PyODict_Type",
        set: c"PySet_Type",
        frozenset: c"PyFrozenSet_Type",
        cell: c"PyCell_Type",
        function: c"PyFunction_Type",
        method: c"PyMethod_Type",
        builtin: c"PyCFunction_Type",
        builtin_method: c"PyCMethod_Type",
        method_descriptor: c"PyMethodDescr_Type",
        wrapper_descriptor: c"PyWrapperDescr_Type",
        module: c"PyModule_Type",
        generator: c"PyGen_Type",
        coroutine: c"PyCoro_Type",
        async_generator: c"PyAsyncGen_Type",
        range: c"PyRange_Type",
        boolean: c"PyBool_Type",
        enumerate: c"PyEnum_Type",
        zip: c"PyZip_Type",
        reversed: c"PyReversed_Type",
        map: c"PyMap_Type",
        filter: c"PyFilter_Type",
        slice: c"PySlice_Type",
        memoryview: c"PyMemoryView_Type",
        mapping_proxy: c"PyDictProxy_Type",
        traceback: c"PyTraceBack_Type",
        frame: c"PyFrame_Type",
        code: c"PyCode_Type",
        super_object: c"PySuper_Type",
    }
    functions {
        dict_add_watcher: c"PyDict_AddWatcher" unsafe extern "C" fn(super::watch::Callback) -> c_int,
        dict_watch: c"PyDict_Watch" super::watch::Watch,
        generic_set_attribute: c"PyObject_GenericSetAttr" unsafe extern "C" fn(Object, Object, Object) -> c_int,
        object_hash: c"PyObject_Hash" unsafe extern "C" fn(Object) -> isize,
        object_get_buffer: c"PyObject_GetBuffer" unsafe extern "C" fn(Object, *mut super::array::Buffer, c_int) -> c_int,
        buffer_release: c"PyBuffer_Release" unsafe extern "C" fn(*mut super::array::Buffer),
        dict_next: c"PyDict_Next" unsafe extern "C" fn(Object, *mut isize, *mut Object, *mut Object) -> c_int,
        dict_get_known_hash: c"_PyDict_GetItem_KnownHash" unsafe extern "C" fn(Object, Object, isize) -> Object,
        dict_get_string: c"PyDict_GetItemString" unsafe extern "C" fn(Object, *const c_char) -> Object,
        error_fetch: c"PyErr_Fetch" unsafe extern "C" fn(*mut Object, *mut Object, *mut Object),
        error_restore: c"PyErr_Restore" unsafe extern "C" fn(Object, Object, Object),
        increment: c"Py_IncRef" unsafe extern "C" fn(Object),
        decrement: c"Py_DecRef" unsafe extern "C" fn(Object),
        gc_untrack: c"PyObject_GC_UnTrack" unsafe extern "C" fn(*mut c_void),
        type_modified: c"PyType_Modified" unsafe extern "C" fn(Type),
        type_get_dict: c"PyType_GetDict" unsafe extern "C" fn(Type) -> Object,
        descriptor_new_method: c"PyDescr_NewMethod" unsafe extern "C" fn(Type, *mut c_void) -> Object,
        dict_set_string: c"PyDict_SetItemString" unsafe extern "C" fn(Object, *const c_char, Object) -> c_int,
        modules: c"PyImport_GetModuleDict" unsafe extern "C" fn() -> Object,
        code_get_code: c"PyCode_GetCode" unsafe extern "C" fn(Object) -> Object,
        stack_effect: c"PyCompile_OpcodeStackEffectWithJump" unsafe extern "C" fn(c_int, c_int, c_int) -> c_int,
        negative_refcount: c"_Py_NegativeRefcount" unsafe extern "C" fn(*const c_char, c_int, Object),
    }
}
