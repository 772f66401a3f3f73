//! The index over a run of blocks: for each key, in which of them something matches and how often.
//!
//! A frame or object is only indexed in blocks other than the one its number says it began in: one that
//! lives and dies inside one block costs nothing.

pub(crate) mod collect;
pub(crate) mod parts;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chunk::field;
use crate::hash::Map;
use crate::varint::{Decoded, Input, Malformed, put, put_bytes, put_signed};

/// Keys of one group.
const GROUP: usize = 32;
const DIRECTORY_ROW: usize = 24;
/// Most keys that wait for a segment to be written.
pub(crate) const PENDING_KEYS: usize = 1 << 18;
/// Blocks of a full segment.
pub(crate) const SEGMENT_BLOCKS: u32 = 128;

/// Sorts of keys; stands in files.
pub(crate) mod keys {
    pub(crate) const STEP: u8 = 1;
    pub(crate) const THREAD: u8 = 2;
    pub(crate) const THREAD_STEP: u8 = 3;
    pub(crate) const LINE: u8 = 4;
    pub(crate) const CALL: u8 = 5;
    pub(crate) const VARIABLE: u8 = 6;
    pub(crate) const RAISE: u8 = 7;
    pub(crate) const UNWIND: u8 = 8;
    pub(crate) const OUTPUT: u8 = 9;
    pub(crate) const MARK: u8 = 10;
    pub(crate) const EXTERNAL: u8 = 11;
    pub(crate) const TASK_START: u8 = 12;
    pub(crate) const FRAME: u8 = 13;
    pub(crate) const OBJECT: u8 = 14;
    pub(crate) const UNCAUGHT: u8 = 15;
    pub(crate) const THREAD_SPAN: u8 = 16;
    pub(crate) const DELTA: u8 = 17;
    pub(crate) const DEPTH: u8 = 18;
    pub(crate) const PART: u8 = 19;
}

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IndexKey {
    pub(crate) kind: u8,
    pub(crate) a: u64,
    pub(crate) b: u32,
}

impl IndexKey {
    pub(crate) fn new(kind: u8, a: u64, b: u32) -> IndexKey {
        IndexKey { kind, a, b }
    }
}

/// How often a key matches in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) block: u32,
    pub(crate) count: u64,
}

/// What a frame did in a block after the one it was called in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrameTouch {
    pub(crate) block: u32,
    pub(crate) steps: u64,
    pub(crate) exits: u64,
    pub(crate) yields: u64,
    pub(crate) resumes: u64,
    /// Calls and resumes it made.
    pub(crate) calls: u64,
    /// Slots written, ascending, and how often.
    pub(crate) writes: Vec<(u32, u64)>,
}

impl FrameTouch {
    fn put(&self, out: &mut Vec<u8>) {
        put(out, self.steps);
        let counts = [self.exits, self.yields, self.resumes, self.calls];
        let mut present = 0;
        for (bit, count) in counts.iter().enumerate() {
            present |= u64::from(*count > 0) << bit;
        }
        put(out, present);
        for count in counts.iter().filter(|count| **count > 0) {
            put(out, *count);
        }
        put(out, self.writes.len() as u64);
        let mut last = 0;
        for &(slot, count) in &self.writes {
            put(out, u64::from(slot - last));
            put(out, count);
            last = slot;
        }
    }

    fn decode(block: u32, input: &mut Input<'_>) -> Decoded<FrameTouch> {
        let steps = input.number()?;
        let present = input.number()?;
        let mut counts = [0; 4];
        for (bit, count) in counts.iter_mut().enumerate() {
            if present >> bit & 1 != 0 {
                *count = input.number()?;
            }
        }
        let [exits, yields, resumes, calls] = counts;
        let mut writes = Vec::new();
        let mut slot = 0u32;
        for _ in 0..input.count(2)? {
            slot = slot.wrapping_add(input.number32()?);
            writes.push((slot, input.number()?));
        }
        Ok(FrameTouch {
            block,
            steps,
            exits,
            yields,
            resumes,
            calls,
            writes,
        })
    }
}

