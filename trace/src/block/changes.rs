//! The object events of a block: where each stands, so that one object's are read without the others'.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::decode::{BlockPlace, DecodedCode, code_at, dictionary_of, lanes_of};
use super::section::unpack;
use super::{Kind, Meaning, sections};
use crate::codec::{Last, ValueReader, object_kind, skip_content, skip_payload, skip_value};
use crate::reader::Part;
use crate::segment::parts::Parts;
use crate::strings::Strings;
use crate::varint::{Decoded, Input, Malformed};
use crate::{Change, ObjectId, TypeId, Value};

/// One object event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) object: ObjectId,
    /// The event's index in the block.
    pub(crate) row: u32,
    code: u32,
    /// Where the rest of its payload stands in the streams, and the numbers that it differs from.
    at: u32,
    last: [Last; 2],
}

/// The object events of a block in order, with the streams that hold their payloads.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) first: u64,
    entries: Vec<Entry>,
    /// Numbers of entries in the order of objects, then of events.
    by_object: OnceLock<Vec<u32>>,
    codes: Vec<DecodedCode>,
    streams: Vec<u8>,
    strings: Mutex<Strings>,
}

/// The stream of a code, and what was read of it.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) last: [Last; 3],
    pub(crate) count: u32,
    /// Where the stream ends among all streams.
    pub(crate) end: usize,
}

impl Changes {
    /// Reads only the object events of a block.
    ///
    /// # Errors
    ///
    /// [`Malformed`] with the rule that the bytes break.
    pub(crate) fn decode(body: &[u8], place: &BlockPlace) -> Decoded<Changes> {
        let section = |id| -> Decoded<Vec<u8>> { Ok(unpack(body, id)?.unwrap_or_default()) };
        let mut changes = Changes {
            first: place.first,
            codes: dictionary_of(&section(sections::META)?, place)?,
            ..Changes::default()
        };
        let is_object: Vec<bool> = changes
            .codes
            .iter()
            .map(|code| code.meaning.kind.is_object())
            .collect();
        if !is_object.contains(&true) {
            return Ok(changes);
        }
        let planes = section(sections::CODES)?;
        let streams = section(sections::VALUES)?;
        let objects = changes.codes.iter().zip(&is_object);
        let objects = objects.filter_map(|(code, is_object)| is_object.then_some(code.count));
        let events: usize = objects.map(|count| count as usize).sum();
        changes.reserve(events.min(streams.len()));
        let mut lanes = lanes_of(&changes.codes, &streams)?;
        for row in 0..place.events {
            let code = code_at(&planes, place.events, row, changes.codes.len())?;
            if is_object.get(code as usize) != Some(&true) {
                continue;
            }
            if let (Some(meaning), Some(lane)) = (
                changes.codes.get(code as usize).map(|code| code.meaning),
                lanes.get_mut(code as usize),
            ) {
                changes.add(&meaning, code, row, lane)?;
            }
        }
        let strings = section(sections::STRINGS)?;
        changes.keep(streams, Strings::decode(&mut Input::new(&strings))?);
        Ok(changes)
    }

    /// Makes room for so many object events.
    pub(super) fn reserve(&mut self, events: usize) {
        self.entries.reserve_exact(events);
    }

    /// Takes in an object event whose payload is next in its stream; returns its number.
    pub(super) fn add(
        &mut self,
        meaning: &Meaning,
        code: u32,
        row: u32,
        lane: &mut Lane<'_>,
    ) -> Decoded<u32> {
        let Lane { input, last, .. } = lane;
        let [last_object, last_key, last_value] = last;
        let object = ObjectId(number(input, last_object)?);
        let number = self.entries.len() as u32;
        self.entries.push(Entry {
            object,
            row,
            code,
            at: (lane.end - input.remaining()) as u32,
            last: [*last_key, *last_value],
        });
        match meaning.kind {
            Kind::New | Kind::Replace => skip_content(input)?,
            Kind::SetItem => {
                self::number(input, last_key)?;
                skip_payload(meaning.tag, last_value, input)?;
            }
            Kind::Append | Kind::SetAttribute => skip_payload(meaning.tag, last_value, input)?,
            Kind::SetKey => {
                if meaning.a == 0 {
                    skip_value(last_key, input)?;
                }
                skip_payload(meaning.tag, last_value, input)?;
            }
            Kind::DeleteKey if meaning.a == 0 => skip_value(last_key, input)?,
            Kind::SetCell if meaning.tag != crate::codec::tag::DELETED => {
                skip_payload(meaning.tag, last_value, input)?;
            }
            _ => {}
        }
        Ok(number)
    }

