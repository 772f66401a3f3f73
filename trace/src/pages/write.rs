//! Collecting the pages of long lists while their events are written.

use std::collections::BTreeMap;

use super::{DIRECTORY_ROW, GROUP_BYTES, GROUP_PAGES, Moment, PAGE, Shape};
use crate::block::section::Packer;
use crate::codec::{Last, put_value};
use crate::content::{ObjectState, Resolve};
use crate::strings::StringTable;
use crate::varint::{put, put_bytes, put_optional};
use crate::{Change, ObjectId, Value};

/// Changes of a page after which it is written in full.
const MOST_CHANGES: u32 = 2 * PAGE as u32;
/// Chunks with changes of a page after which it is written in full.
const MOST_CHUNKS: u32 = 8;
/// Pages are written in full for that reason up to this share of the events.
const EVENTS_PER_VALUE: usize = 8;
/// Bytes that wait for a chunk to be written.
const FULL_BYTES: usize = 16 << 20;
/// Blocks of a full chunk.
const CHUNK_BLOCKS: u32 = 128;

/// A list that is kept in pages.
#[derive(Debug)]
pub(crate) struct LongList {
    state: ObjectState,
    /// Elements that got a value in the open block.
    touched: Vec<u32>,
    /// Whether all elements did.
    is_new: bool,
}

impl LongList {
    /// A list that becomes one that is kept in pages.
    pub(crate) fn new(state: ObjectState) -> LongList {
        LongList {
            state,
            touched: Vec::new(),
            is_new: true,
        }
    }

    /// Takes in a change that is not a new content. False if what it leads to is not known.
    pub(crate) fn apply(&mut self, change: &Change, others: &impl Resolve) -> bool {
        let len = self.state.fixed().len;
        match change {
            Change::SetItem { index, .. } if *index < len => self.touched.push(*index as u32),
            Change::Append { .. } => self.touched.push(len as u32),
            Change::Clear => self.touched.clear(),
            _ => {}
        }
        self.state.apply(change, others).is_ok()
    }

    /// How many elements it has.
    pub(crate) fn len(&self) -> usize {
        self.state.fixed().items.len()
    }

    pub(crate) fn into_state(self) -> ObjectState {
        self.state
    }
}

/// What waits to be written of a page.
#[derive(Debug, Default)]
struct Pending {
    /// How many chunks back the one before stands that has the page.
    before: Option<u32>,
    strings: StringTable,
    bytes: Vec<u8>,
    last_block: u32,
    last_value: Last,
}

/// One page of a list.
#[derive(Debug, Default)]
struct Page {
    pending: Option<Box<Pending>>,
    /// The last chunk that has it.
    newest: Option<u32>,
    /// Changes and chunks since it was written in full.
    changes: u32,
    chunks: u32,
}

/// The pages of one list.
#[derive(Debug, Default)]
struct Pages {
    pages: Vec<Page>,
    moments: Vec<Moment>,
}

/// The pages of all lists that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct PageBuilder {
    /// The number of the chunk that will have them.
    chunk: u32,
    first_block: Option<u32>,
    /// One more than the last block that was added.
    end: u32,
    lists: BTreeMap<ObjectId, Pages>,
    bytes: usize,
    /// How many elements may be written again that did not change.
    credit: usize,
}

/// A chunk of pages that is ready to be written.
#[derive(Debug)]
pub(crate) struct PageChunk {
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
    pub(crate) body: Vec<u8>,
}

