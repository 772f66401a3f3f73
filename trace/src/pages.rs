//! Long lists in pages: what became of their elements, so that some of them are read without the others.
//!
//! A page is a run of [`PAGE`] indexes. For each page a chunk says which of its elements got which values
//! in which block, and now and then all of them; for each list, how long it was. Chunks of pages repeat
//! what the events say, so that a reader without them finds the same, slowly. `docs/format.md` describes
//! the bytes.

pub(crate) mod write;

use std::ops::Range;

use crate::block::section;
use crate::chunk::field;
use crate::codec::{Last, ValueReader, object_kind, skip_value};
use crate::strings::Strings;
use crate::varint::{Decoded, Input, Malformed};
use crate::{Content, ObjectId, ObjectKind, TypeId, Value};

/// Elements of a page.
pub(crate) const PAGE: u64 = 256;
/// Elements from which on a list is kept in pages.
pub(crate) const LONG: usize = 4096;
/// Most elements of a list that is kept in pages.
const LONGEST: u64 = 1 << 30;
/// Most pages of one group, the part of a list that is compressed by itself.
const GROUP_PAGES: usize = 16;
/// A group that has so many bytes gets no further pages.
const GROUP_BYTES: usize = 1 << 18;
const DIRECTORY_ROW: usize = 24;

/// Whether contents are elements and nothing else, all of them recorded.
pub(crate) fn is_plain(content: &Content) -> bool {
    matches!(content.kind, ObjectKind::List | ObjectKind::Deque)
        && content.items.len() as u64 == content.len
        && content.len <= LONGEST
        && content.sparse.is_empty()
        && content.entries.is_empty()
        && content.attributes.is_empty()
        && content.attributes_omitted == 0
        && content.text.is_none()
}

/// The lists of a chunk of pages.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    rows: Vec<Row>,
}

/// Where what a chunk says of a list stands in its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) object: ObjectId,
    pub(crate) offset: u64,
    pub(crate) raw: u32,
    pub(crate) stored: u32,
    pub(crate) crc: u32,
}

impl Directory {
    /// How many bytes a directory has, by the first four bytes of a body.
    pub(crate) fn len_bytes(start: &[u8], body_len: u64) -> Decoded<usize> {
        const SHORT: Malformed = Malformed("a directory of pages is cut off");
        let lists = u32::from_le_bytes(field(start, 0).ok_or(SHORT)?);
        let len = 8 + u64::from(lists) * DIRECTORY_ROW as u64;
        match usize::try_from(len) {
            Ok(bytes) if len <= body_len => Ok(bytes),
            _ => Err(SHORT),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Decoded<Directory> {
        const SHORT: Malformed = Malformed("a directory of pages is cut off");
        let crc = u32::from_le_bytes(field(bytes, 4).ok_or(SHORT)?);
        let rows = bytes.get(8..).ok_or(SHORT)?;
        if crc != crc32c::crc32c(rows) {
            return Err(Malformed("a directory of pages has a wrong checksum"));
        }
        let mut directory = Directory::default();
        for row in rows.as_chunks::<DIRECTORY_ROW>().0 {
            let object = u64::from_le_bytes(field(row, 0).ok_or(SHORT)?);
            let [offset, raw, stored, crc] = [8, 12, 16, 20].map(|at| field(row, at));
            let number = |bytes: Option<[u8; 4]>| bytes.map(u32::from_le_bytes).ok_or(SHORT);
            directory.rows.push(Row {
                object: ObjectId(object),
                offset: bytes.len() as u64 + u64::from(number(offset)?),
                raw: number(raw)?,
                stored: number(stored)?,
                crc: number(crc)?,
            });
        }
        if !directory.rows.is_sorted_by_key(|row| row.object) {
            return Err(Malformed("a directory of pages is out of order"));
        }
        Ok(directory)
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// How long a list was at the end of a block that changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) block: u32,
    /// The number of events from its last change to the block's end.
    pub(crate) since: u64,
    pub(crate) shape: Shape,
}

/// What a list is, besides its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) kind: ObjectKind,
    pub(crate) type_id: TypeId,
    pub(crate) len: u64,
}

impl Shape {
    pub(crate) fn of(content: &Content) -> Shape {
        Shape {
            kind: content.kind,
            type_id: content.type_id,
            len: content.len,
        }
    }
}

/// Where a group of pages stands in a chunk's body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    first_page: u32,
    pub(crate) offset: u64,
    pub(crate) raw: u32,
    pub(crate) stored: u32,
    pub(crate) crc: u32,
}

/// What a chunk says of a list, without its pages.
#[derive(Debug, Default)]
pub(crate) struct ListHead {
    moments: Vec<Moment>,
    /// For each page how many chunks before this one the last one stands that has it.
    newest: Vec<Option<u32>>,
    groups: Vec<Group>,
}

impl ListHead {
    /// Decodes the head at `row`, of a chunk over blocks from `first_block` on and below `end`.
    pub(crate) fn decode(bytes: &[u8], row: &Row, blocks: Range<u32>) -> Decoded<ListHead> {
        if crc32c::crc32c(bytes) != row.crc {
            return Err(Malformed("a list's pages have a wrong checksum"));
        }
        let bytes = section::decompress(bytes, row.raw as usize)?;
        let mut input = Input::new(&bytes);
        let mut head = ListHead::default();
        let mut block = blocks.start;
        for _ in 0..input.count(5)? {
            block = block.saturating_add(input.number32()?);
            if block >= blocks.end {
                return Err(Malformed("a list's pages name a block beyond them"));
            }
            let since = input.number()?;
            let shape = Shape {
                len: input.number()?,
                type_id: TypeId(input.number32()?),
                kind: object_kind(input.number()?)?,
            };
            if shape.len > LONGEST {
                return Err(Malformed("a list in pages is too long"));
            }
            head.moments.push(Moment {
                block,
                since,
                shape,
            });
        }
        for _ in 0..input.count(1)? {
            head.newest.push(match input.optional()? {
                None => None,
                Some(back) => Some(u32::try_from(back).map_err(|_| FAR)?),
            });
        }
        let mut page = 0_u32;
        let mut offset = row.offset + u64::from(row.stored);
        for _ in 0..input.count(7)? {
            page = page.saturating_add(input.number32()?);
            let group = Group {
                first_page: page,
                offset,
                raw: input.number32()?,
                stored: input.number32()?,
                crc: u32::from_le_bytes(input.array()?),
            };
            offset += u64::from(group.stored);
            head.groups.push(group);
        }
        input.end()?;
        Ok(head)
    }

