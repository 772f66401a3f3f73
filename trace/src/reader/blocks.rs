//! The blocks of a recording in memory, as far as they are needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Recording;
use super::cache::Cache;
use crate::block::changes::Changes;
use crate::block::decode::{BlockPlace, Contents, DecodedBlock, Records};
use crate::block::deltas::Deltas;
use crate::chunk::kind;
use crate::footer::BlockRow;
use crate::varint::{Decoded, Malformed};
use crate::{Position, Result};

/// Memory for decoded blocks.
const BLOCKS_BYTES: usize = 24 << 20;
/// Memory for what stands at the ends of blocks, each.
const ENDS_BYTES: usize = 8 << 20;

/// Decoded parts of blocks, by number, and the blocks that cannot be read.
#[derive(Debug)]
pub(crate) struct Blocks {
    events: Cache<u32, DecodedBlock>,
    changes: Cache<u32, Changes>,
    records: Cache<u32, Records>,
    contents: Cache<u32, Contents>,
    deltas: Cache<u32, Deltas>,
    damage: Mutex<BTreeMap<u32, &'static str>>,
}

impl Blocks {
    pub(crate) fn new() -> Blocks {
        Blocks {
            events: Cache::new(BLOCKS_BYTES),
            changes: Cache::new(ENDS_BYTES),
            records: Cache::new(ENDS_BYTES),
            contents: Cache::new(ENDS_BYTES),
            deltas: Cache::new(ENDS_BYTES / 2),
            damage: Mutex::default(),
        }
    }

    pub(crate) fn forget(&self) {
        self.events.clear();
        self.changes.clear();
        self.records.clear();
        self.contents.clear();
        self.deltas.clear();
    }

    /// The blocks found damaged so far, with the rule each breaks.
    pub(crate) fn damage(&self) -> BTreeMap<u32, &'static str> {
        let damage = self.damage.lock();
        damage.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Recording {
    pub(crate) fn block_row(&self, number: u32) -> Option<&BlockRow> {
        self.layout.tables.blocks.get(number as usize)
    }

    /// The number of the block that holds `at`, and the index in it. The end belongs to the last block.
    pub(crate) fn place_of(&self, at: Position) -> Option<(u32, usize)> {
        let rows = &self.layout.tables.blocks;
        let number = rows
            .partition_point(|row| row.place.first <= at.0)
            .checked_sub(1)?;
        let place = &rows.get(number)?.place;
        let index = (at.0 - place.first).min(u64::from(place.events));
        Some((number as u32, index as usize))
    }

    /// The events of a block, or `None` if it is damaged.
    pub(crate) fn block(&self, number: u32) -> Result<Option<Arc<DecodedBlock>>> {
        self.part(
            number,
            &self.blocks.events,
            DecodedBlock::decode,
            DecodedBlock::len_bytes,
        )
    }

    /// The events of a block, if they are in memory.
    pub(super) fn known_block(&self, number: u32) -> Option<Arc<DecodedBlock>> {
        self.blocks.events.get(number)
    }

    /// As [`Recording::block`].
    ///
    /// # Errors
    ///
    /// [`crate::Error::Corrupt`] if it is damaged: an answer without it could be wrong.
    pub(crate) fn needed_block(&self, number: u32) -> Result<Arc<DecodedBlock>> {
        self.needed(number, self.block(number)?)
    }

    /// The object events of a block, or `None` if it is damaged.
    pub(crate) fn changes_of_block(&self, number: u32) -> Result<Option<Arc<Changes>>> {
        if let Some(block) = self.blocks.events.get(number) {
            return Ok(Some(Arc::clone(&block.changes)));
        }
        self.part(
            number,
            &self.blocks.changes,
            Changes::decode,
            Changes::len_bytes,
        )
    }

    /// The object events of a block that the answer depends on.
    pub(crate) fn changes(&self, number: u32) -> Result<Arc<Changes>> {
        self.needed(number, self.changes_of_block(number)?)
    }

    /// The frames at the end of a block that the answer depends on.
    pub(crate) fn records(&self, number: u32) -> Result<Arc<Records>> {
        let part = self.part(
            number,
            &self.blocks.records,
            Records::decode,
            Records::len_bytes,
        )?;
        self.needed(number, part)
    }

    /// The contents noted at the end of a block that the answer depends on.
    pub(crate) fn contents(&self, number: u32) -> Result<Arc<Contents>> {
        let part = self.part(
            number,
            &self.blocks.contents,
            Contents::decode,
            Contents::len_bytes,
        )?;
        self.needed(number, part)
    }

    /// The changes noted at the end of a block that the answer depends on.
    pub(crate) fn deltas(&self, number: u32) -> Result<Arc<Deltas>> {
        let part = self.part(
            number,
            &self.blocks.deltas,
            Deltas::decode,
            Deltas::len_bytes,
        )?;
        self.needed(number, part)
    }

    fn needed<T>(&self, number: u32, part: Option<Arc<T>>) -> Result<Arc<T>> {
        part.ok_or_else(|| {
            let damage = self.blocks.damage();
            let rule = damage
                .get(&number)
                .copied()
                .unwrap_or("there is no such block");
            let offset = self.block_row(number).map_or(0, |row| row.chunk.offset);
            self.file.corrupt(offset, self.sentence(number, rule))
        })
    }

    /// What is lost with a damaged block.
    pub(crate) fn sentence(&self, number: u32, rule: &str) -> String {
        match self.block_row(number) {
            Some(row) => format!(
                "events {} to {} cannot be read: {rule}",
                row.place.first,
                row.place.end() - 1
            ),
            None => format!("block {number} cannot be read: {rule}"),
        }
    }

    /// The bytes of a block, checked.
    pub(super) fn body(&self, row: &BlockRow) -> Result<Decoded<Vec<u8>>> {
        let read = self.file.chunk(kind::BLOCK, &row.chunk)?;
        Ok(read.and_then(|(header, body)| {
            if BlockPlace::from_words(&header.words)? != row.place {
                return Err(Malformed("another block stands in its place"));
            }
            Ok(body)
        }))
    }

    pub(super) fn is_damaged(&self, number: u32) -> bool {
        let damage = self.blocks.damage.lock();
        damage
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&number)
    }

    pub(super) fn note_damage(&self, number: u32, malformed: Malformed) {
        let damage = self.blocks.damage.lock();
        let mut damage = damage.unwrap_or_else(PoisonError::into_inner);
        damage.insert(number, malformed.0);
    }

    fn part<T>(
        &self,
        number: u32,
        cache: &Cache<u32, T>,
        decode: impl Fn(&[u8], &BlockPlace) -> Decoded<T>,
        len_bytes: impl Fn(&T) -> usize,
    ) -> Result<Option<Arc<T>>> {
        if let Some(part) = cache.get(number) {
            return Ok(Some(part));
        }
        let Some(row) = self.block_row(number) else {
            return Ok(None);
        };
        if self.is_damaged(number) {
            return Ok(None);
        }
        let part = self.body(row)?.and_then(|body| decode(&body, &row.place));
        match part {
            Ok(part) => {
                let bytes = len_bytes(&part);
                Ok(Some(cache.insert(number, part, bytes)))
            }
            Err(malformed) => {
                self.note_damage(number, malformed);
                Ok(None)
            }
        }
    }
}
