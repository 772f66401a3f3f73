//! Events from Python 3.12: `sys.monitoring` with callbacks in C.
//!
//! A code object that is not recorded is asked about once and then costs nothing. Events that only
//! exist for all code at once (exceptions) look first whether the code is recorded.

use std::ffi::{CStr, c_char, c_long};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use crate::api::{METH_FASTCALL, PyMethodDef, PyObject, field, py};
use crate::codes::CodeInfo;
use crate::exceptions::{self, Sight};
use crate::frame::RawFrame;
use crate::layout::layout;
use crate::recorder::{self, Recorder};
use crate::stack::{Entry, Line};

/// From an `int` to its first digit.
const INT_DIGIT: usize = 24;

/// Tools that no profession of `sys.monitoring` has a claim to, then those that have.
const TOOLS: [c_long; 6] = [3, 4, 5, 2, 1, 0];

type Callback =
    unsafe extern "C-unwind" fn(*mut PyObject, *const *mut PyObject, isize) -> *mut PyObject;

struct Event {
    name: &'static CStr,
    callback: Callback,
    scope: EventScope,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EventScope {
    Global,
    Local,
    /// Local, where the code has instructions of interest.
    Instruction,
}

const EVENTS: [Event; 9] = [
    Event {
        name: c"PY_START",
        callback: on_start,
        scope: EventScope::Global,
    },
    Event {
        name: c"PY_THROW",
        callback: on_throw,
        scope: EventScope::Global,
    },
    Event {
        name: c"PY_UNWIND",
        callback: on_unwind,
        scope: EventScope::Global,
    },
    Event {
        name: c"RAISE",
        callback: on_raise,
        scope: EventScope::Global,
    },
    Event {
        name: c"PY_RESUME",
        callback: on_resume,
        scope: EventScope::Local,
    },
    Event {
        name: c"PY_RETURN",
        callback: on_return,
        scope: EventScope::Local,
    },
    Event {
        name: c"PY_YIELD",
        callback: on_yield,
        scope: EventScope::Local,
    },
    Event {
        name: c"LINE",
        callback: on_line,
        scope: EventScope::Local,
    },
    Event {
        name: c"INSTRUCTION",
        callback: on_instruction,
        scope: EventScope::Instruction,
    },
];

static DEFINITIONS: [AtomicPtr<PyMethodDef>; EVENTS.len()] =
    [const { AtomicPtr::new(null_mut()) }; EVENTS.len()];
static DISABLE: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static SET_LOCAL_EVENTS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static SET_EVENTS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static TOOL: AtomicU8 = AtomicU8::new(u8::MAX);
static GLOBAL: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static LOCAL: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());
static LOCAL_WITH_INSTRUCTIONS: AtomicPtr<PyObject> = AtomicPtr::new(null_mut());

/// Takes a tool id and registers the callbacks. Says what is missing.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn prepare() -> Result<(), String> {
    // SAFETY: the caller's. New references are kept for the life of the process.
    unsafe {
        let monitoring = py::PySys_GetObject(c"monitoring".as_ptr());
        if monitoring.is_null() {
            return Err("the interpreter has no sys.monitoring".into());
        }
        let get = |name: &CStr| {
            let value = py::PyObject_GetAttrString(monitoring, name.as_ptr());
            if value.is_null() {
                py::PyErr_Clear();
                return Err(format!("sys.monitoring has no {}", name.to_string_lossy()));
            }
            Ok(value)
        };
        DISABLE.store(get(c"DISABLE")?, Ordering::Relaxed);
        SET_LOCAL_EVENTS.store(get(c"set_local_events")?, Ordering::Relaxed);
        SET_EVENTS.store(get(c"set_events")?, Ordering::Relaxed);
        take_tool(get(c"use_tool_id")?)?;
        let register = get(c"register_callback")?;
        let numbers = get(c"events")?;
        let (mut global, mut local, mut instruction) = (0, 0, 0);
        for (event, definition) in EVENTS.iter().zip(&DEFINITIONS) {
            let number = py::PyObject_GetAttrString(numbers, event.name.as_ptr());
            if number.is_null() {
                py::PyErr_Clear();
                return Err(format!(
                    "sys.monitoring has no event {}",
                    event.name.to_string_lossy()
                ));
            }
            let bits = py::PyLong_AsLong(number);
            match event.scope {
                EventScope::Global => global |= bits,
                EventScope::Local => local |= bits,
                EventScope::Instruction => instruction |= bits,
            }
            let entry = Box::leak(Box::new(PyMethodDef {
                name: c"retrostep".as_ptr().cast::<c_char>(),
                function: (event.callback as *const ()).cast_mut().cast(),
                flags: METH_FASTCALL,
                documentation: std::ptr::null(),
            }));
            definition.store(entry, Ordering::Relaxed);
            let callback = py::PyCMethod_New(entry, null_mut(), null_mut(), null_mut());
            let tool = py::PyLong_FromLong(c_long::from(TOOL.load(Ordering::Relaxed)));
            call(register, [tool, number, callback])?;
        }
        GLOBAL.store(py::PyLong_FromLong(global), Ordering::Relaxed);
        LOCAL.store(py::PyLong_FromLong(local), Ordering::Relaxed);
        LOCAL_WITH_INSTRUCTIONS.store(py::PyLong_FromLong(local | instruction), Ordering::Relaxed);
        Ok(())
    }
}

