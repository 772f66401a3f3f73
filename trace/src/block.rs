//! A block: some thousand events, decodable alone.
//!
//! An event is one code; the block's dictionary says what the code means (sort of event, tag of its
//! value, function, line or slot), and what differs between events of one code stands in a stream of
//! that code's own. `docs/format.md` describes the bytes.

pub(crate) mod changes;
pub(crate) mod decode;
pub(crate) mod deltas;
pub(crate) mod encode;
pub(crate) mod lookup;
mod record;
pub(crate) mod section;

use crate::varint::{Decoded, Input, Malformed, put};

/// Sorts of events; stands in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    ThreadStart = 0,
    ThreadEnd = 1,
    TaskStart = 2,
    TaskSwitch = 3,
    TaskEnd = 4,
    Call = 5,
    Line = 6,
    Return = 7,
    Yield = 8,
    Resume = 9,
    Raise = 10,
    Unwind = 11,
    Write = 12,
    New = 13,
    Replace = 14,
    SetItem = 15,
    Append = 16,
    Pop = 17,
    SetKey = 18,
    DeleteKey = 19,
    SetAttribute = 20,
    DeleteAttribute = 21,
    SetCell = 22,
    Clear = 23,
    Output = 24,
    Mark = 25,
    External = 26,
}

const KINDS: [Kind; 27] = [
    Kind::ThreadStart,
    Kind::ThreadEnd,
    Kind::TaskStart,
    Kind::TaskSwitch,
    Kind::TaskEnd,
    Kind::Call,
    Kind::Line,
    Kind::Return,
    Kind::Yield,
    Kind::Resume,
    Kind::Raise,
    Kind::Unwind,
    Kind::Write,
    Kind::New,
    Kind::Replace,
    Kind::SetItem,
    Kind::Append,
    Kind::Pop,
    Kind::SetKey,
    Kind::DeleteKey,
    Kind::SetAttribute,
    Kind::DeleteAttribute,
    Kind::SetCell,
    Kind::Clear,
    Kind::Output,
    Kind::Mark,
    Kind::External,
];

impl Kind {
    /// Whether it is a first sight or a change of an object.
    pub(crate) fn is_object(self) -> bool {
        self >= Kind::New && self <= Kind::Clear
    }
}

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Meaning {
    pub(crate) kind: Kind,
    /// The tag of the event's value, or 0.
    pub(crate) tag: u8,
    /// Line and write: one more than the function, 0 without one. Call: the function.
    /// Set key, delete key: one more than the key's text, 0 for other keys.
    /// Set and delete attribute: the name's text. New and replace: the type.
    pub(crate) a: u64,
    /// Line: the line. Write: the slot. New and replace: the kind of object. Output: the stream.
    pub(crate) b: u32,
}

impl Meaning {
    pub(crate) fn new(kind: Kind) -> Meaning {
        Meaning {
            kind,
            tag: 0,
            a: 0,
            b: 0,
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        out.push(self.tag);
        put(out, self.a);
        put(out, u64::from(self.b));
    }

    fn decode(input: &mut Input<'_>) -> Decoded<Meaning> {
        let kind = usize::from(input.byte()?);
        Ok(Meaning {
            kind: *KINDS
                .get(kind)
                .ok_or(Malformed("an event has an unknown kind"))?,
            tag: input.byte()?,
            a: input.number()?,
            b: input.number32()?,
        })
    }

    /// The text that names the attribute or entry which a change concerns alone.
    pub(crate) fn part_name(&self) -> Option<u64> {
        match self.kind {
            Kind::SetKey | Kind::DeleteKey => self.a.checked_sub(1),
            Kind::SetAttribute | Kind::DeleteAttribute => Some(self.a),
            _ => None,
        }
    }

    /// The function of a line, write or other event inside a frame; of a call the one called.
    pub(crate) fn function(&self) -> Option<crate::FunctionId> {
        let number = match self.kind {
            Kind::Call => self.a,
            Kind::Line | Kind::Write => self.a.checked_sub(1)?,
            _ => return None,
        };
        u32::try_from(number).ok().map(crate::FunctionId)
    }
}

/// An event of a block in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Index into the dictionary.
    pub(crate) code: u32,
    /// Index into the block's threads.
    pub(crate) thread: u32,
    /// Index into the block's activations of the frame it belongs to.
    pub(crate) activation: u32,
    /// Where its payload stands; depends on the kind.
    pub(crate) payload: u32,
}

/// The sections of a block's body; stands in files.
pub(crate) mod sections {
    pub(crate) const META: u32 = 1;
    pub(crate) const CODES: u32 = 2;
    pub(crate) const VALUES: u32 = 3;
    pub(crate) const STRINGS: u32 = 4;
    pub(crate) const RECORDS: u32 = 5;
    pub(crate) const CONTENTS: u32 = 6;
    pub(crate) const DELTAS: u32 = 7;
}

/// Most codes of one block.
pub(crate) const CODE_LIMIT: usize = 1 << 16;
/// Most events of one block.
pub(crate) const EVENT_LIMIT: u32 = 1 << 18;
