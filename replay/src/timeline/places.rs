//! Lines of the recorded sources: where breakpoints can stand, and when a line ran.

use std::sync::Arc;

use retrostep_trace::{CancellationToken, FrameId, FunctionId, Key, Position, SourceId, ThreadId};

use super::Timeline;
use crate::Result;
use crate::breakpoint::lock;

/// One recorded execution of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineHit {
    /// The step event.
    pub position: Position,
    /// Its thread.
    pub thread: ThreadId,
    /// The frame that ran the line.
    pub frame: FrameId,
    /// Which execution it is, from 1.
    pub number: u64,
}

/// A page of a line's executions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineHits {
    /// In recording order.
    pub hits: Vec<LineHit>,
    /// How many there are in all.
    pub total: u64,
}

/// The lines of a source that have code.
#[derive(Debug, Default)]
pub(super) struct CodeLines {
    /// Ascending, without repeats.
    all: Vec<u32>,
    /// Each function: the line of its definition, and its lines with code, ascending.
    functions: Vec<(u32, Vec<u32>)>,
}

impl CodeLines {
    /// The first line from `line` on that has code: of the innermost function around `line`, and when
    /// that has none, of the file.
    fn first_at_or_after(&self, line: u32) -> Option<u32> {
        let around = self.functions.iter().filter(|(first, lines)| {
            *first <= line && lines.last().is_some_and(|&last| line <= last)
        });
        let innermost = around.min_by_key(|(first, lines)| {
            lines.last().map_or(0, |&last| last.saturating_sub(*first))
        });
        let lines = innermost.map_or(&self.all, |(_, lines)| lines);
        let index = lines.partition_point(|&code| code < line);
        lines.get(index).copied()
    }
}

impl Timeline {
    /// A page of all executions of `line`: skips `skip`, returns at most `limit`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn hits(
        &self,
        source: SourceId,
        line: u32,
        skip: u64,
        limit: u64,
        cancel: &CancellationToken,
    ) -> Result<LineHits> {
        let key = Key::Line(source, line);
        let total = self.recording.count(key, self.end(), cancel)?;
        let mut hits = Vec::new();
        for n in skip..total.min(skip.saturating_add(limit)) {
            let Some(position) = self.recording.nth(key, n, cancel)? else {
                break;
            };
            let Some(frame) = self.recording.frame_of_event(position)? else {
                continue;
            };
            hits.push(LineHit {
                position,
                thread: self.recording.thread_at(position)?,
                frame,
                number: n + 1,
            });
        }
        Ok(LineHits { hits, total })
    }

    /// The lines from `first` to `last`, both included, where breakpoints can stand, ascending.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn breakpoint_lines(&self, source: SourceId, first: u32, last: u32) -> Result<Vec<u32>> {
        let code = self.code_lines(source)?;
        let lines = code.all.iter().copied();
        Ok(lines.filter(|line| (first..=last).contains(line)).collect())
    }

    /// The line where a breakpoint asked for at `line` stands, if there is one.
    pub(super) fn line_with_code(&self, sources: &[SourceId], line: u32) -> Result<Option<u32>> {
        let mut nearest: Option<u32> = None;
        for &source in sources {
            let found = self.code_lines(source)?.first_at_or_after(line);
            nearest = match (nearest, found) {
                (Some(nearest), Some(found)) => Some(nearest.min(found)),
                (nearest, found) => nearest.or(found),
            };
        }
        Ok(nearest)
    }

    fn code_lines(&self, source: SourceId) -> Result<Arc<CodeLines>> {
        if let Some(lines) = lock(&self.code_lines).get(&source) {
            return Ok(lines.clone());
        }
        let mut code = CodeLines::default();
        for id in 0..self.recording.function_count() {
            let Ok(function) = self.recording.function(FunctionId(id)) else {
                continue;
            };
            if function.source == source {
                code.all.extend(&function.lines);
                code.functions
                    .push((function.first_line, function.lines.clone()));
            }
        }
        code.all.sort_unstable();
        code.all.dedup();
        let code = Arc::new(code);
        lock(&self.code_lines).insert(source, code.clone());
        Ok(code)
    }
}