unsafe fn take_tool(use_tool_id: *mut PyObject) -> Result<(), String> {
    for tool in TOOLS {
        // SAFETY: the caller's.
        let taken = unsafe {
            call(
                use_tool_id,
                [
                    py::PyLong_FromLong(tool),
                    py::PyUnicode_FromString(c"retrostep".as_ptr()),
                ],
            )
        };
        if taken.is_ok() {
            TOOL.store(u8::try_from(tool).unwrap_or(u8::MAX), Ordering::Relaxed);
            return Ok(());
        }
    }
    Err("all tools of sys.monitoring are taken".into())
}

/// Calls a function of the interpreter. Takes the arguments.
unsafe fn call<const N: usize>(
    function: *mut PyObject,
    arguments: [*mut PyObject; N],
) -> Result<(), String> {
    // SAFETY: the caller's; the tuple takes the arguments.
    unsafe {
        let tuple = py::PyTuple_New(N as isize);
        for (index, argument) in arguments.into_iter().enumerate() {
            py::PyTuple_SetItem(tuple, index as isize, argument);
        }
        let result = py::PyObject_CallObject(function, tuple);
        py::Py_DecRef(tuple);
        if result.is_null() {
            py::PyErr_Clear();
            return Err("a call into sys.monitoring failed".into());
        }
        py::Py_DecRef(result);
        Ok(())
    }
}

unsafe fn shared(object: &AtomicPtr<PyObject>) -> *mut PyObject {
    let object = object.load(Ordering::Relaxed);
    // SAFETY: kept for the life of the process.
    unsafe { py::Py_IncRef(object) };
    object
}

/// Begins to receive events.
pub(crate) unsafe fn start() -> Result<(), String> {
    // SAFETY: the caller's.
    unsafe {
        let tool = py::PyLong_FromLong(c_long::from(TOOL.load(Ordering::Relaxed)));
        call(SET_EVENTS.load(Ordering::Relaxed), [tool, shared(&GLOBAL)])
    }
}

/// Stops receiving events, also from code that is recorded.
pub(crate) unsafe fn stop(recorded: &[&'static CodeInfo]) {
    // SAFETY: the caller's.
    unsafe {
        let tool = || py::PyLong_FromLong(c_long::from(TOOL.load(Ordering::Relaxed)));
        for info in recorded {
            py::Py_IncRef(info.code);
            let _ = call(
                SET_LOCAL_EVENTS.load(Ordering::Relaxed),
                [tool(), info.code, py::PyLong_FromLong(0)],
            );
        }
        let _ = call(
            SET_EVENTS.load(Ordering::Relaxed),
            [tool(), py::PyLong_FromLong(0)],
        );
    }
}

/// Begins to receive the events of one code object.
pub(crate) unsafe fn instrument(code: *mut PyObject, with_instructions: bool) {
    let events = if with_instructions {
        &LOCAL_WITH_INSTRUCTIONS
    } else {
        &LOCAL
    };
    // SAFETY: the caller's.
    unsafe {
        let tool = py::PyLong_FromLong(c_long::from(TOOL.load(Ordering::Relaxed)));
        py::Py_IncRef(code);
        let _ = call(
            SET_LOCAL_EVENTS.load(Ordering::Relaxed),
            [tool, code, shared(events)],
        );
    }
}

/// `None`, of which references are not counted where there are these events.
#[inline]
fn none() -> *mut PyObject {
    py::_Py_NoneStruct()
}

/// The answer to an event of one code object: again, unless recording is over.
unsafe fn answer() -> *mut PyObject {
    // SAFETY: the caller's.
    unsafe {
        if recorder::is_over() {
            disable()
        } else {
            none()
        }
    }
}

unsafe fn disable() -> *mut PyObject {
    // SAFETY: as for every shared object.
    unsafe { shared(&DISABLE) }
}

#[inline]
unsafe fn argument(arguments: *const *mut PyObject, index: usize) -> *mut PyObject {
    // SAFETY: the interpreter gives every callback the arguments that its event has.
    unsafe { *arguments.add(index) }
}

/// The value of a small `int` argument.
#[inline]
unsafe fn number(object: *mut PyObject) -> u32 {
    // SAFETY: lines and offsets fit one digit.
    unsafe { field(object, INT_DIGIT) }
}

unsafe extern "C-unwind" fn on_start(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: the interpreter calls with its lock held.
    unsafe {
        let code = argument(arguments, 0);
        let frame = RawFrame::current();
        let info = recorder::enter(|recorder| {
            let info = recorder.enter_frame(frame, code, Entry::Call);
            if let Some(info) = info {
                info.instrument();
            }
            info.is_some()
        });
        match info {
            Some(false) => disable(),
            _ => answer(),
        }
    }
}

unsafe extern "C-unwind" fn on_resume(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let code = argument(arguments, 0);
        let frame = RawFrame::current();
        recorder::enter(|recorder| {
            recorder.enter_frame(frame, code, Entry::Resume);
        });
        answer()
    }
}

