//! Elements of long lists, from the pages that hold them and the changes since.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cache::Cache;
use super::objects::{blocks_before, object_key};
use super::{Excerpt, Recording};
use crate::block::Kind;
use crate::block::changes::Changes;
use crate::chunk::CHUNK_HEADER_LEN;
use crate::footer::PagesRow;
use crate::hash::Map;
use crate::pages::{Directory, Group, ListHead, Moment, PAGE, Row, blocks_of_element, read_page};
use crate::varint::{Decoded, Malformed};
use crate::{Change, Content, ObjectId, Position, Result, Value};

const HEADS_BYTES: usize = 2 << 20;
const GROUPS_BYTES: usize = 6 << 20;
/// More blocks than these are not read to find what became of a list since its pages were written.
const MOST_BLOCKS: usize = 128;

/// What was read of the chunks of pages.
#[derive(Debug)]
pub(crate) struct Pages {
    /// For each list the chunks that have it, ascending, and where.
    lists: OnceLock<Map<ObjectId, Vec<(u32, Row)>>>,
    heads: Cache<(u32, ObjectId), ListHead>,
    groups: Cache<(u32, u64), Vec<u8>>,
}

impl Pages {
    pub(crate) fn new() -> Pages {
        Pages {
            lists: OnceLock::new(),
            heads: Cache::new(HEADS_BYTES),
            groups: Cache::new(GROUPS_BYTES),
        }
    }

    pub(crate) fn forget(&self) {
        self.heads.clear();
        self.groups.clear();
    }
}

/// A long list at one position.
struct LongList {
    object: ObjectId,
    /// The chunk of pages that says what the list was at the end of some block.
    chunk: u32,
    moment: Moment,
    /// The changes since, by block.
    since: Vec<(u32, Arc<Changes>, Range<usize>)>,
    last: Position,
}

/// Blocks that change a list, but certainly not one of its elements.
pub(super) struct Untouched {
    object: ObjectId,
    index: u64,
    /// The last chunk that was asked, and what it says.
    known: Option<(u32, Vec<u32>)>,
}

impl Untouched {
    pub(super) fn new(object: ObjectId, index: u64) -> Untouched {
        Untouched {
            object,
            index,
            known: None,
        }
    }
}

/// Elements that were set since the pages were written.
struct Since {
    len: u64,
    /// Which change set an element: an index into the blocks, and the change's number there.
    set: Map<u64, (usize, u32)>,
}

impl Recording {
    /// Some elements of a list that is kept in pages; `None` for any other object, and where they cannot
    /// be read.
    pub(super) fn long_list_at(
        &self,
        object: ObjectId,
        range: Range<u64>,
        at: Position,
    ) -> Result<Option<(Excerpt, Position)>> {
        let Some(chunks) = self.lists_in_pages()?.get(&object) else {
            return Ok(None);
        };
        let Some(list) = self.long_list(object, chunks, at)? else {
            return Ok(None);
        };
        let is_whole = range == (0..u64::MAX);
        if is_whole && let Some(content) = self.objects.get((object, list.last.0)) {
            return Ok(Some((Excerpt { content, first: 0 }, list.last)));
        }
        let Some(since) = since(&list, &range) else {
            return Ok(None);
        };
        let range = range.start.min(since.len)..range.end.min(since.len);
        let Some(items) = self.elements(&list, chunks, &since, range.clone())? else {
            return Ok(None);
        };
        let content = Content {
            len: since.len,
            items,
            ..Content::new(list.moment.shape.kind, list.moment.shape.type_id)
        };
        let content = match is_whole {
            true => {
                let bytes = crate::codec::weight(&content) * 48 + 256;
                self.objects.insert((object, list.last.0), content, bytes)
            }
            false => Arc::new(content),
        };
        let first = range.start;
        Ok(Some((Excerpt { content, first }, list.last)))
    }

