//! What an exception says of itself, and where it was raised.

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Content, Direction, Event, Key, Position, Recording, Value,
};

use crate::{Datum, Result, Snapshot, render};

/// How many raises are looked at to find that of one exception.
const FARTHEST: usize = 1000;

/// What an exception says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionFacts {
    /// Its type's qualified name: `ValueError`; `an exception` where it was not recorded.
    pub type_name: String,
    /// Its type's module: `builtins`.
    pub module: String,
    /// Its message, when it was recorded.
    pub message: Option<String>,
}

impl ExceptionFacts {
    /// What is known of `exception` right after the event at `at`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn of(recording: &Recording, exception: &Value, at: Position) -> Result<ExceptionFacts> {
        let mut facts = ExceptionFacts {
            type_name: "an exception".to_owned(),
            module: String::new(),
            message: None,
        };
        let Some(content) = content_of(recording, exception, at)? else {
            return Ok(facts);
        };
        if let Ok(exception_type) = recording.type_of(content.type_id) {
            facts.type_name = exception_type.qualified_name.to_string();
            facts.module = exception_type.module.to_string();
        }
        facts.message = match (&content.text, &content.items[..]) {
            (Some(text), _) | (None, [Value::Str(text)]) => {
                Some(String::from_utf8_lossy(&text.kept).into_owned())
            }
            (None, [only]) => {
                let snapshot = Snapshot::new(recording, at.next());
                Some(snapshot.text(&Datum::from(only), render::LIMIT)?)
            }
            _ => None,
        };
        Ok(facts)
    }

    /// As the language prints it below a traceback: `ValueError: total below zero: -18.75`.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.message {
            Some(message) if !message.is_empty() => format!("{}: {message}", self.type_name),
            _ => self.type_name.clone(),
        }
    }
}

/// The qualified name of an exception's type; `an exception` where it was not recorded.
pub(crate) fn type_name(recording: &Recording, exception: &Value, at: Position) -> Result<String> {
    let content = content_of(recording, exception, at)?;
    let known = content.and_then(|content| recording.type_of(content.type_id).ok());
    Ok(known.map_or_else(
        || "an exception".to_owned(),
        |known| known.qualified_name.to_string(),
    ))
}

fn content_of(
    recording: &Recording,
    exception: &Value,
    at: Position,
) -> Result<Option<Arc<Content>>> {
    let Value::Object(object) = exception else {
        return Ok(None);
    };
    let found = recording.object(*object, at.next())?;
    Ok(found.map(|(content, _)| content))
}

/// The last raise of `exception` before `before`, if it is among the newest thousand.
pub(crate) fn raise_of(
    recording: &Recording,
    exception: &Value,
    before: Position,
    cancel: &CancellationToken,
) -> Result<Option<Position>> {
    let mut from = before;
    for _ in 0..FARTHEST {
        let found = recording.find(Key::Raise, from, Direction::Backward, cancel)?;
        let Some(at) = found else { break };
        match recording.event(at)?.map(|found| found.event) {
            Some(Event::Raise { exception: raised }) if raised == *exception => {
                return Ok(Some(at));
            }
            _ => from = at,
        }
    }
    Ok(None)
}
