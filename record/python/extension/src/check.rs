//! The self-check: a small function is run and objects of every kind are made, and everything that is
//! read raw of them must agree with what the interpreter's own functions say.

use std::ffi::{CStr, CString, OsStr, c_char, c_long};
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::Mutex;

use crate::api::{METH_NOARGS, PyMethodDef, PyObject, field, py, symbol};
use crate::ask;
use crate::frame::RawFrame;
use crate::layout::{ABSENT, Minor, fixed, layout};
use crate::settrace;
use crate::values::{self, PROBES};

const FRAMES: &str = "\
def outer(look, first, second):
    def probe(a, b, c):
        look()
        if a is None:
            unbound = 1
        return lambda: c
    return probe(first, second, look)
outer(look, first, second)
";

/// Where Python's own `eval` mode begins: `Py_file_input`.
const FILE_INPUT: i32 = 257;

/// What is wrong, as sentences; empty when everything agrees.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Of frames and code: the interpreter can be asked instead.
    pub(crate) frames: Vec<String>,
    /// Of objects.
    pub(crate) objects: Vec<String>,
}

static FINDINGS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn expect(is_right: bool, what: &str) {
    if !is_right && let Ok(mut findings) = FINDINGS.lock() {
        findings.push(what.to_owned());
    }
}

static LOOK: DefinitionPlace = DefinitionPlace(PyMethodDef {
    name: c"look".as_ptr().cast::<c_char>(),
    function: (look as *const ()).cast_mut().cast(),
    flags: METH_NOARGS,
    documentation: std::ptr::null(),
});

struct DefinitionPlace(PyMethodDef);

// SAFETY: nothing in it changes.
unsafe impl Sync for DefinitionPlace {}

/// Runs the check, unless it found this very interpreter right before: that is noted in `folder`, where
/// the recorder was unpacked.
///
/// # Safety
///
/// As [`run`].
pub(crate) unsafe fn run_once(folder: Option<&Path>, version: &str) -> Findings {
    let note = folder.and_then(|folder| Some(folder.join(interpreter_name(version)?)));
    if note.as_ref().is_some_and(|note| note.exists()) {
        return Findings::default();
    }
    // SAFETY: the caller's.
    let findings = unsafe { run() };
    if let Some(note) = note
        && findings.frames.is_empty()
        && findings.objects.is_empty()
    {
        // Without the note the next start checks again.
        let _ = File::create(note);
    }
    findings
}

/// A name that differs when the files do that the interpreter's code comes from.
fn interpreter_name(version: &str) -> Option<String> {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    let mut add = |path: &Path| {
        let facts = path.metadata().ok()?;
        let written = (facts.mtime(), facts.mtime_nsec());
        (facts.dev(), facts.ino(), facts.len(), written).hash(&mut hasher);
        Some(())
    };
    add(Path::new("/proc/self/exe"))?;
    let library = library_of_interpreter()?;
    if library.is_absolute() {
        add(&library)?;
    }
    Some(format!("checked-{:016x}", hasher.finish()))
}

/// The file that the interpreter was loaded from, as the linker names it: its library, or the program.
fn library_of_interpreter() -> Option<PathBuf> {
    let mut facts = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: `facts` has room for the answer; the name is a text that stays.
    unsafe {
        if libc::dladdr(symbol(c"Py_GetVersion"), facts.as_mut_ptr()) == 0 {
            return None;
        }
        let name = facts.assume_init().dli_fname;
        let name = (!name.is_null()).then(|| CStr::from_ptr(name).to_bytes())?;
        Some(PathBuf::from(OsStr::from_bytes(name)))
    }
}

