//! What the recorder knows of the program's code objects: whether they are recorded, their variables
//! and lines. Decided and written out once, when a code object first runs.

mod lines;

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_long;
use std::hash::{BuildHasherDefault, Hasher};

use retrostep_record_python_wire::Config;
use retrostep_record_python_wire::message::{self, put};

use crate::api::{PyObject, field, py};
use crate::ask;
use crate::collector;
use crate::frame::RawFrame;
use crate::layout::{ABSENT, Minor, layout};
use crate::scope::Scope;
use crate::text::text;
use crate::values::{StoreMap, Values};

const CO_OPTIMIZED: c_long = 0x1;
const CO_VARARGS: c_long = 0x4;
const CO_VARKEYWORDS: c_long = 0x8;
const CO_GENERATOR: c_long = 0x20;
const CO_COROUTINE: c_long = 0x80;
const CO_ITERABLE_COROUTINE: c_long = 0x100;
const CO_ASYNC_GENERATOR: c_long = 0x200;

const FAST_HIDDEN: u8 = 0x10;
const FAST_CELL: u8 = 0x40;
const FAST_FREE: u8 = 0x80;

/// So much code without a file is remembered, and thereby kept, as not recorded.
const KNOWN_MAX: usize = 100_000;

/// One recorded variable of a code object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Where the frame keeps it; among [`CodeInfo::names`] where the interpreter is asked.
    pub(crate) raw: u32,
    /// Whether it holds a closure cell.
    pub(crate) cell: bool,
    /// Whether its values are redacted.
    pub(crate) redacted: bool,
}

/// What is known of one recorded code object. Lives as long as the process.
#[derive(Debug)]
pub(crate) struct CodeInfo {
    pub(crate) code: *mut PyObject,
    pub(crate) function: u64,
    pub(crate) slots: Box<[Slot]>,
    /// Whether values of any slot are redacted.
    pub(crate) hides_slots: bool,
    /// Those of the slots that hold cells.
    pub(crate) cells: Box<[u32]>,
    /// The names to ask the interpreter for, where it is asked. The code object keeps them.
    pub(crate) names: Box<[*mut PyObject]>,
    pub(crate) map: StoreMap,
    /// A module or class body: its locals are a mapping.
    pub(crate) has_namespace: bool,
    /// Whether its own name is on the redaction list, and so what it returns and yields.
    pub(crate) redacted: bool,
    /// Runs in steps: a generator, coroutine or asynchronous generator.
    pub(crate) suspends: bool,
    pub(crate) is_coroutine: bool,
    /// Whether the interpreter was asked for its events.
    pub(crate) is_instrumented: Cell<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

type AddressMap<T> = HashMap<usize, T, BuildHasherDefault<AddressHasher>>;

/// All code objects that were looked at.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(crate) scope: Scope,
    known: AddressMap<Option<&'static CodeInfo>>,
    sources: HashMap<String, Option<u64>>,
    qualified_names: AddressMap<String>,
    next_source: u64,
    next_function: u64,
    /// The namespace of `__main__` when its code has no file (`-c`, standard input).
    main_namespace: *mut PyObject,
}

impl Codes {
    /// Knows no code yet.
    pub(crate) fn new(config: &Config) -> Codes {
        Codes {
            scope: Scope::new(config),
            known: AddressMap::default(),
            sources: HashMap::new(),
            qualified_names: AddressMap::default(),
            next_source: 0,
            next_function: 0,
            main_namespace: std::ptr::null_mut(),
        }
    }

    /// Records the main program's code although it has no file.
    pub(crate) fn record_main_namespace(&mut self, namespace: *mut PyObject) {
        self.main_namespace = namespace;
    }