/// What is known of a thread from some blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadSpan {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) ended: bool,
    pub(crate) name: Option<Arc<str>>,
}

impl ThreadSpan {
    fn put(&self, out: &mut Vec<u8>) {
        put(out, self.first);
        put(out, self.last.wrapping_sub(self.first));
        out.push(u8::from(self.ended) | u8::from(self.name.is_some()) << 1);
        if let Some(name) = &self.name {
            put_bytes(out, name.as_bytes());
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Decoded<ThreadSpan> {
        let mut input = Input::new(bytes);
        let first = input.number()?;
        let last = first.wrapping_add(input.number()?);
        let flags = input.byte()?;
        let name = match flags & 2 {
            0 => None,
            _ => Some(Arc::from(input.text()?)),
        };
        input.end()?;
        Ok(ThreadSpan {
            first,
            last,
            ended: flags & 1 != 0,
            name,
        })
    }

    /// Takes in what later blocks say.
    pub(crate) fn extend(&mut self, later: &ThreadSpan) {
        self.first = self.first.min(later.first);
        self.last = self.last.max(later.last);
        self.ended |= later.ended;
        if later.name.is_some() {
            self.name.clone_from(&later.name);
        }
    }
}

/// An index that is being collected.
#[derive(Debug, Default)]
pub(crate) struct SegmentBuilder {
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
    entries: Map<IndexKey, (u32, Vec<u8>)>,
    threads: BTreeMap<u32, ThreadSpan>,
    uncaught: Vec<u64>,
}

impl SegmentBuilder {
    pub(crate) fn new(first_block: u32) -> SegmentBuilder {
        SegmentBuilder {
            first_block,
            ..SegmentBuilder::default()
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.blocks >= SEGMENT_BLOCKS || self.entries.len() >= PENDING_KEYS
    }

    /// The list of a key, to which a block's entry is to be added.
    fn list(&mut self, key: IndexKey, block: u32) -> &mut Vec<u8> {
        let (last, list) = self
            .entries
            .entry(key)
            .or_insert_with(|| (self.first_block, Vec::new()));
        put(list, u64::from(block - *last));
        *last = block;
        list
    }

    fn add_thread(&mut self, thread: u32, span: ThreadSpan) {
        match self.threads.get_mut(&thread) {
            Some(known) => known.extend(&span),
            None => {
                self.threads.insert(thread, span);
            }
        }
    }

    /// All keys in order with their payloads, as they stand in a file.
    fn payloads(&self) -> BTreeMap<IndexKey, Vec<u8>> {
        let mut payloads: BTreeMap<IndexKey, Vec<u8>> = self
            .entries
            .iter()
            .map(|(key, (_, list))| (*key, list.clone()))
            .collect();
        for (thread, span) in &self.threads {
            let mut out = Vec::new();
            span.put(&mut out);
            let key = IndexKey::new(keys::THREAD_SPAN, u64::from(*thread), 0);
            payloads.insert(key, out);
        }
        if !self.uncaught.is_empty() {
            let out = self.uncaught_payload();
            payloads.insert(IndexKey::new(keys::UNCAUGHT, 0, 0), out);
        }
        payloads
    }

    /// The index as a chunk body.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let payloads: Vec<_> = self.payloads().into_iter().collect();
        let mut directory = Vec::new();
        let mut groups = Vec::new();
        for group in payloads.chunks(GROUP) {
            let start = groups.len();
            let mut last = IndexKey::new(0, 0, 0);
            for (key, payload) in group {
                put_key(&mut groups, &mut last, key);
                put_bytes(&mut groups, payload);
            }
            let Some((first, _)) = group.first() else {
                continue;
            };
            directory.extend_from_slice(&first.a.to_le_bytes());
            directory.extend_from_slice(&first.b.to_le_bytes());
            directory.extend_from_slice(&u32::from(first.kind).to_le_bytes());
            directory.extend_from_slice(&(start as u32).to_le_bytes());
            let crc = crc32c::crc32c(groups.get(start..).unwrap_or_default());
            directory.extend_from_slice(&crc.to_le_bytes());
        }
        let mut out = Vec::with_capacity(8 + directory.len() + groups.len());
        out.extend_from_slice(&((directory.len() / DIRECTORY_ROW) as u32).to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&directory).to_le_bytes());
        out.append(&mut directory);
        out.append(&mut groups);
        out
    }
}

fn put_key(out: &mut Vec<u8>, last: &mut IndexKey, key: &IndexKey) {
    out.push(key.kind - last.kind);
    if key.kind != last.kind {
        *last = IndexKey::new(key.kind, 0, 0);
    }
    put(out, key.a - last.a);
    if key.a != last.a {
        last.b = 0;
    }
    put(out, u64::from(key.b - last.b));
    *last = *key;
}

fn key(input: &mut Input<'_>, last: &mut IndexKey) -> Decoded<IndexKey> {
    const HIGH: Malformed = Malformed("a key of an index is too large");
    let kind = input.byte()?;
    if kind != 0 {
        *last = IndexKey::new(last.kind.checked_add(kind).ok_or(HIGH)?, 0, 0);
    }
    let a = input.number()?;
    if a != 0 {
        last.a = last.a.checked_add(a).ok_or(HIGH)?;
        last.b = 0;
    }
    last.b = last.b.checked_add(input.number32()?).ok_or(HIGH)?;
    Ok(*last)
}

/// The directory of a segment in a file: the first key of each group, where it stands, its checksum.
#[derive(Debug)]
pub(crate) struct Directory {
    rows: Vec<(IndexKey, u32, u32)>,
    groups_len: u64,
}

impl Directory {
    /// How long the directory is that starts with these eight bytes.
    pub(crate) fn len_bytes(start: &[u8], body_len: u64) -> Decoded<usize> {
        const SHORT: Malformed = Malformed("an index's directory is cut off");
        let groups = u32::from_le_bytes(field(start, 0).ok_or(SHORT)?);
        let len = 8 + u64::from(groups) * DIRECTORY_ROW as u64;
        if len > body_len {
            return Err(SHORT);
        }
        Ok(len as usize)
    }