    /// Takes over what the entries refer to.
    pub(super) fn keep(&mut self, streams: Vec<u8>, strings: Strings) {
        self.streams = streams;
        self.strings = Mutex::new(strings);
    }

    pub(super) fn set_codes(&mut self, first: u64, codes: &[DecodedCode]) {
        self.first = first;
        self.codes = codes.to_vec();
    }

    /// Which attributes and entries change.
    pub(crate) fn parts(&self, first_object: u64) -> Parts {
        let codes: Vec<Meaning> = self.codes.iter().map(|code| code.meaning).collect();
        let changes = self.entries.iter().map(|entry| (entry.object, entry.code));
        let mut parts = Parts::of(&codes, first_object, changes);
        parts.name(self.strings().all());
        parts
    }

    /// For each code whether its changes can concern a part of an object.
    pub(crate) fn codes_concerning(&self, part: Part<'_>) -> Vec<bool> {
        let strings = self.strings();
        let is_name = |number: Option<u64>, name: &[u8], len: Option<u64>| {
            let kept = number.and_then(|number| strings.kept_and_len(number));
            kept.is_some_and(|(kept, true_len)| {
                kept == crate::strings::shortened(name) && len.is_none_or(|len| len == true_len)
            })
        };
        let concerns = |meaning: &Meaning| match (part, meaning.kind) {
            (Part::Whole, _) | (_, Kind::New | Kind::Replace | Kind::Clear) => true,
            (Part::Attribute(name), Kind::SetAttribute | Kind::DeleteAttribute) => {
                is_name(meaning.part_name(), name.as_bytes(), None)
            }
            (Part::Entry(key), Kind::SetKey | Kind::DeleteKey) => match key {
                Value::Str(key) => is_name(meaning.part_name(), &key.kept, Some(key.len)),
                _ => meaning.part_name().is_none(),
            },
            (Part::Item(_), kind) => matches!(
                kind,
                Kind::SetItem | Kind::Append | Kind::Pop | Kind::DeleteKey | Kind::SetCell
            ),
            _ => false,
        };
        let codes = self.codes.iter();
        codes.map(|code| concerns(&code.meaning)).collect()
    }

    /// Whether an event can concern a part of its object; `codes` as [`Changes::codes_concerning`] says.
    pub(crate) fn concerns(&self, number: u32, part: Part<'_>, codes: &[bool]) -> bool {
        let Some(entry) = self.entry(number) else {
            return false;
        };
        if codes.get(entry.code as usize) != Some(&true) {
            return false;
        }
        match (part, self.meaning(entry).map(|meaning| meaning.kind)) {
            (Part::Item(index), Some(Kind::SetItem)) => self.index_of(number) == Some(index),
            _ => true,
        }
    }

    fn strings(&self) -> MutexGuard<'_, Strings> {
        self.strings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, in order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    /// The numbers of an object's events, ascending.
    pub(crate) fn of_object(&self, object: ObjectId) -> &[u32] {
        let order = self.by_object.get_or_init(|| {
            let entries = self.entries.iter().zip(0u32..);
            let mut order: Vec<(ObjectId, u32)> = entries
                .map(|(entry, number)| (entry.object, number))
                .collect();
            order.sort_unstable();
            order.into_iter().map(|(_, number)| number).collect()
        });
        let object_of = |number: &u32| self.entry(*number).map(|entry| entry.object);
        let start = order.partition_point(|number| object_of(number) < Some(object));
        let end = order.partition_point(|number| object_of(number) <= Some(object));
        order.get(start..end).unwrap_or_default()
    }

    /// The index of an event in the block.
    pub(crate) fn row(&self, number: u32) -> usize {
        self.entry(number)
            .map_or(usize::MAX, |entry| entry.row as usize)
    }

    /// The position of an event.
    pub(crate) fn position(&self, number: u32) -> u64 {
        self.first.saturating_add(self.row(number) as u64)
    }

    /// How many of an object's events come before an index of the block.
    pub(crate) fn before(&self, numbers: &[u32], index: usize) -> usize {
        numbers.partition_point(|number| self.row(*number) < index)
    }

    fn meaning(&self, entry: &Entry) -> Option<&Meaning> {
        self.codes
            .get(entry.code as usize)
            .map(|code| &code.meaning)
    }