unsafe extern "C-unwind" fn on_throw(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let code = argument(arguments, 0);
        let frame = RawFrame::current();
        recorder::enter(|recorder| {
            if let Some(info) = recorder.enter_frame(frame, code, Entry::Resume) {
                info.instrument();
            }
        });
        none()
    }
}

unsafe extern "C-unwind" fn on_line(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let line = number(argument(arguments, 1));
        let frame = RawFrame::current();
        match recorder::enter(|recorder| recorder.line(frame, line)) {
            Some(Line::Elsewhere) => disable(),
            _ => answer(),
        }
    }
}

unsafe extern "C-unwind" fn on_instruction(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let offset = i32::try_from(number(argument(arguments, 1))).unwrap_or(-1);
        let frame = RawFrame::current();
        match recorder::enter(|recorder| recorder.instruction(frame, offset)) {
            Some(false) => disable(),
            _ => answer(),
        }
    }
}

unsafe extern "C-unwind" fn on_return(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let frame = RawFrame::current();
        let value = argument(arguments, 2);
        recorder::enter(|recorder| recorder.return_value(frame, value));
        answer()
    }
}

unsafe extern "C-unwind" fn on_yield(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let frame = RawFrame::current();
        let value = argument(arguments, 2);
        recorder::enter(|recorder| recorder.yield_value(frame, value));
        answer()
    }
}

unsafe extern "C-unwind" fn on_unwind(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let code = argument(arguments, 0);
        let exception = argument(arguments, 2);
        recorder::enter(|recorder| {
            if recorder.codes.is_recorded(code) {
                recorder.unwind(RawFrame::current(), exception);
            }
        });
        none()
    }
}

unsafe extern "C-unwind" fn on_raise(
    _: *mut PyObject,
    arguments: *const *mut PyObject,
    _: isize,
) -> *mut PyObject {
    // SAFETY: as above.
    unsafe {
        let code = argument(arguments, 0);
        let exception = argument(arguments, 2);
        recorder::enter(|recorder| {
            if !recorder.codes.is_recorded(code) {
                return;
            }
            let frame = RawFrame::current();
            let traceback = py::PyException_GetTraceback(exception);
            let sight = exceptions::sight(&recorder.codes, frame, traceback);
            if !traceback.is_null() {
                py::Py_DecRef(traceback);
            }
            if sight != Sight::Elsewhere {
                recorder.raise(frame, exception, sight == Sight::First);
            }
        });
        none()
    }
}

impl Recorder {
    /// Begins to receive the events of code that already runs, if it is recorded.
    pub(crate) unsafe fn instrument_known(&mut self, code: *mut PyObject) {
        if layout().has_monitoring()
            && let Some(info) = self.codes.known(code)
        {
            // SAFETY: the caller's.
            unsafe { info.instrument() };
        }
    }

    /// Receives the events of all instructions of interest again, also of those that were switched
    /// off one by one.
    pub(crate) unsafe fn instrument_again(&self, info: &CodeInfo) {
        if layout().has_monitoring() {
            // SAFETY: the caller's.
            unsafe {
                instrument(info.code, false);
                instrument(info.code, true);
            }
        }
    }
}

impl CodeInfo {
    /// Begins to receive the events of recorded code, once.
    #[inline]
    unsafe fn instrument(&self) {
        if !self.is_instrumented.replace(true) {
            // Where frames are asked, nothing is looked up by instruction. But 3.13 and later lose the
            // instruction events of the program's own tracer where another tool has line events alone.
            let is_asked = layout().asks();
            // SAFETY: the caller's.
            unsafe { instrument(self.code, is_asked || !self.map.is_empty()) };
        }
    }
}
