//! Lines of the recorded sources: where breakpoints can stand, and when a line ran.

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, FrameId, Function, FunctionId, Key, Position, SourceId, ThreadId,
};

use super::{Timeline, unrun};
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
    /// The functions that ran.
    functions: Vec<Arc<Function>>,
    /// The source's text, as far as it was recorded.
    text: Option<Arc<[u8]>>,
}

/// Where a breakpoint asked for at a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CodeLine {
    /// On this line.
    At(u32),
    /// Nowhere: the function around it never ran.
    NeverRan(String),
    /// Nowhere: no line from there on has code that ran.
    Nowhere,
}

impl CodeLines {
    /// The line itself when it has code, else the next one that has: of the innermost function around
    /// it, and when that has none, of the file.
    fn stand_at(&self, line: u32) -> CodeLine {
        if self.all.binary_search(&line).is_ok() {
            return CodeLine::At(line);
        }
        if let Some(name) = self.unrun_function(line) {
            return CodeLine::NeverRan(name);
        }
        let last_line = |function: &Function| function.lines.last().copied().unwrap_or(0);
        let around = (self.functions.iter())
            .filter(|function| (function.first_line..=last_line(function)).contains(&line));
        let innermost =
            around.min_by_key(|function| last_line(function).saturating_sub(function.first_line));
        let lines = innermost.map_or(&self.all, |function| &function.lines);
        let index = lines.partition_point(|&code| code < line);
        lines
            .get(index)
            .map_or(CodeLine::Nowhere, |&line| CodeLine::At(line))
    }

    /// The function around a line without known code, if no function of that place ran.
    fn unrun_function(&self, line: u32) -> Option<String> {
        let text = std::str::from_utf8(self.text.as_deref()?).ok()?;
        unrun::unrun_function(&self.functions, text, line)
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

    /// Where a breakpoint asked for at `line` stands.
    pub(super) fn line_with_code(&self, sources: &[SourceId], line: u32) -> Result<CodeLine> {
        let mut nearest = CodeLine::Nowhere;
        for &source in sources {
            let found = self.code_lines(source)?.stand_at(line);
            nearest = match (nearest, found) {
                (CodeLine::At(nearest), CodeLine::At(found)) => CodeLine::At(nearest.min(found)),
                (CodeLine::At(nearest), _) => CodeLine::At(nearest),
                (nearest, CodeLine::Nowhere) => nearest,
                (_, found) => found,
            };
        }
        Ok(nearest)
    }

    fn code_lines(&self, source: SourceId) -> Result<Arc<CodeLines>> {
        if let Some(lines) = lock(&self.code_lines).get(&source) {
            return Ok(lines.clone());
        }
        let mut code = CodeLines {
            text: (self.recording.source(source).ok()).and_then(|source| source.text.clone()),
            ..CodeLines::default()
        };
        for id in 0..self.recording.function_count() {
            let Ok(function) = self.recording.function(FunctionId(id)) else {
                continue;
            };
            if function.source == source {
                code.all.extend(&function.lines);
                code.functions.push(function);
            }
        }
        code.all.sort_unstable();
        code.all.dedup();
        let code = Arc::new(code);
        lock(&self.code_lines).insert(source, code.clone());
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use retrostep_trace::FunctionKind;

    use super::*;

    const TEXT: &str = "\
def ran(
    first,
):

    return first

def never():
    a = 1
    return a

@decorator
def decorated():
    # a note
    return 2

# the end
print(ran(1))
";

    fn function(kind: FunctionKind, first_line: u32, lines: &[u32]) -> Arc<Function> {
        Arc::new(Function {
            name: "f".into(),
            qualified_name: "f".into(),
            source: SourceId(0),
            first_line,
            kind,
            variables: Vec::new(),
            lines: lines.to_vec(),
        })
    }

    #[test]
    fn a_breakpoint_stands_on_code_that_ran_and_never_leaves_its_function() {
        let code = CodeLines {
            all: vec![1, 5, 7, 11, 12, 14, 17],
            functions: vec![
                function(FunctionKind::Module, 1, &[1, 7, 11, 12, 17]),
                function(FunctionKind::Function, 1, &[5]),
                function(FunctionKind::Function, 11, &[14]),
            ],
            text: Some(TEXT.as_bytes().into()),
        };
        let never = || CodeLine::NeverRan("never".to_owned());
        let cases = [
            (1, CodeLine::At(1)),
            (2, CodeLine::At(5)),
            (4, CodeLine::At(5)),
            (5, CodeLine::At(5)),
            (7, CodeLine::At(7)),
            (8, never()),
            (9, never()),
            (13, CodeLine::At(14)),
            (16, CodeLine::At(17)),
            (18, CodeLine::Nowhere),
        ];
        for (line, expected) in cases {
            assert_eq!(code.stand_at(line), expected, "line {line}");
        }
    }
}