    /// What is needed to tell a list's elements; `None` if they are not in pages then.
    fn long_list(
        &self,
        object: ObjectId,
        chunks: &[(u32, Row)],
        at: Position,
    ) -> Result<Option<LongList>> {
        let postings = self.list(object_key(object))?;
        let home = self.home_of_object(object);
        let Some((here, index)) = self.place_of(at) else {
            return Ok(None);
        };
        let newest = blocks_before(home, &postings, here).next();
        self.nothing_missing(newest.map_or(0, |(number, _)| number)..here)?;
        let mut since = Vec::new();
        let mut last = None;
        for (number, _) in blocks_before(home, &postings, here) {
            if number < here
                && let Some(chunk) = self.pages_of_block(number)
            {
                let Ok(found) = chunks.binary_search_by_key(&chunk, |it| it.0) else {
                    return Ok(None);
                };
                let Some((_, row)) = chunks.get(found) else {
                    return Ok(None);
                };
                let Ok(head) = self.list_head(chunk, row)? else {
                    return Ok(None);
                };
                let Some(moment) = head.moment(number).copied() else {
                    return Ok(None);
                };
                let end = self.block_row(number).map_or(0, |row| row.place.end());
                let Some(position) = end.checked_sub(moment.since) else {
                    return Ok(None);
                };
                since.reverse();
                return Ok(Some(LongList {
                    object,
                    chunk,
                    moment,
                    since,
                    last: last.unwrap_or(Position(position)),
                }));
            }
            if since.len() >= MOST_BLOCKS {
                return Ok(None);
            }
            let changes = self.changes(number)?;
            let numbers = changes.of_object(object);
            let end = match number == here {
                true => changes.before(numbers, index),
                false => numbers.len(),
            };
            if let Some(newest) = end.checked_sub(1).and_then(|at| numbers.get(at)) {
                last.get_or_insert(Position(changes.position(*newest)));
                since.push((number, changes, 0..end));
            }
        }
        Ok(None)
    }

    /// The elements of a list; `None` if they cannot be read.
    fn elements(
        &self,
        list: &LongList,
        chunks: &[(u32, Row)],
        since: &Since,
        range: Range<u64>,
    ) -> Result<Option<Vec<Value>>> {
        let mut items = Vec::new();
        let mut from = range.start;
        while from < range.end {
            let page = from / PAGE;
            let to = range.end.min((page + 1) * PAGE);
            let mut found = vec![None; (to - from) as usize];
            for (slot, index) in found.iter_mut().zip(from..) {
                if let Some((at, number)) = since.set.get(&index) {
                    let Some((block, changes, _)) = list.since.get(*at) else {
                        return Ok(None);
                    };
                    match self.readable(*block, changes.change(*number))? {
                        Change::SetItem { value, .. } | Change::Append { value } => {
                            *slot = Some(value);
                        }
                        _ => return Ok(None),
                    }
                }
            }
            if found.contains(&None) {
                let first = (from % PAGE) as usize;
                let wanted = first..first + found.len();
                let read = self.fill_page(list, chunks, page, wanted, &mut found)?;
                if read.is_err() {
                    return Ok(None);
                }
            }
            for value in found {
                let Some(value) = value else {
                    return Ok(None);
                };
                items.push(value);
            }
            from = to;
        }
        Ok(Some(items))
    }

