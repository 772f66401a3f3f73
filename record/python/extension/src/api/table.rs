// The list of everything the recorder uses of the interpreter.

table! {
    functions {
        fn Py_GetVersion() -> *const c_char;
        fn Py_IncRef(object: *mut PyObject);
        fn Py_DecRef(object: *mut PyObject);
        fn Py_IsInitialized() -> c_int;
        fn Py_AddPendingCall(function: unsafe extern "C" fn(*mut c_void) -> c_int, data: *mut c_void) -> c_int;
        fn PyThreadState_Get() -> *mut c_void;
        fn PyThreadState_GetID(state: *mut c_void) -> u64;
        fn PyThreadState_Next(state: *mut c_void) -> *mut c_void;
        fn PyInterpreterState_Get() -> *mut c_void;
        fn PyInterpreterState_ThreadHead(interpreter: *mut c_void) -> *mut c_void;
        fn PyGILState_Check() -> c_int;
        fn PyEval_SetTrace(function: Option<TraceFunction>, object: *mut PyObject);
        fn PyEval_SetProfile(function: Option<TraceFunction>, object: *mut PyObject);
        fn PyEval_SaveThread() -> *mut c_void;
        fn PyEval_RestoreThread(state: *mut c_void);
        fn PyEval_GetFrame() -> *mut PyObject;
        fn PyEval_GetBuiltins() -> *mut PyObject;
        fn PyFrame_GetCode(frame: *mut PyObject) -> *mut PyObject;
        fn PyFrame_GetBack(frame: *mut PyObject) -> *mut PyObject;
        fn PyFrame_GetLineNumber(frame: *mut PyObject) -> c_int;
        fn PyCode_Addr2Line(code: *mut PyObject, offset: c_int) -> c_int;
        fn Py_CompileString(source: *const c_char, name: *const c_char, start: c_int) -> *mut PyObject;
        fn PyEval_EvalCode(code: *mut PyObject, globals: *mut PyObject, locals: *mut PyObject) -> *mut PyObject;
        fn PyImport_GetModuleDict() -> *mut PyObject;
        fn PyImport_ImportModule(name: *const c_char) -> *mut PyObject;
        fn PyModule_GetDict(module: *mut PyObject) -> *mut PyObject;
        fn PyModule_NewObject(name: *mut PyObject) -> *mut PyObject;
        fn PySys_GetObject(name: *const c_char) -> *mut PyObject;
        fn PyCMethod_New(definition: *mut PyMethodDef, receiver: *mut PyObject, module: *mut PyObject, class: *mut PyObject) -> *mut PyObject;
        fn PyErr_Occurred() -> *mut PyObject;
        fn PyErr_Clear();
        fn PyErr_Fetch(class: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject);
        fn PyErr_Restore(class: *mut PyObject, value: *mut PyObject, traceback: *mut PyObject);
        fn PyErr_NormalizeException(class: *mut *mut PyObject, value: *mut *mut PyObject, traceback: *mut *mut PyObject);
        fn PyErr_SetString(class: *mut PyObject, message: *const c_char);
        fn PyErr_GivenExceptionMatches(given: *mut PyObject, class: *mut PyObject) -> c_int;
        fn PyException_GetTraceback(exception: *mut PyObject) -> *mut PyObject;
        fn PyObject_GetAttr(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn PyObject_GetAttrString(object: *mut PyObject, name: *const c_char) -> *mut PyObject;
        fn PyObject_SetAttrString(object: *mut PyObject, name: *const c_char, value: *mut PyObject) -> c_int;
        fn PyObject_GenericGetAttr(object: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn _PyType_Lookup(class: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn _PyObject_GetDictPtr(object: *mut PyObject) -> *mut *mut PyObject;
        fn PyObject_Call(callable: *mut PyObject, arguments: *mut PyObject, keywords: *mut PyObject) -> *mut PyObject;
        fn PyObject_CallNoArgs(callable: *mut PyObject) -> *mut PyObject;
        fn PyObject_CallObject(callable: *mut PyObject, arguments: *mut PyObject) -> *mut PyObject;
        fn PyObject_IsTrue(object: *mut PyObject) -> c_int;
        fn PyType_IsSubtype(class: *mut PyObject, base: *mut PyObject) -> c_int;
        fn PyType_GetFlags(class: *mut PyObject) -> u64;
        fn PyType_Modified(class: *mut PyObject);
        fn PyLong_AsLong(object: *mut PyObject) -> c_long;
        fn PyLong_FromLong(value: c_long) -> *mut PyObject;
        fn PyLong_FromUnsignedLongLong(value: c_ulonglong) -> *mut PyObject;
        fn PyLong_AsLongLongAndOverflow(object: *mut PyObject, overflow: *mut c_int) -> c_longlong;
        fn PyFloat_FromDouble(value: f64) -> *mut PyObject;
        fn PyUnicode_FromStringAndSize(text: *const c_char, len: isize) -> *mut PyObject;
        fn PyUnicode_FromString(text: *const c_char) -> *mut PyObject;
        fn PyUnicode_InternFromString(text: *const c_char) -> *mut PyObject;
        fn PyUnicode_AsUTF8AndSize(object: *mut PyObject, len: *mut isize) -> *const c_char;
        fn PyUnicode_AsUTF8String(object: *mut PyObject) -> *mut PyObject;
        fn PyUnicode_AsEncodedString(object: *mut PyObject, encoding: *const c_char, errors: *const c_char) -> *mut PyObject;
        fn PyUnicode_CompareWithASCIIString(object: *mut PyObject, text: *const c_char) -> c_int;
        fn PyUnicode_Append(left: *mut *mut PyObject, right: *mut PyObject);
        fn PyBytes_FromStringAndSize(bytes: *const c_char, len: isize) -> *mut PyObject;
        fn PyBytes_FromObject(object: *mut PyObject) -> *mut PyObject;
        fn PyBytes_AsStringAndSize(object: *mut PyObject, bytes: *mut *mut c_char, len: *mut isize) -> c_int;
        fn PyByteArray_FromStringAndSize(bytes: *const c_char, len: isize) -> *mut PyObject;
        fn PyTuple_New(len: isize) -> *mut PyObject;
        fn PyTuple_GetItem(tuple: *mut PyObject, index: isize) -> *mut PyObject;
        fn PyTuple_SetItem(tuple: *mut PyObject, index: isize, item: *mut PyObject) -> c_int;
        fn PyTuple_Size(tuple: *mut PyObject) -> isize;
        fn PyList_New(len: isize) -> *mut PyObject;
        fn PyList_Append(list: *mut PyObject, item: *mut PyObject) -> c_int;
        fn PyList_GetItem(list: *mut PyObject, index: isize) -> *mut PyObject;
        fn PyList_SetItem(list: *mut PyObject, index: isize, item: *mut PyObject) -> c_int;
        fn PyList_Size(list: *mut PyObject) -> isize;
        fn PyDict_New() -> *mut PyObject;
        fn PyDict_Next(dict: *mut PyObject, position: *mut isize, key: *mut *mut PyObject, value: *mut *mut PyObject) -> c_int;
        fn PyDict_Size(dict: *mut PyObject) -> isize;
        fn PyDict_GetItemString(dict: *mut PyObject, name: *const c_char) -> *mut PyObject;
        fn PyDict_GetItemWithError(dict: *mut PyObject, key: *mut PyObject) -> *mut PyObject;
        fn PyDict_SetItem(dict: *mut PyObject, key: *mut PyObject, value: *mut PyObject) -> c_int;
        fn PyDict_SetItemString(dict: *mut PyObject, name: *const c_char, value: *mut PyObject) -> c_int;
        fn PyDict_DelItemString(dict: *mut PyObject, name: *const c_char) -> c_int;
        fn PySet_New(iterable: *mut PyObject) -> *mut PyObject;
        fn PySet_Add(set: *mut PyObject, item: *mut PyObject) -> c_int;
        fn PyFrozenSet_New(iterable: *mut PyObject) -> *mut PyObject;
        fn PyCell_New(object: *mut PyObject) -> *mut PyObject;
        fn PyCell_Get(cell: *mut PyObject) -> *mut PyObject;
        fn PyComplex_RealAsDouble(object: *mut PyObject) -> f64;
        fn PyComplex_ImagAsDouble(object: *mut PyObject) -> f64;
        fn PyObject_GetBuffer(object: *mut PyObject, view: *mut c_void, flags: c_int) -> c_int;
        fn PyBuffer_Release(view: *mut c_void);
        fn PyGC_Collect() -> isize;
    }
    optional functions {
        fn _PyEval_SetTrace(state: *mut c_void, function: Option<TraceFunction>, object: *mut PyObject) -> c_int;
        fn _Py_IsFinalizing() -> c_int;
        fn Py_IsFinalizing() -> c_int;
        fn _PyErr_WriteUnraisableMsg(message: *const c_char, object: *mut PyObject);
        fn _PySet_NextEntry(set: *mut PyObject, position: *mut isize, key: *mut *mut PyObject, hash: *mut isize) -> c_int;
        fn _PyLong_AsByteArray(object: *mut PyObject, bytes: *mut u8, len: usize, little_endian: c_int, signed: c_int) -> c_int;
        fn _PyLong_NumBits(object: *mut PyObject) -> usize;
        fn PyFrame_GetLasti(frame: *mut PyObject) -> c_int;
        fn PyFrame_GetLocals(frame: *mut PyObject) -> *mut PyObject;
        fn PyFrame_GetVar(frame: *mut PyObject, name: *mut PyObject) -> *mut PyObject;
        fn PyFrame_FastToLocalsWithError(frame: *mut PyObject) -> c_int;
        fn PyDict_AddWatcher(callback: *mut c_void) -> c_int;
        fn PyDict_ClearWatcher(watcher: c_int) -> c_int;
        fn PyDict_Watch(watcher: c_int, dict: *mut PyObject) -> c_int;
        fn PyDict_Unwatch(watcher: c_int, dict: *mut PyObject) -> c_int;
        fn PyThreadState_GetUnchecked() -> *mut c_void;
    }
    objects {
        _Py_NoneStruct
        _Py_TrueStruct
        _Py_FalseStruct
        _Py_EllipsisObject
        _Py_NotImplementedStruct
        PyBaseObject_Type
        PyType_Type
        PyLong_Type
        PyBool_Type
        PyFloat_Type
        PyComplex_Type
        PyUnicode_Type
        PyBytes_Type
        PyByteArray_Type
        PyMemoryView_Type
        PyTuple_Type
        PyList_Type
        PyDict_Type
        PyDictProxy_Type
        PySet_Type
        PyFrozenSet_Type
        PyRange_Type
        PySlice_Type
        PyCell_Type
        PyCode_Type
        PyFrame_Type
        PyTraceBack_Type
        PyModule_Type
        PyFunction_Type
        PyMethod_Type
        PyCFunction_Type
        PyMethodDescr_Type
        PyWrapperDescr_Type
        PyMemberDescr_Type
        PyGetSetDescr_Type
        PyClassMethodDescr_Type
        PyStaticMethod_Type
        PyClassMethod_Type
        PyProperty_Type
        PyGen_Type
        PyCoro_Type
        PyAsyncGen_Type
    }
    optional objects {
        _PyRuntime
    }
    pointers {
        PyExc_BaseException
        PyExc_Exception
        PyExc_StopIteration
        PyExc_SystemExit
        PyExc_RuntimeError
        PyExc_TypeError
    }
}
