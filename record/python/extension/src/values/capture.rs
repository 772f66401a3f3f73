//! Reading what an object consists of, by its class.

use std::ffi::CStr;

use retrostep_record_python_wire::message::{self, put};

use super::attributes::slot_of;
use super::classes::{self, Class, Shape, WellKnown};
use super::content::{Attribute, Parts, kind};
use super::raw::{self, Object, Type, flag, object_at, size_of, type_of, type_offset, word};
use super::symbols::Symbols;
use super::{Values, deaths};

/// Most entries kept of a namespace: modules have more names than containers should show.
const NAMESPACE_MIN: usize = 10_000;

/// An exception that was pending before the recorder worked, put back when dropped.
pub(super) struct PendingError {
    symbols: Symbols,
    parts: [Object; 3],
}

impl PendingError {
    pub(super) fn save(symbols: &Symbols) -> PendingError {
        let mut parts = [std::ptr::null_mut(); 3];
        if let Some(fetch) = symbols.error_fetch {
            let [class, value, traceback] = &mut parts;
            // SAFETY: the interpreter's lock is held; the three places are writable.
            unsafe { fetch(class, value, traceback) };
        }
        PendingError {
            symbols: *symbols,
            parts,
        }
    }
}

impl Drop for PendingError {
    fn drop(&mut self) {
        let [class, value, traceback] = self.parts;
        if let Some(restore) = self.symbols.error_restore {
            // SAFETY: gives back what was fetched; anything raised in between is dropped.
            unsafe { restore(class, value, traceback) };
        }
    }
}

impl Values {
    /// The number of a class, recorded when it is first needed.
    ///
    /// # Safety
    ///
    /// `class` is a type object that is alive.
    pub(super) unsafe fn class(&mut self, out: &mut Vec<u8>, class: Type) -> u64 {
        if let Some(known) = self.classes.get(&(class as usize)) {
            return known.id;
        }
        let pending = PendingError::save(&self.symbols);
        // SAFETY: the caller's; the base of a class is a type or null.
        let id = unsafe {
            let base = object_at(class, type_offset::BASE);
            let base = if base.is_null() {
                0
            } else {
                self.class(out, base) + 1
            };
            let names = self.class_names(class);
            let well_known = self.well_known();
            let mut info = Class::new(&self.symbols, self.layout, well_known, class, names);
            deaths::watch(&self.symbols, class, info.death);
            let metaclass = type_of(class);
            deaths::watch(&self.symbols, metaclass, classes::Death::Free);
            deaths::expect(class as usize);
            let fields = self.fields(class, info.shape);
            if info.shape == Shape::Tuple {
                info.hidden_items = (0..)
                    .zip(&fields)
                    .filter(|(_, field)| self.redaction.hides(field))
                    .map(|(index, _)| index)
                    .collect();
            }
            info.id = self.next_type;
            self.next_type += 1;
            out.push(message::TYPE);
            put::number(out, info.id);
            put::number(out, base);
            put::text(out, &info.module);
            put::text(out, &info.qualified_name);
            put::number(out, fields.len() as u64);
            for field in &fields {
                put::text(out, field);
            }
            let id = info.id;
            let late = matches!(&info.module[..], b"collections");
            self.classes.insert(class as usize, info);
            if late {
                self.hook_containers();
            }
            id
        };
        drop(pending);
        id
    }

    pub(super) fn well_known(&mut self) -> WellKnown {
        if let Some(known) = self.well_known {
            return known;
        }
        let symbols = &self.symbols;
        let mut subtype_dealloc = 0;
        if let (Some(modules), Some(get)) = (symbols.modules, symbols.dict_get_string) {
            // SAFETY: the table of modules and module dictionaries have text keys; a class of the
            // import system is an ordinary Python class.
            unsafe {
                let module = get(modules(), c"_frozen_importlib".as_ptr());
                if !module.is_null() && type_of(module) == symbols.module {
                    let class = get(object_at(module, 16), c"ModuleSpec".as_ptr());
                    if !class.is_null() && raw::flags_of(type_of(class)) & flag::TYPE != 0 {
                        subtype_dealloc = word(class, type_offset::DEALLOC);
                    }
                }
            }
        }
        let known = WellKnown { subtype_dealloc };
        self.well_known = Some(known);
        known
    }

    /// Module and qualified name of a class, asked of `type` itself.
    unsafe fn class_names(&self, class: Type) -> (Vec<u8>, Vec<u8>) {
        let symbols = &self.symbols;
        let text = |name: &CStr| {
            // SAFETY: `type` defines both as getters that read the class; the results are dropped.
            unsafe {
                let found = classes::getter(symbols, symbols.class, name, class);
                if found.is_null() {
                    drop(PendingError::save(symbols));
                    return Vec::new();
                }
                let bytes = if type_of(found) == symbols.text {
                    self.text_bytes(found).unwrap_or_default()
                } else {
                    Vec::new()
                };
                if let Some(decrement) = symbols.decrement {
                    decrement(found);
                }
                bytes
            }
        };
        (text(c"__module__"), text(c"__qualname__"))
    }

