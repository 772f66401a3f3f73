//! The tables of blocks, definitions and segments: collected while writing, read from the footer or
//! rebuilt from the headers of chunks.

use crate::Summary;
use crate::block::EVENT_LIMIT;
use crate::block::decode::BlockPlace;
use crate::block::section::{Packer, unpack};
use crate::chunk::{BODY_LIMIT, CHUNK_HEADER_LEN};
use crate::definitions::{self, DefinitionRange};
use crate::varint::{Decoded, Input, Malformed, put};

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChunkPlace {
    pub(crate) offset: u64,
    pub(crate) body_len: u64,
    pub(crate) sequence: u64,
}

/// A block of the block table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockRow {
    pub(crate) chunk: ChunkPlace,
    pub(crate) place: BlockPlace,
}

impl BlockPlace {
    pub(crate) fn words(&self) -> [u64; 5] {
        [
            self.first,
            u64::from(self.events),
            self.first_frame,
            self.first_object,
            self.time_ns,
        ]
    }

    pub(crate) fn from_words(words: &[u64; 5]) -> Decoded<BlockPlace> {
        let [first, events, first_frame, first_object, time_ns] = *words;
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        if events == 0 || events > EVENT_LIMIT || first.checked_add(u64::from(events)).is_none() {
            return Err(Malformed("a block has no events or too many"));
        }
        Ok(BlockPlace {
            first,
            events,
            first_frame,
            first_object,
            time_ns,
        })
    }

    pub(crate) fn end(&self) -> u64 {
        self.first + u64::from(self.events)
    }
}

/// A segment of the segment table: an index over some blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    pub(crate) chunk: ChunkPlace,
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
}

/// A chunk of pages: what some blocks did to long lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PagesRow {
    pub(crate) chunk: ChunkPlace,
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
}

impl PagesRow {
    /// The first block after those that it covers.
    pub(crate) fn end(&self) -> u32 {
        self.first_block + self.blocks
    }
}

/// All tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    pub(crate) blocks: Vec<BlockRow>,
    pub(crate) definitions: Vec<(ChunkPlace, DefinitionRange)>,
    pub(crate) segments: Vec<SegmentRow>,
    pub(crate) pages: Vec<PagesRow>,
    pub(crate) summary: Option<Summary>,
}

mod sections {
    pub(crate) const SUMMARY: u32 = 1;
    pub(crate) const BLOCKS: u32 = 2;
    pub(crate) const DEFINITIONS: u32 = 3;
    pub(crate) const SEGMENTS: u32 = 4;
    pub(crate) const PAGES: u32 = 5;
}

impl Tables {
    /// The position after the last event.
    pub(crate) fn end(&self) -> u64 {
        self.blocks.last().map_or(0, |row| row.place.end())
    }

    /// Adds a block that follows the last one.
    pub(crate) fn add_block(&mut self, row: BlockRow) -> Decoded<()> {
        let last = self.blocks.last();
        let (frame, object) = last.map_or((0, 0), |last| {
            (last.place.first_frame, last.place.first_object)
        });
        if row.place.first != self.end()
            || row.place.first_frame < frame
            || row.place.first_object < object
            || self.blocks.len() >= u32::MAX as usize - 1
        {
            return Err(Malformed("a block does not follow the one before it"));
        }
        self.blocks.push(row);
        Ok(())
    }

    pub(crate) fn add_definitions(
        &mut self,
        chunk: ChunkPlace,
        range: DefinitionRange,
    ) -> Decoded<()> {
        let expected = match self.definitions.last() {
            Some((_, last)) => last.next(),
            None => DefinitionRange::default(),
        };
        let firsts = |range: &DefinitionRange| [range.sources.0, range.functions.0, range.types.0];
        let counts = [range.sources.1, range.functions.1, range.types.1];
        let fit = firsts(&range)
            .iter()
            .zip(counts)
            .all(|(first, count)| first.checked_add(count).is_some());
        if firsts(&range) != firsts(&expected) || !fit {
            return Err(Malformed("definitions do not follow those before them"));
        }
        self.definitions.push((chunk, range));
        Ok(())
    }

    /// Adds a segment over blocks that are in the table.
    pub(crate) fn add_segment(&mut self, row: SegmentRow) -> Decoded<()> {
        let first = self
            .segments
            .last()
            .map_or(0, |last| last.first_block + last.blocks);
        let end = row.first_block.checked_add(row.blocks);
        if row.first_block != first
            || row.blocks == 0
            || end.is_none_or(|end| end as usize > self.blocks.len())
        {
            return Err(Malformed("a segment does not follow the one before it"));
        }
        self.segments.push(row);
        Ok(())
    }

    /// Adds a chunk of pages over blocks that are in the table.
    pub(crate) fn add_pages(&mut self, row: PagesRow) -> Decoded<()> {
        let before = self.pages.last().map_or(0, PagesRow::end);
        let end = row.first_block.checked_add(row.blocks);
        if row.first_block < before
            || row.blocks == 0
            || end.is_none_or(|end| end as usize > self.blocks.len())
        {
            return Err(Malformed("pages do not follow those before them"));
        }
        self.pages.push(row);
        Ok(())
    }

    /// The first block without a segment.
    pub(crate) fn indexed_blocks(&self) -> u32 {
        self.segments
            .last()
            .map_or(0, |last| last.first_block + last.blocks)
    }

    /// How many sources, functions and types there are.
    pub(crate) fn definition_counts(&self) -> [u32; 3] {
        self.definitions.last().map_or([0; 3], |(_, last)| {
            let next = last.next();
            [next.sources.0, next.functions.0, next.types.0]
        })
    }