    /// Every recorded code object so far.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = &'static CodeInfo> {
        self.known.values().filter_map(|info| *info)
    }

    /// What is known of the code of a frame; `None` when it is not recorded.
    ///
    /// # Safety
    ///
    /// `code` is the code of `frame`, which exists; the interpreter's lock is held and no exception
    /// is pending.
    #[inline]
    pub(crate) unsafe fn of(
        &mut self,
        out: &mut Vec<u8>,
        values: &mut Values,
        frame: RawFrame,
        code: *mut PyObject,
    ) -> Option<&'static CodeInfo> {
        match self.known.get(&(code as usize)) {
            Some(info) => *info,
            // SAFETY: the caller's.
            None => unsafe { collector::pause(|| self.look_at(out, values, frame, code)) },
        }
    }

    /// Whether code is known to be recorded, without looking at it if it was never seen.
    #[inline]
    pub(crate) fn is_recorded(&self, code: *mut PyObject) -> bool {
        matches!(self.known.get(&(code as usize)), Some(Some(_)))
    }

    /// What is known of recorded code that was looked at before.
    pub(crate) fn known(&self, code: *mut PyObject) -> Option<&'static CodeInfo> {
        *self.known.get(&(code as usize))?
    }

    #[cold]
    unsafe fn look_at(
        &mut self,
        out: &mut Vec<u8>,
        values: &mut Values,
        frame: RawFrame,
        code: *mut PyObject,
    ) -> Option<&'static CodeInfo> {
        // SAFETY: the caller's; every code object has a file name.
        unsafe {
            if type_is_not_code(code) {
                return None;
            }
            let name = ask::name(code, c"co_filename");
            let source = if name.starts_with('<') {
                let is_main = !self.main_namespace.is_null()
                    && frame.globals() == self.main_namespace
                    && (name == "<string>" || name == "<stdin>");
                if is_main {
                    self.source(out, &name, true)
                } else if self.known.len() < KNOWN_MAX {
                    None
                } else {
                    return None;
                }
            } else {
                let path = self.scope.absolute(&name);
                match self.sources.get(&path) {
                    Some(source) => *source,
                    None => {
                        let recorded = self.scope.contains(&path);
                        self.source(out, &path, recorded)
                    }
                }
            };
            let info = source.map(|source| {
                let info = self.describe(out, values, code, source);
                &*Box::leak(Box::new(info))
            });
            // The address is a key from here on, so the object must stay.
            py::Py_IncRef(code);
            self.known.insert(code as usize, info);
            info
        }
    }

    fn source(&mut self, out: &mut Vec<u8>, path: &str, recorded: bool) -> Option<u64> {
        if let Some(source) = self.sources.get(path) {
            return *source;
        }
        let source = recorded.then(|| {
            let source = self.next_source;
            self.next_source += 1;
            out.push(message::SOURCE);
            put::number(out, source);
            put::text(out, path.as_bytes());
            source
        });
        self.sources.insert(path.to_owned(), source);
        source
    }

    unsafe fn describe(
        &mut self,
        out: &mut Vec<u8>,
        values: &mut Values,
        code: *mut PyObject,
        source: u64,
    ) -> CodeInfo {
        // SAFETY: the caller's; the offsets were checked at activation.
        unsafe {
            let flags = ask::number(code, c"co_flags");
            let first_line = ask::number(code, c"co_firstlineno");
            let first_line = u32::try_from(first_line).unwrap_or(0);
            let name = ask::name(code, c"co_name");
            let has_namespace = flags & CO_OPTIMIZED == 0;
            let suspends = flags
                & (CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR)
                != 0;
            let kind = if has_namespace {
                if name == "<module>" { 4 } else { 5 }
            } else if flags & CO_ASYNC_GENERATOR != 0 {
                3
            } else if flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE) != 0 {
                2
            } else if flags & CO_GENERATOR != 0 {
                1
            } else {
                0
            };
            let qualified_name = self.qualified_name(code, &name);
            let function = self.next_function;
            self.next_function += 1;
            out.push(message::FUNCTION);
            put::number(out, function);
            put::number(out, source);
            put::number(out, u64::from(first_line));
            out.push(kind);
            put::text(out, name.as_bytes());
            put::text(out, qualified_name.as_bytes());
            let variables = if !layout().asks() {
                variables(code, flags)
            } else if has_namespace {
                Vec::new()
            } else {
                asked_variables(code, flags)
            };
            put::number(out, variables.len() as u64);
            for variable in &variables {
                put::text(out, variable.name.as_bytes());
                out.push(variable.kind);
            }
            let spans = lines::spans(code, first_line);
            let lines = lines::of(code, &spans, first_line, has_namespace);
            put::number(out, lines.len() as u64);
            let mut last = 0;
            for line in lines {
                put::number(out, u64::from(line - last));
                last = line;
            }
            let slots: Box<[Slot]> = variables
                .iter()
                .map(|variable| Slot {
                    raw: variable.raw,
                    cell: variable.kind >= 2,
                    redacted: values.is_redacted(&variable.name),
                })
                .collect();
            let asked = variables.iter().map(|variable| variable.asked);
            let raw: Vec<u32> = slots.iter().map(|slot| slot.raw).collect();
            let cells = (0..).zip(&slots).filter(|(_, slot)| slot.cell);
            CodeInfo {
                code,
                function,
                cells: cells.map(|(index, _)| index).collect(),
                hides_slots: slots.iter().any(|slot| slot.redacted),
                map: values.code_info(code, &spans, &raw),
                slots,
                names: asked.filter(|name| !name.is_null()).collect(),
                has_namespace: has_namespace && may_ask_for_namespace(code),
                redacted: values.is_redacted(&name),
                suspends,
                is_coroutine: kind == 2,
                is_instrumented: Cell::new(false),
            }
        }
    }

    unsafe fn qualified_name(&mut self, code: *mut PyObject, name: &str) -> String {
        // SAFETY: the caller's.
        unsafe {
            if layout().minor >= Minor(11) {
                return ask::name(code, c"co_qualname");
            }
            if let Some(known) = self.qualified_names.get(&(code as usize)) {
                return known.clone();
            }
            self.name_inner(code, name, "");
            name.to_owned()
        }
    }

    /// Derives the qualified names of the code inside `code`, which versions before 3.11 keep only
    /// in function objects.
    unsafe fn name_inner(&mut self, code: *mut PyObject, name: &str, qualified: &str) {
        // SAFETY: the caller's; constants are a tuple of live objects that the code keeps.
        unsafe {
            let flags = ask::number(code, c"co_flags");
            let prefix = match (name, flags & CO_OPTIMIZED) {
                ("<module>", 0) => String::new(),
                (_, 0) => format!("{qualified}."),
                _ if qualified.is_empty() => format!("{name}.<locals>."),
                _ => format!("{qualified}.<locals>."),
            };
            let constants = py::PyObject_GetAttrString(code, c"co_consts".as_ptr());
            if constants.is_null() {
                py::PyErr_Clear();
                return;
            }
            for index in 0..py::PyTuple_Size(constants) {
                let inner = py::PyTuple_GetItem(constants, index);
                if type_is_not_code(inner) {
                    continue;
                }
                let inner_name = ask::name(inner, c"co_name");
                let inner_qualified = format!("{prefix}{inner_name}");
                self.name_inner(inner, &inner_name, &inner_qualified);
                self.qualified_names.insert(inner as usize, inner_qualified);
            }
            py::Py_DecRef(constants);
        }
    }
}

