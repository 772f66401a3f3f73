//! Events up to Python 3.11: a trace function in C on every thread.
//!
//! A program that sets a trace function of its own keeps it: ours stands in the interpreter's place
//! for it and passes every event on, and `sys.gettrace()` answers the program's.

mod rival;

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_void};

use crate::api::{PyObject, field, py};
use crate::ask;
use crate::exceptions::{self, Sight};
use crate::frame::RawFrame;
use crate::layout::{Minor, layout};
use crate::recorder::{self, Recorder};
use crate::stack::{Entry, Line};

pub(crate) use rival::on_set_trace;

const CALL: c_int = 0;
const EXCEPTION: c_int = 1;
const LINE: c_int = 2;
const RETURN: c_int = 3;
const OPCODE: c_int = 7;

const RETURN_VALUE: u8 = 83;
const YIELD_VALUE: u8 = 86;
/// From a code object to its instructions, and from a `bytes` object to its bytes.
const CODE_BYTES: usize = 48;
const BYTES_DATA: usize = 32;

thread_local! {
    /// Whether our own call sets the trace function, not the program's.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Begins to trace every thread that exists.
pub(crate) unsafe fn start() {
    // SAFETY: the caller's: the interpreter's lock is held.
    unsafe {
        rival::prepare();
        arm_all();
    }
}

/// Stops tracing on every thread that exists.
pub(crate) unsafe fn stop() {
    // SAFETY: the caller's.
    unsafe { rival::disarm_all() };
}

/// Traces every thread that is not traced yet.
pub(crate) unsafe fn arm_all() {
    // SAFETY: the caller's; the list of threads is the interpreter's own and does not change while
    // its lock is held.
    unsafe {
        let mut state = py::PyInterpreterState_ThreadHead(py::PyInterpreterState_Get());
        while !state.is_null() {
            rival::arm(state);
            state = py::PyThreadState_Next(state);
        }
    }
}

/// The trace function.
pub(crate) unsafe extern "C-unwind" fn trace(
    object: *mut PyObject,
    frame_object: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
) -> c_int {
    // SAFETY: the interpreter calls with its lock held and a frame that exists.
    unsafe {
        if recorder::is_enabled() {
            let frame = RawFrame::of_object(frame_object);
            recorder::enter(|recorder| {
                on_event(
                    recorder,
                    frame,
                    frame_object,
                    what,
                    argument,
                    object.is_null(),
                );
            });
        } else if object.is_null() {
            rival::disarm_current();
            return 0;
        }
        if object.is_null() {
            return 0;
        }
        if !is_watched(frame_object) {
            return rival::pass_on(object, frame_object, what, argument);
        }
        let wished = rival::wishes_opcodes(frame_object);
        if what == OPCODE && !wished {
            return 0;
        }
        // The program sees the switch as it set it, and may set it now.
        let before = traces_opcodes(frame_object);
        set_trace_opcodes(frame_object, wished);
        let result = rival::pass_on(object, frame_object, what, argument);
        let wishes = traces_opcodes(frame_object);
        if wishes != wished {
            rival::wish_opcodes(frame_object, wishes);
        }
        set_trace_opcodes(frame_object, before || wishes);
        result
    }
}

unsafe fn on_event(
    recorder: &mut Recorder,
    frame: RawFrame,
    frame_object: *mut PyObject,
    what: c_int,
    argument: *mut PyObject,
    alone: bool,
) {
    // SAFETY: the caller's.
    unsafe {
        match what {
            CALL => {
                let code = frame.code();
                let entry = if is_start(frame) {
                    if !alone {
                        // Another frame may have stood at this address.
                        rival::wish_opcodes(frame_object, false);
                    }
                    Entry::Call
                } else {
                    Entry::Resume
                };
                if recorder.enter_frame(frame, code, entry).is_none() {
                    if alone {
                        set_trace_lines(frame_object, false);
                    }
                } else if entry == Entry::Resume {
                    watch_instructions(recorder, frame_object, alone);
                }
            }
            LINE => {
                let line = if layout().asks() {
                    py::PyFrame_GetLineNumber(frame_object)
                } else {
                    field::<i32, _>(frame_object, layout().frame_object_line)
                };
                let line = u32::try_from(line).unwrap_or(0);
                match recorder.line(frame, line) {
                    Line::Elsewhere if alone => set_trace_lines(frame_object, false),
                    Line::Elsewhere => {}
                    _ => watch_instructions(recorder, frame_object, alone),
                }
            }
            OPCODE => {
                recorder.instruction(frame, instruction_offset(frame));
            }
            RETURN => {
                if !recorder.is_top(frame) && !recorder.codes.is_recorded(frame.code()) {
                    return;
                }
                if argument.is_null() {
                    recorder.unwind_unseen(frame);
                } else if recorder.suspends(frame) && opcode(frame) != RETURN_VALUE {
                    recorder.yield_value(frame, argument);
                } else {
                    recorder.return_value(frame, argument);
                }
            }
            EXCEPTION => {
                if !recorder.is_top(frame) && !recorder.codes.is_recorded(frame.code()) {
                    return;
                }
                let exception = py::PyTuple_GetItem(argument, 1);
                let traceback = py::PyTuple_GetItem(argument, 2);
                let sight = exceptions::sight(&recorder.codes, frame, traceback);
                if sight != Sight::Elsewhere {
                    recorder.raise(frame, exception, sight == Sight::First);
                }
            }
            _ => {}
        }
    }
}

/// Switches the instruction events of the innermost recorded frame on or off.
unsafe fn watch_instructions(recorder: &mut Recorder, frame_object: *mut PyObject, alone: bool) {
    if let Some(wanted) = recorder.wants_instructions() {
        // SAFETY: the caller's.
        unsafe {
            let wished = !alone && rival::wishes_opcodes(frame_object);
            set_trace_opcodes(frame_object, wanted || wished);
        }
    }
}

/// Whether the recorder switches this frame's instruction events on and off.
unsafe fn is_watched(frame_object: *mut PyObject) -> bool {
    // SAFETY: the caller's.
    let frame = unsafe { RawFrame::of_object(frame_object) };
    // SAFETY: as above; the frame runs.
    recorder::reach(|recorder| unsafe { recorder.watches_instructions(frame) }).unwrap_or(false)
}

/// Whether the frame has not run yet.
unsafe fn is_start(frame: RawFrame) -> bool {
    // SAFETY: the caller's.
    unsafe {
        if layout().minor < Minor(11) {
            return instruction_offset(frame) < 0;
        }
        // A frame that goes on stands at a `RESUME` that says so, or, when an exception is thrown
        // into it, at the `YIELD_VALUE` that suspended it.
        let [opcode, argument] = if layout().asks() {
            let offset = ask::number(frame.object(), c"f_lasti");
            ask::instruction(frame.code(), offset).unwrap_or_default()
        } else {
            let at: *const [u8; 2] = field(frame.0, layout().frame_instruction);
            at.read()
        };
        argument == 0 && opcode != YIELD_VALUE
    }
}

/// The offset in bytes of the instruction that runs; negative before the first.
pub(crate) unsafe fn instruction_offset(frame: RawFrame) -> i32 {
    // SAFETY: the caller's.
    unsafe {
        if layout().asks() {
            let offset = ask::number(frame.object(), c"f_lasti");
            return i32::try_from(offset).unwrap_or(-1);
        }
        match layout().minor {
            Minor(9) => field(frame.0, layout().frame_instruction),
            Minor(10) => 2 * field::<i32, _>(frame.0, layout().frame_instruction),
            _ => {
                let at: usize = field(frame.0, layout().frame_instruction);
                let begin = frame.code() as usize + layout().code_instructions;
                i32::try_from(at.wrapping_sub(begin)).unwrap_or(-1)
            }
        }
    }
}

/// The instruction that runs.
unsafe fn opcode(frame: RawFrame) -> u8 {
    // SAFETY: the caller's; a frame that returns or yields stands at an instruction.
    unsafe {
        if layout().asks() {
            let offset = ask::number(frame.object(), c"f_lasti");
            let [opcode, _] = ask::instruction(frame.code(), offset).unwrap_or_default();
            return opcode;
        }
        if layout().minor >= Minor(11) {
            let at: *const u8 = field(frame.0, layout().frame_instruction);
            return at.read();
        }
        let Ok(offset) = usize::try_from(instruction_offset(frame)) else {
            return 0;
        };
        let bytes: *const u8 = field(frame.code(), CODE_BYTES);
        field(bytes, BYTES_DATA + offset)
    }
}

/// Switches line events of one frame on or off, as `frame.f_trace_lines` does.
unsafe fn set_trace_lines(frame_object: *mut PyObject, on: bool) {
    // SAFETY: the caller's; the field is one byte, and both values live forever.
    unsafe {
        if layout().asks() {
            let on = ask::borrowed(py::PyBool_FromLong(c_long::from(on)));
            if py::PyObject_SetAttrString(frame_object, c"f_trace_lines".as_ptr(), on) != 0 {
                py::PyErr_Clear();
            }
            return;
        }
        frame_object
            .cast::<u8>()
            .add(layout().frame_object_trace_lines)
            .write(u8::from(on));
    }
}

/// Switches instruction events of one frame on or off, as `frame.f_trace_opcodes` does.
unsafe fn set_trace_opcodes(frame_object: *mut PyObject, on: bool) {
    // SAFETY: the caller's; the byte follows `f_trace_lines`.
    unsafe {
        frame_object
            .cast::<u8>()
            .add(layout().frame_object_trace_lines + 1)
            .write(u8::from(on));
    }
}

/// Whether instruction events of one frame are on.
unsafe fn traces_opcodes(frame_object: *mut PyObject) -> bool {
    // SAFETY: the caller's; as above.
    unsafe {
        frame_object
            .cast::<u8>()
            .add(layout().frame_object_trace_lines + 1)
            .read()
            != 0
    }
}

/// Runs `work` while changes of the trace function count as the recorder's own.
fn as_ours(work: impl FnOnce()) {
    IS_OURS.with(|ours| {
        let before = ours.replace(true);
        work();
        ours.set(before);
    });
}

fn is_ours() -> bool {
    IS_OURS.with(Cell::get)
}

/// Sets the trace function of a thread. `object` is what `sys.gettrace()` answers there.
unsafe fn set(state: *mut c_void, object: *mut PyObject) {
    as_ours(|| {
        // SAFETY: the caller's; every version up to 3.11 has the function.
        unsafe {
            if let Some(set) = py::_PyEval_SetTrace() {
                set(state, Some(trace), object);
            } else if state == py::PyThreadState_Get() {
                py::PyEval_SetTrace(Some(trace), object);
            }
        }
    });
}