    /// What is said of a block that changed the list.
    pub(crate) fn moment(&self, block: u32) -> Option<&Moment> {
        let found = self.moments.binary_search_by_key(&block, |it| it.block);
        self.moments.get(found.ok()?)
    }

    /// What is said of the blocks that changed the list, ascending.
    pub(crate) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// How many chunks back the last one stands that has a page.
    pub(crate) fn newest(&self, page: u64) -> Option<u32> {
        let page = usize::try_from(page).ok()?;
        self.newest.get(page).copied().flatten()
    }

    /// The group that has a page if any has.
    pub(crate) fn group(&self, page: u64) -> Option<&Group> {
        let after = self
            .groups
            .partition_point(|group| u64::from(group.first_page) <= page);
        self.groups.get(after.checked_sub(1)?)
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.moments.len() * size_of::<Moment>()
            + self.newest.len() * size_of::<Option<u32>>()
            + self.groups.len() * size_of::<Group>()
            + 128
    }
}

const FAR: Malformed = Malformed("a page points too far back");

impl Group {
    pub(crate) fn unpack(&self, bytes: &[u8]) -> Decoded<Vec<u8>> {
        if crc32c::crc32c(bytes) != self.crc {
            return Err(Malformed("a group of pages has a wrong checksum"));
        }
        section::decompress(bytes, self.raw as usize)
    }

    /// The bytes of a page in its group.
    pub(crate) fn page<'a>(&self, group: &'a [u8], wanted: u64) -> Decoded<Option<&'a [u8]>> {
        let mut input = Input::new(group);
        let mut page = u64::from(self.first_page);
        while input.remaining() > 0 {
            page = page.saturating_add(input.number()?);
            let bytes = input.bytes()?;
            if page == wanted {
                return Ok(Some(bytes));
            }
            if page > wanted {
                break;
            }
        }
        Ok(None)
    }
}

/// The blocks in which an element of a page got a value, or the whole page was written, ascending.
/// `first_block` is the chunk's.
pub(crate) fn blocks_of_element(
    bytes: &[u8],
    first_block: u32,
    wanted: usize,
) -> Decoded<Vec<u32>> {
    let mut input = Input::new(bytes);
    let mut blocks = Vec::new();
    input.optional()?;
    Strings::decode(&mut input)?;
    let mut block = first_block;
    let mut last_value: Last = 0;
    while input.remaining() > 0 {
        block = block.saturating_add(input.number32()?);
        let count = input.number()?;
        let is_full = count & 1 != 0;
        let mut is_touched = is_full;
        let mut place = 0_usize;
        for _ in 0..count >> 1 {
            if !is_full {
                place = place.saturating_add(input.number32()? as usize);
                is_touched |= place == wanted;
            }
            skip_value(&mut last_value, &mut input)?;
        }
        if is_touched {
            blocks.push(block);
        }
    }
    Ok(blocks)
}

/// What was read of a page in one chunk.
#[derive(Debug, Default)]
pub(crate) struct PageRead {
    /// Whether what earlier chunks say of the page is over.
    pub(crate) is_full: bool,
    /// How many chunks back the one before stands that has the page.
    pub(crate) before: Option<u32>,
}

/// Fills the places of `out` that are empty with the elements of a page that stand at the places
/// `wanted`, as they were at the end of block `last`. `first_block` is the chunk's.
pub(crate) fn read_page(
    bytes: &[u8],
    first_block: u32,
    last: u32,
    wanted: Range<usize>,
    out: &mut [Option<Value>],
) -> Decoded<PageRead> {
    let mut input = Input::new(bytes);
    let mut read = PageRead::default();
    if let Some(before) = input.optional()? {
        read.before = Some(u32::try_from(before).map_err(|_| FAR)?);
    }
    let mut strings = Strings::decode(&mut input)?;
    let mut values = ValueReader::new(&mut strings);
    let mut here: Vec<Option<Value>> = vec![None; wanted.len()];
    let mut block = first_block;
    let mut last_value: Last = 0;
    while input.remaining() > 0 {
        block = block.saturating_add(input.number32()?);
        if block > last {
            break;
        }
        let count = input.number()?;
        let is_full = count & 1 != 0;
        if is_full {
            read.is_full = true;
            here.fill(None);
        }
        let mut place = 0_usize;
        for number in 0..count >> 1 {
            match is_full {
                true => place = number as usize,
                false => place = place.saturating_add(input.number32()? as usize),
            }
            if place as u64 >= PAGE {
                return Err(Malformed("an element is outside its page"));
            }
            let slot = place
                .checked_sub(wanted.start)
                .and_then(|at| here.get_mut(at));
            match slot {
                Some(slot) => *slot = Some(values.value(&mut last_value, &mut input)?),
                None => skip_value(&mut last_value, &mut input)?,
            }
        }
    }
    for (slot, value) in out.iter_mut().zip(here) {
        if slot.is_none() {
            *slot = value;
        }
    }
    Ok(read)
}
