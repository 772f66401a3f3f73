//! Which blocks a question concerns: lists of postings over the whole recording, put together from the
//! segments and, for blocks that have none yet, from the blocks themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Recording;
use super::cache::Cache;
use crate::chunk::CHUNK_HEADER_LEN;
use crate::footer::SegmentRow;
use crate::segment::{
    self, Directory, FrameTouch, IndexKey, Posting, SegmentBuilder, ThreadSpan, for_each, keys,
};
use crate::varint::{Decoded, Malformed};
use crate::{FrameId, ObjectId, Position, Result, ThreadId, ThreadInfo};

const DIRECTORIES_BYTES: usize = 10 << 20;
const GROUPS_BYTES: usize = 4 << 20;
const LISTS_BYTES: usize = 8 << 20;
/// About what one segment takes that is made again; only one is kept.
const REBUILT_BYTES: usize = 8 << 20;

/// What was read of the segments.
#[derive(Debug)]
pub(crate) struct Index {
    directories: Cache<u32, Directory>,
    groups: Cache<(u32, u32), Vec<u8>>,
    lists: Cache<IndexKey, Vec<Posting>>,
    touches: Cache<FrameId, Vec<FrameTouch>>,
    /// The blocks after the last segment.
    tail: OnceLock<SegmentBuilder>,
    rebuilt: Cache<u32, SegmentBuilder>,
    uncaught: OnceLock<Vec<u64>>,
    damage: Mutex<BTreeMap<u32, &'static str>>,
    /// Damaged blocks that no index covers.
    missing: Mutex<BTreeSet<u32>>,
}

impl Index {
    pub(crate) fn new() -> Index {
        Index {
            directories: Cache::new(DIRECTORIES_BYTES),
            groups: Cache::new(GROUPS_BYTES),
            lists: Cache::new(LISTS_BYTES),
            touches: Cache::new(LISTS_BYTES),
            tail: OnceLock::new(),
            rebuilt: Cache::new(REBUILT_BYTES),
            uncaught: OnceLock::new(),
            damage: Mutex::default(),
            missing: Mutex::default(),
        }
    }

