//! Values and contents as bytes.
//!
//! A value is a tag and a payload. Texts stand in the table of the part that holds the value; numbers
//! are differences from the number before them in the same stream, which `Last` holds.

use std::collections::BTreeMap;

use crate::strings::{StringTable, Strings};
use crate::varint::{Decoded, Input, Malformed, put, put_optional, put_signed};
use crate::{Content, ObjectId, ObjectKind, Text, TypeId, Unavailable, Value};

/// Most values that one part of a file may hold: bounds the memory a hostile file can ask for.
pub(crate) const VALUE_LIMIT: u32 = 1 << 21;
/// Most elements, entries and attributes kept of one object.
pub(crate) const CHILDREN_LIMIT: usize = 1 << 20;

/// Tags of values; stands in files.
pub(crate) mod tag {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const FALSE: u8 = 1;
    pub(crate) const TRUE: u8 = 2;
    pub(crate) const INT: u8 = 3;
    pub(crate) const BIG_INT: u8 = 4;
    pub(crate) const FLOAT: u8 = 5;
    pub(crate) const COMPLEX: u8 = 6;
    pub(crate) const STR: u8 = 7;
    pub(crate) const BYTES: u8 = 8;
    pub(crate) const ELLIPSIS: u8 = 9;
    pub(crate) const NOT_IMPLEMENTED: u8 = 10;
    pub(crate) const OBJECT: u8 = 11;
    /// The first of the tags of [`crate::Unavailable`].
    pub(crate) const UNAVAILABLE: u8 = 12;
    /// No value: the name was deleted, the cell is empty.
    pub(crate) const DELETED: u8 = 18;
}

const UNAVAILABLE: [Unavailable; 6] = [
    Unavailable::TooDeep,
    Unavailable::TooLarge,
    Unavailable::Redacted,
    Unavailable::OptimisedOut,
    Unavailable::Unreadable,
    Unavailable::Unknown,
];

const KINDS: [ObjectKind; 19] = [
    ObjectKind::List,
    ObjectKind::Tuple,
    ObjectKind::Dict,
    ObjectKind::Set,
    ObjectKind::FrozenSet,
    ObjectKind::Deque,
    ObjectKind::ByteArray,
    ObjectKind::Cell,
    ObjectKind::Namespace,
    ObjectKind::Instance,
    ObjectKind::Exception,
    ObjectKind::Function,
    ObjectKind::Class,
    ObjectKind::Module,
    ObjectKind::Generator,
    ObjectKind::Enum,
    ObjectKind::Literal,
    ObjectKind::Array,
    ObjectKind::Opaque,
];

/// The last number of a stream, from which the next one differs.
pub(crate) type Last = i64;

fn put_difference(out: &mut Vec<u8>, last: &mut Last, number: i64) {
    put_signed(out, number.wrapping_sub(*last));
    *last = number;
}

fn difference(input: &mut Input<'_>, last: &mut Last) -> Decoded<i64> {
    *last = last.wrapping_add(input.signed()?);
    Ok(*last)
}

#[inline(always)]
pub(crate) fn tag_of(value: &Value) -> u8 {
    match value {
        Value::None => tag::NONE,
        Value::Bool(false) => tag::FALSE,
        Value::Bool(true) => tag::TRUE,
        Value::Int(_) => tag::INT,
        Value::BigInt(_) => tag::BIG_INT,
        Value::Float(_) => tag::FLOAT,
        Value::Complex(..) => tag::COMPLEX,
        Value::Str(_) => tag::STR,
        Value::Bytes(_) => tag::BYTES,
        Value::Ellipsis => tag::ELLIPSIS,
        Value::NotImplemented => tag::NOT_IMPLEMENTED,
        Value::Object(_) => tag::OBJECT,
        Value::Unavailable(reason) => {
            tag::UNAVAILABLE
                + match reason {
                    Unavailable::TooDeep => 0,
                    Unavailable::TooLarge => 1,
                    Unavailable::Redacted => 2,
                    Unavailable::OptimisedOut => 3,
                    Unavailable::Unreadable => 4,
                    Unavailable::Unknown => 5,
                }
        }
    }
}