struct Variable {
    name: String,
    kind: u8,
    raw: u32,
    /// The name to ask for; null where frames are read.
    asked: *mut PyObject,
}

const ARGUMENT: u8 = 0;
const LOCAL: u8 = 1;

unsafe fn type_is_not_code(object: *mut PyObject) -> bool {
    // SAFETY: the caller's: a live object or null.
    unsafe { object.is_null() || (*object).ob_type != py::PyCode_Type() }
}

/// How many variables hold arguments. They come first.
unsafe fn arguments(code: *mut PyObject, flags: c_long) -> usize {
    // SAFETY: the caller's.
    let named =
        unsafe { ask::number(code, c"co_argcount") + ask::number(code, c"co_kwonlyargcount") };
    usize::try_from(named).unwrap_or(0)
        + usize::from(flags & CO_VARARGS != 0)
        + usize::from(flags & CO_VARKEYWORDS != 0)
}

/// Whether it is a name that people write, and not one of the compiler's own variables.
fn is_written(name: &str) -> bool {
    const OWN: [&str; 2] = ["__classdict__", "__conditional_annotations__"];
    !name.is_empty() && !name.starts_with(['@', '.']) && !OWN.contains(&name)
}

/// Whether the namespace of a body can be asked for without a change: up to 3.12 the interpreter puts
/// the cells of a class body into it.
unsafe fn may_ask_for_namespace(code: *mut PyObject) -> bool {
    if !layout().asks() || layout().minor > Minor(12) {
        return true;
    }
    // SAFETY: the caller's.
    unsafe { ask::names(code, c"co_cellvars") }.is_empty()
}

