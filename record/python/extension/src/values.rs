//! Encoding values, knowing objects over time, and seeing every change of them.
//!
//! Every container and instance of the program gets a number at first sight and is captured once;
//! later it is only referred to. Beside the number stands the recorded state of its children as
//! shadows, so that whatever mechanism suspects a change ([`instruction`], [`hooks`],
//! a call into code that is not recorded) only has to say *which* object: the difference to the
//! memory of the program is what gets recorded, never what an instruction intended.
//!
//! Nothing here runs code of the program or holds a reference to an object of it.

mod array;
mod attributes;
mod bytecode;
mod calls;
mod capture;
mod classes;
mod content;
mod deaths;
mod facts;
mod hooks;
mod instruction;
mod literal;
mod opcodes;
mod operations;
mod places;
mod probe;
mod quiet;
mod raw;
mod reach;
mod reassign;
mod redaction;
mod rescan;
mod scalar;
mod shadow;
mod siblings;
mod symbols;
mod touch;
mod watch;

use std::collections::HashMap;

use retrostep_record_python_wire::Config;
use retrostep_record_python_wire::message::{self, put, tag};

use crate::api::PyObject;
use crate::layout::layout as interpreter_layout;
use classes::{Class, WellKnown};
use raw::{Layout, Object, Type};
use shadow::{AddressMap, ShadowKind};
use symbols::Symbols;

pub(crate) use bytecode::StoreMap;
pub(crate) use facts::LineFacts;
pub(crate) use instruction::Interest;
pub(crate) use probe::{PROBES, different};
pub(crate) use shadow::Shadow;

/// The number of an object that is captured right now and has none yet.
const UNNUMBERED: u64 = u64::MAX;
/// Most objects captured below the first level of one value: graphs of objects are wider than deep.
const CAPTURED_MAX: usize = 10_000;

/// Limits of what is kept.
#[derive(Clone, Copy, Debug)]
struct Limits {
    string: usize,
    children: usize,
    depth: usize,
}

/// An object of the program that is known.
#[derive(Debug)]
struct Known {
    /// Its birth: never used again, unlike its address.
    key: u64,
    /// Its number in the recording, [`UNNUMBERED`] until its first message.
    id: u64,
    class: Type,
    /// The value of [`Values::epoch`] when it was last compared with memory.
    verified: u64,
    state: content::State,
}

