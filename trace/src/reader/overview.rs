//! A recording in few columns: how deep calls went and how often keys matched, without reading events
//! where the index says enough.

use std::ops::Range;

use super::Recording;
use crate::block::decode::{DecodedBlock, code_at};
use crate::block::section::unpack;
use crate::block::{Kind, sections};
use crate::footer::BlockRow;
use crate::segment::{IndexKey, keys};
use crate::varint::Decoded;
use crate::{CancellationToken, Key, Position, Result};

/// Most blocks of which the events are looked at.
const EXACT_BLOCKS: usize = 24;

/// Columns of equal width over a part of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// For each column how deep the deepest stack of any thread was; 0 where that is not known.
    pub depths: Vec<u32>,
    /// For each key how often it matched, by column.
    pub counts: Vec<Vec<u64>>,
    /// Whether every number stands in its right column. Else those of a block, some ten thousand
    /// events, are spread evenly over the columns it touches; their sums are right.
    pub exact: bool,
}

/// The columns that are filled.
struct Columns {
    range: Range<u64>,
    overview: Overview,
}

impl Columns {
    fn len(&self) -> u64 {
        self.overview.depths.len() as u64
    }

    /// The column of a position in the range.
    fn of(&self, position: u64) -> usize {
        let width = u128::from(self.range.end - self.range.start).max(1);
        let offset = u128::from(position.saturating_sub(self.range.start));
        let column = offset * u128::from(self.len()) / width;
        column.min(u128::from(self.len().saturating_sub(1))) as usize
    }

    fn add(&mut self, key: usize, column: usize, count: u64) {
        let counts = self.overview.counts.get_mut(key);
        if let Some(place) = counts.and_then(|counts| counts.get_mut(column)) {
            *place = place.saturating_add(count);
        }
    }

    fn reach(&mut self, column: usize, depth: u32) {
        if let Some(place) = self.overview.depths.get_mut(column) {
            *place = depth.max(*place);
        }
    }

    /// The columns that a block touches, and the share of its events that lies in the range.
    fn touched(&self, row: &BlockRow) -> (Range<usize>, u64, u64) {
        let start = row.place.first.max(self.range.start);
        let end = row.place.end().min(self.range.end);
        let columns = self.of(start)..self.of(end.saturating_sub(1)) + 1;
        (
            columns,
            end.saturating_sub(start),
            u64::from(row.place.events),
        )
    }

    /// Spreads a block's count over the columns it touches.
    fn spread(&mut self, key: usize, row: &BlockRow, count: u64) {
        let (columns, inside, all) = self.touched(row);
        let count = u128::from(count) * u128::from(inside) / u128::from(all.max(1));
        let len = columns.len() as u128;
        let mut given = 0;
        for (number, column) in (1..).zip(columns) {
            let upto = count * number / len.max(1);
            self.add(key, column, (upto - given) as u64);
            given = upto;
        }
    }
}

/// Whether all events that match a key have codes of their own, and no others.
fn is_counted(key: Key) -> bool {
    matches!(
        key,
        Key::Step
            | Key::Line(..)
            | Key::Call(_)
            | Key::Raise
            | Key::Unwind
            | Key::VariableWrite(..)
            | Key::Output
            | Key::Mark
            | Key::External
    )
}

