// The list of everything the recorder uses of the interpreter.

table! {
    functions {
        fn Py_IncRef(object: *mut PyObject);
        fn Py_DecRef(object: *mut PyObject);
        fn PyThreadState_Get() -> *mut c_void;
        fn PyThreadState_GetID(state: *mut c_void) -> u64;
        fn PyThreadState_Next(state: *mut c_void) -> *mut c_void;
        fn PyInterpreterState_Get() -> *mut c_void;
        fn PyInterpreterState_ThreadHead(interpreter: *mut c_void) -> *mut c_void;
        fn PyEval_SetTrace(function: Option<TraceFunction>, object: *mut PyObject);
        fn PyEval_SetProfile(function: Option<TraceFunction>, object: *mut PyObject);
        fn PyEval_SaveThread() -> *mut c_void;
        fn PyEval_RestoreThread(state: *mut c_void);
        fn PyEval_GetFrame() -> *mut PyObject;
        fn PyEval_GetBuiltins() -> *mut PyObject;
        fn PyFrame_GetCode(frame: *mut PyObject) -> *mut PyObject;
        fn PyFrame_GetBack(frame: *mut PyObject) -> *mut PyObject;
        fn PyFrame_GetLineNumber(frame: *mut PyObject) -> c_int;
        fn Py_CompileString(source: *const c_char, name: *const c_char, start: c_int) -> *mut PyObject;
        fn PyEval_EvalCode(code: *mut PyObject, globals: *mut PyObject, locals: *mut PyObject) -> *mut PyObject;
        fn PyGC_Collect() -> isize;
        fn PyImport_GetModuleDict() -> *mut PyObject;
        fn PyImport_ImportModule(name: *const c_char) -> *mut PyObject;
        fn PyModule_GetDict(module: *mut PyObject) -> *mut PyObject;
        fn PyModule_NewObject(name: *mut PyObject) -> *mut PyObject;
        fn PySys_GetObject(name: *const c_char) -> *mut PyObject;
        fn PyCMethod_New(definition: *mut PyMethodDef, receiver: *mut PyObject, module: *mut PyObject, class: *mut PyObject) -> *mut PyObject;
        fn PyErr_Occurred() -> *mut PyObject;
        fn PyErr_Clear();
        fn PyErr_GetExcInfo(class: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject);
        fn PyException_GetTraceback(exception: *mut PyObject) -> *mut PyObject;
        fn PyObject_GetAttrString(object: *mut PyObject, name: *const c_char) -> *mut PyObject;
        fn PyObject_SetAttrString(object: *mut PyObject, name: *const c_char, value: *mut PyObject) -> c_int;
        fn PyObject_GenericGetAttr(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn _PyType_Lookup(class: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn PyObject_CallNoArgs(callable: *mut PyObject) -> *mut PyObject;
        fn PyObject_CallObject(callable: *mut PyObject, arguments: *mut PyObject) -> *mut PyObject;
        fn PyType_IsSubtype(class: *mut PyObject, base: *mut PyObject) -> c_int;
        fn PyLong_AsLong(object: *mut PyObject) -> c_long;
        fn PyLong_FromLong(value: c_long) -> *mut PyObject;
        fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> *mut PyObject;
        fn PyBool_FromLong(value: c_long) -> *mut PyObject;
        fn PyFloat_FromDouble(value: f64) -> *mut PyObject;
        fn PyFloat_AsDouble(object: *mut PyObject) -> f64;
        fn PyUnicode_GetLength(object: *mut PyObject) -> isize;
        fn PyUnicode_ReadChar(object: *mut PyObject, index: isize) -> u32;
        fn PyUnicode_FromStringAndSize(text: *const c_char, len: isize) -> *mut PyObject;
        fn PyUnicode_FromString(text: *const c_char) -> *mut PyObject;
        fn PyUnicode_InternFromString(text: *const c_char) -> *mut PyObject;
        fn PyUnicode_AsEncodedString(object: *mut PyObject, encoding: *const c_char, errors: *const c_char) -> *mut PyObject;
        fn PyUnicode_CompareWithASCIIString(object: *mut PyObject, text: *const c_char) -> c_int;
        fn PyBytes_FromObject(object: *mut PyObject) -> *mut PyObject;
        fn PyBytes_AsStringAndSize(object: *mut PyObject, bytes: *mut *mut c_char, len: *mut isize) -> c_int;
        fn PyTuple_New(len: isize) -> *mut PyObject;
        fn PyTuple_GetItem(tuple: *mut PyObject, index: isize) -> *mut PyObject;
        fn PyTuple_SetItem(tuple: *mut PyObject, index: isize, item: *mut PyObject) -> c_int;
        fn PyTuple_Size(tuple: *mut PyObject) -> isize;
        fn PyList_New(len: isize) -> *mut PyObject;
        fn PyList_Append(list: *mut PyObject, item: *mut PyObject) -> c_int;
        fn PyList_GetItem(list: *mut PyObject, index: isize) -> *mut PyObject;
        fn PyList_Size(list: *mut PyObject) -> isize;
        fn PyDict_New() -> *mut PyObject;
        fn PyDict_Next(dict: *mut PyObject, position: *mut isize, key: *mut *mut PyObject, value: *mut *mut PyObject) -> c_int;
        fn PyDict_GetItemString(dict: *mut PyObject, name: *const c_char) -> *mut PyObject;
        fn PyDict_GetItemWithError(dict: *mut PyObject, key: *mut PyObject) -> *mut PyObject;
        fn PyDict_SetItemString(dict: *mut PyObject, name: *const c_char, value: *mut PyObject) -> c_int;
        fn PyDict_DelItem(dict: *mut PyObject, key: *mut PyObject) -> c_int;
        fn PyDict_DelItemString(dict: *mut PyObject, name: *const c_char) -> c_int;
    }
    optional functions {
        fn PyGC_Disable() -> c_int;
        fn PyGC_Enable() -> c_int;
        fn PyFrame_GetVar(frame: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn _PyEval_SetTrace(state: *mut c_void, function: Option<TraceFunction>, object: *mut PyObject) -> c_int;
    }
    objects {
        _Py_NoneStruct
        PyLong_Type
        PyUnicode_Type
        PyBytes_Type
        PyByteArray_Type
        PyMemoryView_Type
        PyList_Type
        PyDict_Type
        PyCell_Type
        PyCode_Type
        PyTraceBack_Type
        PyModule_Type
        PyCFunction_Type
        PyMethodDescr_Type
    }
}
