//! Answering questions about a recording without reading all of it.

mod about;
mod blocks;
mod cache;
mod file;
mod index;
mod layout;
mod objects;
mod overview;
mod pages;
mod parts;
mod scan;
mod search;
mod stack;
mod walk;

use std::path::Path;
use std::sync::Arc;

use crate::definitions::Definitions;
use about::Sort;
use blocks::Blocks;
use cache::Cache;
use file::RecordingFile;
use index::Index;
use layout::Layout;
pub use overview::Overview;
use pages::Pages;
pub use parts::Part;
pub use scan::{LineMoment, LineScan, LineVisitor, MOST_NAMES, Seen};
pub use walk::{Fact, Passing, PassingChange};

/// Memory for definitions, source texts included.
const DEFINITIONS_BYTES: usize = 8 << 20;
/// Memory for contents of objects.
const OBJECTS_BYTES: usize = 8 << 20;
/// Memory for facts of frames.
const FRAMES_BYTES: usize = 2 << 20;

use crate::{
    CancellationToken, Content, Direction, Frame, FrameId, Function, FunctionId, Header, ObjectId,
    Position, Result, Source, SourceId, Summary, TaskId, ThreadEvent, ThreadId, Type, TypeId,
    Value,
};

/// An opened recording.
///
/// Cheap to share behind an `Arc`; every method takes `&self` and may be called from several threads.
#[derive(Debug)]
pub struct Recording {
    file: RecordingFile,
    layout: Layout,
    definitions: Cache<u32, Definitions>,
    blocks: Blocks,
    index: Index,
    /// Contents by object and position of the change that made them.
    objects: Cache<(ObjectId, u64), Content>,
    frames: Cache<FrameId, Frame>,
    pages: Pages,
}

/// How much of a recording is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Completeness {
    /// All of it.
    Complete,
    /// The file ends without its end mark: still being written, or its writer was killed.
    Unfinished,
    /// Bytes after the last readable block are damaged or cut off; the sentence says what is missing.
    Damaged(String),
}

/// What [`Recording::find`] looks for: a set of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Key {
    /// Every event of a thread.
    Thread(ThreadId),
    /// Step events of a thread.
    ThreadStep(ThreadId),
    /// Every step event.
    Step,
    /// Step events of one frame.
    FrameStep(FrameId),
    /// The return or unwind of one frame.
    FrameExit(FrameId),
    /// Yields of one frame.
    FrameYield(FrameId),
    /// Resumes of one frame.
    FrameResume(FrameId),
    /// Step events of one line, in any function.
    Line(SourceId, u32),
    /// Calls of one function.
    Call(FunctionId),
    /// Calls made by one frame (the call or resume events whose caller it is).
    CallFrom(FrameId),
    /// Every raise.
    Raise,
    /// Raises whose exception then left the outermost recorded frame of its thread.
    /// The position is that of the raise. `GeneratorExit`, `StopIteration`, `SystemExit` and
    /// `asyncio.CancelledError` never count.
    Uncaught,
    /// Every unwind: a frame left by an exception.
    Unwind,
    /// Writes of one local in one frame. For cell variables the cell's binding, not its content.
    Write(FrameId, u32),
    /// Writes of one local of one function, in any frame.
    VariableWrite(FunctionId, u32),
    /// First sight and changes of one object.
    Object(ObjectId),
    /// Every output event.
    Output,
    /// Every mark.
    Mark,
    /// Every call that left the process.
    External,
}

/// One frame of a stack at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameState {
    /// The frame.
    pub frame: FrameId,
    /// What it runs.
    pub function: FunctionId,
    /// The line it is on, 1-based: the one it is about to run if a step event of this frame is at the
    /// position, else the last one it began. Before its first line, the function's first line.
    pub line: u32,
    /// The position of the step event that `line` comes from; the call's before the first line.
    pub line_position: Position,
    /// The position of its call.
    pub call: Position,
    /// The position at which it last began or resumed.
    pub activation: Position,
}

/// A value and the event that put it there.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The position of the write event: the value holds from the next position on.
    pub position: Position,
    /// The value; `None` when the name was deleted.
    pub value: Option<Value>,
}

/// The contents of an object, of which perhaps not all elements were read.
#[derive(Clone, Debug, PartialEq)]
pub struct Excerpt {
    /// The contents. The items are those from [`Excerpt::first`] on, at least as many as were asked for;
    /// everything else is complete.
    pub content: Arc<Content>,
    /// The index of the first item.
    pub first: u64,
}

impl Excerpt {
    /// An element among those that were asked for; `None` if it was not recorded, or does not exist.
    #[must_use]
    pub fn item(&self, index: u64) -> Option<&Value> {
        let place = index.checked_sub(self.first).map(usize::try_from);
        let items = &self.content.items;
        match place {
            Some(Ok(place)) => items.get(place),
            _ => None,
        }
        .or_else(|| self.content.sparse.get(&index))
    }
}

