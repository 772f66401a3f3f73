//! A recording in few columns, for a strip that shows all of it.

use std::ops::Range;

use retrostep_trace::{CancellationToken, Key, Position};

use super::Timeline;
use crate::Result;

/// Columns of equal width over a part of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The first position of the first column.
    pub from: Position,
    /// The position after the last column.
    pub to: Position,
    /// How deep the deepest stack was, by column; 0 where it is not known.
    pub depths: Vec<u32>,
    /// How many exceptions were raised, by column.
    pub exceptions: Vec<u64>,
    /// How often the program wrote output, by column.
    pub output: Vec<u64>,
    /// How many marks there are, by column.
    pub marks: Vec<u64>,
    /// How often the places of line and function breakpoints ran, by column, whatever their conditions.
    pub hits: Vec<u64>,
    /// Whether every number stands in its right column; see [`retrostep_trace::Overview::exact`].
    pub exact: bool,
}

impl Timeline {
    /// At most `columns` columns over `range`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn overview(
        &self,
        range: Range<Position>,
        columns: u32,
        cancel: &CancellationToken,
    ) -> Result<Overview> {
        let lines = self.breakpoints.lines.iter().map(|point| &point.hits);
        let functions = self.breakpoints.functions.iter().map(|point| &point.calls);
        let mut keys = vec![Key::Raise, Key::Output, Key::Mark];
        for key in lines.chain(functions).flat_map(|point| point.keys()) {
            if !keys.contains(key) {
                keys.push(*key);
            }
        }
        let to = range.end.min(self.end());
        let from = range.start.min(to);
        let found = self.recording.overview(from..to, columns, &keys, cancel)?;
        let mut counts = found.counts.into_iter();
        let mut next = || counts.next().unwrap_or_default();
        let (exceptions, output, marks) = (next(), next(), next());
        let mut hits = vec![0u64; found.depths.len()];
        for of_key in counts {
            for (sum, count) in hits.iter_mut().zip(of_key) {
                *sum = sum.saturating_add(count);
            }
        }
        Ok(Overview {
            from,
            to,
            depths: found.depths,
            exceptions,
            output,
            marks,
            hits,
            exact: found.exact,
        })
    }
}
