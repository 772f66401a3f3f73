//! First sight: numbering an object and recording its contents.

use std::collections::BTreeSet;

use retrostep_record_python_wire::message::{self, put};

use super::attributes::AttributeName;
use super::classes::{Death, Shape};
use super::raw::{Object, flag, type_of};
use super::shadow::{Shadow, hash};
use super::{CAPTURED_MAX, Known, UNNUMBERED, Values, deaths};

/// `trace::ObjectKind`, as numbers of the wire.
pub(super) mod kind {
    pub(crate) const LIST: u8 = 0;
    pub(crate) const TUPLE: u8 = 1;
    pub(crate) const DICT: u8 = 2;
    pub(crate) const SET: u8 = 3;
    pub(crate) const FROZEN_SET: u8 = 4;
    pub(crate) const DEQUE: u8 = 5;
    pub(crate) const BYTE_ARRAY: u8 = 6;
    pub(crate) const CELL: u8 = 7;
    pub(crate) const NAMESPACE: u8 = 8;
    pub(crate) const INSTANCE: u8 = 9;
    pub(crate) const EXCEPTION: u8 = 10;
    pub(crate) const FUNCTION: u8 = 11;
    pub(crate) const CLASS: u8 = 12;
    pub(crate) const MODULE: u8 = 13;
    pub(crate) const GENERATOR: u8 = 14;
    pub(crate) const ENUM: u8 = 15;
    pub(crate) const LITERAL: u8 = 16;
    pub(crate) const ARRAY: u8 = 17;
    pub(crate) const OPAQUE: u8 = 18;
}

/// One attribute of an object as it stands in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute {
    pub(super) name: u64,
    pub(super) redacted: bool,
    pub(super) value: Object,
}

impl Attribute {
    pub(super) fn new(name: AttributeName, value: Object) -> Attribute {
        Attribute {
            name: name.id,
            redacted: name.redacted,
            value,
        }
    }
}

/// The contents of an object as they stand in memory, borrowed.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) kind: u8,
    pub(super) len: u64,
    pub(super) items: Vec<Object>,
    /// The places among the items that are on the redaction list.
    pub(super) hidden_items: Vec<usize>,
    /// Elements that are no objects, encoded, and their count.
    pub(super) encoded: (u64, Vec<u8>),
    pub(super) entries: Vec<(Object, Object)>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) omitted: u64,
    pub(super) text: Option<Vec<u8>>,
}

/// The contents of an object as they were last recorded.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) kind: u8,
    pub(super) len: u64,
    pub(super) items: Vec<Shadow>,
    pub(super) entries: Vec<(Shadow, Shadow)>,
    pub(super) attributes: Vec<(u64, Shadow)>,
    /// A hash of the text and of elements that are no objects.
    pub(super) text: u64,
    /// Elements behind the limit were recorded one by one.
    pub(super) beyond: bool,
    /// Keys of entries that were recorded one by one behind the limit.
    pub(super) beyond_keys: BTreeSet<Shadow>,
    pub(super) version: Option<u64>,
    pub(super) mutable: bool,
    /// The content of a cell whose variable is redacted.
    pub(super) hidden: bool,
}

impl State {
    /// Whether something behind the limit was recorded.
    pub(super) fn beyond(&self) -> bool {
        self.beyond || !self.beyond_keys.is_empty()
    }
}

impl Parts {
    pub(super) fn text_hash(&self) -> u64 {
        text_hash(self.text.as_deref().unwrap_or_default(), &self.encoded.1)
    }
}

/// A hash of a text and of elements that are no objects.
pub(super) fn text_hash(text: &[u8], encoded: &[u8]) -> u64 {
    hash(hash(1, text), encoded)
}

impl Values {
    /// The key of an object that is known or captured now; `None` when it is unknown and `depth` is 0
    /// or too much was captured with the present value.
    ///
    /// # Safety
    ///
    /// `object` is alive and no scalar.
    pub(super) unsafe fn object(
        &mut self,
        out: &mut Vec<u8>,
        object: Object,
        depth: usize,
    ) -> Option<u64> {
        // SAFETY: the caller's.
        unsafe {
            if let Some(key) = self.known_key(object) {
                if type_of(object) == self.symbols.tuple {
                    // Iterators of the interpreter fill a tuple again that nobody else holds.
                    self.rescan(out, object);
                } else {
                    self.verify(out, object);
                }
                return Some(key);
            }
            if depth >= self.limits.depth {
                self.room = CAPTURED_MAX;
            } else if depth == 0 || self.room == 0 {
                return None;
            } else {
                self.room -= 1;
            }
            Some(self.capture(out, object, depth, None))
        }
    }