/// A thread of the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// The thread.
    pub thread: ThreadId,
    /// Its name in the program.
    pub name: Arc<str>,
    /// Its first event.
    pub first: Position,
    /// Its last event.
    pub last: Position,
    /// Whether it ended before the recording did.
    pub ended: bool,
}

/// What [`Recording::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Blocks that are intact.
    pub blocks: u64,
    /// Events in them.
    pub events: u64,
    /// One sentence for each thing that is damaged.
    pub damage: Vec<String>,
}

impl Recording {
    /// Opens a recording, complete or not.
    ///
    /// Cost: the header, the footer and the tables of segments; of an unfinished file the headers of
    /// its blocks. Not proportional to the number of events.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NotARecording`], [`crate::Error::NotBegun`], [`crate::Error::Version`], [`crate::Error::Io`]. A damaged or
    /// unfinished file is no error: see [`Recording::completeness`].
    pub fn open(path: &Path) -> Result<Recording> {
        let mut file = RecordingFile::open(path)?;
        let layout = Layout::read(&mut file)?;
        Ok(Recording {
            file,
            layout,
            definitions: Cache::new(DEFINITIONS_BYTES),
            blocks: Blocks::new(),
            index: Index::new(),
            objects: Cache::new(OBJECTS_BYTES),
            frames: Cache::new(FRAMES_BYTES),
            pages: Pages::new(),
        })
    }