    pub(crate) fn kind(&self, number: u32) -> Option<Kind> {
        let entry = self.entry(number)?;
        self.meaning(entry).map(|meaning| meaning.kind)
    }

    /// Whether an event says all contents of its object.
    pub(crate) fn is_full(&self, number: u32) -> bool {
        matches!(self.kind(number), Some(Kind::New | Kind::Replace))
    }

    /// Which element an event set, if it set one.
    pub(crate) fn index_of(&self, number: u32) -> Option<u64> {
        let entry = self.entry(number)?;
        if self.meaning(entry)?.kind != Kind::SetItem {
            return None;
        }
        let mut input = Input::new(self.streams.get(entry.at as usize..)?);
        let [mut last, _] = entry.last;
        self::number(&mut input, &mut last).ok()
    }

    /// What happened in an event.
    ///
    /// # Errors
    ///
    /// [`Malformed`] with the rule that the bytes break.
    pub(crate) fn change(&self, number: u32) -> Decoded<Change> {
        const OUTSIDE: Malformed = Malformed("a change is not in its stream");
        let entry = self.entry(number).ok_or(OUTSIDE)?;
        let meaning = self.meaning(entry).ok_or(OUTSIDE)?;
        let payload = self.streams.get(entry.at as usize..).ok_or(OUTSIDE)?;
        let mut strings = self.strings();
        let mut values = ValueReader::new(&mut strings);
        let mut last = entry.last;
        change(meaning, &mut Input::new(payload), &mut last, &mut values)
    }

    /// Reads every change once.
    ///
    /// # Errors
    ///
    /// [`Malformed`] with the rule that the bytes break.
    pub(crate) fn check(&self) -> Decoded<()> {
        (0..self.entries.len() as u32).try_for_each(|number| self.change(number).map(|_| ()))
    }

    /// About how much memory it takes.
    pub(crate) fn len_bytes(&self) -> usize {
        let strings = self.strings().len_bytes();
        self.entries.len() * (size_of::<Entry>() + 4)
            + self.streams.len()
            + strings
            + self.codes.len() * size_of::<DecodedCode>()
            + 256
    }
}

pub(crate) fn number(input: &mut Input<'_>, last: &mut Last) -> Decoded<u64> {
    *last = last.wrapping_add(input.signed()?);
    Ok(*last as u64)
}

fn change(
    meaning: &Meaning,
    input: &mut Input<'_>,
    last: &mut [Last; 2],
    values: &mut ValueReader<'_>,
) -> Decoded<Change> {
    let tag = meaning.tag;
    let [last_key, last_value] = last;
    Ok(match meaning.kind {
        Kind::New | Kind::Replace => {
            let type_id = u32::try_from(meaning.a)
                .map_err(|_| Malformed("a type's number has more than 32 bits"))?;
            let kind = object_kind(u64::from(meaning.b))?;
            let content = Box::new(values.content(TypeId(type_id), kind, input)?);
            match meaning.kind {
                Kind::New => Change::New(content),
                _ => Change::Replace(content),
            }
        }
        Kind::SetItem => Change::SetItem {
            index: number(input, last_key)?,
            value: values.payload(tag, last_value, input)?,
        },
        Kind::Append => Change::Append {
            value: values.payload(tag, last_value, input)?,
        },
        Kind::Pop => Change::Pop,
        Kind::SetKey => Change::SetKey {
            key: key(meaning, input, last_key, values)?,
            value: values.payload(tag, last_value, input)?,
        },
        Kind::DeleteKey => Change::DeleteKey {
            key: key(meaning, input, last_key, values)?,
        },
        Kind::SetAttribute => Change::SetAttribute {
            name: values.strings.name(meaning.a)?,
            value: values.payload(tag, last_value, input)?,
        },
        Kind::DeleteAttribute => Change::DeleteAttribute {
            name: values.strings.name(meaning.a)?,
        },
        Kind::SetCell => Change::SetCell {
            value: values.optional(tag, last_value, input)?,
        },
        _ => Change::Clear,
    })
}

fn key(
    meaning: &Meaning,
    input: &mut Input<'_>,
    last: &mut Last,
    values: &mut ValueReader<'_>,
) -> Decoded<Value> {
    match meaning.a.checked_sub(1) {
        Some(number) => values.strings.text(number).map(Value::Str),
        None => values.value(last, input),
    }
}