/// Identities, first sights and changes of the program's objects.
pub(crate) struct Values {
    symbols: Symbols,
    layout: Layout,
    limits: Limits,
    redaction: redaction::Redaction,
    well_known: Option<WellKnown>,
    known: AddressMap<usize, Box<Known>>,
    /// Addresses by key, for the shadows of other objects.
    addresses: AddressMap<u64, usize>,
    classes: AddressMap<usize, Class>,
    names: HashMap<Box<[u8]>, u64>,
    /// The names of attributes by the address of their text, which is kept alive.
    attribute_names: AddressMap<usize, attributes::AttributeName>,
    next_key: u64,
    next_object: u64,
    next_type: u64,
    next_name: u64,
    /// How often code that is not recorded may have run.
    epoch: u64,
    /// The namespace that was compared last, the interpreter's mark of its state then, and its number.
    last_namespace: (usize, u64, u64),
    redacted: u64,
    arrays: Vec<usize>,
    /// Keys of instances by the address of their dictionary.
    siblings: AddressMap<usize, u64>,
    pending: instruction::PendingCalls,
    /// Code objects that are recorded.
    recorded: std::collections::HashSet<usize>,
    /// The names of the files they are from: code of one file shares the object, and all of it is
    /// recorded.
    recorded_files: std::collections::HashSet<usize>,
    /// Whether elements that cannot be compared count as unchanged.
    lenient: bool,
    /// How deep comparisons are nested now.
    nesting: u32,
    /// Whether container methods are to be hooked.
    hooks_wanted: bool,
    /// Container types whose methods are hooked.
    watched_types: Vec<usize>,
    /// Objects last compared before this epoch are compared with all they refer to.
    deep_epoch: u64,
    opcodes: opcodes::Opcodes,
    operations: operations::Operations,
    /// How many objects below the first level may still be captured with the present value.
    room: usize,
    /// What the redacted arguments of the call that is being recorded hold.
    hidden: Vec<Object>,
    /// Exceptions that still keep such arguments: with the tuple that has them.
    hidden_arguments: AddressMap<usize, usize>,
    /// Buffers kept for their memory.
    spare: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Values")
            .field("known", &self.known.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Values {
    /// Ready to encode; the layout of the interpreter is chosen.
    pub(crate) fn new(config: &Config) -> Values {
        let symbols = Symbols::new();
        let minor = u32::from(interpreter_layout().minor.0);
        deaths::start(&symbols, minor);
        watch::start(&symbols, minor);
        let limit = |value: u64, default: usize| match usize::try_from(value) {
            Ok(0) | Err(_) => default,
            Ok(value) => value,
        };
        Values {
            symbols,
            layout: Layout::new(minor),
            limits: Limits {
                string: limit(config.max_string, 10_000),
                children: limit(config.max_children, 1_000),
                depth: limit(config.depth, 8),
            },
            redaction: redaction::Redaction::new(&config.redact),
            well_known: None,
            known: AddressMap::default(),
            addresses: AddressMap::default(),
            classes: AddressMap::default(),
            names: HashMap::new(),
            attribute_names: AddressMap::default(),
            next_key: 0,
            next_object: 0,
            next_type: 0,
            next_name: 0,
            epoch: 1,
            last_namespace: (0, 0, 0),
            redacted: 0,
            arrays: Vec::new(),
            siblings: AddressMap::default(),
            pending: instruction::PendingCalls::default(),
            recorded: std::collections::HashSet::new(),
            recorded_files: std::collections::HashSet::new(),
            lenient: false,
            nesting: 0,
            hooks_wanted: false,
            watched_types: Vec::new(),
            deep_epoch: 0,
            opcodes: opcodes::Opcodes::new(minor),
            operations: operations::Operations::new(minor),
            room: CAPTURED_MAX,
            hidden: Vec::new(),
            hidden_arguments: AddressMap::default(),
            spare: Vec::new(),
        }
    }

    /// Appends the encoding of `object` to `value`, and the messages it needs first to `out`. Gives its
    /// shadow.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and `object` is alive.
    pub(crate) unsafe fn encode(
        &mut self,
        out: &mut Vec<u8>,
        value: &mut Vec<u8>,
        object: *mut PyObject,
    ) -> Shadow {
        // SAFETY: the caller's.
        let shadow = unsafe { self.put_value(out, value, object, self.limits.depth) };
        self.tell_redacted(out);
        shadow
    }

    /// As [`Values::encode`], for a value whose name may be on the redaction list.
    ///
    /// # Safety
    ///
    /// As [`Values::encode`].
    pub(crate) unsafe fn encode_named(
        &mut self,
        out: &mut Vec<u8>,
        value: &mut Vec<u8>,
        redacted: bool,
        object: *mut PyObject,
    ) -> Shadow {
        if redacted {
            self.put_redacted(value);
            self.tell_redacted(out);
            // SAFETY: the caller's.
            return unsafe { self.look(object) };
        }
        // SAFETY: the caller's.
        unsafe { self.encode(out, value, object) }
    }

    /// What recording a value would say now; see [`Shadow::says_the_same`].
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and `object` is alive or null.
    #[inline]
    pub(crate) unsafe fn sight(&self, object: *mut PyObject) -> Shadow {
        // SAFETY: the caller's.
        unsafe { self.look(object) }
    }

    /// Appends the encoding of a value of which the shadow was just made, if that says it all.
    #[inline]
    pub(crate) fn put_sight(value: &mut Vec<u8>, shadow: Shadow) -> bool {
        match shadow.kind {
            ShadowKind::Int => put::int(value, shadow.payload as i64),
            ShadowKind::Float => put::float(value, f64::from_bits(shadow.payload)),
            ShadowKind::Singleton => value.push(shadow.payload as u8),
            ShadowKind::Unbound => value.push(tag::UNBOUND),
            _ => return false,
        }
        true
    }

    /// Says what the redacted arguments of the call that is about to be recorded hold: an exception
    /// keeps what it was made with, without names.
    pub(crate) fn hide(&mut self, arguments: impl Iterator<Item = *mut PyObject>) {
        self.hidden.clear();
        self.hidden
            .extend(arguments.filter(|argument| !argument.is_null()));
    }

    /// Whether values of that name are not recorded.
    pub(crate) fn is_redacted(&mut self, name: &str) -> bool {
        self.redaction.hides(name.as_bytes())
    }

    /// Whether code is recorded when it runs, and so reports its own changes.
    ///
    /// # Safety
    ///
    /// `code` is a code object that is alive.
    unsafe fn is_recorded(&self, code: Object) -> bool {
        if self.recorded.contains(&(code as usize)) {
            return true;
        }
        // SAFETY: the caller's.
        let file = unsafe { raw::object_at(code, self.layout.code_file_name) };
        self.recorded_files.contains(&(file as usize))
    }

    /// Takes note of code that is recorded, which stays from here on.
    ///
    /// # Safety
    ///
    /// As [`Values::is_recorded`].
    unsafe fn note_recorded(&mut self, code: Object) {
        self.recorded.insert(code as usize);
        // SAFETY: the caller's; the name of a file is a text.
        unsafe {
            let file = raw::object_at(code, self.layout.code_file_name);
            let is_file = !file.is_null()
                && raw::type_of(file) == self.symbols.text
                && self
                    .text_bytes(file)
                    .is_some_and(|name| !name.starts_with(b"<"));
            if is_file {
                self.recorded_files.insert(file as usize);
            }
        }
    }

    fn put_redacted(&mut self, value: &mut Vec<u8>) {
        value.extend_from_slice(&[tag::UNAVAILABLE, unavailable::REDACTED]);
        self.redacted += 1;
    }

    fn tell_redacted(&mut self, out: &mut Vec<u8>) {
        if self.redacted != 0 {
            out.push(message::REDACTED);
            put::number(out, self.redacted);
            self.redacted = 0;
        }
    }

    /// The shadow of a value, without recording anything.
    ///
    /// # Safety
    ///
    /// As [`Values::sight`].
    #[inline]
    unsafe fn look(&self, object: Object) -> Shadow {
        if object.is_null() {
            return Shadow::UNBOUND;
        }
        // SAFETY: the object is alive.
        unsafe {
            if let Some(shadow) = self.scalar_shadow(object) {
                return shadow;
            }
            match self.known.get(&(object as usize)) {
                Some(known) if known.class == raw::type_of(object) && !deaths::any() => {
                    Shadow::new(ShadowKind::Object, known.key)
                }
                Some(known)
                    if known.class == raw::type_of(object) && !deaths::is_dead(object as usize) =>
                {
                    Shadow::new(ShadowKind::Object, known.key)
                }
                _ => Shadow::new(ShadowKind::TooDeep, object as u64),
            }
        }
    }

    /// Appends a value; containers and instances at most `depth` levels deep.
    ///
    /// # Safety
    ///
    /// As [`Values::encode`].
    unsafe fn put_value(
        &mut self,
        out: &mut Vec<u8>,
        value: &mut Vec<u8>,
        object: Object,
        depth: usize,
    ) -> Shadow {
        if object.is_null() {
            value.push(tag::UNBOUND);
            return Shadow::UNBOUND;
        }
        // SAFETY: the caller's.
        unsafe {
            if let Some(shadow) = self.put_scalar(value, object) {
                return shadow;
            }
            let Some(key) = self.object(out, object, depth) else {
                value.extend_from_slice(&[tag::UNAVAILABLE, unavailable::TOO_DEEP]);
                return Shadow::new(ShadowKind::TooDeep, object as u64);
            };
            let id = self.number_of(out, object);
            put::object(value, id);
            Shadow::new(ShadowKind::Object, key)
        }
    }

    /// Removes objects that died since the last call.
    fn drain_deaths(&mut self) {
        if !deaths::any() {
            return;
        }
        if deaths::take_overflow() {
            self.known.clear();
            self.addresses.clear();
            self.siblings.clear();
            self.classes.clear();
            self.arrays.clear();
            return;
        }
        for address in deaths::take() {
            if let Some(known) = self.known.remove(&address) {
                self.addresses.remove(&known.key);
                self.hidden_arguments.remove(&address);
                deaths::settled(address);
            }
            if self.siblings.remove(&address).is_some() {
                deaths::settled(address);
            }
            if self.classes.remove(&address).is_some() {
                deaths::forget_class(address);
                deaths::settled(address);
            }
        }
    }

    fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < 16 && buffer.capacity() <= 64 << 10 {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

/// Reasons of [`tag::UNAVAILABLE`]: `trace::Unavailable` from 0.
mod unavailable {
    pub(super) const TOO_DEEP: u8 = 0;
    pub(super) const REDACTED: u8 = 2;
    pub(super) const UNKNOWN: u8 = 5;
}