    /// The key of a known object.
    ///
    /// # Safety
    ///
    /// `object` is alive.
    pub(super) unsafe fn known_key(&mut self, object: Object) -> Option<u64> {
        self.drain_deaths();
        let address = object as usize;
        let known = self.known.get(&address)?;
        // SAFETY: the object is alive.
        let class = unsafe { type_of(object) };
        if known.class == class {
            return Some(known.key);
        }
        let reassigned = self
            .classes
            .get(&(known.class as usize))
            .is_some_and(|class| class.death == Death::Free);
        if reassigned {
            return Some(known.key);
        }
        self.forget(address);
        None
    }

    pub(super) fn forget(&mut self, address: usize) {
        if let Some(known) = self.known.remove(&address) {
            self.addresses.remove(&known.key);
            deaths::settled(address);
        }
    }

    /// Captures an object that is not known: as a namespace, or as the cell of a redacted variable, if
    /// `as_kind` says so.
    ///
    /// # Safety
    ///
    /// `object` is alive, no scalar and not known.
    pub(super) unsafe fn capture(
        &mut self,
        out: &mut Vec<u8>,
        object: Object,
        depth: usize,
        as_kind: Option<u8>,
    ) -> u64 {
        // SAFETY: the object is alive and stays so: nothing here runs code of the program.
        unsafe {
            let class = type_of(object);
            self.class(out, class);
            let key = self.next_key;
            self.next_key += 1;
            let address = object as usize;
            self.known.insert(
                address,
                Box::new(Known {
                    key,
                    id: UNNUMBERED,
                    class,
                    verified: self.epoch,
                    state: State::default(),
                }),
            );
            self.addresses.insert(key, address);
            deaths::expect(address);
            self.record_contents(out, object, depth, as_kind);
            key
        }
    }

