//! The messages: how they are written, and the cursor that reads their parts.
//!
//! A message is one byte of kind followed by its fields. Numbers are LEB128 varints, signed ones
//! zigzag. `text` is a varint length and bytes. `value` is described at [`value`].
//! Ids of sources, functions, types, names and objects are chosen by the recorder, ascending from 0
//! each; the definition of an id comes before its first use.
//! Events belong to the thread named by the last [`THREAD`] message; a new thread's first message
//! after that is [`THREAD_START`].

/// `id path:text`. The host reads the file.
pub const SOURCE: u8 = 1;
/// `id source first_line kind:byte name:text qualified_name:text
/// count (name:text kind:byte)* count (line delta)*`: see `trace::Function`; lines are ascending, each
/// as the difference to the one before.
pub const FUNCTION: u8 = 2;
/// `id base+1 module:text qualified_name:text count (field:text)*`; base+1 is 0 for none.
pub const TYPE: u8 = 3;
/// `id text`: an attribute name.
pub const NAME: u8 = 4;
/// `thread`: the events that follow belong to this thread.
pub const THREAD: u8 = 5;
/// `ns`: nanoseconds since the recorder started, for the next event.
pub const CLOCK: u8 = 6;
/// `text`: a sentence for the recording's notes: something that could not be recorded.
pub const NOTE: u8 = 7;
/// `text`: what the self-check of the interpreter found. Then `version:text`, as `3.12.1`.
pub const STARTED: u8 = 8;
/// `count`: so many values were redacted since the last such message.
pub const REDACTED: u8 = 9;
/// `left bytes:text`: a part of a message that is longer than the ring; so many bytes are left after it.
/// All parts follow each other and make one message, of at most [`LONG_MAX_BYTES`].
pub const PART: u8 = 10;

/// The longest message that is sent in parts: a block of the recording takes no longer one.
pub const LONG_MAX_BYTES: usize = 48 << 20;

/// `name:text`.
pub const THREAD_START: u8 = 16;
/// Nothing.
pub const THREAD_END: u8 = 17;
/// `task name:text`.
pub const TASK_START: u8 = 18;
/// `task+1`, 0 for none.
pub const TASK_SWITCH: u8 = 19;
/// `task`.
pub const TASK_END: u8 = 20;

/// `frame function globals+1 locals+1`.
pub const CALL: u8 = 32;
/// `line`.
pub const LINE: u8 = 33;
/// `value`.
pub const RETURN: u8 = 34;
/// `value`.
pub const YIELD: u8 = 35;
/// `frame`.
pub const RESUME: u8 = 36;
/// `value`.
pub const RAISE: u8 = 37;
/// `value`.
pub const UNWIND: u8 = 38;
/// `slot value`; the value [`tag::UNBOUND`] deletes the name.
pub const WRITE: u8 = 39;
/// `stream:byte bytes:text`.
pub const OUTPUT: u8 = 40;
/// `kind:text name:text`.
pub const MARK: u8 = 41;
/// `kind:text target:text status:text duration_ns`.
pub const EXTERNAL: u8 = 42;

/// `object content`; see [`content`].
pub const OBJECT_NEW: u8 = 64;
/// `object content`.
pub const OBJECT_REPLACE: u8 = 65;
/// `object index value`.
pub const SET_ITEM: u8 = 66;
/// `object value`.
pub const APPEND: u8 = 67;
/// `object`.
pub const POP: u8 = 68;
/// `object key:value value`.
pub const SET_KEY: u8 = 69;
/// `object key:value`.
pub const DELETE_KEY: u8 = 70;
/// `object name value`.
pub const SET_ATTRIBUTE: u8 = 71;
/// `object name`.
pub const DELETE_ATTRIBUTE: u8 = 72;
/// `object value`; [`tag::UNBOUND`] empties the cell.
pub const SET_CELL: u8 = 73;
/// `object`.
pub const CLEAR: u8 = 74;

/// First byte of a value.
pub mod tag {
    /// `None`.
    pub const NONE: u8 = 0;
    /// `False`.
    pub const FALSE: u8 = 1;
    /// `True`.
    pub const TRUE: u8 = 2;
    /// Zigzag varint.
    pub const INT: u8 = 3;
    /// `text` of two's complement, little endian.
    pub const BIG_INT: u8 = 4;
    /// 8 bytes, little endian.
    pub const FLOAT: u8 = 5;
    /// 16 bytes.
    pub const COMPLEX: u8 = 6;
    /// True length in characters, then `text`.
    pub const STR: u8 = 7;
    /// True length in bytes, then `text`.
    pub const BYTES: u8 = 8;
    /// `Ellipsis`.
    pub const ELLIPSIS: u8 = 9;
    /// `NotImplemented`.
    pub const NOT_IMPLEMENTED: u8 = 10;
    /// An object's id.
    pub const OBJECT: u8 = 11;
    /// One byte: why, in the order of `trace::Unavailable` from 0.
    pub const UNAVAILABLE: u8 = 12;
    /// No value: the name is not bound.
    pub const UNBOUND: u8 = 13;
}

/// Writing the parts of messages.
pub mod put {
    use super::tag;

    /// An unsigned varint.
    #[inline]
    pub fn number(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    /// A signed number, zigzag.
    #[inline]
    pub fn signed(out: &mut Vec<u8>, value: i64) {
        number(out, ((value << 1) ^ (value >> 63)) as u64);
    }

    /// A length and bytes.
    #[inline]
    pub fn text(out: &mut Vec<u8>, bytes: &[u8]) {
        number(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }

    /// A value: an integer.
    #[inline]
    pub fn int(out: &mut Vec<u8>, value: i64) {
        out.push(tag::INT);
        signed(out, value);
    }

    /// A value: a float.
    #[inline]
    pub fn float(out: &mut Vec<u8>, value: f64) {
        out.push(tag::FLOAT);
        out.extend_from_slice(&value.to_le_bytes());
    }

    /// A value: text ([`tag::STR`]) or bytes ([`tag::BYTES`]) with its true length.
    #[inline]
    pub fn string(out: &mut Vec<u8>, tag: u8, len: u64, kept: &[u8]) {
        out.push(tag);
        number(out, len);
        text(out, kept);
    }

    /// A value: a reference to an object.
    #[inline]
    pub fn object(out: &mut Vec<u8>, id: u64) {
        out.push(tag::OBJECT);
        number(out, id);
    }
}

/// Reads the parts of messages; every part is checked against the bytes that remain.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    /// How many bytes were read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// An unsigned varint of at most 10 bytes.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let byte = self.byte()?;
        if byte & 0x80 == 0 {
            return Some(u64::from(byte));
        }
        self.long_number(byte)
    }

    fn long_number(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A zigzag number.
    #[inline]
    pub fn signed(&mut self) -> Option<i64> {
        let raw = self.number()?;
        Some((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }

    /// So many bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(bytes)
    }

    /// A length and bytes.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }
}

/// The contents of an object, as [`OBJECT_NEW`] and [`OBJECT_REPLACE`] carry them.
///
/// ```text
/// kind:byte type len
/// count value*                    items
/// count (key:value value)*        entries
/// count (name value)*             attributes
/// omitted                         attributes left out
/// has_text:byte [len text]        1 and a text, or 0
/// ```
///
/// `kind` is the number of `trace::ObjectKind`. Sparse items do not occur here: a write behind the
/// limit is a [`SET_ITEM`].
pub mod content {}

/// A value: one byte of [`tag`], then what the tag says.
pub mod value {}