    pub(crate) fn encode(&self, summary: &Summary, packer: &mut Packer) -> Vec<u8> {
        let mut about = Vec::new();
        definitions::put_summary(summary, &mut about);
        let mut blocks = Vec::new();
        put(&mut blocks, self.blocks.len() as u64);
        let mut end = 0;
        let (mut frame, mut object, mut time) = (0, 0, 0);
        for row in &self.blocks {
            put_chunk(&row.chunk, &mut end, &mut blocks);
            put(&mut blocks, u64::from(row.place.events));
            put(&mut blocks, row.place.first_frame - frame);
            put(&mut blocks, row.place.first_object - object);
            put(&mut blocks, row.place.time_ns.wrapping_sub(time));
            frame = row.place.first_frame;
            object = row.place.first_object;
            time = row.place.time_ns;
        }
        let mut ranges = Vec::new();
        put(&mut ranges, self.definitions.len() as u64);
        end = 0;
        for (chunk, range) in &self.definitions {
            put_chunk(chunk, &mut end, &mut ranges);
            for count in [range.sources.1, range.functions.1, range.types.1] {
                put(&mut ranges, u64::from(count));
            }
        }
        let mut segments = Vec::new();
        put(&mut segments, self.segments.len() as u64);
        end = 0;
        for row in &self.segments {
            put_chunk(&row.chunk, &mut end, &mut segments);
            put(&mut segments, u64::from(row.blocks));
        }
        packer.pack(&[
            (sections::SUMMARY, &about),
            (sections::BLOCKS, &blocks),
            (sections::DEFINITIONS, &ranges),
            (sections::SEGMENTS, &segments),
            (sections::PAGES, &self.put_pages()),
        ])
    }

    /// The table of the chunks of pages; nothing where there are none.
    fn put_pages(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.pages.is_empty() {
            return out;
        }
        put(&mut out, self.pages.len() as u64);
        let (mut end, mut block) = (0, 0);
        for row in &self.pages {
            put_chunk(&row.chunk, &mut end, &mut out);
            put(&mut out, u64::from(row.first_block - block));
            put(&mut out, u64::from(row.blocks));
            block = row.end();
        }
        out
    }

    fn decode_pages(&mut self, bytes: &[u8], offset: u64) -> Decoded<()> {
        let mut input = Input::new(bytes);
        let mut end = 0;
        for _ in 0..input.count(5)? {
            let chunk = chunk(&mut input, &mut end, offset)?;
            let before = self.pages.last().map_or(0, PagesRow::end);
            self.add_pages(PagesRow {
                chunk,
                first_block: before.saturating_add(input.number32()?),
                blocks: input.number32()?,
            })?;
        }
        input.end()
    }

    /// Reads a footer that stands at `offset`: every chunk of its tables lies before it.
    pub(crate) fn decode(body: &[u8], offset: u64) -> Decoded<Tables> {
        const MISSING: Malformed = Malformed("a table of the footer is missing");
        let section = |id| -> Decoded<Vec<u8>> { unpack(body, id)?.ok_or(MISSING) };
        let mut tables = Tables::default();
        let about = section(sections::SUMMARY)?;
        let mut input = Input::new(&about);
        tables.summary = Some(definitions::summary(&mut input)?);
        input.end()?;
        tables.decode_blocks(&section(sections::BLOCKS)?, offset)?;
        let bytes = section(sections::DEFINITIONS)?;
        let mut input = Input::new(&bytes);
        let mut end = 0;
        let mut range = DefinitionRange::default();
        for _ in 0..input.count(6)? {
            let chunk = chunk(&mut input, &mut end, offset)?;
            range.sources.1 = input.number32()?;
            range.functions.1 = input.number32()?;
            range.types.1 = input.number32()?;
            tables.add_definitions(chunk, range)?;
            range = range.next();
        }
        input.end()?;
        let bytes = section(sections::SEGMENTS)?;
        let mut input = Input::new(&bytes);
        end = 0;
        for _ in 0..input.count(4)? {
            let chunk = chunk(&mut input, &mut end, offset)?;
            tables.add_segment(SegmentRow {
                chunk,
                first_block: tables.indexed_blocks(),
                blocks: input.number32()?,
            })?;
        }
        input.end()?;
        if let Some(bytes) = unpack(body, sections::PAGES)? {
            tables.decode_pages(&bytes, offset)?;
        }
        Ok(tables)
    }

    fn decode_blocks(&mut self, bytes: &[u8], offset: u64) -> Decoded<()> {
        let mut input = Input::new(bytes);
        let mut end = 0;
        let mut words = [0u64; 5];
        for _ in 0..input.count(7)? {
            let chunk = chunk(&mut input, &mut end, offset)?;
            words[0] = self.end();
            words[1] = input.number()?;
            for word in words.iter_mut().skip(2) {
                *word = word.wrapping_add(input.number()?);
            }
            let place = BlockPlace::from_words(&words)?;
            self.add_block(BlockRow { chunk, place })?;
        }
        input.end()
    }
}

fn put_chunk(chunk: &ChunkPlace, end: &mut u64, out: &mut Vec<u8>) {
    put(out, chunk.offset - *end);
    put(out, chunk.body_len);
    put(out, chunk.sequence);
    *end = chunk.offset + chunk.body_len;
}

fn chunk(input: &mut Input<'_>, end: &mut u64, limit: u64) -> Decoded<ChunkPlace> {
    let offset = end.saturating_add(input.number()?);
    let body_len = input.number()?;
    let sequence = input.number()?;
    *end = offset.saturating_add(body_len);
    if body_len > BODY_LIMIT || end.saturating_add(CHUNK_HEADER_LEN as u64) > limit {
        return Err(Malformed("a chunk of a table lies outside the file"));
    }
    Ok(ChunkPlace {
        offset,
        body_len,
        sequence,
    })
}
