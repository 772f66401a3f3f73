//! A movable view of a recording: stepping, resuming, seeking, breakpoints, in both directions.
//!
//! `&self` asks and never moves; `&mut self` moves and returns a [`Stop`].
//! Every move looks strictly beyond the current position, so the breakpoint one stands on does not hit
//! again. What is on the stack and in the variables comes from the recording at [`Timeline::position`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, FrameId, FrameState, Position, Recording, SourceId, ThreadId,
    Value,
};

use crate::{
    BreakpointId, DataBreakpoint, ExceptionFilter, FunctionBreakpoint, LineBreakpoint, LogHistory,
    ResolvedBreakpoint, Result, Stop,
};

/// Which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The next or previous line of the same frame, or of its caller when the frame ends or begins.
    Over,
    /// The next or previous line of the thread.
    Into,
    /// Out of the frame: what comes after it ended, or the line that called or resumed it.
    Out,
}

/// Tells the real path behind a path, links resolved. This crate looks at no files itself.
pub type PathResolver = fn(&Path) -> Option<PathBuf>;

/// A page of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackPage {
    /// Innermost first.
    pub frames: Vec<FrameState>,
    /// How many frames the whole stack has.
    pub total: u64,
}

/// A thread as it is at the timeline's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub thread: ThreadId,
    /// Its name in the program.
    pub name: Arc<str>,
    /// Whether it has begun and not yet ended there.
    pub alive: bool,
}

/// A recorded execution of a line that one can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GotoTarget {
    /// The step event.
    pub position: Position,
    /// Its thread.
    pub thread: ThreadId,
    /// The line, 1-based: the next one with code when the asked one has none.
    pub line: u32,
    /// `hit 5 of 42`.
    pub label: String,
}

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

/// What is known of the exception at the timeline's position.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionInfo {
    /// The exception.
    pub exception: Value,
    /// Its type's qualified name: `ValueError`.
    pub type_name: String,
    /// Its type's module: `builtins`.
    pub module: String,
    /// Its message, when it was recorded.
    pub message: Option<String>,
    /// Where it was first raised, as far as that is known.
    pub raised: Position,
    /// Whether it left the outermost recorded frame of its thread.
    pub uncaught: bool,
}

/// A movable view of a recording.
pub struct Timeline {
    recording: Arc<Recording>,
    position: Position,
    thread: ThreadId,
    resolver: PathResolver,
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("position", &self.position)
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

impl Timeline {
    /// A timeline that stands at the start of `recording`, without breakpoints.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn new(recording: Arc<Recording>, resolver: PathResolver) -> Result<Timeline> {
        Ok(Timeline {
            recording,
            position: Position::START,
            thread: ThreadId(0),
            resolver,
        })
    }

    /// The recording.
    #[must_use]
    pub fn recording(&self) -> &Arc<Recording> {
        let _ = self.resolver;
        &self.recording
    }

    /// Where the timeline stands: the state before the event at this position.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The position after the last event.
    #[must_use]
    pub fn end(&self) -> Position {
        self.recording.end()
    }

    /// The current thread: that of the last stop, or the one selected since.
    #[must_use]
    pub fn thread(&self) -> ThreadId {
        self.thread
    }

    /// Makes `thread` the current one. Does not move.
    pub fn select_thread(&mut self, thread: ThreadId) {
        self.thread = thread;
    }

    /// Steps in `thread`, and stops earlier at a breakpoint of any thread.
    ///
    /// When nothing is left in that direction it stops at an end of the thread or of the recording.
    /// After a cancellation it has not moved, and says [`crate::StopReason::Cancelled`].
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn step(
        &mut self,
        kind: StepKind,
        direction: Direction,
        thread: ThreadId,
        cancel: &CancellationToken,
    ) -> Result<Stop> {
        let stop = self.find_step(kind, direction, thread, cancel)?;
        self.go(&stop);
        Ok(stop)
    }

    /// Runs to the nearest stop of any thread, else to the end or start of the recording.
    ///
    /// After a cancellation it has not moved, and says [`crate::StopReason::Cancelled`].
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn resume(&mut self, direction: Direction, cancel: &CancellationToken) -> Result<Stop> {
        let stop = self.find_resume(direction, cancel)?;
        self.go(&stop);
        Ok(stop)
    }

    /// What [`Timeline::step`] would return, without moving.
    ///
    /// # Errors
    ///
    /// As [`Timeline::step`].
    pub fn find_step(
        &self,
        kind: StepKind,
        direction: Direction,
        thread: ThreadId,
        cancel: &CancellationToken,
    ) -> Result<Stop> {
        let _ = (kind, direction, thread, cancel);
        unimplemented!()
    }

