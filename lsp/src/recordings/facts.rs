//! What is known of a recording without looking at its events again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retrostep_replay::exception::ExceptionFacts;
use retrostep_sessions::Entry;
use retrostep_trace::{
    CancellationToken, Completeness, Direction, Event, FunctionId, FunctionKind, Key, Position,
    Recording, SourceId, ThreadId,
};

use crate::document::resolved;
use crate::error::Result;

/// What is known of a recording.
#[derive(Clone, Debug)]
pub(crate) struct RecordingFacts {
    pub(crate) entry: Entry,
    /// The name for people.
    pub(crate) name: String,
    pub(crate) started: SystemTime,
    pub(crate) duration: Duration,
    pub(crate) ending: Ending,
    pub(crate) events: u64,
    /// `Python 3.13.1`
    pub(crate) language: String,
    pub(crate) command: Vec<String>,
    /// What git said: the commit, the branch and the number of changed files.
    pub(crate) git: (String, String, u32),
    /// The last exception that nothing caught.
    pub(crate) exception: Option<Uncaught>,
    /// How many values were redacted.
    pub(crate) redacted: u64,
    pub(crate) notes: Vec<String>,
    /// By their files, symbolic links resolved.
    pub(crate) sources: HashMap<PathBuf, SourceId>,
    /// Those that were called, by their ids.
    pub(crate) functions: Vec<FunctionFacts>,
}

/// How a recording ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// There is no end: it is still being written, or its recorder was killed.
    Unfinished,
    /// The sentence says what is missing.
    Damaged(String),
    /// The program exited with this number; `None` if that is not known.
    Exit(Option<i32>),
    Signal(i32),
}

/// An exception that nothing caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uncaught {
    pub(crate) position: Position,
    /// What it says of itself.
    pub(crate) facts: ExceptionFacts,
    /// Where it was raised; the line counts from 1.
    pub(crate) place: Option<(PathBuf, u32)>,
}

/// A function that was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionFacts {
    pub(crate) id: FunctionId,
    pub(crate) source: SourceId,
    pub(crate) kind: FunctionKind,
    pub(crate) qualified_name: Arc<str>,
    /// Of its first decorator or its `def`, from 1.
    pub(crate) first_line: u32,
    pub(crate) calls: u64,
}

impl RecordingFacts {
    /// Cost: reads all definitions, and looks up one index for each function.
    pub(crate) fn read(
        entry: &Entry,
        recording: &Recording,
        cancel: &CancellationToken,
    ) -> Result<RecordingFacts> {
        let header = recording.header();
        let summary = recording.summary();
        let end = recording.end();
        let duration_ns = match summary {
            Some(summary) => summary.duration_ns,
            None => recording.time_ns(end).unwrap_or(0),
        };
        let mut sources = HashMap::new();
        for id in (0..recording.source_count()).map(SourceId) {
            cancel.check()?;
            let source = recording.source(id)?;
            // The text that ran last is the one that counts.
            sources.insert(resolved(Path::new(&*source.path)), id);
        }
        let name = match header.name.as_str() {
            name if entry.id == entry.name && !name.is_empty() => name.to_owned(),
            _ => entry.name.clone(),
        };
        Ok(RecordingFacts {
            entry: entry.clone(),
            name,
            started: UNIX_EPOCH + Duration::from_nanos(header.start_unix_ns),
            duration: Duration::from_nanos(duration_ns),
            ending: ending(recording),
            events: end.0,
            language: header.language.clone(),
            command: header.command.clone(),
            git: (
                header.git_commit.clone(),
                header.git_branch.clone(),
                header.git_changed_files,
            ),
            exception: exception(recording, cancel)?,
            redacted: summary.map_or(0, |summary| summary.redacted),
            notes: summary.map_or_else(Vec::new, |summary| summary.notes.clone()),
            sources,
            functions: functions(recording, cancel)?,
        })
    }

    /// The source that a file is.
    pub(crate) fn source(&self, path: &Path) -> Option<SourceId> {
        self.sources.get(path).copied()
    }

    /// The function of a source by its qualified name, if it was called.
    pub(crate) fn function(
        &self,
        source: SourceId,
        qualified_name: &str,
    ) -> Option<&FunctionFacts> {
        let mut functions = self.functions.iter();
        functions.find(|it| it.source == source && *it.qualified_name == *qualified_name)
    }

    /// The file that the program began with: that of its main module.
    pub(crate) fn main_script(&self) -> Option<&Path> {
        let modules = self.functions.iter();
        let main = modules
            .filter(|function| function.kind == FunctionKind::Module)
            .min_by_key(|function| function.id)?;
        let mut sources = self.sources.iter();
        let (path, _) = sources.find(|(_, id)| **id == main.source)?;
        Some(path)
            .filter(|path| path.is_absolute())
            .map(PathBuf::as_path)
    }
}

fn ending(recording: &Recording) -> Ending {
    match (recording.completeness(), recording.summary()) {
        (Completeness::Damaged(what), _) => Ending::Damaged(what),
        (Completeness::Complete, Some(summary)) => match summary.signal {
            Some(signal) => Ending::Signal(signal),
            None => Ending::Exit(summary.exit_code),
        },
        _ => Ending::Unfinished,
    }
}

fn functions(recording: &Recording, cancel: &CancellationToken) -> Result<Vec<FunctionFacts>> {
    let mut functions = Vec::new();
    for id in (0..recording.function_count()).map(FunctionId) {
        let calls = recording.count(Key::Call(id), recording.end(), cancel)?;
        if calls == 0 {
            continue;
        }
        let function = recording.function(id)?;
        functions.push(FunctionFacts {
            id,
            source: function.source,
            kind: function.kind,
            qualified_name: function.qualified_name.clone(),
            first_line: function.first_line,
            calls,
        });
    }
    Ok(functions)
}

/// The last exception that nothing caught; what cannot be read of it stays out.
fn exception(recording: &Recording, cancel: &CancellationToken) -> Result<Option<Uncaught>> {
    let end = recording.end();
    let Some(position) = recording.find(Key::Uncaught, end, Direction::Backward, cancel)? else {
        return Ok(None);
    };
    let Some(raised) = recording.event(position)? else {
        return Ok(None);
    };
    let Event::Raise { exception } = raised.event else {
        return Ok(None);
    };
    let facts = ExceptionFacts::of(recording, &exception, position)?;
    Ok(Some(Uncaught {
        position,
        facts,
        place: place(recording, raised.thread, position)?,
    }))
}

fn place(
    recording: &Recording,
    thread: ThreadId,
    position: Position,
) -> Result<Option<(PathBuf, u32)>> {
    let stack = recording.stack(thread, position, 0, 1)?;
    let Some(frame) = stack.first() else {
        return Ok(None);
    };
    let function = recording.function(frame.function)?;
    let source = recording.source(function.source)?;
    Ok(Some((PathBuf::from(&*source.path), frame.line)))
}

/// The hash of a recorded text's bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
