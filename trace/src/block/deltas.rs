//! What became of objects whose contents the writer does not know: their changes over some blocks,
//! noted together, so that they are not looked for in each of these blocks.

use std::sync::Arc;

use super::decode::BlockPlace;
use super::section::unpack;
use super::{Kind, sections};
use crate::codec::{Last, ValueReader, put_value, tag};
use crate::hash::Map;
use crate::strings::{StringTable, Strings};
use crate::varint::{Decoded, Input, Malformed, put, put_signed};
use crate::{Change, ObjectId, Text, Value};

/// The changes of an object since some block, of those that are undone by later ones only the last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// The first block whose changes it has.
    pub(crate) first_block: u32,
    pub(crate) changes: Vec<Change>,
    /// Where the last change of a part stands that a later change of the same part replaces.
    last: Map<PartKey, usize>,
}

/// A part of an object that changes without regard to the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PartKey {
    Attribute(Arc<str>),
    Item(u64),
    Text(Text),
    Number(i64),
    Cell,
}

impl Log {
    pub(crate) fn new(first_block: u32) -> Log {
        Log {
            first_block,
            ..Log::default()
        }
    }

    pub(crate) fn push(&mut self, change: Change) {
        let part = match &change {
            Change::SetAttribute { name, .. } => Some(PartKey::Attribute(Arc::clone(name))),
            Change::SetItem { index, .. } => Some(PartKey::Item(*index)),
            Change::SetCell { .. } => Some(PartKey::Cell),
            Change::SetKey { key, .. } => match key {
                Value::Str(text) => Some(PartKey::Text(text.clone())),
                Value::Int(number) => Some(PartKey::Number(*number)),
                _ => None,
            },
            _ => None,
        };
        match (&change, self.changes.last()) {
            (Change::Pop, Some(Change::Append { .. })) => {
                self.changes.pop();
                return;
            }
            _ if part.is_some() => {}
            // What this changes may be any part.
            _ => self.last.clear(),
        }
        if let Some(part) = part {
            if let Some(&at) = self.last.get(&part)
                && let Some(earlier) = self.changes.get_mut(at)
            {
                *earlier = change;
                return;
            }
            self.last.insert(part, self.changes.len());
        }
        self.changes.push(change);
    }
}

/// An object with its noted changes.
#[derive(Clone, Debug)]
pub(crate) struct Delta {
    pub(crate) object: ObjectId,
    /// The position of the last change.
    pub(crate) position: u64,
    /// How many blocks before this one the first change stands.
    pub(crate) span: u32,
    pub(crate) changes: Arc<[Change]>,
}

/// All deltas noted at a block's end.
#[derive(Debug, Default)]
pub(crate) struct Deltas(Vec<Delta>);

impl Deltas {
    pub(crate) fn put(deltas: &[Delta], end: u64) -> Vec<u8> {
        if deltas.is_empty() {
            return Vec::new();
        }
        let mut strings = StringTable::default();
        let mut data = Vec::new();
        put(&mut data, deltas.len() as u64);
        let mut last = 0;
        for delta in deltas {
            put_signed(&mut data, (delta.object.0 as i64).wrapping_sub(last));
            last = delta.object.0 as i64;
            put(&mut data, end - delta.position);
            put(&mut data, u64::from(delta.span));
            put(&mut data, delta.changes.len() as u64);
            let mut lasts = [0; 4];
            for change in &*delta.changes {
                put_change(change, &mut lasts, &mut strings, &mut data);
            }
        }
        let mut out = strings.take();
        out.append(&mut data);
        out
    }

    /// # Errors
    ///
    /// [`Malformed`] with the rule that the bytes break.
    pub(crate) fn decode(body: &[u8], place: &BlockPlace) -> Decoded<Deltas> {
        let mut deltas = Deltas::default();
        let Some(bytes) = unpack(body, sections::DELTAS)? else {
            return Ok(deltas);
        };
        let mut input = Input::new(&bytes);
        let mut strings = Strings::decode(&mut input)?;
        let mut values = ValueReader::new(&mut strings);
        let mut last = 0i64;
        for _ in 0..input.count(4)? {
            last = last.wrapping_add(input.signed()?);
            let position = place
                .end()
                .checked_sub(input.number()?)
                .ok_or(Malformed("a change is misplaced"))?;
            let span = input.number32()?;
            let mut changes = Vec::new();
            let mut lasts = [0; 4];
            for _ in 0..input.count(1)? {
                changes.push(change(&mut lasts, &mut values, &mut input)?);
            }
            deltas.0.push(Delta {
                object: ObjectId(last as u64),
                position,
                span,
                changes: changes.into(),
            });
        }
        input.end()?;
        Ok(deltas)
    }

