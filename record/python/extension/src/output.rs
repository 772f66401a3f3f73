//! What the program writes to its standard streams.
//!
//! Text is seen where the program writes it (`print`, `sys.stdout.write`), bytes where they go to
//! the buffer, the file or the descriptor directly. What one of these passes on to the next is seen
//! once. A stream counts only while it is the one that the program was started with: captured or
//! redirected output is not the program's output.

use std::cell::Cell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use retrostep_record_python_wire::message::{self, put};

use crate::api::{METH_FASTCALL, METH_KEYWORDS, METH_METHOD, METH_NOARGS, METH_O, PyObject, py};
use crate::text::{bytes, utf8};
use crate::{methods, recorder};

type Method = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject) -> *mut PyObject;
type FastMethod =
    unsafe extern "C-unwind" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;
type ClassMethod = unsafe extern "C-unwind" fn(
    *mut PyObject,
    *mut PyObject,
    *const *mut PyObject,
    isize,
    *mut PyObject,
) -> *mut PyObject;

/// Which file a descriptor is.
type Identity = (libc::dev_t, libc::ino_t);

static STANDARD: Mutex<[Option<Identity>; 2]> = Mutex::new([None; 2]);
static TEXT_CLASS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static BUFFER_CLASS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static FILE_CLASS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