/// Writes what the tag does not say.
#[inline(always)]
pub(crate) fn put_payload(
    value: &Value,
    last: &mut Last,
    strings: &mut StringTable,
    out: &mut Vec<u8>,
) {
    match value {
        Value::Int(number) => put_difference(out, last, *number),
        Value::BigInt(bytes) => {
            let number = strings.bytes(bytes);
            put_difference(out, last, i64::from(number));
        }
        Value::Float(number) => out.extend_from_slice(&number.to_bits().to_le_bytes()),
        Value::Complex(real, imaginary) => {
            out.extend_from_slice(&real.to_bits().to_le_bytes());
            out.extend_from_slice(&imaginary.to_bits().to_le_bytes());
        }
        Value::Str(text) | Value::Bytes(text) => {
            let number = strings.text(text);
            put_difference(out, last, i64::from(number));
        }
        Value::Object(object) => put_difference(out, last, object.0 as i64),
        Value::None
        | Value::Bool(_)
        | Value::Ellipsis
        | Value::NotImplemented
        | Value::Unavailable(_) => {}
    }
}

pub(crate) fn put_value(
    value: &Value,
    last: &mut Last,
    strings: &mut StringTable,
    out: &mut Vec<u8>,
) {
    out.push(tag_of(value));
    put_payload(value, last, strings, out);
}

/// Reads values, and counts them against [`VALUE_LIMIT`].
#[derive(Debug)]
pub(crate) struct ValueReader<'s> {
    pub(crate) strings: &'s mut Strings,
    left: u32,
}

impl<'s> ValueReader<'s> {
    pub(crate) fn new(strings: &'s mut Strings) -> ValueReader<'s> {
        ValueReader {
            strings,
            left: VALUE_LIMIT,
        }
    }

    fn spend(&mut self) -> Decoded<()> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(Malformed("too many values in one part"))?;
        Ok(())
    }

    pub(crate) fn payload(
        &mut self,
        tag: u8,
        last: &mut Last,
        input: &mut Input<'_>,
    ) -> Decoded<Value> {
        self.spend()?;
        Ok(match tag {
            tag::NONE => Value::None,
            tag::FALSE => Value::Bool(false),
            tag::TRUE => Value::Bool(true),
            tag::INT => Value::Int(difference(input, last)?),
            tag::BIG_INT => {
                let text = self.strings.text(difference(input, last)? as u64)?;
                Value::BigInt(text.kept)
            }
            tag::FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(input.array()?))),
            tag::COMPLEX => Value::Complex(
                f64::from_bits(u64::from_le_bytes(input.array()?)),
                f64::from_bits(u64::from_le_bytes(input.array()?)),
            ),
            tag::STR => Value::Str(self.strings.text(difference(input, last)? as u64)?),
            tag::BYTES => Value::Bytes(self.strings.text(difference(input, last)? as u64)?),
            tag::ELLIPSIS => Value::Ellipsis,
            tag::NOT_IMPLEMENTED => Value::NotImplemented,
            tag::OBJECT => Value::Object(ObjectId(difference(input, last)? as u64)),
            tag => Value::Unavailable(
                tag.checked_sub(tag::UNAVAILABLE)
                    .and_then(|reason| UNAVAILABLE.get(usize::from(reason)))
                    .copied()
                    .ok_or(Malformed("a value has an unknown tag"))?,
            ),
        })
    }

    pub(crate) fn optional(
        &mut self,
        tag: u8,
        last: &mut Last,
        input: &mut Input<'_>,
    ) -> Decoded<Option<Value>> {
        if tag == tag::DELETED {
            return Ok(None);
        }
        self.payload(tag, last, input).map(Some)
    }

    pub(crate) fn value(&mut self, last: &mut Last, input: &mut Input<'_>) -> Decoded<Value> {
        let tag = input.byte()?;
        self.payload(tag, last, input)
    }

    pub(crate) fn content(
        &mut self,
        type_id: TypeId,
        kind: ObjectKind,
        input: &mut Input<'_>,
    ) -> Decoded<Content> {
        let mut content = Content::new(kind, type_id);
        content.len = input.number()?;
        let mut last = 0;
        for _ in 0..input.count(1)? {
            content.items.push(self.value(&mut last, input)?);
        }
        content.sparse = self.sparse(&mut last, input)?;
        let (mut last_key, mut last_value) = (0, 0);
        for _ in 0..input.count(2)? {
            let key = self.value(&mut last_key, input)?;
            let value = self.value(&mut last_value, input)?;
            content.entries.push((key, value));
        }
        let mut last_name = 0;
        for _ in 0..input.count(2)? {
            let name = difference(input, &mut last_name)? as u64;
            let name = self.strings.name(name)?;
            let value = self.value(&mut last_value, input)?;
            content.attributes.push((name, value));
        }
        content.attributes_omitted = input.number()?;
        content.text = match input.optional()? {
            Some(number) => Some(self.strings.text(number)?),
            None => None,
        };
        Ok(content)
    }

    fn sparse(&mut self, last: &mut Last, input: &mut Input<'_>) -> Decoded<BTreeMap<u64, Value>> {
        let mut sparse = BTreeMap::new();
        let mut index = 0;
        for _ in 0..input.count(2)? {
            index = difference(input, &mut index)?;
            sparse.insert(index as u64, self.value(last, input)?);
        }
        Ok(sparse)
    }
}

