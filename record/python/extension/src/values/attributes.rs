//! Attributes of instances: slots, and the instance dictionary in whatever form the version keeps it.

use super::Values;
use super::classes::{self, Attributes, Class};
use super::content::{Attribute, Parts};
use super::raw::{self, Layout, Object, Type, flag, object_at, size_of, type_of, word};
use super::symbols::Symbols;
use crate::layout::layout as interpreter_layout;

/// Most attributes kept of one object.
const ATTRIBUTES_MIN: usize = 100;
/// Most texts that are kept alive as names of attributes: a program can make such names without end.
const NAMES_MAX: usize = 20_000;

/// The name of an attribute in the recording.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttributeName {
    pub(super) id: u64,
    /// Whether its values are not recorded.
    pub(super) redacted: bool,
}

impl Values {
    /// Slots and the instance dictionary.
    pub(super) unsafe fn attributes(
        &mut self,
        out: &mut Vec<u8>,
        parts: &mut Parts,
        object: Object,
    ) {
        let limit = self.limits.children.max(ATTRIBUTES_MIN);
        // SAFETY: the class says where its instances keep attributes.
        unsafe {
            let class = type_of(object);
            let Some(info) = self.classes.get(&(class as usize)) else {
                return;
            };
            let texts = named_values(self.layout, &self.symbols, info, object);
            if info.slot_names.len() != info.slots.len() {
                self.name_slots(out, class);
            }
            let Some(info) = self.classes.get(&(class as usize)) else {
                return;
            };
            let mut found = 0_usize;
            for ((_, offset), name) in info.slots.iter().zip(&info.slot_names) {
                let value = object_at(object, *offset);
                if !value.is_null() {
                    found += 1;
                    if found <= limit {
                        parts.attributes.push(Attribute::new(*name, value));
                    }
                }
            }
            for (text, value) in texts {
                if found >= limit {
                    found += 1;
                } else if let Some(name) = self.attribute_name(out, text) {
                    found += 1;
                    parts.attributes.push(Attribute::new(name, value));
                }
            }
            parts.omitted = found.saturating_sub(limit) as u64;
        }
    }

    /// Records the names of a class's slots.
    fn name_slots(&mut self, out: &mut Vec<u8>, class: Type) {
        let Some(info) = self.classes.get(&(class as usize)) else {
            return;
        };
        let names: Vec<Box<[u8]>> = info.slots.iter().map(|(name, _)| name.clone()).collect();
        let names = names.iter().map(|name| self.named_attribute(out, name));
        let names: Vec<AttributeName> = names.collect();
        if let Some(info) = self.classes.get_mut(&(class as usize)) {
            info.slot_names = names;
        }
    }

    /// The name of an attribute whose text is an object; `None` if it cannot be read.
    ///
    /// # Safety
    ///
    /// `text` is a text and alive.
    unsafe fn attribute_name(&mut self, out: &mut Vec<u8>, text: Object) -> Option<AttributeName> {
        if let Some(known) = self.attribute_names.get(&(text as usize)) {
            return Some(*known);
        }
        // SAFETY: the caller's; the reference keeps another text from coming to the same address.
        unsafe {
            let bytes = self.text_bytes(text)?;
            let name = self.named_attribute(out, &bytes);
            if type_of(text) == self.symbols.text
                && self.attribute_names.len() < NAMES_MAX
                && let Some(increment) = self.symbols.increment
            {
                increment(text);
                self.attribute_names.insert(text as usize, name);
            }
            Some(name)
        }
    }

    fn named_attribute(&mut self, out: &mut Vec<u8>, name: &[u8]) -> AttributeName {
        AttributeName {
            id: self.name(out, name),
            redacted: self.redaction.hides(name),
        }
    }

    /// The instance dictionary of an object that has one by now, or null.
    ///
    /// # Safety
    ///
    /// `object` is alive and of that class, or its death is not noticed and it has no dictionary.
    pub(super) unsafe fn instance_dict(&self, object: Object, class: Type) -> Object {
        // SAFETY: the class says where its instances keep attributes.
        unsafe {
            let Some(info) = self.classes.get(&(class as usize)) else {
                return std::ptr::null_mut();
            };
            match info.attributes {
                Attributes::None => std::ptr::null_mut(),
                Attributes::Plain => object_at(object, plain_offset(info, object)),
                Attributes::Managed12 => {
                    let tagged = word(object.cast::<u8>().wrapping_sub(24), 0);
                    if tagged & 1 == 1 {
                        std::ptr::null_mut()
                    } else {
                        tagged as Object
                    }
                }
                Attributes::Managed11 | Attributes::Managed13 | Attributes::ManagedDict13 => {
                    object_at(object.cast::<u8>().wrapping_sub(24), 0)
                }
            }
        }
    }
}

/// How an instance keeps its attributes now.
enum Kept {
    /// In a dictionary, or not at all if it is null.
    Dict(Object),
    /// As values whose names its class has.
    Values(*const u8),
}