    pub(crate) fn decode(bytes: &[u8], body_len: u64) -> Decoded<Directory> {
        const SHORT: Malformed = Malformed("an index's directory is cut off");
        let crc = u32::from_le_bytes(field(bytes, 4).ok_or(SHORT)?);
        let rows = bytes.get(8..).ok_or(SHORT)?;
        if crc != crc32c::crc32c(rows) {
            return Err(Malformed("an index's directory has a wrong checksum"));
        }
        let mut directory = Directory {
            rows: Vec::with_capacity(rows.len() / DIRECTORY_ROW),
            groups_len: body_len.saturating_sub(bytes.len() as u64),
        };
        for row in rows.as_chunks::<DIRECTORY_ROW>().0 {
            let a = u64::from_le_bytes(field(row, 0).ok_or(SHORT)?);
            let [b, kind, offset, crc] = [8, 12, 16, 20].map(|at| field(row, at));
            let number = |bytes: Option<[u8; 4]>| bytes.map(u32::from_le_bytes).ok_or(SHORT);
            let kind = u8::try_from(number(kind)?)
                .map_err(|_| Malformed("a key of an index is too large"))?;
            let key = IndexKey::new(kind, a, number(b)?);
            directory.rows.push((key, number(offset)?, number(crc)?));
        }
        Ok(directory)
    }

    /// The group that has the key if any has.
    pub(crate) fn group_of(&self, key: &IndexKey) -> Option<usize> {
        self.rows
            .partition_point(|(first, _, _)| first <= key)
            .checked_sub(1)
    }

    /// How many bytes it takes in the file.
    pub(crate) fn len(&self) -> u64 {
        8 + (self.rows.len() * DIRECTORY_ROW) as u64
    }

    pub(crate) fn first_key(&self, group: usize) -> Option<IndexKey> {
        self.rows.get(group).map(|(first, _, _)| *first)
    }