impl PageBuilder {
    /// Adds what a block did to a list; `since` is the number of events from its last change to the
    /// block's end. False if the list can be kept in pages no longer.
    pub(crate) fn add(
        &mut self,
        object: ObjectId,
        list: &mut LongList,
        block: u32,
        since: u64,
    ) -> bool {
        let mut touched = std::mem::take(&mut list.touched);
        let is_new = std::mem::replace(&mut list.is_new, false);
        let first_block = *self.first_block.get_or_insert(block);
        self.end = block + 1;
        let pages = self.lists.entry(object).or_default();
        let Some(content) = list.state.plain() else {
            return false;
        };
        pages.moments.push(Moment {
            block,
            since,
            shape: Shape::of(content),
        });
        let count = content.items.len().div_ceil(PAGE as usize);
        if pages.pages.len() < count {
            pages.pages.resize_with(count, Page::default);
        }
        let mut at = Place {
            block,
            first_block,
            chunk: self.chunk,
            credit: &mut self.credit,
        };
        let mut runs = content.items.chunks(PAGE as usize);
        if is_new {
            for (page, items) in pages.pages.iter_mut().zip(runs) {
                self.bytes += page.put(&mut at, items, None);
            }
            return true;
        }
        touched.sort_unstable();
        touched.dedup();
        let page_of = |index: &u32| *index as usize / PAGE as usize;
        let mut passed = 0;
        for run in touched.chunk_by(|a, b| page_of(a) == page_of(b)) {
            let number = run.first().map_or(0, page_of);
            let items = runs.nth(number - passed);
            passed = number + 1;
            // What was appended may have been removed again.
            if let (Some(page), Some(items)) = (pages.pages.get_mut(number), items) {
                self.bytes += page.put(&mut at, items, Some(run));
            }
        }
        true
    }

    /// Counts the events of a block.
    pub(crate) fn count(&mut self, events: usize) {
        self.credit = (self.credit + events / EVENTS_PER_VALUE).min(1 << 20);
    }

    /// The chunk that was taken last is not written, and no list is kept in pages any more.
    pub(crate) fn lose_chunk(&mut self) {
        self.chunk -= 1;
        self.lists.clear();
    }

    /// Whether a chunk is to be written after block number `block`.
    pub(crate) fn is_full(&self, block: u32) -> bool {
        let first = self.first_block;
        self.bytes >= FULL_BYTES || first.is_some_and(|first| block - first + 1 >= CHUNK_BLOCKS)
    }

    /// What waits to be written, if anything does. Lists that `is_kept` denies are forgotten.
    pub(crate) fn take(
        &mut self,
        packer: &mut Packer,
        is_kept: impl Fn(ObjectId) -> bool,
    ) -> Option<PageChunk> {
        let first_block = self.first_block.take()?;
        let mut rows = Vec::new();
        let mut data = Vec::new();
        for (object, pages) in &mut self.lists {
            if pages.moments.is_empty() {
                continue;
            }
            let groups = pages.groups(packer);
            let head = pages.head(self.chunk, first_block, &groups);
            let stored = packer.compress(&head);
            let stored = stored.as_deref().unwrap_or(&head);
            rows.extend_from_slice(&object.0.to_le_bytes());
            for number in [data.len(), head.len(), stored.len()] {
                rows.extend_from_slice(&(number as u32).to_le_bytes());
            }
            rows.extend_from_slice(&crc32c::crc32c(stored).to_le_bytes());
            data.extend_from_slice(stored);
            data.extend_from_slice(&groups.data);
        }
        self.lists.retain(|object, _| is_kept(*object));
        self.bytes = 0;
        self.chunk += 1;
        let lists = (rows.len() / DIRECTORY_ROW) as u32;
        let mut body = Vec::with_capacity(8 + rows.len() + data.len());
        body.extend_from_slice(&lists.to_le_bytes());
        body.extend_from_slice(&crc32c::crc32c(&rows).to_le_bytes());
        body.extend_from_slice(&rows);
        body.extend_from_slice(&data);
        Some(PageChunk {
            first_block,
            blocks: self.end - first_block,
            body,
        })
    }
}

/// Where a change of a page is written.
struct Place<'a> {
    block: u32,
    first_block: u32,
    chunk: u32,
    credit: &'a mut usize,
}