    /// The segments found damaged so far, with the rule each breaks.
    pub(crate) fn damage(&self) -> BTreeMap<u32, &'static str> {
        let damage = self.damage.lock();
        damage.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recording {
    /// The blocks in which a key matches, ascending, damaged ones included.
    pub(crate) fn list(&self, key: IndexKey) -> Result<Arc<Vec<Posting>>> {
        if let Some(list) = self.index.lists.get(key) {
            return Ok(list);
        }
        let list = self.gather(key, segment::postings)?;
        let bytes = list.len() * size_of::<Posting>() + 64;
        Ok(self.index.lists.insert(key, list, bytes))
    }

    /// What a frame did in the blocks after the one it was called in.
    pub(crate) fn touches(&self, frame: FrameId) -> Result<Arc<Vec<FrameTouch>>> {
        if let Some(touches) = self.index.touches.get(frame) {
            return Ok(touches);
        }
        let key = IndexKey::new(keys::FRAME, frame.0, 0);
        let touches = self.gather(key, segment::touches)?;
        let bytes = touches
            .iter()
            .map(|touch: &FrameTouch| size_of::<FrameTouch>() + touch.writes.len() * 16)
            .sum::<usize>();
        Ok(self.index.touches.insert(frame, touches, bytes + 64))
    }

    /// The block in which a frame was called, if its number follows the order of calls.
    pub(crate) fn home_of_frame(&self, frame: FrameId) -> Option<u32> {
        let blocks = &self.layout.tables.blocks;
        let after = blocks.partition_point(|row| row.place.first_frame <= frame.0);
        after.checked_sub(1).map(|number| number as u32)
    }

    /// The block in which an object was first seen, if its number follows the order of first sights.
    pub(crate) fn home_of_object(&self, object: ObjectId) -> Option<u32> {
        let blocks = &self.layout.tables.blocks;
        let after = blocks.partition_point(|row| row.place.first_object <= object.0);
        after.checked_sub(1).map(|number| number as u32)
    }

    /// The positions of uncaught raises, ascending.
    pub(crate) fn uncaught(&self) -> Result<&[u64]> {
        if let Some(uncaught) = self.index.uncaught.get() {
            return Ok(uncaught);
        }
        let key = IndexKey::new(keys::UNCAUGHT, 0, 0);
        let mut positions = self.gather(key, segment::positions)?;
        let end = self.layout.tables.end();
        positions.retain(|position| *position < end);
        positions.sort_unstable();
        positions.dedup();
        Ok(self.index.uncaught.get_or_init(|| positions))
    }

    pub(crate) fn thread_infos(&self) -> Result<Vec<ThreadInfo>> {
        let mut spans: BTreeMap<u32, ThreadSpan> = BTreeMap::new();
        let mut add = |thread: u32, span: &ThreadSpan| match spans.get_mut(&thread) {
            Some(known) => known.extend(span),
            None => {
                spans.insert(thread, span.clone());
            }
        };
        for number in 0..self.layout.tables.segments.len() as u32 {
            match self.thread_spans(number)? {
                Ok(threads) => threads.iter().for_each(|(thread, span)| add(*thread, span)),
                Err(malformed) => {
                    self.segment_damage(number, malformed);
                    let rebuilt = self.rebuilt(number)?;
                    rebuilt
                        .threads()
                        .for_each(|(thread, span)| add(thread, span));
                }
            }
        }
        let tail = self.tail()?;
        tail.threads().for_each(|(thread, span)| add(thread, span));
        let mut infos: Vec<ThreadInfo> = spans
            .into_iter()
            .map(|(thread, span)| ThreadInfo {
                thread: ThreadId(thread),
                name: span.name.unwrap_or_else(|| Arc::from("")),
                first: Position(span.first),
                last: Position(span.last),
                ended: span.ended,
            })
            .collect();
        infos.sort_by_key(|info| info.first);
        Ok(infos)
    }

    /// The threads of a segment.
    fn thread_spans(&self, number: u32) -> Result<Decoded<Vec<(u32, ThreadSpan)>>> {
        let mut spans = Vec::new();
        let directory = match self.directory(number)? {
            Ok(directory) => directory,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let first = IndexKey::new(keys::THREAD_SPAN, 0, 0);
        for group in directory.group_of(&first).unwrap_or(0)..directory.groups() {
            let bytes = match self.group(number, &directory, group)? {
                Ok(bytes) => bytes,
                Err(malformed) => return Ok(Err(malformed)),
            };
            let mut over = false;
            let mut decoded = Ok(());
            let walked = for_each(&bytes, |key, payload| {
                match (key.kind, u32::try_from(key.a)) {
                    (keys::THREAD_SPAN, Ok(thread)) => match ThreadSpan::decode(payload) {
                        Ok(span) => spans.push((thread, span)),
                        Err(malformed) => decoded = Err(malformed),
                    },
                    _ => over = key > first,
                }
                !over
            });
            if let Err(malformed) = walked.and(decoded) {
                return Ok(Err(malformed));
            }
            if over {
                break;
            }
        }
        Ok(Ok(spans))
    }

    /// The index of the blocks after the last segment.
    fn tail(&self) -> Result<&SegmentBuilder> {
        if let Some(tail) = self.index.tail.get() {
            return Ok(tail);
        }
        let first = self.layout.tables.indexed_blocks();
        let tail = self.index_blocks(first, self.layout.tables.blocks.len() as u32)?;
        Ok(self.index.tail.get_or_init(|| tail))
    }

    /// The index of a segment that is damaged, made again from its blocks.
    fn rebuilt(&self, number: u32) -> Result<Arc<SegmentBuilder>> {
        if let Some(rebuilt) = self.index.rebuilt.get(number) {
            return Ok(rebuilt);
        }
        let row = self.layout.tables.segments.get(number as usize);
        let (first, blocks) = row.map_or((0, 0), |row| (row.first_block, row.blocks));
        let rebuilt = self.index_blocks(first, first + blocks)?;
        Ok(self.index.rebuilt.insert(number, rebuilt, REBUILT_BYTES))
    }

    fn index_blocks(&self, first: u32, end: u32) -> Result<SegmentBuilder> {
        let mut builder = SegmentBuilder::new(first);
        for number in first..end {
            let Some(row) = self.block_row(number) else {
                continue;
            };
            match self.block(number)? {
                Some(block) => {
                    let mut facts = block.facts(number, &row.place);
                    if let Ok(contents) = self.contents(number) {
                        facts.contents = contents.objects().collect();
                    }
                    if let Ok(deltas) = self.deltas(number) {
                        facts.deltas = deltas.spans().collect();
                    }
                    builder.add(&facts, |function| {
                        Some(self.function(function).ok()?.source)
                    });
                }
                None => {
                    let missing = self.index.missing.lock();
                    let mut missing = missing.unwrap_or_else(PoisonError::into_inner);
                    missing.insert(number);
                }
            }
        }
        Ok(builder)
    }

    /// # Errors
    ///
    /// [`crate::Error::Corrupt`] if a damaged block that no index covers lies in `blocks`: what happened
    /// in it is not known.
    pub(crate) fn nothing_missing(&self, mut blocks: std::ops::Range<u32>) -> Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let missing = self.index.missing.lock();
        let missing = missing.unwrap_or_else(PoisonError::into_inner).clone();
        match blocks.find(|block| missing.contains(block)) {
            None => Ok(()),
            Some(number) => self.needed_block(number).map(|_| ()),
        }
    }

    /// What all segments and the tail say of a key.
    fn gather<T>(
        &self,
        key: IndexKey,
        decode: impl Fn(&[u8], u32, u32, &mut Vec<T>) -> Decoded<()>,
    ) -> Result<Vec<T>> {
        let mut out = Vec::new();
        for (number, row) in self.layout.tables.segments.iter().enumerate() {
            let end = row.first_block + row.blocks;
            let kept = out.len();
            let stored = self.stored(number as u32, key)?;
            let decoded = stored.and_then(|payload| match payload {
                Some(payload) => decode(&payload, row.first_block, end, &mut out),
                None => Ok(()),
            });
            if let Err(malformed) = decoded {
                out.truncate(kept);
                self.segment_damage(number as u32, malformed);
                let rebuilt = self.rebuilt(number as u32)?;
                if let Some(payload) = rebuilt.payload(&key) {
                    // What this process put together itself is well formed.
                    let _ = decode(&payload, row.first_block, end, &mut out);
                }
            }
        }
        let tail = self.tail()?;
        if let Some(payload) = tail.payload(&key) {
            let end = self.layout.tables.blocks.len() as u32;
            let _ = decode(&payload, tail.first_block, end, &mut out);
        }
        Ok(out)
    }

    /// Adds the frames below `called` that resume in blocks after `number`.
    pub(crate) fn resumed_in_later_blocks(
        &self,
        number: u32,
        called: u64,
        frames: &mut Vec<FrameId>,
    ) -> Result<()> {
        for (at, row) in self.layout.tables.segments.iter().enumerate() {
            let end = row.first_block + row.blocks;
            if end <= number + 1 {
                continue;
            }
            let mut add = |key: IndexKey, payload: &[u8]| -> Decoded<()> {
                resumed(key, payload, row.first_block..end, number, frames)
            };
            let read = self.frames_below(at as u32, called, &mut add)?;
            if let Err(malformed) = read {
                self.segment_damage(at as u32, malformed);
                let rebuilt = self.rebuilt(at as u32)?;
                for (key, payload) in rebuilt.frames_below(called) {
                    let _ = add(key, payload);
                }
            }
        }
        let tail = self.tail()?;
        let blocks = tail.first_block..self.layout.tables.blocks.len() as u32;
        for (key, payload) in tail.frames_below(called) {
            let _ = resumed(key, payload, blocks.clone(), number, frames);
        }
        Ok(())
    }

    /// Goes through what a segment in the file says of frames below `called`.
    fn frames_below(
        &self,
        number: u32,
        called: u64,
        visit: &mut dyn FnMut(IndexKey, &[u8]) -> Decoded<()>,
    ) -> Result<Decoded<()>> {
        let directory = match self.directory(number)? {
            Ok(directory) => directory,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let first = IndexKey::new(keys::FRAME, 0, 0);
        let end = IndexKey::new(keys::FRAME, called, 0);
        for group in directory.group_of(&first).unwrap_or(0)..directory.groups() {
            if directory.first_key(group).is_none_or(|key| key >= end) {
                break;
            }
            let bytes = match self.group(number, &directory, group)? {
                Ok(bytes) => bytes,
                Err(malformed) => return Ok(Err(malformed)),
            };
            let mut visited = Ok(());
            let walked = for_each(&bytes, |key, payload| {
                if key >= first && key < end && visited.is_ok() {
                    visited = visit(key, payload);
                }
                key < end
            });
            if let Err(malformed) = walked.and(visited) {
                return Ok(Err(malformed));
            }
        }
        Ok(Ok(()))
    }

    /// What a segment in the file says of a key.
    fn stored(&self, number: u32, key: IndexKey) -> Result<Decoded<Option<Vec<u8>>>> {
        let directory = match self.directory(number)? {
            Ok(directory) => directory,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let Some(group) = directory.group_of(&key) else {
            return Ok(Ok(None));
        };
        let bytes = match self.group(number, &directory, group)? {
            Ok(bytes) => bytes,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut found = None;
        let walked = for_each(&bytes, |known, payload| {
            if known == key {
                found = Some(payload.to_vec());
            }
            known < key
        });
        Ok(walked.map(|()| found))
    }

    fn directory(&self, number: u32) -> Result<Decoded<Arc<Directory>>> {
        if let Some(directory) = self.index.directories.get(number) {
            return Ok(Ok(directory));
        }
        if let Some(rule) = self.index.damage().get(&number) {
            return Ok(Err(Malformed(rule)));
        }
        let read = match self.layout.tables.segments.get(number as usize) {
            Some(row) => self.read_directory(row)?,
            None => Err(Malformed("there is no such index")),
        };
        Ok(read.map(|directory| {
            let bytes = directory.groups() * 24 + 64;
            self.index.directories.insert(number, directory, bytes)
        }))
    }

    fn read_directory(&self, row: &SegmentRow) -> Result<Decoded<Directory>> {
        let body = row.chunk.offset + CHUNK_HEADER_LEN as u64;
        let mut start = [0; 8];
        let read = self.file.read_at(&mut start, body)?;
        let len = match Directory::len_bytes(
            start.get(..read).unwrap_or_default(),
            row.chunk
                .body_len
                .min(self.layout.len_bytes.saturating_sub(body)),
        ) {
            Ok(len) => len,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut bytes = vec![0; len];
        if self.file.read_at(&mut bytes, body)? < len {
            return Ok(Err(Malformed("an index's directory is cut off")));
        }
        Ok(Directory::decode(&bytes, row.chunk.body_len))
    }

    fn group(
        &self,
        number: u32,
        directory: &Directory,
        group: usize,
    ) -> Result<Decoded<Arc<Vec<u8>>>> {
        let key = (number, group as u32);
        if let Some(bytes) = self.index.groups.get(key) {
            return Ok(Ok(bytes));
        }
        let Some(row) = self.layout.tables.segments.get(number as usize) else {
            return Ok(Err(Malformed("there is no such index")));
        };
        let (start, len, crc) = match directory.group(group) {
            Ok(place) => place,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let offset = row.chunk.offset + CHUNK_HEADER_LEN as u64 + directory.len() + start;
        if offset.saturating_add(len as u64) > self.layout.len_bytes {
            return Ok(Err(Malformed("a group lies outside its index")));
        }
        let mut bytes = vec![0; len];
        let read = self.file.read_at(&mut bytes, offset)?;
        if read < len || crc32c::crc32c(&bytes) != crc {
            return Ok(Err(Malformed("a group of an index has a wrong checksum")));
        }
        Ok(Ok(self.index.groups.insert(key, bytes, len + 64)))
    }

    fn segment_damage(&self, number: u32, malformed: Malformed) {
        let damage = self.index.damage.lock();
        let mut damage = damage.unwrap_or_else(PoisonError::into_inner);
        damage.insert(number, malformed.0);
    }
}

/// Adds the frame of a key if it resumes in a block after `number`.
fn resumed(
    key: IndexKey,
    payload: &[u8],
    blocks: std::ops::Range<u32>,
    number: u32,
    frames: &mut Vec<FrameId>,
) -> Decoded<()> {
    let mut touches = Vec::new();
    segment::touches(payload, blocks.start, blocks.end, &mut touches)?;
    let mut later = touches.iter().filter(|touch| touch.block > number);
    if later.any(|touch| touch.resumes > 0) {
        frames.push(FrameId(key.a));
    }
    Ok(())
}