/// The variables of a function as the interpreter tells of them: what is in a closure cell without
/// the cell.
unsafe fn asked_variables(code: *mut PyObject, flags: c_long) -> Vec<Variable> {
    // SAFETY: the caller's.
    let (arguments, mut all, others) = unsafe {
        let mut others = ask::names(code, c"co_cellvars");
        others.extend(ask::names(code, c"co_freevars"));
        (
            arguments(code, flags),
            ask::names(code, c"co_varnames"),
            others,
        )
    };
    for (name, object) in others {
        if !all.iter().any(|(known, _)| *known == name) {
            all.push((name, object));
        }
    }
    all.into_iter()
        .enumerate()
        .filter(|(_, (name, _))| is_written(name))
        .zip(0_u32..)
        .map(|((index, (name, asked)), raw)| Variable {
            name,
            kind: if index < arguments { ARGUMENT } else { LOCAL },
            raw,
            asked,
        })
        .collect()
}

/// The variables that people wrote, in the order of the frame's slots.
unsafe fn variables(code: *mut PyObject, flags: c_long) -> Vec<Variable> {
    const CELL: u8 = 2;
    const FREE: u8 = 3;
    const CELL_ARGUMENT: u8 = 4;
    // SAFETY: the caller's.
    let all: Vec<(String, u8)> = unsafe {
        let arguments = arguments(code, flags);
        if layout().code_slot_names == ABSENT {
            let texts = |code, name| -> Vec<String> {
                let names = ask::names(code, name).into_iter();
                names.map(|(name, _)| name).collect()
            };
            let names = texts(code, c"co_varnames");
            let cells = texts(code, c"co_cellvars");
            let free = texts(code, c"co_freevars");
            let in_cells = |index: usize, name: &String| index < arguments && cells.contains(name);
            let plain = names.iter().enumerate().map(|(index, name)| {
                if in_cells(index, name) {
                    // The argument lives in its cell; the slot stays empty.
                    (String::new(), LOCAL)
                } else {
                    let kind = if index < arguments { ARGUMENT } else { LOCAL };
                    (name.clone(), kind)
                }
            });
            let cells = cells.iter().map(|name| {
                let is_argument = names.iter().take(arguments).any(|other| other == name);
                let kind = if is_argument { CELL_ARGUMENT } else { CELL };
                (name.clone(), kind)
            });
            plain
                .chain(cells)
                .chain(free.iter().map(|name| (name.clone(), FREE)))
                .collect()
        } else {
            let count: i32 = field(code, layout().code_slots);
            let names: *mut PyObject = field(code, layout().code_slot_names);
            let kinds: *mut PyObject = field(code, layout().code_slot_kinds);
            let kinds = crate::text::bytes(kinds);
            (0..usize::try_from(count).unwrap_or(0))
                .map(|index| {
                    let bits = kinds.get(index).copied().unwrap_or(0);
                    let name = text(py::PyTuple_GetItem(names, index as isize));
                    let is_argument = index < arguments;
                    let kind = match (bits & FAST_FREE != 0, bits & FAST_CELL != 0, is_argument) {
                        (true, ..) => FREE,
                        (_, true, true) => CELL_ARGUMENT,
                        (_, true, false) => CELL,
                        (_, _, true) => ARGUMENT,
                        _ => LOCAL,
                    };
                    if bits & FAST_HIDDEN != 0 {
                        (String::new(), kind)
                    } else {
                        (name, kind)
                    }
                })
                .collect()
        }
    };
    all.into_iter()
        .zip(0_u32..)
        .filter(|((name, _), _)| is_written(name))
        .map(|((name, kind), raw)| Variable {
            name,
            kind,
            raw,
            asked: std::ptr::null_mut(),
        })
        .collect()
}
