//! What is known of an exception.

use std::sync::Arc;

use retrostep_trace::{CancellationToken, Direction, Event, Key, Position, ThreadId, Value};

use super::Timeline;
use crate::{Datum, Result, Snapshot};

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

/// What an exception says of itself.
pub(super) struct ExceptionFacts {
    pub(super) type_name: String,
    pub(super) module: String,
    pub(super) message: Option<String>,
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
                let raised = self.raise_of(&exception, at)?;
                (exception, raised.unwrap_or(at))
            }
            _ => return Ok(None),
        };
        let facts = self.exception_facts(&exception, at)?;
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

    pub(super) fn exception_facts(
        &self,
        exception: &Value,
        at: Position,
    ) -> Result<ExceptionFacts> {
        let mut facts = ExceptionFacts {
            type_name: "an exception".to_owned(),
            module: String::new(),
            message: None,
        };
        let Value::Object(object) = exception else {
            return Ok(facts);
        };
        let Some((content, _)) = self.recording.object(*object, at.next())? else {
            return Ok(facts);
        };
        if let Ok(exception_type) = self.recording.type_of(content.type_id) {
            facts.type_name = exception_type.qualified_name.to_string();
            facts.module = exception_type.module.to_string();
        }
        facts.message = match (&content.text, &content.items[..]) {
            (Some(text), _) | (None, [Value::Str(text)]) => {
                Some(String::from_utf8_lossy(&text.kept).into_owned())
            }
            (None, [only]) => {
                let snapshot = Snapshot::new(&self.recording, at.next());
                Some(snapshot.text(&Datum::from(only), crate::render::LIMIT)?)
            }
            _ => None,
        };
        Ok(facts)
    }

    /// The name of the function that the thread's innermost frame runs.
    pub(super) fn function_at(&self, thread: ThreadId, at: Position) -> Result<Option<Arc<str>>> {
        let stack = self.recording.stack(thread, at, 0, 1)?;
        let function = stack
            .first()
            .map(|top| self.recording.function(top.function));
        Ok(function.transpose()?.map(|function| function.name.clone()))
    }

    /// The last raise of `exception` before `before`.
    fn raise_of(&self, exception: &Value, before: Position) -> Result<Option<Position>> {
        const FARTHEST: usize = 1000;
        let cancel = CancellationToken::new();
        let mut from = before;
        for _ in 0..FARTHEST {
            let found = self
                .recording
                .find(Key::Raise, from, Direction::Backward, &cancel)?;
            let Some(at) = found else { break };
            match self.recording.event(at)?.map(|found| found.event) {
                Some(Event::Raise { exception: raised }) if raised == *exception => {
                    return Ok(Some(at));
                }
                _ => from = at,
            }
        }
        Ok(None)
    }
}