    pub(crate) fn groups(&self) -> usize {
        self.rows.len()
    }

    /// Where a group stands after the directory: its start, its length, its checksum.
    pub(crate) fn group(&self, group: usize) -> Decoded<(u64, usize, u32)> {
        const OUTSIDE: Malformed = Malformed("a group lies outside its index");
        let (_, start, crc) = self.rows.get(group).ok_or(OUTSIDE)?;
        let end = self
            .rows
            .get(group + 1)
            .map_or(self.groups_len, |row| u64::from(row.1));
        let start = u64::from(*start);
        if start > end || end > self.groups_len {
            return Err(OUTSIDE);
        }
        Ok((start, (end - start) as usize, *crc))
    }
}

/// Goes through the keys of a group and their payloads.
pub(crate) fn for_each<'a>(
    group: &'a [u8],
    mut visit: impl FnMut(IndexKey, &'a [u8]) -> bool,
) -> Decoded<()> {
    let mut input = Input::new(group);
    let mut last = IndexKey::new(0, 0, 0);
    while input.remaining() > 0 {
        let key = key(&mut input, &mut last)?;
        if !visit(key, input.bytes()?) {
            break;
        }
    }
    Ok(())
}

/// A list of counts by block, of blocks below `end`.
pub(crate) fn postings(
    bytes: &[u8],
    first_block: u32,
    end: u32,
    out: &mut Vec<Posting>,
) -> Decoded<()> {
    let mut input = Input::new(bytes);
    let mut block = first_block;
    while input.remaining() > 0 {
        block = next_block(&mut input, block, end)?;
        let count = input.number()?;
        out.push(Posting { block, count });
    }
    Ok(())
}

/// What a frame did by block, of blocks below `end`.
pub(crate) fn touches(
    bytes: &[u8],
    first_block: u32,
    end: u32,
    out: &mut Vec<FrameTouch>,
) -> Decoded<()> {
    let mut input = Input::new(bytes);
    let mut block = first_block;
    while input.remaining() > 0 {
        block = next_block(&mut input, block, end)?;
        out.push(FrameTouch::decode(block, &mut input)?);
    }
    Ok(())
}

/// Positions of uncaught raises.
pub(crate) fn positions(bytes: &[u8], _: u32, _: u32, out: &mut Vec<u64>) -> Decoded<()> {
    let mut input = Input::new(bytes);
    let mut last = 0u64;
    while input.remaining() > 0 {
        last = last.wrapping_add(input.signed()? as u64);
        out.push(last);
    }
    Ok(())
}

fn next_block(input: &mut Input<'_>, last: u32, end: u32) -> Decoded<u32> {
    let block = last.saturating_add(input.number32()?);
    if block >= end {
        return Err(Malformed("an index names a block beyond it"));
    }
    Ok(block)
}

impl SegmentBuilder {
    /// The payload of a key other than a thread's span, as it would stand in a file.
    pub(crate) fn payload(&self, key: &IndexKey) -> Option<Cow<'_, [u8]>> {
        if key.kind == keys::UNCAUGHT {
            return Some(Cow::Owned(self.uncaught_payload()));
        }
        let (_, list) = self.entries.get(key)?;
        Some(Cow::Borrowed(list))
    }

    /// What is said of frames below `called`, as it would stand in a file.
    pub(crate) fn frames_below(&self, called: u64) -> impl Iterator<Item = (IndexKey, &[u8])> {
        let frames = self.entries.iter();
        let below = frames.filter(move |(key, _)| key.kind == keys::FRAME && key.a < called);
        below.map(|(key, (_, list))| (*key, list.as_slice()))
    }

    pub(crate) fn threads(&self) -> impl Iterator<Item = (u32, &ThreadSpan)> {
        self.threads.iter().map(|(thread, span)| (*thread, span))
    }

    fn uncaught_payload(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut last = 0;
        for position in &self.uncaught {
            put_signed(&mut out, position.wrapping_sub(last) as i64);
            last = *position;
        }
        out
    }
}