    pub(crate) fn get(&self, object: ObjectId) -> Option<&Delta> {
        let at = self.0.binary_search_by_key(&object, |delta| delta.object);
        self.0.get(at.ok()?)
    }

    /// The objects, and how far each reaches back.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (ObjectId, u32)> {
        self.0.iter().map(|delta| (delta.object, delta.span))
    }

    pub(crate) fn len_bytes(&self) -> usize {
        let changes = self.0.iter().map(|delta| delta.changes.len());
        changes.sum::<usize>() * size_of::<Change>() + self.0.len() * 64 + 256
    }
}

fn put_change(
    change: &Change,
    [last_index, last_key, last_value, last_name]: &mut [Last; 4],
    strings: &mut StringTable,
    out: &mut Vec<u8>,
) {
    let mut name = |strings: &mut StringTable, out: &mut Vec<u8>, name: &Arc<str>| {
        let number = i64::from(strings.name(name));
        put_signed(out, number.wrapping_sub(*last_name));
        *last_name = number;
    };
    match change {
        // These make the contents known; they are never part of a delta.
        Change::New(_) | Change::Replace(_) => {}
        Change::SetItem { index, value } => {
            out.push(Kind::SetItem as u8);
            put_signed(out, (*index as i64).wrapping_sub(*last_index));
            *last_index = *index as i64;
            put_value(value, last_value, strings, out);
        }
        Change::Append { value } => {
            out.push(Kind::Append as u8);
            put_value(value, last_value, strings, out);
        }
        Change::Pop => out.push(Kind::Pop as u8),
        Change::SetKey { key, value } => {
            out.push(Kind::SetKey as u8);
            put_value(key, last_key, strings, out);
            put_value(value, last_value, strings, out);
        }
        Change::DeleteKey { key } => {
            out.push(Kind::DeleteKey as u8);
            put_value(key, last_key, strings, out);
        }
        Change::SetAttribute { name: text, value } => {
            out.push(Kind::SetAttribute as u8);
            name(strings, out, text);
            put_value(value, last_value, strings, out);
        }
        Change::DeleteAttribute { name: text } => {
            out.push(Kind::DeleteAttribute as u8);
            name(strings, out, text);
        }
        Change::SetCell { value } => {
            out.push(Kind::SetCell as u8);
            match value {
                Some(value) => put_value(value, last_value, strings, out),
                None => out.push(tag::DELETED),
            }
        }
        Change::Clear => out.push(Kind::Clear as u8),
    }
}

fn change(
    [last_index, last_key, last_value, last_name]: &mut [Last; 4],
    values: &mut ValueReader<'_>,
    input: &mut Input<'_>,
) -> Decoded<Change> {
    let kind = input.byte()?;
    let is = |wanted: Kind| kind == wanted as u8;
    let mut name = |values: &mut ValueReader<'_>, input: &mut Input<'_>| -> Decoded<Arc<str>> {
        *last_name = last_name.wrapping_add(input.signed()?);
        values.strings.name(*last_name as u64)
    };
    Ok(if is(Kind::SetItem) {
        *last_index = last_index.wrapping_add(input.signed()?);
        Change::SetItem {
            index: *last_index as u64,
            value: values.value(last_value, input)?,
        }
    } else if is(Kind::Append) {
        let value = values.value(last_value, input)?;
        Change::Append { value }
    } else if is(Kind::Pop) {
        Change::Pop
    } else if is(Kind::SetKey) {
        Change::SetKey {
            key: values.value(last_key, input)?,
            value: values.value(last_value, input)?,
        }
    } else if is(Kind::DeleteKey) {
        let key = values.value(last_key, input)?;
        Change::DeleteKey { key }
    } else if is(Kind::SetAttribute) {
        Change::SetAttribute {
            name: name(values, input)?,
            value: values.value(last_value, input)?,
        }
    } else if is(Kind::DeleteAttribute) {
        let name = name(values, input)?;
        Change::DeleteAttribute { name }
    } else if is(Kind::SetCell) {
        let tag = input.byte()?;
        let value = values.optional(tag, last_value, input)?;
        Change::SetCell { value }
    } else if is(Kind::Clear) {
        Change::Clear
    } else {
        return Err(Malformed("a noted change has an unknown kind"));
    })
}
