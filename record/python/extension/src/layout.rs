//! Where the interpreter keeps what the recorder reads without asking: offsets in bytes, per version.
//!
//! All of them are exercised by the self-check before they are trusted; where those of frames are
//! not right, [`ask`] has the interpreter asked instead. What is the same in every
//! supported version stands as constants, the rest in one [`Layout`] per version.

use std::cell::Cell;

use retrostep_record_python_wire::Access;

use crate::api::symbol;

/// The minor version of a supported interpreter: `Minor(12)` is Python 3.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minor(pub(crate) u8);

/// Offsets that differ between versions. A field a version has not is [`ABSENT`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) minor: Minor,
    /// How frames and code objects are read.
    pub(crate) access: Access,
    /// From a frame object to its interpreter frame; [`ABSENT`] where they are one.
    pub(crate) frame_object_frame: usize,
    pub(crate) frame_code: usize,
    pub(crate) frame_previous: usize,
    pub(crate) frame_globals: usize,
    pub(crate) frame_locals: usize,
    pub(crate) frame_builtins: usize,
    /// The last instruction: an index up to 3.10 (bytes in 3.9, code units in 3.10), an address since.
    pub(crate) frame_instruction: usize,
    /// The operand stack's top, in the form the version keeps it.
    pub(crate) frame_stack_top: usize,
    pub(crate) frame_slots: usize,
    pub(crate) frame_object_line: usize,
    pub(crate) frame_object_trace_lines: usize,
    /// From a thread state to its current frame, or to its `cframe` first.
    pub(crate) thread_frame: usize,
    /// Through which `cframe` field the current frame is reached; [`ABSENT`] where it is direct.
    pub(crate) cframe_frame: usize,
    /// Number of slots: `co_nlocalsplus`, before 3.11 `co_nlocals`.
    pub(crate) code_slots: usize,
    pub(crate) code_slot_names: usize,
    pub(crate) code_slot_kinds: usize,
    /// The instructions themselves, from 3.11.
    pub(crate) code_instructions: usize,
    pub(crate) heap_type_cached_keys: usize,
    pub(crate) tuple_items: usize,
    /// Words on the stack and in slots carry a tag in their two low bits.
    pub(crate) tagged: bool,
}

/// The offset of a field that this version does not have.
pub(crate) const ABSENT: usize = usize::MAX;

const V3_9: Layout = Layout {
    minor: Minor(9),
    access: Access::Direct,
    frame_object_frame: ABSENT,
    frame_code: 32,
    frame_previous: 24,
    frame_globals: 48,
    frame_locals: 56,
    frame_builtins: 40,
    frame_instruction: 104,
    frame_stack_top: 72,
    frame_slots: 360,
    frame_object_line: 108,
    frame_object_trace_lines: 88,
    thread_frame: 24,
    cframe_frame: ABSENT,
    code_slots: 28,
    code_slot_names: ABSENT,
    code_slot_kinds: ABSENT,
    code_instructions: ABSENT,
    heap_type_cached_keys: 864,
    tuple_items: 24,
    tagged: false,
};

const V3_10: Layout = Layout {
    minor: Minor(10),
    frame_instruction: 96,
    frame_stack_top: 80,
    frame_slots: 352,
    frame_object_line: 100,
    frame_object_trace_lines: 84,
    heap_type_cached_keys: 872,
    ..V3_9
};

const V3_11: Layout = Layout {
    minor: Minor(11),
    access: Access::Direct,
    frame_object_frame: 24,
    frame_code: 32,
    frame_previous: 48,
    frame_globals: 8,
    frame_locals: 24,
    frame_builtins: 16,
    frame_instruction: 56,
    frame_stack_top: 64,
    frame_slots: 72,
    frame_object_line: 40,
    frame_object_trace_lines: 44,
    thread_frame: 56,
    cframe_frame: 8,
    code_slots: 76,
    code_slot_names: 96,
    code_slot_kinds: 104,
    code_instructions: 184,
    heap_type_cached_keys: 872,
    tuple_items: 24,
    tagged: false,
};

const V3_12: Layout = Layout {
    minor: Minor(12),
    frame_code: 0,
    frame_previous: 8,
    frame_globals: 24,
    frame_locals: 40,
    frame_builtins: 32,
    cframe_frame: 0,
    code_slots: 72,
    code_instructions: 192,
    heap_type_cached_keys: 880,
    ..V3_11
};

const V3_13: Layout = Layout {
    minor: Minor(13),
    thread_frame: 72,
    cframe_frame: ABSENT,
    code_instructions: 200,
    ..V3_12
};

const V3_14: Layout = Layout {
    minor: Minor(14),
    frame_slots: 80,
    code_instructions: 208,
    tuple_items: 32,
    tagged: true,
    ..V3_13
};

/// Fields at the same place in every supported version.
pub(crate) mod fixed {
    pub(crate) const CELL_CONTENT: usize = 16;
    pub(crate) const TRACEBACK_NEXT: usize = 16;
    pub(crate) const TRACEBACK_FRAME: usize = 24;
    pub(crate) const FUNCTION_DEFINITION: usize = 16;
}

/// Why an interpreter cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) String);

struct Current(Cell<Layout>);

// SAFETY: set once at activation, before any thread of the program runs Python code.
unsafe impl Sync for Current {}

static CURRENT: Current = Current(Cell::new(V3_9));

/// The layout of the interpreter that runs.
#[inline]
pub(crate) fn layout() -> &'static Layout {
    // SAFETY: written only by `choose`, before the recorder runs.
    unsafe { &*CURRENT.0.as_ptr() }
}

/// Chooses the layout for the interpreter with this version text.
pub(crate) fn choose(version: &str) -> Result<(), Unsupported> {
    let mut parts = version.split('.');
    let major = parts.next().unwrap_or("");
    let minor: String = parts
        .next()
        .unwrap_or("")
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let layout = match (major, minor.as_str()) {
        ("3", "9") => V3_9,
        ("3", "10") => V3_10,
        ("3", "11") => V3_11,
        ("3", "12") => V3_12,
        ("3", "13") => V3_13,
        ("3", "14") => V3_14,
        _ => {
            return Err(Unsupported(format!(
                "Python {version} cannot be recorded: this version of Retrostep records CPython 3.9 to 3.14"
            )));
        }
    };
    if !symbol(c"_Py_MergeZeroLocalRefcount").is_null() {
        return Err(Unsupported(format!(
            "Python {version} is a free-threaded build, which cannot be recorded yet: use the build with the interpreter lock"
        )));
    }
    CURRENT.0.set(layout);
    Ok(())
}

/// From here on the interpreter is asked for everything about frames and code objects: what stands
/// here about them is not used.
pub(crate) fn ask() {
    CURRENT.0.set(Layout {
        access: Access::Asked,
        // A frame object stands for its frame.
        frame_object_frame: ABSENT,
        ..CURRENT.0.get()
    });
}

impl Layout {
    /// Whether the interpreter is asked for what frames and code objects hold.
    #[inline]
    pub(crate) fn asks(&self) -> bool {
        self.access == Access::Asked
    }

    /// Whether events come from `sys.monitoring` rather than from a trace function.
    #[inline]
    pub(crate) fn has_monitoring(&self) -> bool {
        self.minor >= Minor(12)
    }
}