    /// Records the whole contents of a known object: its first message, or a replacement.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn record_contents(
        &mut self,
        out: &mut Vec<u8>,
        object: Object,
        depth: usize,
        as_kind: Option<u8>,
    ) {
        // SAFETY: the caller's.
        unsafe {
            let class = type_of(object);
            let type_id = self.class(out, class);
            let parts = if as_kind == Some(kind::NAMESPACE) {
                let mut parts = Parts::default();
                self.namespace_entries(&mut parts, object);
                parts
            } else {
                self.parts(out, object)
            };
            let hidden = as_kind == Some(kind::CELL);
            let mut state = State {
                kind: parts.kind,
                len: parts.len,
                version: self.version_of(object, class),
                mutable: self.is_mutable(class, &parts),
                text: parts.text_hash(),
                items: Vec::with_capacity(parts.items.len()),
                entries: Vec::with_capacity(parts.entries.len()),
                attributes: Vec::with_capacity(parts.attributes.len()),
                ..State::default()
            };
            let below = depth.saturating_sub(1);
            let mut content = self.buffer();
            content.push(parts.kind);
            put::number(&mut content, type_id);
            put::number(&mut content, parts.len);
            put::number(&mut content, parts.encoded.0 + parts.items.len() as u64);
            content.extend_from_slice(&parts.encoded.1);
            state.hidden = hidden;
            for (index, item) in parts.items.iter().enumerate() {
                let shadow = if hidden || parts.hidden_items.contains(&index) {
                    self.put_redacted(&mut content);
                    Shadow::REDACTED
                } else {
                    self.put_value(out, &mut content, *item, below)
                };
                state.items.push(shadow);
            }
            put::number(&mut content, parts.entries.len() as u64);
            for (key, item) in &parts.entries {
                let redacted = self.hides_key(*key);
                let key_shadow = self.put_value(out, &mut content, *key, below.max(1));
                let shadow = if redacted {
                    self.put_redacted(&mut content);
                    Shadow::REDACTED
                } else {
                    let below = if parts.kind == kind::NAMESPACE && self.is_builtins(*key) {
                        0
                    } else {
                        below
                    };
                    self.put_value(out, &mut content, *item, below)
                };
                state.entries.push((key_shadow, shadow));
            }
            put::number(&mut content, parts.attributes.len() as u64);
            for attribute in &parts.attributes {
                put::number(&mut content, attribute.name);
                let shadow = if attribute.redacted {
                    self.put_redacted(&mut content);
                    Shadow::REDACTED
                } else {
                    self.put_value(out, &mut content, attribute.value, below)
                };
                state.attributes.push((attribute.name, shadow));
            }
            put::number(&mut content, parts.omitted);
            match &parts.text {
                Some(text) => {
                    let (len, kept) = self.shorten(&parts, text);
                    content.push(1);
                    put::number(&mut content, len);
                    put::text(&mut content, kept);
                }
                None => content.push(0),
            }
            let address = object as usize;
            let (next, epoch) = (self.next_object, self.epoch);
            if let Some(known) = self.known.get_mut(&address) {
                known.class = class;
                known.verified = epoch;
                known.state = state;
                if known.id == UNNUMBERED {
                    known.id = next;
                    self.next_object += 1;
                    out.push(message::OBJECT_NEW);
                } else {
                    out.push(message::OBJECT_REPLACE);
                }
                put::number(out, known.id);
                out.extend_from_slice(&content);
            }
            self.give_back(content);
            self.after_capture(object);
        }
    }

    /// The number of a known object. One that refers to itself gets it before its contents are
    /// complete: they follow as a replacement, before the next event.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn number_of(&mut self, out: &mut Vec<u8>, object: Object) -> u64 {
        let address = object as usize;
        let Some(known) = self.known.get_mut(&address) else {
            return 0;
        };
        if known.id == UNNUMBERED {
            known.id = self.next_object;
            self.next_object += 1;
            let (id, class) = (known.id, known.class);
            // SAFETY: the class of a known object is a type that is alive with it.
            let type_id = unsafe { self.class(out, class) };
            out.push(message::OBJECT_NEW);
            put::number(out, id);
            out.push(kind::INSTANCE);
            put::number(out, type_id);
            out.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
            return id;
        }
        known.id
    }

    /// The true length and the kept part of a text.
    fn shorten<'a>(&self, parts: &Parts, text: &'a [u8]) -> (u64, &'a [u8]) {
        if parts.kind == kind::BYTE_ARRAY {
            return (parts.len, text);
        }
        let mut characters = 0_usize;
        let mut end = text.len();
        for (index, byte) in text.iter().enumerate() {
            if byte & 0xc0 != 0x80 {
                if characters == self.limits.string {
                    end = end.min(index);
                }
                characters += 1;
            }
        }
        (characters as u64, text.get(..end).unwrap_or_default())
    }

    /// Whether the entries of a mapping under this key are not recorded.
    ///
    /// # Safety
    ///
    /// `key` is alive.
    pub(super) unsafe fn hides_key(&mut self, key: Object) -> bool {
        // SAFETY: the flag says that it is a text or bytes.
        unsafe {
            let flags = super::raw::flags_of(type_of(key));
            if flags & flag::BYTES != 0 {
                let bytes = self.layout.bytes(key);
                return self.redaction.hides(bytes);
            }
            if flags & flag::TEXT == 0 {
                return false;
            }
            match self.layout.characters(key) {
                Some(characters) if characters.ascii && characters.len <= 256 => {
                    let bytes = std::slice::from_raw_parts(characters.data, characters.len);
                    self.redaction.hides(bytes)
                }
                Some(characters) if characters.len <= 256 => match self.text_bytes(key) {
                    Some(bytes) => self.redaction.hides(&bytes),
                    None => false,
                },
                _ => false,
            }
        }
    }

    unsafe fn is_builtins(&self, key: Object) -> bool {
        // SAFETY: keys of a namespace are alive with it; only texts are read.
        unsafe {
            type_of(key) == self.symbols.text
                && self.text_bytes(key).as_deref() == Some(b"__builtins__")
        }
    }

    fn is_mutable(&self, class: Object, parts: &Parts) -> bool {
        let shape = self
            .classes
            .get(&(class as usize))
            .map_or(Shape::Opaque, |class| class.shape);
        shape.mutable() || (!parts.attributes.is_empty() && parts.kind != kind::FUNCTION)
    }
}
