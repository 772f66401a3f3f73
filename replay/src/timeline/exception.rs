//! What is known of an exception.

use std::sync::Arc;

use retrostep_trace::{CancellationToken, Direction, Event, Key, Position, ThreadId, Value};

use super::Timeline;
use crate::Result;
use crate::exception::{ExceptionFacts, raise_of};

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

impl Timeline {
    /// The exception that is raised or leaves a frame at this position, or `None`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn exception_info(&self) -> Result<Option<ExceptionInfo>> {
        let at = self.position;
        let (exception, raised) = match self.recording.event(at)?.map(|found| found.event) {
            Some(Event::Raise { exception }) => (exception, at),
            Some(Event::Unwind { exception }) => {
                let cancel = CancellationToken::new();
                let raised = raise_of(&self.recording, &exception, at, &cancel)?;
                (exception, raised.unwrap_or(at))
            }
            _ => return Ok(None),
        };
        let facts = ExceptionFacts::of(&self.recording, &exception, at)?;
        let uncaught = self.recording.find(
            Key::Uncaught,
            raised,
            Direction::Forward,
            &CancellationToken::new(),
        )?;
        Ok(Some(ExceptionInfo {
            exception,
            type_name: facts.type_name,
            module: facts.module,
            message: facts.message,
            raised,
            uncaught: uncaught == Some(raised),
        }))
    }

    /// The name of the function that the thread's innermost frame runs.
    pub(super) fn function_at(&self, thread: ThreadId, at: Position) -> Result<Option<Arc<str>>> {
        let stack = self.recording.stack(thread, at, 0, 1)?;
        let function = stack
            .first()
            .map(|top| self.recording.function(top.function));
        Ok(function.transpose()?.map(|function| function.name.clone()))
    }
}
