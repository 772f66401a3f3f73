//! A movable view of a recording: stepping, resuming, seeking, breakpoints, in both directions.
//!
//! `&self` asks and never moves; `&mut self` moves and returns a [`Stop`].
//! Every move looks strictly beyond the current position, so the breakpoint one stands on does not hit
//! again. What is on the stack and in the variables comes from the recording at [`Timeline::position`].

mod exception;
mod jump;
mod overview;
mod path;
mod places;
mod search;
mod set;
mod stack;
mod step;
pub(crate) mod unrun;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use retrostep_trace::{
    CancellationToken, Direction, Key, Position, Recording, SourceId, ThreadId, ThreadInfo,
};

pub use exception::ExceptionInfo;
pub use jump::GotoTarget;
pub use overview::Overview;
pub use places::{LineHit, LineHits};
pub use stack::{StackPage, ThreadState};
pub use step::StepKind;

use crate::breakpoint::{Search, lock};
use crate::{Progress, Result, Stop, StopReason};

/// Tells the real path behind a path, links resolved. This crate looks at no files itself.
pub type PathResolver = fn(&Path) -> Option<PathBuf>;

/// A movable view of a recording.
pub struct Timeline {
    recording: Arc<Recording>,
    position: Position,
    thread: ThreadId,
    threads: Vec<ThreadInfo>,
    /// The thread of the first step event: the one shown at the start.
    first_thread: ThreadId,
    resolver: PathResolver,
    breakpoints: set::Breakpoints,
    progress: Progress,
    code_lines: Mutex<HashMap<SourceId, Arc<places::CodeLines>>>,
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
        let threads = recording.threads()?;
        let mut timeline = Timeline {
            recording,
            position: Position::START,
            thread: ThreadId(0),
            threads,
            first_thread: ThreadId(0),
            resolver,
            breakpoints: set::Breakpoints::default(),
            progress: Progress::default(),
            code_lines: Mutex::default(),
        };
        timeline.first_thread = timeline.thread_of_step(Position::START, Direction::Forward)?;
        timeline.thread = timeline.first_thread;
        Ok(timeline)
    }

    /// Goes on with a later reading of the same recording, which has grown.
    ///
    /// Position and thread stay; breakpoints are gone and have to be set again.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read; nothing has changed then.
    pub fn replace_recording(&mut self, recording: Arc<Recording>) -> Result<()> {
        self.threads = recording.threads()?;
        self.recording = recording;
        self.breakpoints = set::Breakpoints::default();
        lock(&self.code_lines).clear();
        self.first_thread = self.thread_of_step(Position::START, Direction::Forward)?;
        Ok(())
    }

    /// The recording.
    #[must_use]
    pub fn recording(&self) -> &Arc<Recording> {
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

    /// How far the search is that runs; to be asked from another thread.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Makes `thread` the current one. Does not move.
    pub fn select_thread(&mut self, thread: ThreadId) {
        self.thread = thread;
    }

    /// Steps in `thread`, and stops earlier at a breakpoint of any thread.
    ///
    /// When nothing is left in that direction it stops at an end of the thread or of the recording.
    /// After a cancellation it has not moved, and says [`StopReason::Cancelled`].
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
    /// After a cancellation it has not moved, and says [`StopReason::Cancelled`].
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
        self.unless_cancelled(|| {
            let search = self.search(cancel);
            let target = self.step_target(search, kind, direction, thread)?;
            self.progress.begin(self.position, target.position);
            match self.nearest(search, direction, target.position)? {
                Some(met) => Ok(met),
                None => Ok(target),
            }
        })
    }

    /// What [`Timeline::resume`] would return, without moving.
    ///
    /// # Errors
    ///
    /// As [`Timeline::resume`].
    pub fn find_resume(&self, direction: Direction, cancel: &CancellationToken) -> Result<Stop> {
        self.unless_cancelled(|| {
            let search = self.search(cancel);
            let limit = match direction {
                Direction::Forward => self.end(),
                Direction::Backward => Position::START,
            };
            self.progress.begin(self.position, limit);
            match self.nearest(search, direction, limit)? {
                Some(met) => Ok(met),
                None => self.limit_stop(direction),
            }
        })
    }

    /// Moves to where a search ended.
    pub fn go(&mut self, stop: &Stop) {
        self.position = stop.position.min(self.recording.end());
        self.thread = stop.thread;
    }

    /// The answer of a search, or one that says it was cancelled and stands where we stand.
    fn unless_cancelled(&self, search: impl FnOnce() -> Result<Stop>) -> Result<Stop> {
        match search() {
            Err(error) if error.is_cancelled() => {
                Ok(self.plain_stop(self.position, self.thread, StopReason::Cancelled))
            }
            answer => answer,
        }
    }

    fn search<'a>(&'a self, cancel: &'a CancellationToken) -> Search<'a> {
        Search {
            recording: &self.recording,
            threads: &self.threads,
            cancel,
            messages: &self.breakpoints.messages,
            progress: &self.progress,
        }
    }

    /// The stop at an end of the recording.
    fn limit_stop(&self, direction: Direction) -> Result<Stop> {
        Ok(match direction {
            Direction::Forward => self.plain_stop(self.end(), self.main_thread()?, StopReason::End),
            Direction::Backward => {
                self.plain_stop(Position::START, self.first_thread, StopReason::Start)
            }
        })
    }

    /// A stop that only its reason describes.
    fn plain_stop(&self, position: Position, thread: ThreadId, reason: StopReason) -> Stop {
        let description = match reason {
            StopReason::Start => "Start of recording",
            StopReason::End => "End of recording",
            StopReason::StartOfThread => "Start of thread",
            StopReason::EndOfThread => "End of thread",
            StopReason::Cancelled => "Search cancelled",
            StopReason::Goto => "Jump",
            _ if position < self.position => "Step back",
            _ => "Step",
        };
        Stop {
            position,
            thread,
            reason,
            breakpoints: Vec::new(),
            description: description.to_owned(),
            text: None,
        }
    }

    /// The main thread; the thread of the last step event when the main thread has none.
    fn main_thread(&self) -> Result<ThreadId> {
        let main = ThreadId(0);
        let cancel = CancellationToken::new();
        let key = Key::ThreadStep(main);
        let end = self.end();
        match self
            .recording
            .find(key, end, Direction::Backward, &cancel)?
        {
            Some(_) => Ok(main),
            None => self.thread_of_step(end, Direction::Backward),
        }
    }

    fn thread_of_step(&self, from: Position, direction: Direction) -> Result<ThreadId> {
        let cancel = CancellationToken::new();
        match self.recording.find(Key::Step, from, direction, &cancel)? {
            Some(step) => Ok(self.recording.thread_at(step)?),
            None => Ok(ThreadId(0)),
        }
    }

    fn thread_info(&self, thread: ThreadId) -> Option<&ThreadInfo> {
        self.threads.iter().find(|info| info.thread == thread)
    }
}