impl Page {
    /// Adds the elements at `touched`, or all of them; returns about how many bytes that took.
    fn put(&mut self, at: &mut Place<'_>, items: &[Value], touched: Option<&[u32]>) -> usize {
        if self.pending.is_none() {
            self.chunks += 1;
        }
        let newest = self.newest.replace(at.chunk);
        let pending = self.pending.get_or_insert_with(|| {
            Box::new(Pending {
                before: newest.map(|newest| at.chunk - newest),
                last_block: at.first_block,
                ..Pending::default()
            })
        });
        let before = pending.bytes.len() + pending.strings.len_bytes();
        self.changes += touched.map_or(0, |touched| touched.len() as u32);
        let mut is_full = touched.is_none() || self.changes >= MOST_CHANGES;
        if !is_full && self.chunks > MOST_CHUNKS && *at.credit >= items.len() {
            *at.credit -= items.len();
            is_full = true;
        }
        put(&mut pending.bytes, u64::from(at.block - pending.last_block));
        pending.last_block = at.block;
        match touched {
            Some(touched) if !is_full => pending.put_touched(items, touched),
            _ => {
                self.changes = 0;
                self.chunks = 1;
                put(&mut pending.bytes, (items.len() as u64) << 1 | 1);
                for value in items {
                    pending.put_value(value);
                }
            }
        }
        (pending.bytes.len() + pending.strings.len_bytes()).saturating_sub(before)
    }
}

impl Pending {
    fn put_touched(&mut self, items: &[Value], touched: &[u32]) {
        let place_of = |index: &u32| (u64::from(*index) % PAGE) as usize;
        let kept = touched.iter().map(place_of).filter(|at| *at < items.len());
        put(&mut self.bytes, (kept.clone().count() as u64) << 1);
        let mut last = 0;
        for place in kept {
            put(&mut self.bytes, (place - last) as u64);
            last = place;
            if let Some(value) = items.get(place) {
                self.put_value(value);
            }
        }
    }

    fn put_value(&mut self, value: &Value) {
        let Pending {
            strings,
            bytes,
            last_value,
            ..
        } = self;
        put_value(value, last_value, strings, bytes);
    }
}

/// Groups of pages, one after the other, and the table that says where each stands.
#[derive(Debug, Default)]
struct Groups {
    data: Vec<u8>,
    table: Vec<u8>,
    count: u64,
    last_first: u64,
}

impl Groups {
    fn add(&mut self, first: u64, raw: &[u8], packer: &mut Packer) {
        let stored = packer.compress(raw);
        let stored = stored.as_deref().unwrap_or(raw);
        put(&mut self.table, first - self.last_first);
        self.last_first = first;
        put(&mut self.table, raw.len() as u64);
        put(&mut self.table, stored.len() as u64);
        self.table
            .extend_from_slice(&crc32c::crc32c(stored).to_le_bytes());
        self.data.extend_from_slice(stored);
        self.count += 1;
    }
}

impl Pages {
    fn groups(&mut self, packer: &mut Packer) -> Groups {
        let mut groups = Groups::default();
        let (mut first, mut last, mut count) = (0, 0, 0);
        let mut raw = Vec::new();
        for (number, page) in (0_u64..).zip(&mut self.pages) {
            let Some(mut pending) = page.pending.take() else {
                continue;
            };
            if raw.is_empty() {
                (first, last, count) = (number, number, 0);
            }
            let mut payload = Vec::new();
            put_optional(&mut payload, pending.before.map(u64::from));
            payload.extend(pending.strings.take());
            payload.append(&mut pending.bytes);
            put(&mut raw, number - last);
            put_bytes(&mut raw, &payload);
            last = number;
            count += 1;
            if count >= GROUP_PAGES || raw.len() >= GROUP_BYTES {
                groups.add(first, &raw, packer);
                raw.clear();
            }
        }
        if !raw.is_empty() {
            groups.add(first, &raw, packer);
        }
        groups
    }

    fn head(&mut self, chunk: u32, first_block: u32, groups: &Groups) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.moments.len() as u64);
        let mut last = first_block;
        for moment in std::mem::take(&mut self.moments) {
            put(&mut out, u64::from(moment.block - last));
            last = moment.block;
            put(&mut out, moment.since);
            put(&mut out, moment.shape.len);
            put(&mut out, u64::from(moment.shape.type_id.0));
            put(&mut out, moment.shape.kind as u64);
        }
        put(&mut out, self.pages.len() as u64);
        for page in &self.pages {
            let back = page.newest.map(|newest| u64::from(chunk - newest));
            put_optional(&mut out, back);
        }
        put(&mut out, groups.count);
        out.extend_from_slice(&groups.table);
        out
    }
}