/// Runs the check.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn run() -> Findings {
    if let Ok(mut findings) = FINDINGS.lock() {
        findings.clear();
        findings.push("the probe did not run".to_owned());
    }
    // SAFETY: the caller's; new references are given back.
    unsafe {
        let namespace = py::PyDict_New();
        let look = py::PyCMethod_New(
            (&raw const LOOK.0).cast_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
        );
        let first = py::PyFloat_FromDouble(1.5);
        let second = py::PyList_New(0);
        py::PyDict_SetItemString(
            namespace,
            c"__builtins__".as_ptr(),
            py::PyEval_GetBuiltins(),
        );
        py::PyDict_SetItemString(namespace, c"look".as_ptr(), look);
        py::PyDict_SetItemString(namespace, c"first".as_ptr(), first);
        py::PyDict_SetItemString(namespace, c"second".as_ptr(), second);
        let objects = if execute(PROBES, namespace) {
            values::different(py::PyDict_GetItemString(namespace, c"probes".as_ptr()))
        } else {
            vec!["the probe of objects failed".to_owned()]
        };
        if !execute(FRAMES, namespace) {
            expect(false, "the probe failed");
        }
        for object in [second, first, look, namespace] {
            py::Py_DecRef(object);
        }
        // Classes and functions go with the next collection only, and the program could see them.
        py::PyGC_Collect();
        Findings {
            frames: FINDINGS
                .lock()
                .map(|mut findings| std::mem::take(&mut *findings))
                .unwrap_or_default(),
            objects,
        }
    }
}

/// Runs a program in a namespace. Whether it came to its end.
unsafe fn execute(source: &str, namespace: *mut PyObject) -> bool {
    let Ok(source) = CString::new(source) else {
        return false;
    };
    // SAFETY: the caller's; new references are given back.
    unsafe {
        let code = py::Py_CompileString(source.as_ptr(), c"<retrostep>".as_ptr(), FILE_INPUT);
        if !code.is_null() {
            let result = py::PyEval_EvalCode(code, namespace, namespace);
            if !result.is_null() {
                py::Py_DecRef(result);
            }
            py::Py_DecRef(code);
        }
        let failed = !py::PyErr_Occurred().is_null();
        py::PyErr_Clear();
        !failed
    }
}

unsafe extern "C-unwind" fn look(_: *mut PyObject, _: *mut PyObject) -> *mut PyObject {
    // SAFETY: called by `probe`, which `outer` called, with the lock held.
    unsafe {
        if let Ok(mut findings) = FINDINGS.lock() {
            findings.clear();
        }
        frames();
        let none = py::_Py_NoneStruct();
        py::Py_IncRef(none);
        none
    }
}

unsafe fn frames() {
    // SAFETY: as in `look`; each reading comes after the one it depends on was found right.
    unsafe {
        let frame = RawFrame::current();
        let object = py::PyEval_GetFrame();
        if RawFrame::of_object(object) != frame || frame.0.is_null() {
            expect(false, "the current frame is elsewhere");
            return;
        }
        let code = py::PyFrame_GetCode(object);
        expect(frame.code() == code, "a frame keeps its code elsewhere");
        py::Py_DecRef(code);
        if frame.code() != code {
            return;
        }
        let slots: i32 = field(code, layout().code_slots);
        // Up to 3.10 the cells stand behind the four plain slots and are not counted.
        let (expected, cell) = if layout().code_slot_names == ABSENT {
            (4, 4)
        } else {
            (5, 2)
        };
        if slots != expected {
            expect(false, "code counts its variables elsewhere");
            return;
        }
        let globals = frame.globals();
        if globals.is_null() || (*globals).ob_type != py::PyDict_Type() {
            expect(false, "a frame keeps its globals elsewhere");
            return;
        }
        let global = |name: &std::ffi::CStr| py::PyDict_GetItemString(globals, name.as_ptr());
        expect(
            frame.slot(0) == global(c"first")
                && frame.slot(1) == global(c"second")
                && frame.slot(3).is_null(),
            "a frame keeps its variables elsewhere",
        );
        let content = frame.slot(cell);
        expect(
            !content.is_null()
                && (*content).ob_type == py::PyCell_Type()
                && field::<*mut PyObject, _>(content, fixed::CELL_CONTENT) == global(c"look"),
            "a cell keeps its content elsewhere",
        );
        let caller = frame.previous();
        let back = py::PyFrame_GetBack(object);
        expect(
            !back.is_null() && caller == RawFrame::of_object(back),
            "a frame keeps its caller elsewhere",
        );
        py::Py_DecRef(back);
        if layout().minor < Minor(12) {
            let offset = ask::number(object, c"f_lasti");
            expect(
                c_long::from(settrace::instruction_offset(frame)) == offset,
                "a frame keeps its last instruction elsewhere",
            );
            let lines: u8 = field(object, layout().frame_object_trace_lines);
            expect(lines == 1, "a frame object keeps f_trace_lines elsewhere");
        }
    }
}