/// Goes over a payload without making its value.
pub(crate) fn skip_payload(tag: u8, last: &mut Last, input: &mut Input<'_>) -> Decoded<()> {
    match tag {
        tag::INT | tag::OBJECT | tag::BIG_INT | tag::STR | tag::BYTES => {
            difference(input, last)?;
        }
        tag::FLOAT => {
            input.take(8)?;
        }
        tag::COMPLEX => {
            input.take(16)?;
        }
        tag if tag < tag::DELETED => {}
        _ => return Err(Malformed("a value has an unknown tag")),
    }
    Ok(())
}

/// As [`skip_payload`], with the tag before it.
pub(crate) fn skip_value(last: &mut Last, input: &mut Input<'_>) -> Decoded<()> {
    let tag = input.byte()?;
    skip_payload(tag, last, input)
}

/// Goes over contents without making them.
pub(crate) fn skip_content(input: &mut Input<'_>) -> Decoded<()> {
    input.number()?;
    let mut last = 0;
    for _ in 0..input.count(1)? {
        skip_value(&mut last, input)?;
    }
    for _ in 0..input.count(2)? {
        input.signed()?;
        skip_value(&mut last, input)?;
    }
    for _ in 0..input.count(2)? {
        skip_value(&mut last, input)?;
        skip_value(&mut last, input)?;
    }
    for _ in 0..input.count(2)? {
        input.signed()?;
        skip_value(&mut last, input)?;
    }
    input.number()?;
    input.optional()?;
    Ok(())
}

/// Writes everything of `content` but its kind and type.
pub(crate) fn put_content(content: &Content, strings: &mut StringTable, out: &mut Vec<u8>) {
    put(out, content.len);
    let mut last = 0;
    let items = kept(&content.items);
    put(out, items.len() as u64);
    for value in items {
        put_value(value, &mut last, strings, out);
    }
    let sparse = content.sparse.len().min(CHILDREN_LIMIT);
    put(out, sparse as u64);
    let mut last_index = 0;
    for (index, value) in content.sparse.iter().take(sparse) {
        put_difference(out, &mut last_index, *index as i64);
        put_value(value, &mut last, strings, out);
    }
    let (mut last_key, mut last_value) = (0, 0);
    let entries = kept(&content.entries);
    put(out, entries.len() as u64);
    for (key, value) in entries {
        put_value(key, &mut last_key, strings, out);
        put_value(value, &mut last_value, strings, out);
    }
    let attributes = kept(&content.attributes);
    put(out, attributes.len() as u64);
    let mut last_name = 0;
    for (name, value) in attributes {
        put_difference(out, &mut last_name, i64::from(strings.name(name)));
        put_value(value, &mut last_value, strings, out);
    }
    let cut = content.attributes.len() - attributes.len();
    put(out, content.attributes_omitted.saturating_add(cut as u64));
    let text = content.text.as_ref();
    let text = text.map(|text: &Text| u64::from(strings.text(text)));
    put_optional(out, text);
}

fn kept<T>(children: &[T]) -> &[T] {
    children.get(..CHILDREN_LIMIT).unwrap_or(children)
}

/// How many values a content holds, as [`VALUE_LIMIT`] counts them.
pub(crate) fn weight(content: &Content) -> usize {
    content.items.len()
        + content.sparse.len()
        + content.entries.len() * 2
        + content.attributes.len()
        + 1
}

pub(crate) fn object_kind(number: u64) -> Decoded<ObjectKind> {
    usize::try_from(number)
        .ok()
        .and_then(|number| KINDS.get(number))
        .copied()
        .ok_or(Malformed("an object has an unknown kind"))
}