thread_local! {
    /// How many methods of streams run that pass on what was seen already.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

macro_rules! stand_ins {
    ($($original:ident $function:ident $argument:ident $seen:expr;)*) => {
        $(
            static $original: AtomicUsize = AtomicUsize::new(0);

            unsafe extern "C-unwind" fn $function(
                stream: *mut PyObject,
                $argument: *mut PyObject,
            ) -> *mut PyObject {
                // SAFETY: the address is that of the method this one stands in for.
                unsafe {
                    let original =
                        std::mem::transmute::<usize, Method>($original.load(Ordering::Relaxed));
                    let result = nested(|| original(stream, $argument));
                    if !result.is_null() && is_outermost() && recorder::is_enabled() {
                        let seen: Option<(u8, Vec<u8>)> = $seen(stream, $argument);
                        if let Some((number, written)) = seen {
                            emit(number, &written);
                        }
                    }
                    result
                }
            }
        )*
    };
}

stand_ins! {
    TEXT_WRITE text_write argument written_text;
    TEXT_FLUSH text_flush argument nothing;
    TEXT_CLOSE text_close argument nothing;
    TEXT_DETACH text_detach argument nothing;
    TEXT_TELL text_tell argument nothing;
    BUFFER_WRITE buffer_write argument written_to_buffer;
    BUFFER_FLUSH buffer_flush argument nothing;
    BUFFER_CLOSE buffer_close argument nothing;
    FILE_WRITE file_write argument written_to_file;
}

static FILE_WRITE_METHOD: AtomicUsize = AtomicUsize::new(0);

/// Stands in for `FileIO.write` where it is told its defining class.
unsafe extern "C-unwind" fn file_write_method(
    file: *mut PyObject,
    class: *mut PyObject,
    arguments: *const *mut PyObject,
    count: isize,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the address is that of the method this one stands in for.
    unsafe {
        let original =
            std::mem::transmute::<usize, ClassMethod>(FILE_WRITE_METHOD.load(Ordering::Relaxed));
        let result = original(file, class, arguments, count, names);
        if !result.is_null()
            && count == 1
            && is_outermost()
            && recorder::is_enabled()
            && let Some((number, written)) = written_to_file(file, *arguments)
        {
            emit(number, &written);
        }
        result
    }
}

static DESCRIPTOR_WRITE: AtomicUsize = AtomicUsize::new(0);

/// Stands in for `os.write`.
unsafe extern "C-unwind" fn descriptor_write(
    module: *mut PyObject,
    arguments: *const *mut PyObject,
    count: isize,
) -> *mut PyObject {
    // SAFETY: the address is that of the function this one stands in for.
    unsafe {
        let original =
            std::mem::transmute::<usize, FastMethod>(DESCRIPTOR_WRITE.load(Ordering::Relaxed));
        let result = original(module, arguments, count);
        if result.is_null() || count != 2 || !recorder::is_enabled() {
            return result;
        }
        let (descriptor, data) = (*arguments, *arguments.add(1));
        if (*descriptor).ob_type == py::PyLong_Type() {
            let descriptor = py::PyLong_AsLong(descriptor);
            let written = usize::try_from(py::PyLong_AsLong(result)).unwrap_or(0);
            if let Some(number) = i32::try_from(descriptor).ok().and_then(stream_of)
                && let Some(mut seen) = contents(data)
            {
                seen.truncate(written);
                emit(number, &seen);
            }
            if !py::PyErr_Occurred().is_null() {
                py::PyErr_Clear();
            }
        }
        result
    }
}

/// Stands in for the methods that write.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn install() {
    if let Ok(mut standard) = STANDARD.lock() {
        *standard = [identity(1), identity(2)];
    }
    // SAFETY: the caller's.
    unsafe {
        let module = py::PyImport_ImportModule(c"_io".as_ptr());
        if module.is_null() {
            py::PyErr_Clear();
            return;
        }
        for (place, name) in [
            (&TEXT_CLASS, c"TextIOWrapper"),
            (&BUFFER_CLASS, c"BufferedWriter"),
            (&FILE_CLASS, c"FileIO"),
        ] {
            let class = py::PyObject_GetAttrString(module, name.as_ptr());
            if class.is_null() {
                py::PyErr_Clear();
                return;
            }
            place.store(class, Ordering::Relaxed);
        }
        py::Py_DecRef(module);
        let methods: [(&AtomicPtr<PyObject>, &CStr, i32, Method, &AtomicUsize); 9] = [
            (&TEXT_CLASS, c"write", METH_O, text_write, &TEXT_WRITE),
            (&TEXT_CLASS, c"flush", METH_NOARGS, text_flush, &TEXT_FLUSH),
            (&TEXT_CLASS, c"close", METH_NOARGS, text_close, &TEXT_CLOSE),
            (
                &TEXT_CLASS,
                c"detach",
                METH_NOARGS,
                text_detach,
                &TEXT_DETACH,
            ),
            (&TEXT_CLASS, c"tell", METH_NOARGS, text_tell, &TEXT_TELL),
            (&BUFFER_CLASS, c"write", METH_O, buffer_write, &BUFFER_WRITE),
            (
                &BUFFER_CLASS,
                c"flush",
                METH_NOARGS,
                buffer_flush,
                &BUFFER_FLUSH,
            ),
            (
                &BUFFER_CLASS,
                c"close",
                METH_NOARGS,
                buffer_close,
                &BUFFER_CLOSE,
            ),
            (&FILE_CLASS, c"write", METH_O, file_write, &FILE_WRITE),
        ];
        for (class, name, convention, stand_in, original) in methods {
            let method = py::PyObject_GetAttrString(class.load(Ordering::Relaxed), name.as_ptr());
            if method.is_null() {
                py::PyErr_Clear();
                continue;
            }
            if let Some(address) = methods::replace(method, convention, stand_in as *const ()) {
                original.store(address, Ordering::Relaxed);
            }
            py::Py_DecRef(method);
        }
        let method =
            py::PyObject_GetAttrString(FILE_CLASS.load(Ordering::Relaxed), c"write".as_ptr());
        if !method.is_null() {
            let convention = METH_METHOD | METH_FASTCALL | METH_KEYWORDS;
            let stand_in = file_write_method as *const ();
            if let Some(address) = methods::replace(method, convention, stand_in) {
                FILE_WRITE_METHOD.store(address, Ordering::Relaxed);
            }
            py::Py_DecRef(method);
        }
        let module = py::PyImport_ImportModule(c"posix".as_ptr());
        if module.is_null() {
            py::PyErr_Clear();
            return;
        }
        let function = py::PyDict_GetItemString(py::PyModule_GetDict(module), c"write".as_ptr());
        if let Some(address) =
            methods::replace(function, METH_FASTCALL, descriptor_write as *const ())
        {
            DESCRIPTOR_WRITE.store(address, Ordering::Relaxed);
        }
        py::Py_DecRef(module);
    }
}

fn nested<R>(work: impl FnOnce() -> R) -> R {
    DEPTH.with(|depth| {
        depth.set(depth.get() + 1);
        let result = work();
        depth.set(depth.get() - 1);
        result
    })
}

fn is_outermost() -> bool {
    DEPTH.with(|depth| depth.get() == 0)
}

fn emit(stream: u8, written: &[u8]) {
    if written.is_empty() || !recorder::is_own_interpreter() {
        return;
    }
    recorder::enter(|recorder| {
        recorder.switch_thread();
        recorder.tick();
        recorder.out.push(message::OUTPUT);
        recorder.out.push(stream);
        put::text(&mut recorder.out, written);
    });
}

fn nothing(_: *mut PyObject, _: *mut PyObject) -> Option<(u8, Vec<u8>)> {
    None
}