    /// Looks whether the file has grown, and takes in what was added. Returns whether it had.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn refresh(&mut self) -> Result<bool> {
        if self.layout.tables.summary.is_some() || !self.layout.hop(&self.file)? {
            return Ok(false);
        }
        self.blocks = Blocks::new();
        self.index = Index::new();
        self.objects.clear();
        self.frames.clear();
        self.pages = Pages::new();
        Ok(true)
    }

    /// Gives back the memory of decoded blocks and contents; they are read again when asked for.
    pub fn forget_blocks(&self) {
        self.blocks.forget();
        self.objects.clear();
        self.frames.clear();
        self.pages.forget();
    }

    /// What the recording says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.layout.header
    }

    /// How it ended, when it is complete.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.layout.tables.summary.as_ref()
    }

    /// Whether all of it is there.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        self.known_completeness()
    }

    /// The position after the last event.
    #[must_use]
    pub fn end(&self) -> Position {
        Position(self.layout.tables.end())
    }

    /// The file's size in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.layout.len_bytes
    }

    /// How many sources, functions and types there are; ids run from 0.
    #[must_use]
    pub fn source_count(&self) -> u32 {
        let [count, _, _] = self.layout.tables.definition_counts();
        count
    }

    /// See [`Recording::source_count`].
    #[must_use]
    pub fn function_count(&self) -> u32 {
        let [_, count, _] = self.layout.tables.definition_counts();
        count
    }

    /// See [`Recording::source_count`].
    #[must_use]
    pub fn type_count(&self) -> u32 {
        let [_, _, count] = self.layout.tables.definition_counts();
        count
    }

    /// A source file, with its text.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Corrupt`] if there is no such source or it cannot be read.
    pub fn source(&self, id: SourceId) -> Result<Arc<Source>> {
        self.definition(Sort::Source, id.0, |definitions, index| {
            definitions.sources.get(index).cloned()
        })
    }

    /// A function.
    ///
    /// # Errors
    ///
    /// As [`Recording::source`].
    pub fn function(&self, id: FunctionId) -> Result<Arc<Function>> {
        self.definition(Sort::Function, id.0, |definitions, index| {
            definitions.functions.get(index).cloned()
        })
    }

    /// A type.
    ///
    /// # Errors
    ///
    /// As [`Recording::source`].
    pub fn type_of(&self, id: TypeId) -> Result<Arc<Type>> {
        self.definition(Sort::Type, id.0, |definitions, index| {
            definitions.types.get(index).cloned()
        })
    }

    /// The event at `at`, or `None` at the end or in a damaged block.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn event(&self, at: Position) -> Result<Option<ThreadEvent>> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(None);
        };
        let block = self.block(number)?;
        Ok(block.and_then(|block| block.event_at(index)))
    }

    /// The innermost recorded frame that `at`'s event belongs to: for a call the new frame, for a
    /// return the one that returns, for a resume the one that goes on.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn frame_of_event(&self, at: Position) -> Result<Option<FrameId>> {
        self.owner_of_event(at)
    }

    /// Forward: the first position at or after `from` whose event matches `key`.
    /// Backward: the last position before `from` whose event matches.
    ///
    /// Cost: index lookups and the decoding of at most a few blocks, however far the answer is.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Cancelled`], [`crate::Error::Io`].
    pub fn find(
        &self,
        key: Key,
        from: Position,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        let range = match direction {
            Direction::Forward => from..self.end(),
            Direction::Backward => Position::START..from,
        };
        self.find_between(key, range, direction, cancel)
    }

    /// Forward: the first position in `range` whose event matches `key`. Backward: the last one.
    ///
    /// Cost: as [`Recording::find`], but blocks outside the range are not looked at.
    ///
    /// # Errors
    ///
    /// As [`Recording::find`].
    pub fn find_between(
        &self,
        key: Key,
        range: std::ops::Range<Position>,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        cancel.check()?;
        self.find_position(key, &range, direction, cancel)
    }

    /// How many events before `to` match `key`.
    ///
    /// # Errors
    ///
    /// As [`Recording::find`].
    pub fn count(&self, key: Key, to: Position, cancel: &CancellationToken) -> Result<u64> {
        cancel.check()?;
        self.count_before(key, to, cancel)
    }

    /// The `n`th event from the start that matches `key`, counting from 0.
    ///
    /// # Errors
    ///
    /// As [`Recording::find`].
    pub fn nth(&self, key: Key, n: u64, cancel: &CancellationToken) -> Result<Option<Position>> {
        cancel.check()?;
        self.nth_position(key, n, cancel)
    }

    /// All threads that have an event, in order of first appearance.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn threads(&self) -> Result<Vec<ThreadInfo>> {
        self.thread_infos()
    }

    /// The thread that runs at `at`: of the event at `at`, at the end of the last event.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn thread_at(&self, at: Position) -> Result<ThreadId> {
        self.running_thread(at)
    }

    /// The task that `thread` runs at `at`, with its name.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn task_at(&self, thread: ThreadId, at: Position) -> Result<Option<(TaskId, Arc<str>)>> {
        self.task_of(thread, at)
    }

    /// How many recorded frames are on the stack of `thread` at `at` (suspended ones do not count).
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn stack_depth(&self, thread: ThreadId, at: Position) -> Result<u64> {
        self.depth_at(thread, at)
    }

    /// A page of the stack of `thread` at `at`, innermost frame first: skips `skip`, returns at most
    /// `limit`.
    ///
    /// The caller of a generator or coroutine is the frame that resumed it last.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn stack(
        &self,
        thread: ThreadId,
        at: Position,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<FrameState>> {
        self.stack_at(thread, at, skip, limit)
    }

    /// A frame's facts, or `None` if it was not called before the end.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn frame(&self, frame: FrameId) -> Result<Option<Frame>> {
        self.frame_facts(frame)
    }

    /// The last write of a local of a frame before `at`, or `None` if it has no value yet.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn local(&self, frame: FrameId, slot: u32, at: Position) -> Result<Option<Written>> {
        let locals = self.locals_at(frame, slot..slot.saturating_add(1), at)?;
        Ok(locals.into_iter().next().flatten())
    }

    /// The last writes of all locals of a frame before `at`, by slot; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn locals(&self, frame: FrameId, at: Position) -> Result<Vec<Option<Written>>> {
        let Some(facts) = self.frame(frame)? else {
            return Ok(Vec::new());
        };
        let slots = self.function(facts.function)?.variables.len() as u32;
        self.locals_at(frame, 0..slots, at)
    }

    /// The contents of an object at `at`, and the position of the change that made them so; `None`
    /// if it was not yet seen.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn object(
        &self,
        object: ObjectId,
        at: Position,
    ) -> Result<Option<(Arc<Content>, Position)>> {
        self.object_at(object, at)
    }

    /// As [`Recording::object`], when of a list only the elements in `range` are needed.
    ///
    /// Cost: of a long list that is recorded with all its elements, in proportion to the range and to the
    /// events of one block; of any other object that of [`Recording::object`].
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn excerpt(
        &self,
        object: ObjectId,
        range: std::ops::Range<u64>,
        at: Position,
    ) -> Result<Option<(Excerpt, Position)>> {
        self.excerpt_at(object, range, at)
    }

    /// Nanoseconds from the start of the program to `at`, as near as the clock was noted.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`].
    pub fn time_ns(&self, at: Position) -> Result<u64> {
        self.time_at(at)
    }

    /// Reads and checks every block.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`], [`crate::Error::Cancelled`]. Damage is in the report, no error.
    pub fn verify(
        &self,
        progress: &mut dyn FnMut(u64),
        cancel: &CancellationToken,
    ) -> Result<VerifyReport> {
        self.verify_all(progress, cancel)
    }
}

#[cfg(test)]
mod tests;