/// # Safety
///
/// `object` is alive and of that class.
unsafe fn kept(info: &Class, object: Object) -> Kept {
    let before = |offset: usize| object.cast::<u8>().wrapping_sub(offset);
    // SAFETY: the class says where its instances keep attributes.
    unsafe {
        match info.attributes {
            Attributes::None => Kept::Dict(std::ptr::null_mut()),
            Attributes::Plain => Kept::Dict(object_at(object, plain_offset(info, object))),
            Attributes::Managed11 => {
                let values = object_at(before(32), 0);
                if values.is_null() {
                    Kept::Dict(object_at(before(24), 0))
                } else {
                    Kept::Values(values.cast())
                }
            }
            Attributes::Managed12 => {
                let tagged = word(before(24), 0);
                if tagged & 1 == 1 {
                    Kept::Values((tagged + 1) as *const u8)
                } else {
                    Kept::Dict(tagged as Object)
                }
            }
            Attributes::Managed13 | Attributes::ManagedDict13 => {
                let dict = object_at(before(24), 0);
                let values = object.cast::<u8>().cast_const().add(info.basic_size);
                let has_values = info.attributes == Attributes::Managed13;
                if dict.is_null() && has_values && *values.add(3) != 0 {
                    Kept::Values(values.add(8))
                } else {
                    Kept::Dict(dict)
                }
            }
        }
    }
}

/// What the instance dictionary holds, in whatever form it is kept: names and values.
///
/// # Safety
///
/// `object` is alive and of that class.
pub(super) unsafe fn named_values(
    layout: Layout,
    symbols: &Symbols,
    info: &Class,
    object: Object,
) -> Vec<(Object, Object)> {
    let mut texts: Vec<(Object, Object)> = Vec::new();
    // SAFETY: the caller's.
    unsafe {
        match kept(info, object) {
            Kept::Dict(dict) => attribute_dict(layout, symbols, &mut texts, dict),
            Kept::Values(values) => inline_values(&mut texts, type_of(object), values),
        }
    }
    texts
}

/// What the instance dictionary of an object holds under a name, in whatever form it is kept.
///
/// # Safety
///
/// `object` is alive and of that class; `name` is a text.
pub(super) unsafe fn named_value(
    symbols: &Symbols,
    info: &Class,
    object: Object,
    name: Object,
) -> Option<Object> {
    // SAFETY: the caller's; looking a text up in a dictionary of attributes runs no code of the
    // program.
    unsafe {
        let dict = match kept(info, object) {
            Kept::Values(values) => return inline_value(type_of(object), values, name),
            Kept::Dict(dict) => dict,
        };
        if dict.is_null() || type_of(dict) != symbols.dict {
            return None;
        }
        let (find, hash) = (symbols.dict_get_known_hash?, symbols.object_hash?);
        let found = find(dict, name, hash(name));
        (!found.is_null()).then_some(found)
    }
}

unsafe fn attribute_dict(
    layout: Layout,
    symbols: &Symbols,
    texts: &mut Vec<(Object, Object)>,
    dict: Object,
) {
    if dict.is_null() {
        return;
    }
    // SAFETY: an instance dictionary is a dict; keys that are no text are left out.
    unsafe {
        for (key, value) in layout.dict_entries(symbols, dict, 10_000) {
            if raw::flags_of(type_of(key)) & flag::TEXT != 0 {
                texts.push((key, value));
            }
        }
    }
}

/// The content of a slot, by the slot's name.
pub(super) unsafe fn slot_of(object: Object, name: &[u8]) -> Option<Object> {
    // SAFETY: only members of Python classes are followed.
    unsafe {
        let (_, offset) = classes::slots(type_of(object))
            .into_iter()
            .find(|(slot, _)| &**slot == name)?;
        let value = object_at(object, offset);
        (!value.is_null()).then_some(value)
    }
}

/// Where the pointer to the instance dictionary stands; behind the items of var-sized objects.
unsafe fn plain_offset(class: &Class, object: Object) -> usize {
    if class.dict_offset >= 0 {
        return class.dict_offset as usize;
    }
    // SAFETY: a negative offset occurs for var-sized objects only.
    let items = unsafe { size_of(object) as isize }.unsigned_abs();
    let size = (class.basic_size + items * class.item_size).next_multiple_of(8);
    size.wrapping_add_signed(class.dict_offset)
}

/// The value kept inside an instance under a name that is the same object as its class's.
unsafe fn inline_value(class: Type, values: *const u8, name: Object) -> Option<Object> {
    // SAFETY: as for `inline_values`.
    unsafe {
        let (entries, count) = shared_keys(class)?;
        let index = (0..count).find(|index| object_at(entries, index * 16) == name)?;
        let value = object_at(values, index * 8);
        (!value.is_null()).then_some(value)
    }
}

/// The names that a class shares among its instances: where they stand, and how many.
unsafe fn shared_keys(class: Type) -> Option<(*const u8, usize)> {
    const ENTRIES: usize = 24;
    const INDICES: usize = 32;
    // SAFETY: a class with inline values has shared keys whose entries are a name and a value each.
    unsafe {
        let keys = object_at(class, interpreter_layout().heap_type_cached_keys).cast::<u8>();
        if keys.is_null() {
            return None;
        }
        let entries = keys.add(INDICES + (1_usize << *keys.add(9)));
        Some((entries, word(keys, ENTRIES)))
    }
}

/// The values kept inside an instance, with the names its class shares among instances.
unsafe fn inline_values(texts: &mut Vec<(Object, Object)>, class: Type, values: *const u8) {
    // SAFETY: as for `shared_keys`.
    unsafe {
        let Some((entries, count)) = shared_keys(class) else {
            return;
        };
        for index in 0..count {
            let value = object_at(values, index * 8);
            if !value.is_null() {
                texts.push((object_at(entries, index * 16), value));
            }
        }
    }
}
