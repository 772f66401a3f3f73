//! Definitions, clocks and the check of a whole recording.

use std::sync::Arc;

use super::Recording;
use crate::block::section::unpack;
use crate::chunk::kind;
use crate::definitions::{DefinitionRange, Definitions};
use crate::{CancellationToken, Completeness, Position, Result, VerifyReport};

/// Sorts of definitions.
#[derive(Clone, Copy)]
pub(super) enum Sort {
    Source,
    Function,
    Type,
}

impl Recording {
    /// A definition of some sort.
    pub(super) fn definition<T>(
        &self,
        sort: Sort,
        id: u32,
        pick: impl Fn(&Definitions, usize) -> Option<Arc<T>>,
    ) -> Result<Arc<T>> {
        let range_of = |range: &DefinitionRange| match sort {
            Sort::Source => range.sources,
            Sort::Function => range.functions,
            Sort::Type => range.types,
        };
        let table = &self.layout.tables.definitions;
        let after = table.partition_point(|(_, range)| {
            let (first, count) = range_of(range);
            first.saturating_add(count) <= id
        });
        let Some((place, range)) = table.get(after) else {
            let what = format!("there is no definition {id}");
            return Err(self.file.corrupt(self.layout.len_bytes, what));
        };
        let key = after as u32;
        let definitions = match self.definitions.get(key) {
            Some(definitions) => definitions,
            None => {
                let read = self.file.chunk(kind::DEFINITIONS, place)?;
                let read = read.and_then(|(_, body)| {
                    let raw = unpack(&body, 1)?.unwrap_or_default();
                    Ok((Definitions::decode(&raw, range)?, raw.len()))
                });
                let (definitions, bytes) = read.map_err(|malformed| {
                    let what = format!("definitions cannot be read: {}", malformed.0);
                    self.file.corrupt(place.offset, what)
                })?;
                self.definitions.insert(key, definitions, bytes * 2 + 256)
            }
        };
        let index = id.saturating_sub(range_of(range).0) as usize;
        pick(&definitions, index).ok_or_else(|| {
            let what = format!("definition {id} is missing");
            self.file.corrupt(place.offset, what)
        })
    }

    pub(super) fn time_at(&self, at: Position) -> Result<u64> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(0);
        };
        let start = self.block_row(number).map_or(0, |row| row.place.time_ns);
        let Some(block) = self.block(number)? else {
            return Ok(start);
        };
        let before = block
            .clocks
            .partition_point(|clock| clock.0 as usize <= index);
        let clock = before.checked_sub(1).and_then(|at| block.clocks.get(at));
        Ok(clock.map_or(start, |clock| clock.1))
    }

    pub(super) fn known_completeness(&self) -> Completeness {
        if let Completeness::Damaged(_) = self.layout.completeness {
            return self.layout.completeness.clone();
        }
        let blocks = self.blocks.damage();
        if let Some((number, rule)) = blocks.first_key_value() {
            let mut sentence = self.sentence(*number, rule);
            if blocks.len() > 1 {
                sentence.push_str(&format!("; and {} more such places", blocks.len() - 1));
            }
            return Completeness::Damaged(sentence);
        }
        self.layout.completeness.clone()
    }

    pub(super) fn verify_all(
        &self,
        progress: &mut dyn FnMut(u64),
        cancel: &CancellationToken,
    ) -> Result<VerifyReport> {
        let mut report = VerifyReport::default();
        if let Completeness::Damaged(sentence) = &self.layout.completeness {
            report.damage.push(sentence.clone());
        }
        for (place, _) in &self.layout.tables.definitions {
            cancel.check()?;
            if let Err(malformed) = self.file.chunk(kind::DEFINITIONS, place)? {
                let sentence = format!(
                    "definitions at byte {} cannot be read: {}",
                    place.offset, malformed.0
                );
                report.damage.push(sentence);
            }
        }
        for (number, row) in self.layout.tables.blocks.iter().enumerate() {
            cancel.check()?;
            let number = number as u32;
            match self.block(number)? {
                Some(block)
                    if block.changes.check().is_ok()
                        && self.records(number).is_ok()
                        && self.contents(number).is_ok()
                        && self.deltas(number).is_ok() =>
                {
                    report.blocks += 1;
                    report.events += u64::from(row.place.events);
                }
                _ => {
                    let damage = self.blocks.damage();
                    let rule = damage.get(&number).copied().unwrap_or("it is damaged");
                    report.damage.push(self.sentence(number, rule));
                }
            }
            progress(row.place.end());
        }
        for (number, row) in self.layout.tables.segments.iter().enumerate() {
            cancel.check()?;
            if let Err(malformed) = self.file.chunk(kind::SEGMENT, &row.chunk)? {
                report.damage.push(format!(
                    "index {number} cannot be read, searches in its blocks are slow: {}",
                    malformed.0
                ));
            }
        }
        for row in &self.layout.tables.pages {
            cancel.check()?;
            if let Err(malformed) = self.file.chunk(kind::PAGES, &row.chunk)? {
                report.damage.push(format!(
                    "the pages of blocks {} to {} cannot be read, long lists of these are slow: {}",
                    row.first_block,
                    row.end() - 1,
                    malformed.0
                ));
            }
        }
        if self.layout.completeness == Completeness::Complete
            && self.layout.read_trailer(&self.file)?.is_none()
        {
            let sentence = "the last 32 bytes are damaged, which makes opening slower";
            report.damage.push(sentence.to_owned());
        }
        Ok(report)
    }
}
