//! Contents of objects over time: applying changes, with the equality of keys that the language has.

use std::sync::Arc;

use crate::hash::Map;
use crate::{Change, Content, ObjectId, ObjectKind, Text, TypeId, Value};

/// The content of a tuple or frozen set that is part of a key is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved;

/// Finds the first contents of objects: tuples and frozen sets do not change.
pub(crate) trait Resolve {
    /// # Errors
    ///
    /// [`Unresolved`] if the object may be a tuple or frozen set, but its contents are not known.
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>, Unresolved>;
}

/// A key such that equal values have equal keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum KeyOf {
    /// Integer value, else the bits of the real part; the bits of the imaginary part.
    Number(Option<i128>, u64, u64),
    BigInt(Vec<u8>),
    Str(Arc<[u8]>, u64),
    Bytes(Arc<[u8]>, u64),
    Tag(u8),
    Object(u64),
    Tuple(Vec<KeyOf>),
    FrozenSet(Vec<KeyOf>),
}

/// How many values one key may consist of, and how deep they may be nested. A larger key equals itself
/// alone.
const KEY_LIMIT: Budget = Budget {
    values: 4096,
    depth: 32,
};

#[derive(Clone, Copy, Debug)]
struct Budget {
    values: u32,
    depth: u32,
}

/// The contents of an object, with an index of its keys when it is a mapping.
#[derive(Clone, Debug)]
pub(crate) struct ObjectState {
    content: Content,
    /// The entries of a mapping in order, `None` where one was deleted.
    entries: Vec<Option<(Value, Value)>>,
    index: Option<Map<KeyOf, usize>>,
    deleted: usize,
    /// The kept bytes of a byte array that has changed; they replace its text.
    bytes: Option<Vec<u8>>,
}

impl ObjectState {
    pub(crate) fn new(mut content: Content) -> ObjectState {
        let entries = std::mem::take(&mut content.entries);
        ObjectState {
            content,
            entries: entries.into_iter().map(Some).collect(),
            index: None,
            deleted: 0,
            bytes: None,
        }
    }

    /// Stands in while another state is moved.
    pub(crate) fn nothing() -> ObjectState {
        ObjectState::new(Content::new(ObjectKind::Opaque, TypeId(0)))
    }

    pub(crate) fn content(&self) -> Content {
        let mut content = self.content.clone();
        content.entries = self.entries.iter().flatten().cloned().collect();
        if let Some(bytes) = &self.bytes {
            content.text = Some(Text {
                kept: bytes.as_slice().into(),
                len: content.len,
            });
        }
        content
    }

    /// As [`ObjectState::content`], for a state that is not needed any more.
    pub(crate) fn into_content(mut self) -> Content {
        let mut content = std::mem::replace(
            &mut self.content,
            Content::new(ObjectKind::Opaque, TypeId(0)),
        );
        content.entries = self.entries.into_iter().flatten().collect();
        if let Some(bytes) = self.bytes {
            content.text = Some(Text {
                kept: bytes.into(),
                len: content.len,
            });
        }
        content
    }

    /// The contents without entries, for tuples and frozen sets.
    pub(crate) fn fixed(&self) -> &Content {
        &self.content
    }

    /// The contents if they are elements and nothing else, all of them recorded.
    pub(crate) fn plain(&self) -> Option<&Content> {
        let is_plain = self.entries.is_empty() && crate::pages::is_plain(&self.content);
        is_plain.then_some(&self.content)
    }

    /// How many values it holds, or what takes as much memory.
    pub(crate) fn weight(&self) -> usize {
        let text = self.content.text.as_ref().map_or(0, |text| text.kept.len());
        let bytes = self.bytes.as_ref().map_or(0, Vec::len);
        crate::codec::weight(&self.content) + self.entries.len() * 2 + (text + bytes) / 32
    }