    /// Fills what is empty of `out` from a page, from the newest chunk that has it backward.
    fn fill_page(
        &self,
        list: &LongList,
        chunks: &[(u32, Row)],
        page: u64,
        wanted: Range<usize>,
        out: &mut [Option<Value>],
    ) -> Result<Decoded<()>> {
        const MISSING: Malformed = Malformed("a page is missing");
        let row_of = |chunk: u32| {
            let found = chunks.binary_search_by_key(&chunk, |it| it.0).ok()?;
            chunks.get(found).map(|(_, row)| row)
        };
        let head_of = |chunk: u32| -> Result<Decoded<Arc<ListHead>>> {
            match row_of(chunk) {
                Some(row) => self.list_head(chunk, row),
                None => Ok(Err(MISSING)),
            }
        };
        let mut chunk = list.chunk;
        let mut head = match head_of(chunk)? {
            Ok(head) => head,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut back = head.newest(page);
        while let Some(distance) = back {
            if distance > 0 {
                let Some(earlier) = chunk.checked_sub(distance) else {
                    return Ok(Err(MISSING));
                };
                chunk = earlier;
                head = match head_of(chunk)? {
                    Ok(head) => head,
                    Err(malformed) => return Ok(Err(malformed)),
                };
            }
            let Some(place) = self.layout.tables.pages.get(chunk as usize) else {
                return Ok(Err(MISSING));
            };
            let Some(group) = head.group(page) else {
                return Ok(Err(MISSING));
            };
            let bytes = match self.group_of_pages(chunk, place, group)? {
                Ok(bytes) => bytes,
                Err(malformed) => return Ok(Err(malformed)),
            };
            let read = group.page(&bytes, page).and_then(|bytes| {
                let bytes = bytes.ok_or(MISSING)?;
                let last = list.moment.block;
                read_page(bytes, place.first_block, last, wanted.clone(), out)
            });
            match read {
                Err(malformed) => return Ok(Err(malformed)),
                Ok(read) if read.is_full || !out.contains(&None) => break,
                Ok(read) => back = read.before,
            }
            if back == Some(0) {
                return Ok(Err(Malformed("a page points to itself")));
            }
        }
        Ok(Ok(()))
    }

    /// Whether a block leaves an element as it is. `changed` are the blocks that change the list.
    pub(super) fn is_untouched(
        &self,
        untouched: &mut Untouched,
        changed: &[(u32, Option<u64>)],
        number: u32,
    ) -> Result<bool> {
        let Some(chunk) = self.pages_of_block(number) else {
            return Ok(false);
        };
        let blocks = match &untouched.known {
            Some((known, blocks)) if *known == chunk => blocks,
            _ => {
                let blocks = self.untouched_blocks(untouched, changed, chunk)?;
                let blocks = blocks.unwrap_or_default();
                &untouched.known.insert((chunk, blocks)).1
            }
        };
        Ok(blocks.binary_search(&number).is_ok())
    }

    /// The blocks of a chunk at whose start and end a list has an element, and in which it gets no value.
    fn untouched_blocks(
        &self,
        untouched: &Untouched,
        changed: &[(u32, Option<u64>)],
        chunk: u32,
    ) -> Result<Decoded<Vec<u32>>> {
        let Untouched { object, index, .. } = *untouched;
        let chunks = self.lists_in_pages()?.get(&object);
        let row = chunks.and_then(|chunks| {
            let found = chunks.binary_search_by_key(&chunk, |it| it.0).ok()?;
            chunks.get(found)
        });
        let (Some((_, row)), Some(place)) = (row, self.layout.tables.pages.get(chunk as usize))
        else {
            return Ok(Ok(Vec::new()));
        };
        let head = match self.list_head(chunk, row)? {
            Ok(head) => head,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let page = index / PAGE;
        let touched = match head.group(page) {
            None => Ok(Vec::new()),
            Some(group) => self
                .group_of_pages(chunk, place, group)?
                .and_then(|bytes| match group.page(&bytes, page)? {
                    None => Ok(Vec::new()),
                    Some(bytes) => {
                        blocks_of_element(bytes, place.first_block, (index % PAGE) as usize)
                    }
                }),
        };
        let touched = match touched {
            Ok(touched) => touched,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut blocks = Vec::new();
        for pair in head.moments().windows(2) {
            let [before, now] = pair else {
                continue;
            };
            // Between the two the list may have been no long one.
            let at = changed.partition_point(|it| it.0 < now.block);
            let previous = at.checked_sub(1).and_then(|at| changed.get(at));
            if previous.is_some_and(|it| it.0 == before.block)
                && before.shape.len > index
                && now.shape.len > index
                && touched.binary_search(&now.block).is_err()
            {
                blocks.push(now.block);
            }
        }
        Ok(Ok(blocks))
    }

    /// Whether any list is kept in pages.
    pub(super) fn has_pages(&self) -> bool {
        !self.layout.tables.pages.is_empty()
    }

    /// The chunk of pages that covers a block.
    fn pages_of_block(&self, number: u32) -> Option<u32> {
        let rows = &self.layout.tables.pages;
        let after = rows.partition_point(|row| row.first_block <= number);
        let found = after.checked_sub(1)?;
        (number < rows.get(found)?.end()).then_some(found as u32)
    }

    /// Which lists are kept in pages, and the chunks that have them. A chunk that cannot be read has none.
    fn lists_in_pages(&self) -> Result<&Map<ObjectId, Vec<(u32, Row)>>> {
        if let Some(lists) = self.pages.lists.get() {
            return Ok(lists);
        }
        let mut lists: Map<ObjectId, Vec<(u32, Row)>> = Map::default();
        for (number, place) in (0..).zip(&self.layout.tables.pages) {
            let Ok(directory) = self.page_directory(place)? else {
                continue;
            };
            for row in directory.rows() {
                lists.entry(row.object).or_default().push((number, *row));
            }
        }
        Ok(self.pages.lists.get_or_init(|| lists))
    }

    fn page_directory(&self, place: &PagesRow) -> Result<Decoded<Directory>> {
        let start = match self.bytes_of_pages(place, 0, 8)? {
            Ok(start) => start,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let len = match Directory::len_bytes(&start, place.chunk.body_len) {
            Ok(len) => len,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let bytes = self.bytes_of_pages(place, 0, len)?;
        Ok(bytes.and_then(|bytes| Directory::decode(&bytes)))
    }

    fn list_head(&self, chunk: u32, row: &Row) -> Result<Decoded<Arc<ListHead>>> {
        let key = (chunk, row.object);
        if let Some(head) = self.pages.heads.get(key) {
            return Ok(Ok(head));
        }
        let Some(place) = self.layout.tables.pages.get(chunk as usize) else {
            return Ok(Err(Malformed("there is no such chunk of pages")));
        };
        let bytes = self.bytes_of_pages(place, row.offset, row.stored as usize)?;
        let head =
            bytes.and_then(|bytes| ListHead::decode(&bytes, row, place.first_block..place.end()));
        Ok(head.map(|head| {
            let bytes = head.len_bytes();
            self.pages.heads.insert(key, head, bytes)
        }))
    }

    fn group_of_pages(
        &self,
        chunk: u32,
        place: &PagesRow,
        group: &Group,
    ) -> Result<Decoded<Arc<Vec<u8>>>> {
        let key = (chunk, group.offset);
        if let Some(bytes) = self.pages.groups.get(key) {
            return Ok(Ok(bytes));
        }
        let bytes = self.bytes_of_pages(place, group.offset, group.stored as usize)?;
        Ok(bytes.and_then(|bytes| group.unpack(&bytes)).map(|bytes| {
            let len = bytes.len() + 64;
            self.pages.groups.insert(key, bytes, len)
        }))
    }

    /// Bytes of the body of a chunk of pages.
    fn bytes_of_pages(
        &self,
        place: &PagesRow,
        offset: u64,
        len: usize,
    ) -> Result<Decoded<Vec<u8>>> {
        const SHORT: Malformed = Malformed("pages are cut off");
        let end = offset.saturating_add(len as u64);
        let start = place.chunk.offset + CHUNK_HEADER_LEN as u64;
        if end > place.chunk.body_len || start.saturating_add(end) > self.layout.len_bytes {
            return Ok(Err(SHORT));
        }
        let mut bytes = vec![0; len];
        let read = self.file.read_at(&mut bytes, start + offset)?;
        Ok(if read < len { Err(SHORT) } else { Ok(bytes) })
    }
}

/// What the changes since the pages were written say of the elements in `range`; `None` after a change
/// that is not one of elements.
fn since(list: &LongList, range: &Range<u64>) -> Option<Since> {
    let mut since = Since {
        len: list.moment.shape.len,
        set: Map::default(),
    };
    for (at, (_, changes, numbers)) in list.since.iter().enumerate() {
        let all = changes.of_object(list.object);
        for number in all.get(numbers.clone())? {
            match changes.kind(*number)? {
                Kind::SetItem => {
                    let index = changes.index_of(*number)?;
                    if index < since.len && range.contains(&index) {
                        since.set.insert(index, (at, *number));
                    }
                }
                Kind::Append => {
                    if range.contains(&since.len) {
                        since.set.insert(since.len, (at, *number));
                    }
                    since.len = since.len.saturating_add(1);
                }
                Kind::Pop => since.len = since.len.saturating_sub(1),
                Kind::Clear => since.len = 0,
                _ => return None,
            }
        }
    }
    Some(since)
}