impl Recording {
    /// Columns over `range`, at most `columns` of them.
    ///
    /// Keys of lines, of calls and of whole kinds of events are counted; any other one never.
    ///
    /// Cost: index lookups and the codes of at most a few blocks, however long the range is.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Cancelled`], [`crate::Error::Io`].
    pub fn overview(
        &self,
        range: Range<Position>,
        columns: u32,
        keys: &[Key],
        cancel: &CancellationToken,
    ) -> Result<Overview> {
        let end = range.end.0.min(self.end().0);
        let range = range.start.0.min(end)..end;
        let len = u64::from(columns).min(range.end - range.start) as usize;
        let mut columns = Columns {
            range: range.clone(),
            overview: Overview {
                depths: vec![0; len],
                counts: vec![vec![0; len]; keys.len()],
                exact: true,
            },
        };
        if len == 0 {
            return Ok(columns.overview);
        }
        let blocks = &self.layout.tables.blocks;
        let first = blocks.partition_point(|row| row.place.end() <= range.start);
        let after = blocks.partition_point(|row| row.place.first < range.end);
        if after - first <= EXACT_BLOCKS {
            let all: Vec<usize> = (0..keys.len()).collect();
            for number in first..after {
                cancel.check()?;
                self.look_at(number as u32, &mut columns, keys, &all, true)?;
            }
            return Ok(columns.overview);
        }
        columns.overview.exact = false;
        self.depths(first..after, &mut columns)?;
        let mut exact: Vec<(u32, Vec<usize>)> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            if !is_counted(*key) {
                continue;
            }
            cancel.check()?;
            let candidates = self.candidates(*key)?;
            let inside: Vec<_> = candidates
                .iter()
                .filter(|it| (first..after).contains(&(it.block as usize)))
                .collect();
            if inside.len() + exact.len() <= EXACT_BLOCKS {
                for candidate in inside {
                    match exact
                        .iter_mut()
                        .find(|(block, _)| *block == candidate.block)
                    {
                        Some((_, keys)) => keys.push(index),
                        None => exact.push((candidate.block, vec![index])),
                    }
                }
                continue;
            }
            for candidate in inside {
                if let Some(row) = self.block_row(candidate.block) {
                    columns.spread(index, row, candidate.count.unwrap_or(0));
                }
            }
        }
        for (number, wanted) in exact {
            cancel.check()?;
            self.look_at(number, &mut columns, keys, &wanted, false)?;
        }
        Ok(columns.overview)
    }

    /// Takes the deepest stacks of blocks from the index.
    fn depths(&self, blocks: Range<usize>, columns: &mut Columns) -> Result<()> {
        for posting in self.list(IndexKey::new(keys::DEPTH, 0, 0))?.iter() {
            if !blocks.contains(&(posting.block as usize)) {
                continue;
            }
            if let Some(row) = self.block_row(posting.block) {
                let (touched, ..) = columns.touched(row);
                let depth = u32::try_from(posting.count).unwrap_or(u32::MAX);
                touched.for_each(|column| columns.reach(column, depth));
            }
        }
        Ok(())
    }

    /// Counts the events of a block where they stand. A damaged block has none.
    fn look_at(
        &self,
        number: u32,
        columns: &mut Columns,
        keys: &[Key],
        wanted: &[usize],
        depths: bool,
    ) -> Result<()> {
        let Some(row) = self.block_row(number).filter(|_| !self.is_damaged(number)) else {
            return Ok(());
        };
        let body = match self.body(row)? {
            Ok(body) => body,
            Err(malformed) => {
                self.note_damage(number, malformed);
                return Ok(());
            }
        };
        let read = || -> Decoded<_> {
            let (block, meta) = DecodedBlock::begin(&body, &row.place)?;
            let codes = unpack(&body, sections::CODES)?.unwrap_or_default();
            Ok((block, meta, codes))
        };
        let (block, meta, codes) = match read() {
            Ok(read) => read,
            Err(malformed) => {
                self.note_damage(number, malformed);
                return Ok(());
            }
        };
        let mut matching: Vec<Vec<usize>> = Vec::with_capacity(block.codes.len());
        for code in &block.codes {
            let mut of_code = Vec::new();
            for &key in wanted {
                let Some(it) = keys.get(key).filter(|key| is_counted(**key)) else {
                    continue;
                };
                if self.code_matches(&code.meaning, *it)? {
                    of_code.push(key);
                }
            }
            matching.push(of_code);
        }
        let mut stacks = meta.depths();
        let mut index = 0;
        for (thread, len) in &meta.runs {
            for _ in 0..*len {
                let Ok(code) = code_at(&codes, row.place.events, index, block.codes.len()) else {
                    return Ok(());
                };
                let position = row.place.first + u64::from(index);
                index += 1;
                let kind = block.codes.get(code as usize).map(|code| code.meaning.kind);
                if let Some(depth) = stacks.get_mut(*thread as usize) {
                    match kind {
                        Some(Kind::Call | Kind::Resume) => *depth = depth.saturating_add(1),
                        Some(Kind::Return | Kind::Unwind | Kind::Yield) => {
                            *depth = depth.saturating_sub(1);
                        }
                        _ => {}
                    }
                }
                if !columns.range.contains(&position) {
                    continue;
                }
                let column = columns.of(position);
                if depths {
                    let depth = stacks.get(*thread as usize).copied().unwrap_or(0);
                    columns.reach(column, depth);
                }
                for key in matching.get(code as usize).into_iter().flatten() {
                    columns.add(*key, column, 1);
                }
            }
        }
        Ok(())
    }
}