    /// The fields of a named tuple or a data class, in order.
    unsafe fn fields(&mut self, class: Type, shape: Shape) -> Vec<Vec<u8>> {
        let symbols = self.symbols;
        let mut fields = Vec::new();
        // SAFETY: entries of class dictionaries are read by their exact types only.
        unsafe {
            match shape {
                Shape::Tuple if class != symbols.tuple => {
                    let names = classes::inherited(&symbols, class, c"_fields");
                    if !names.is_null() && type_of(names) == symbols.tuple {
                        for name in self.layout.tuple_items(names) {
                            if type_of(*name) == symbols.text {
                                fields.push(self.text_bytes(*name).unwrap_or_default());
                            }
                        }
                    }
                }
                Shape::Instance | Shape::Exception => {
                    let found = classes::inherited(&symbols, class, c"__dataclass_fields__");
                    if !found.is_null() && type_of(found) == symbols.dict {
                        for (name, field) in self.layout.dict_entries(&symbols, found, 1_000) {
                            if type_of(name) == symbols.text && self.is_plain_field(field) {
                                fields.push(self.text_bytes(name).unwrap_or_default());
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        fields
    }

    /// Whether a `dataclasses.Field` is a real field, not a class variable.
    unsafe fn is_plain_field(&self, field: Object) -> bool {
        // SAFETY: slots of Python classes are read where their members say.
        unsafe {
            let Some(sort) = slot_of(field, b"_field_type") else {
                return true;
            };
            let Some(name) = slot_of(sort, b"name") else {
                return true;
            };
            type_of(name) == self.symbols.text
                && self.text_bytes(name).as_deref() == Some(b"_FIELD")
        }
    }

    /// The number of an attribute name, recorded when it is first needed.
    pub(super) fn name(&mut self, out: &mut Vec<u8>, name: &[u8]) -> u64 {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.next_name;
        self.next_name += 1;
        self.names.insert(name.into(), id);
        out.push(message::NAME);
        put::number(out, id);
        put::text(out, name);
        id
    }

    /// What an object consists of now.
    ///
    /// # Safety
    ///
    /// `object` is alive and its class is known.
    pub(super) unsafe fn parts(&mut self, out: &mut Vec<u8>, object: Object) -> Parts {
        // SAFETY: the shape of the class tells the layout.
        unsafe {
            let class = type_of(object);
            let Some(info) = self.classes.get(&(class as usize)) else {
                return Parts {
                    kind: kind::OPAQUE,
                    ..Parts::default()
                };
            };
            let (shape, python) = (info.shape, info.flags & flag::HEAP_TYPE != 0);
            let mut parts = Parts::default();
            let limit = self.limits.children;
            let with_attributes = match shape {
                Shape::List => {
                    let items = self.layout.list_items(object);
                    parts.kind = kind::LIST;
                    parts.len = items.len() as u64;
                    parts.items = items.iter().take(limit).copied().collect();
                    class != self.symbols.list
                }
                Shape::Tuple => {
                    let items = self.layout.tuple_items(object);
                    parts.kind = kind::TUPLE;
                    parts.len = items.len() as u64;
                    parts.hidden_items.clone_from(&info.hidden_items);
                    parts.items = items.iter().take(limit).copied().collect();
                    class != self.symbols.tuple && python
                }
                Shape::Dict | Shape::OrderedDict => {
                    self.mapping(&mut parts, object, limit, shape == Shape::OrderedDict);
                    class != self.symbols.dict && python
                }
                Shape::MappingProxy => {
                    let mapping = object_at(object, 16);
                    parts.kind = kind::OPAQUE;
                    if !mapping.is_null() && type_of(mapping) == self.symbols.dict {
                        self.mapping(&mut parts, mapping, limit, false);
                    }
                    false
                }
                Shape::Set | Shape::FrozenSet => {
                    parts.kind = if shape == Shape::Set {
                        kind::SET
                    } else {
                        kind::FROZEN_SET
                    };
                    parts.len = word(object, 24) as u64;
                    parts.items = self.layout.set_items(object, limit);
                    python
                }
                Shape::Deque => {
                    parts.kind = kind::DEQUE;
                    parts.len = size_of(object) as u64;
                    parts.items = self.layout.deque_items(object, 0, limit);
                    python
                }
                Shape::ByteArray => {
                    let bytes = self.layout.bytearray(object);
                    parts.kind = kind::BYTE_ARRAY;
                    parts.len = bytes.len() as u64;
                    parts.text = Some(bytes[..bytes.len().min(self.limits.string)].to_vec());
                    python
                }
                Shape::Cell => {
                    parts.kind = kind::CELL;
                    let content = object_at(object, 16);
                    if !content.is_null() {
                        parts.len = 1;
                        parts.items.push(content);
                    }
                    false
                }
                Shape::Exception => {
                    self.exception(out, &mut parts, object);
                    true
                }
                Shape::Enum => {
                    parts.kind = kind::ENUM;
                    true
                }
                Shape::Scalar => {
                    parts.kind = kind::LITERAL;
                    parts.text = self.base_repr(object);
                    if self.put_base_scalar(&mut parts.encoded.1, object) {
                        parts.encoded.0 = 1;
                        parts.len = 1;
                    }
                    python
                }
                Shape::Buffer => {
                    self.array(&mut parts, object);
                    false
                }
                Shape::NumpyScalar => {
                    self.array(&mut parts, object);
                    if parts.kind == kind::ARRAY && parts.encoded.0 == 1 {
                        parts.kind = kind::LITERAL;
                        parts.text = None;
                    }
                    false
                }
                Shape::Instance => {
                    parts.kind = kind::INSTANCE;
                    true
                }
                Shape::Function
                | Shape::Method
                | Shape::Builtin
                | Shape::MethodDescriptor
                | Shape::Class
                | Shape::Module
                | Shape::Generator => {
                    self.named(out, &mut parts, object, shape);
                    false
                }
                Shape::Repr
                | Shape::Datetime
                | Shape::Time
                | Shape::Fraction
                | Shape::Uuid
                | Shape::Path
                | Shape::Range
                | Shape::Slice => {
                    parts.kind = kind::LITERAL;
                    parts.text = self.literal(object, shape);
                    if parts.text.is_none() {
                        parts.kind = kind::INSTANCE;
                    }
                    parts.text.is_none()
                }
                Shape::Opaque => {
                    parts.kind = kind::OPAQUE;
                    python
                }
            };
            if with_attributes {
                self.attributes(out, &mut parts, object);
                if shape == Shape::Enum {
                    self.enumeration(&mut parts);
                } else if parts.kind == kind::OPAQUE && !parts.attributes.is_empty() {
                    parts.kind = kind::INSTANCE;
                }
            }
            parts
        }
    }

    unsafe fn mapping(&self, parts: &mut Parts, dict: Object, limit: usize, ordered: bool) {
        // SAFETY: the caller knows that it is a dict, and an ordered one if it says so.
        unsafe {
            parts.kind = kind::DICT;
            parts.len = word(dict, 16) as u64;
            if !ordered {
                parts.entries = self.layout.dict_entries(&self.symbols, dict, limit);
                return;
            }
            let all = self.layout.dict_entries(&self.symbols, dict, usize::MAX);
            let values: super::shadow::AddressMap<usize, Object> = all
                .iter()
                .map(|(key, value)| (*key as usize, *value))
                .collect();
            parts.entries = self
                .layout
                .ordered_keys(dict, limit)
                .into_iter()
                .filter_map(|key| Some((key, *values.get(&(key as usize))?)))
                .collect();
        }
    }

    /// The entries of a namespace.
    ///
    /// # Safety
    ///
    /// `dict` is a dict.
    pub(super) unsafe fn namespace_entries(&self, parts: &mut Parts, dict: Object) {
        let limit = self.limits.children.max(NAMESPACE_MIN);
        // SAFETY: the caller's.
        unsafe { self.mapping(parts, dict, limit, false) };
        parts.kind = kind::NAMESPACE;
    }

    fn enumeration(&self, parts: &mut Parts) {
        let id = |name: &[u8]| self.names.get(name).copied();
        let (name, value) = (id(b"_name_"), id(b"_value_"));
        for attribute in std::mem::take(&mut parts.attributes) {
            // SAFETY: the attributes are alive with their object.
            let is_text = unsafe { type_of(attribute.value) } == self.symbols.text;
            if Some(attribute.name) == name && is_text {
                // SAFETY: it is a text.
                parts.text = unsafe { self.text_bytes(attribute.value) };
            } else if Some(attribute.name) == value {
                parts.items.push(attribute.value);
                parts.len = 1;
            }
        }
    }

    unsafe fn exception(&mut self, out: &mut Vec<u8>, parts: &mut Parts, object: Object) {
        const ARGS: usize = 24;
        let (context, cause) = if self.layout.minor >= 11 {
            (48, 56)
        } else {
            (40, 48)
        };
        parts.kind = kind::EXCEPTION;
        // SAFETY: every exception begins with these fields.
        unsafe {
            let args = object_at(object, ARGS);
            if !args.is_null() && type_of(args) == self.symbols.tuple {
                let items = self.layout.tuple_items(args);
                parts.len = items.len() as u64;
                parts.items = items.iter().take(self.limits.children).copied().collect();
                if items.iter().any(|item| self.hidden.contains(item)) {
                    self.hidden_arguments.insert(object as usize, args as usize);
                }
            }
            let is_hidden = match self.hidden_arguments.get(&(object as usize)) {
                Some(hidden) if *hidden == args as usize => true,
                Some(_) => {
                    // Its own initialiser has set others.
                    self.hidden_arguments.remove(&(object as usize));
                    false
                }
                None => false,
            };
            for (name, offset) in [(&b"__cause__"[..], cause), (&b"__context__"[..], context)] {
                let value = object_at(object, offset);
                if !value.is_null() {
                    let name = self.name(out, name);
                    parts.attributes.push(Attribute {
                        name,
                        redacted: false,
                        value,
                    });
                }
            }
            if is_hidden {
                parts.hidden_items = (0..parts.items.len()).collect();
            } else {
                parts.text = self.exception_text(object);
            }
        }
    }

    unsafe fn named(&mut self, out: &mut Vec<u8>, parts: &mut Parts, object: Object, shape: Shape) {
        let symbols = self.symbols;
        // SAFETY: the shape tells the layout; getters are those of the C type.
        unsafe {
            match shape {
                Shape::Class => {
                    self.class(out, object);
                    parts.kind = kind::CLASS;
                    parts.text = self
                        .classes
                        .get(&(object as usize))
                        .map(|class| class.qualified_name.clone());
                }
                Shape::Module => {
                    parts.kind = kind::MODULE;
                    let dict = object_at(object, 16);
                    if let Some(get) = symbols.dict_get_string
                        && !dict.is_null()
                    {
                        let pending = PendingError::save(&symbols);
                        let name = get(dict, c"__name__".as_ptr());
                        if !name.is_null() && type_of(name) == symbols.text {
                            parts.text = self.text_bytes(name);
                        }
                        drop(pending);
                    }
                }
                Shape::Generator => {
                    parts.kind = kind::GENERATOR;
                    parts.text = self.got_text(type_of(object), c"__qualname__", object);
                }
                Shape::Function => {
                    parts.kind = kind::FUNCTION;
                    parts.text = self.got_text(symbols.function, c"__qualname__", object);
                }
                Shape::Method => {
                    parts.kind = kind::FUNCTION;
                    let function = object_at(object, 16);
                    if type_of(function) == symbols.function {
                        parts.text = self.got_text(symbols.function, c"__qualname__", function);
                    }
                    let receiver = object_at(object, 24);
                    if !receiver.is_null() {
                        let name = self.name(out, b"__self__");
                        parts.attributes.push(Attribute {
                            name,
                            redacted: false,
                            value: receiver,
                        });
                    }
                }
                Shape::Builtin => {
                    parts.kind = kind::FUNCTION;
                    let definition = word(object, 16) as *const u8;
                    let name = CStr::from_ptr(word(definition, 0) as *const _).to_bytes();
                    let receiver = object_at(object, 24);
                    let mut text = Vec::new();
                    if !receiver.is_null() && type_of(receiver) != symbols.module {
                        self.class(out, type_of(receiver));
                        if let Some(class) = self.classes.get(&(type_of(receiver) as usize)) {
                            text.extend_from_slice(&class.qualified_name);
                            text.push(b'.');
                        }
                    }
                    text.extend_from_slice(name);
                    parts.text = Some(text);
                }
                _ => {
                    parts.kind = kind::FUNCTION;
                    let (owner, name) = (object_at(object, 16), object_at(object, 24));
                    self.class(out, owner);
                    let mut text = self
                        .classes
                        .get(&(owner as usize))
                        .map(|class| class.qualified_name.clone())
                        .unwrap_or_default();
                    text.push(b'.');
                    if !name.is_null() && type_of(name) == symbols.text {
                        text.extend_from_slice(&self.text_bytes(name).unwrap_or_default());
                    }
                    parts.text = Some(text);
                }
            }
        }
    }

    /// What a C getter gives, when it is a text.
    unsafe fn got_text(&self, class: Type, name: &CStr, object: Object) -> Option<Vec<u8>> {
        let pending = PendingError::save(&self.symbols);
        // SAFETY: the caller names a getter of the object's own C type.
        let text = unsafe {
            let found = classes::getter(&self.symbols, class, name, object);
            if found.is_null() {
                None
            } else {
                let text = if type_of(found) == self.symbols.text {
                    self.text_bytes(found)
                } else {
                    None
                };
                if let Some(decrement) = self.symbols.decrement {
                    decrement(found);
                }
                text
            }
        };
        drop(pending);
        text
    }
}