    /// Takes in a change. [`Content::len`] stays the true length.
    pub(crate) fn apply(
        &mut self,
        change: &Change,
        resolve: &impl Resolve,
    ) -> Result<(), Unresolved> {
        let content = &mut self.content;
        if content.kind == ObjectKind::ByteArray && self.bytes.is_none() {
            let text = content.text.as_ref();
            self.bytes = Some(text.map_or_else(Vec::new, |text| text.kept.to_vec()));
        }
        match change {
            Change::New(new) | Change::Replace(new) => {
                *self = ObjectState::new((**new).clone());
            }
            Change::SetItem { index, value } => {
                set_item(content, self.bytes.as_mut(), *index, value);
            }
            Change::Append { value } => append(content, self.bytes.as_mut(), value),
            Change::Pop => pop(content, self.bytes.as_mut()),
            Change::SetKey { key, value } => self.set_key(key, value, resolve)?,
            Change::DeleteKey { key } => self.delete_key(key, resolve)?,
            Change::SetAttribute { name, value } => {
                let mut known = content.attributes.iter_mut();
                match known.find(|known| known.0 == *name) {
                    Some(known) => known.1 = value.clone(),
                    None => content.attributes.push((Arc::clone(name), value.clone())),
                }
            }
            Change::DeleteAttribute { name } => {
                let before = content.attributes.len();
                content.attributes.retain(|known| known.0 != *name);
                if content.attributes.len() == before {
                    content.attributes_omitted = content.attributes_omitted.saturating_sub(1);
                }
            }
            Change::SetCell { value } => {
                content.items.clear();
                content.items.extend(value.iter().cloned());
                content.len = content.items.len() as u64;
            }
            Change::Clear => {
                content.len = 0;
                content.items.clear();
                content.sparse.clear();
                self.entries.clear();
                self.index = None;
                self.deleted = 0;
                if let Some(bytes) = &mut self.bytes {
                    bytes.clear();
                }
            }
        }
        Ok(())
    }

    fn set_key(
        &mut self,
        key: &Value,
        value: &Value,
        resolve: &impl Resolve,
    ) -> Result<(), Unresolved> {
        let key_of = key_of(key, resolve, &mut KEY_LIMIT.clone())?;
        if let Some(index) = self.position(key_of.as_ref(), resolve)?
            && let Some(Some(entry)) = self.entries.get_mut(index)
        {
            entry.1 = value.clone();
            return Ok(());
        }
        if (self.entries.len() - self.deleted) as u64 == self.content.len {
            self.content.len = self.content.len.saturating_add(1);
        }
        if let (Some(index), Some(key_of)) = (&mut self.index, key_of) {
            index.insert(key_of, self.entries.len());
        }
        self.entries.push(Some((key.clone(), value.clone())));
        Ok(())
    }

    fn delete_key(&mut self, key: &Value, resolve: &impl Resolve) -> Result<(), Unresolved> {
        let key_of = key_of(key, resolve, &mut KEY_LIMIT.clone())?;
        if let Some(at) = self.position(key_of.as_ref(), resolve)? {
            if let (Some(index), Some(key_of)) = (&mut self.index, &key_of) {
                index.remove(key_of);
            }
            if let Some(entry) = self.entries.get_mut(at) {
                *entry = None;
            }
            self.deleted += 1;
            self.content.len = self.content.len.saturating_sub(1);
            if self.deleted > 16 && self.deleted * 2 > self.entries.len() {
                self.entries.retain(Option::is_some);
                self.deleted = 0;
                self.index = None;
            }
            return Ok(());
        }
        let content = &mut self.content;
        for index in 0..content.items.len() {
            let Some(item) = content.items.get(index) else {
                break;
            };
            if key_of.is_some() && self::key_of(item, resolve, &mut KEY_LIMIT.clone())? == key_of {
                content.items.remove(index);
                content.len = content.len.saturating_sub(1);
                return Ok(());
            }
        }
        let kept = (self.entries.len() - self.deleted).max(content.items.len());
        if (kept as u64) < content.len {
            content.len -= 1;
        }
        Ok(())
    }

    /// Where the entry of a key stands.
    fn position(
        &mut self,
        key: Option<&KeyOf>,
        resolve: &impl Resolve,
    ) -> Result<Option<usize>, Unresolved> {
        let Some(key) = key else {
            return Ok(None);
        };
        if self.index.is_none() {
            let mut index = Map::default();
            for (at, entry) in self.entries.iter().enumerate() {
                if let Some((known, _)) = entry
                    && let Some(known) = key_of(known, resolve, &mut KEY_LIMIT.clone())?
                {
                    index.entry(known).or_insert(at);
                }
            }
            self.index = Some(index);
        }
        Ok(self
            .index
            .as_ref()
            .and_then(|index| index.get(key))
            .copied())
    }
}

fn set_item(content: &mut Content, bytes: Option<&mut Vec<u8>>, index: u64, value: &Value) {
    if index >= content.len {
        return;
    }
    let at = usize::try_from(index).unwrap_or(usize::MAX);
    if let Some(bytes) = bytes {
        if let (Some(byte), Value::Int(value)) = (bytes.get_mut(at), value) {
            *byte = *value as u8;
        }
        return;
    }
    match content.items.get_mut(at) {
        Some(item) => *item = value.clone(),
        None => {
            content.sparse.insert(index, value.clone());
        }
    }
}

