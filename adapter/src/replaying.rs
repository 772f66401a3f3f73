//! An open recording: the timeline, and what clients were told of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use retrostep_replay::{Snapshot, Stop, Timeline};
use retrostep_sessions::{Library, is_being_written};
use retrostep_trace::{
    CancellationToken, Completeness, Direction, FrameId, Key, Position, Recording, ThreadId,
};

use crate::error::RequestError;
use crate::handles::{Container, Handles};
use crate::publishing;
use crate::sources::Sources;

/// How long a recording that is still being written is not looked at again.
const PATIENCE: Duration = Duration::from_millis(100);

/// An open recording.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) path: PathBuf,
    pub(crate) timeline: Timeline,
    /// Where other processes look for the position.
    pub(crate) library: Library,
    pub(crate) handles: Handles,
    pub(crate) sources: Sources,
    /// The last stop that the client was told of.
    pub(crate) last_stop: Option<Stop>,
    /// When the file was read last.
    read_at: Instant,
    /// Whether the client knows that the recording is damaged.
    damage_told: bool,
}

impl Replay {
    /// Opens a recording; the timeline stands at its start.
    pub(crate) fn open(path: &Path) -> Result<Replay, RequestError> {
        let recording = Arc::new(Recording::open(path)?);
        let library = publishing::library_of(path, &recording.header().working_directory);
        Ok(Replay {
            path: path.to_owned(),
            library,
            timeline: Timeline::new(recording, |path| std::fs::canonicalize(path).ok())?,
            handles: Handles::default(),
            sources: Sources::default(),
            last_stop: None,
            read_at: Instant::now(),
            damage_told: false,
        })
    }

    /// Takes in what was added to a recording that is still being written. Returns whether there was
    /// something: the timeline then stands where it stood, without breakpoints.
    pub(crate) fn follow(&mut self) -> Result<bool, RequestError> {
        if self.recording().summary().is_some() || self.read_at.elapsed() < PATIENCE {
            return Ok(false);
        }
        let len_bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        if len_bytes <= self.recording().len_bytes() {
            return Ok(false);
        }
        let recording = Recording::open(&self.path)?;
        self.read_at = Instant::now();
        if recording.end() <= self.timeline.end() {
            return Ok(false);
        }
        self.timeline.replace_recording(Arc::new(recording))?;
        self.sources = Sources::default();
        Ok(true)
    }

    pub(crate) fn recording(&self) -> &Recording {
        self.timeline.recording()
    }

    /// What can be seen where the timeline stands.
    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self.recording(), self.timeline.position())
    }

    /// Whether at least one line ran.
    pub(crate) fn has_steps(&self) -> Result<bool, RequestError> {
        let first = self.recording().find(
            Key::Step,
            Position::START,
            Direction::Forward,
            &CancellationToken::new(),
        )?;
        Ok(first.is_some())
    }

    /// The recording's name for people.
    pub(crate) fn name(&self) -> String {
        let name = &self.recording().header().name;
        if !name.is_empty() {
            return name.clone();
        }
        self.path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    /// The damage that was met since the recording was opened, as a sentence, once.
    pub(crate) fn new_damage(&mut self) -> Option<String> {
        if self.damage_told {
            return None;
        }
        match self.recording().completeness() {
            Completeness::Damaged(what) => {
                self.damage_told = true;
                Some(damaged(&what))
            }
            _ => None,
        }
    }

    /// What is missing, as a sentence, or `None` if nothing is.
    pub(crate) fn missing(&mut self) -> Option<String> {
        let end = crate::position::grouped(self.timeline.end().0);
        match self.recording().completeness() {
            Completeness::Complete => None,
            Completeness::Unfinished if is_being_written(&self.path) => Some(format!(
                "The program is still being recorded. Everything up to event {end} is here; \
                 a move takes in what was added."
            )),
            Completeness::Damaged(_) => self.new_damage(),
            _ => Some(format!(
                "The recording ends early: the program was killed. \
                 Everything up to event {end} is here."
            )),
        }
    }

    /// The frame with a client's number.
    pub(crate) fn frame(&self, number: i64) -> Result<FrameId, RequestError> {
        self.handles.frame_of(number).ok_or_else(|| {
            RequestError::client(format!(
                "frame {number} is not valid any more: ask for the stack again"
            ))
        })
    }

    /// What has children, by a client's number.
    pub(crate) fn container(&self, number: i64) -> Result<Container, RequestError> {
        self.handles.container_of(number).cloned().ok_or_else(|| {
            RequestError::client(format!(
                "variables {number} are not valid any more: ask for the scopes again"
            ))
        })
    }

    /// The frame that an optional number means: without one, the innermost of the current thread.
    pub(crate) fn frame_or_innermost(
        &self,
        number: Option<i64>,
    ) -> Result<Option<FrameId>, RequestError> {
        if let Some(number) = number.filter(|number| *number != 0) {
            return self.frame(number).map(Some);
        }
        let page = self.timeline.stack(self.timeline.thread(), 0, 1)?;
        Ok(page.frames.first().map(|frame| frame.frame))
    }

    /// Checks that a thread is one of the recording's. One in which nothing was recorded still has the
    /// thread that it stops in.
    pub(crate) fn known_thread(&self, thread: ThreadId) -> Result<ThreadId, RequestError> {
        let known = self.timeline.threads()?;
        if known.is_empty() && thread == self.timeline.thread() {
            return Ok(thread);
        }
        if known.iter().any(|state| state.thread == thread) {
            Ok(thread)
        } else {
            Err(RequestError::client(format!(
                "there is no thread {}",
                crate::to_proto::thread_id(thread)
            )))
        }
    }
}

fn damaged(what: &str) -> String {
    format!("The recording is damaged: {what}. What is intact is here.")
}