    /// What [`Timeline::resume`] would return, without moving.
    ///
    /// # Errors
    ///
    /// As [`Timeline::resume`].
    pub fn find_resume(&self, direction: Direction, cancel: &CancellationToken) -> Result<Stop> {
        let _ = (direction, cancel);
        unimplemented!()
    }

    /// Moves to where a search ended.
    pub fn go(&mut self, stop: &Stop) {
        self.position = stop.position.min(self.recording.end());
        self.thread = stop.thread;
    }

    /// Jumps to `to`. Positions beyond the end are clamped to the end.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn seek(&mut self, to: Position) -> Result<Stop> {
        let _ = to;
        unimplemented!()
    }

    /// Jumps to the first step event at or after `time_ns` nanoseconds from the program's start.
    ///
    /// # Errors
    ///
    /// As [`Timeline::seek`].
    pub fn seek_time(&mut self, time_ns: u64) -> Result<Stop> {
        let _ = time_ns;
        unimplemented!()
    }

    /// The first step event at or after `time_ns` nanoseconds from the program's start, or the end.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn position_of_time(&self, time_ns: u64) -> Result<Position> {
        let _ = time_ns;
        unimplemented!()
    }

    /// Goes to the first line that `frame` ran.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NoSuchFrame`], [`crate::Error::FrameWithoutLines`].
    pub fn restart_frame(&mut self, frame: FrameId) -> Result<Stop> {
        let _ = frame;
        unimplemented!()
    }

    /// Goes to where the program failed: the last uncaught exception's raise, else the end.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn seek_failure(&mut self) -> Result<Stop> {
        unimplemented!()
    }

    /// The executions of `line` nearest to now, at most 100, in recording order.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn goto_targets(
        &self,
        source: SourceId,
        line: u32,
        cancel: &CancellationToken,
    ) -> Result<Vec<GotoTarget>> {
        let _ = (source, line, cancel);
        unimplemented!()
    }

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
        let _ = (source, line, skip, limit, cancel);
        unimplemented!()
    }

    /// The lines from `first` to `last`, both included, where breakpoints can stand, ascending.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn breakpoint_lines(&self, source: SourceId, first: u32, last: u32) -> Result<Vec<u32>> {
        let _ = (source, first, last);
        unimplemented!()
    }

    /// The recorded sources that `path` names: the same path, else the same real path, else the only
    /// one that ends with it or that it ends with (whole components). Empty when there is none.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn sources_of_path(&self, path: &str) -> Result<Vec<SourceId>> {
        let _ = path;
        unimplemented!()
    }

    /// Replaces all line breakpoints of the source that `path` names. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn set_line_breakpoints(
        &mut self,
        path: &str,
        breakpoints: &[LineBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let _ = (path, breakpoints);
        unimplemented!()
    }

    /// Replaces all function breakpoints. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn set_function_breakpoints(
        &mut self,
        breakpoints: &[FunctionBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let _ = breakpoints;
        unimplemented!()
    }

    /// Replaces all data breakpoints. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn set_data_breakpoints(
        &mut self,
        breakpoints: &[DataBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let _ = breakpoints;
        unimplemented!()
    }

    /// Replaces the exception filters.
    pub fn set_exception_filters(&mut self, filters: &[ExceptionFilter]) {
        let _ = filters;
        unimplemented!()
    }

    /// What a logpoint prints over the whole recording: the first `limit` hits, and how many there are.
    ///
    /// # Errors
    ///
    /// [`crate::Error::NoSuchLogpoint`]; [`crate::Error::Trace`] when cancelled.
    pub fn log_history(
        &self,
        logpoint: BreakpointId,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<LogHistory> {
        let _ = (logpoint, limit, cancel);
        unimplemented!()
    }

    /// What users must be told since the last call: conditions that could not be evaluated, each once.
    pub fn take_messages(&mut self) -> Vec<String> {
        unimplemented!()
    }

    /// A page of the stack of `thread`: skips `skip`, returns at most `limit`.
    ///
    /// At position 0 the stack of the first step event is shown, at the end the last state of a thread
    /// that has ended.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn stack(&self, thread: ThreadId, skip: u64, limit: u64) -> Result<StackPage> {
        let _ = (thread, skip, limit);
        unimplemented!()
    }

    /// The threads of the recording, in order of first appearance, as they are at this position.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn threads(&self) -> Result<Vec<ThreadState>> {
        unimplemented!()
    }

    /// The exception that is raised or leaves a frame at this position, or `None`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn exception_info(&self) -> Result<Option<ExceptionInfo>> {
        unimplemented!()
    }
}