fn append(content: &mut Content, bytes: Option<&mut Vec<u8>>, value: &Value) {
    let index = content.len;
    content.len = content.len.saturating_add(1);
    if let Some(bytes) = bytes {
        if let Value::Int(value) = value
            && bytes.len() as u64 == index
        {
            bytes.push(*value as u8);
        }
    } else if content.items.len() as u64 == index {
        content.items.push(value.clone());
    } else {
        content.sparse.insert(index, value.clone());
    }
}

fn pop(content: &mut Content, bytes: Option<&mut Vec<u8>>) {
    content.len = content.len.saturating_sub(1);
    let len = usize::try_from(content.len).unwrap_or(usize::MAX);
    if let Some(bytes) = bytes {
        bytes.truncate(len);
    }
    content.items.truncate(len);
    content.sparse.remove(&content.len);
}

/// The key of a value, or `None` for one that equals nothing known.
fn key_of(
    value: &Value,
    resolve: &impl Resolve,
    left: &mut Budget,
) -> Result<Option<KeyOf>, Unresolved> {
    left.values = left.values.saturating_sub(1);
    let text = |text: &Text| (Arc::clone(&text.kept), text.len);
    Ok(Some(match value {
        Value::Bool(value) => KeyOf::Number(Some(i128::from(*value)), 0, 0),
        Value::Int(value) => KeyOf::Number(Some(i128::from(*value)), 0, 0),
        Value::BigInt(bytes) => big_int(bytes),
        Value::Float(value) => {
            let (integer, bits) = real(*value);
            KeyOf::Number(integer, bits, 0)
        }
        Value::Complex(value, imaginary) => {
            let (integer, bits) = real(*value);
            KeyOf::Number(integer, bits, (imaginary + 0.0).to_bits())
        }
        Value::Str(value) => {
            let (kept, len) = text(value);
            KeyOf::Str(kept, len)
        }
        Value::Bytes(value) => {
            let (kept, len) = text(value);
            KeyOf::Bytes(kept, len)
        }
        Value::None | Value::Ellipsis | Value::NotImplemented => {
            KeyOf::Tag(crate::codec::tag_of(value))
        }
        Value::Unavailable(_) => return Ok(None),
        Value::Object(object) => return object_key(*object, resolve, left),
    }))
}

fn object_key(
    object: ObjectId,
    resolve: &impl Resolve,
    left: &mut Budget,
) -> Result<Option<KeyOf>, Unresolved> {
    let Some(depth) = left.depth.checked_sub(1) else {
        return Ok(Some(KeyOf::Object(object.0)));
    };
    left.depth = depth;
    let key = contents_key(object, resolve, left)?;
    left.depth = depth + 1;
    Ok(Some(key.unwrap_or(KeyOf::Object(object.0))))
}

/// The key of a tuple or frozen set by its contents; `None` for what equals itself alone.
fn contents_key(
    object: ObjectId,
    resolve: &impl Resolve,
    left: &mut Budget,
) -> Result<Option<KeyOf>, Unresolved> {
    let Some(content) = resolve.first_content(object)? else {
        return Ok(None);
    };
    if !matches!(content.kind, ObjectKind::Tuple | ObjectKind::FrozenSet)
        || content.items.len() as u64 != content.len
    {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for item in &content.items {
        // A tuple with an unknown part equals itself alone.
        match key_of(item, resolve, left)? {
            Some(part) if left.values > 0 => parts.push(part),
            _ => return Ok(None),
        }
    }
    Ok(Some(match content.kind {
        ObjectKind::Tuple => KeyOf::Tuple(parts),
        _ => {
            parts.sort();
            parts.dedup();
            KeyOf::FrozenSet(parts)
        }
    }))
}

/// A finite number without fraction as an integer, any other as bits. Zero has no sign.
fn real(number: f64) -> (Option<i128>, u64) {
    let number = number + 0.0;
    if number.fract() == 0.0 && number.abs() < 1e38 {
        (Some(number as i128), 0)
    } else {
        (None, number.to_bits())
    }
}

fn big_int(bytes: &[u8]) -> KeyOf {
    let fill = match bytes.last() {
        Some(byte) if *byte >= 0x80 => 0xff,
        _ => 0,
    };
    if bytes.len() > 16 {
        return KeyOf::BigInt(bytes.to_vec());
    }
    let mut wide = [fill; 16];
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    KeyOf::Number(Some(i128::from_le_bytes(wide)), 0, 0)
}