unsafe fn written_text(stream: *mut PyObject, text: *mut PyObject) -> Option<(u8, Vec<u8>)> {
    // SAFETY: the caller's: the method succeeded with this stream and text.
    unsafe {
        let number = stream_of_text(stream)?;
        Some((number, utf8(text)))
    }
}

unsafe fn written_to_buffer(stream: *mut PyObject, data: *mut PyObject) -> Option<(u8, Vec<u8>)> {
    // SAFETY: as above.
    unsafe {
        let number = stream_of_buffer(stream)?;
        Some((number, contents(data)?))
    }
}

unsafe fn written_to_file(stream: *mut PyObject, data: *mut PyObject) -> Option<(u8, Vec<u8>)> {
    // SAFETY: as above.
    unsafe {
        let number = stream_of_file(stream)?;
        Some((number, contents(data)?))
    }
}

/// The bytes of a bytes-like object.
unsafe fn contents(data: *mut PyObject) -> Option<Vec<u8>> {
    // SAFETY: the caller's.
    unsafe {
        if (*data).ob_type == py::PyBytes_Type() {
            return Some(bytes(data).to_vec());
        }
        if (*data).ob_type != py::PyByteArray_Type() && (*data).ob_type != py::PyMemoryView_Type() {
            return None;
        }
        let copy = py::PyBytes_FromObject(data);
        if copy.is_null() {
            py::PyErr_Clear();
            return None;
        }
        let result = bytes(copy).to_vec();
        py::Py_DecRef(copy);
        Some(result)
    }
}

/// Which standard stream a text stream writes to.
unsafe fn stream_of_text(stream: *mut PyObject) -> Option<u8> {
    // SAFETY: the caller's; the attribute is the class's own, so no code of the program runs.
    unsafe {
        let buffer = own_attribute(stream, &TEXT_CLASS, c"buffer")?;
        let number = if (*buffer).ob_type == BUFFER_CLASS.load(Ordering::Relaxed) {
            stream_of_buffer(buffer)
        } else {
            stream_of_file(buffer)
        };
        py::Py_DecRef(buffer);
        number
    }
}

unsafe fn stream_of_buffer(buffer: *mut PyObject) -> Option<u8> {
    // SAFETY: as above.
    unsafe {
        if (*buffer).ob_type != BUFFER_CLASS.load(Ordering::Relaxed) {
            return None;
        }
        let file = own_attribute(buffer, &BUFFER_CLASS, c"raw")?;
        let number = stream_of_file(file);
        py::Py_DecRef(file);
        number
    }
}

unsafe fn stream_of_file(file: *mut PyObject) -> Option<u8> {
    // SAFETY: as above; `FileIO.fileno` is the interpreter's own.
    unsafe {
        if (*file).ob_type != FILE_CLASS.load(Ordering::Relaxed) {
            return None;
        }
        let method = own_attribute(file, &FILE_CLASS, c"fileno")?;
        let number = py::PyObject_CallNoArgs(method);
        py::Py_DecRef(method);
        if number.is_null() {
            py::PyErr_Clear();
            return None;
        }
        let descriptor = py::PyLong_AsLong(number);
        py::Py_DecRef(number);
        stream_of(i32::try_from(descriptor).ok()?)
    }
}

/// An attribute that the object's class took over unchanged from `class`. A new reference.
unsafe fn own_attribute(
    object: *mut PyObject,
    class: &AtomicPtr<PyObject>,
    name: &CStr,
) -> Option<*mut PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let name = py::PyUnicode_InternFromString(name.as_ptr());
        let own = py::_PyType_Lookup((*object).ob_type, name);
        let original = py::_PyType_Lookup(class.load(Ordering::Relaxed), name);
        let value = if !own.is_null() && own == original {
            py::PyObject_GenericGetAttr(object, name)
        } else {
            null_mut()
        };
        py::Py_DecRef(name);
        if value.is_null() {
            py::PyErr_Clear();
            return None;
        }
        Some(value)
    }
}

/// 1 or 2 when the descriptor is still the standard stream that the program began with.
fn stream_of(descriptor: i32) -> Option<u8> {
    let number = match descriptor {
        1 => 1_u8,
        2 => 2,
        _ => return None,
    };
    let standard = STANDARD.lock().ok()?;
    let began_with = *standard.get(usize::from(number) - 1)?;
    (began_with.is_some() && began_with == identity(descriptor)).then_some(number)
}

fn identity(descriptor: i32) -> Option<Identity> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the structure is filled when the call succeeds.
    unsafe {
        if libc::fstat(descriptor, status.as_mut_ptr()) != 0 {
            return None;
        }
        let status = status.assume_init();
        Some((status.st_dev, status.st_ino))
    }
}
