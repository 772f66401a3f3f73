//! Which occurrences of a breakpoint count: its condition and its hit condition.
//!
//! Hits are counted from the start of the recording, so that both directions agree on which hit is the
//! fifth. With a condition only the occurrences where it held are counted.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use retrostep_trace::{CancellationToken, FrameId, Position, Recording, ThreadInfo};

use crate::{Expression, ExpressionError, HitCondition, Progress, Result, Snapshot};

/// What a search needs besides the breakpoints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    pub(crate) recording: &'a Recording,
    pub(crate) threads: &'a [ThreadInfo],
    pub(crate) cancel: &'a CancellationToken,
    pub(crate) messages: &'a Messages,
    pub(crate) progress: &'a Progress,
}

/// Sentences for the user, each said once.
#[derive(Debug, Default)]
pub(crate) struct Messages(Mutex<(HashSet<String>, Vec<String>)>);

impl Messages {
    fn say(&self, message: String) {
        let mut messages = lock(&self.0);
        if messages.0.insert(message.clone()) {
            messages.1.push(message);
        }
    }

    /// What was said since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0).1)
    }
}

/// A condition and a hit condition, both optional.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pub(crate) condition: Option<Expression>,
    pub(crate) hits: Option<HitCondition>,
}

impl Gate {
    /// Reads both; the error is a sentence for the user.
    pub(crate) fn parse(
        condition: Option<&str>,
        hits: Option<&str>,
    ) -> std::result::Result<Gate, String> {
        let condition = written(condition)
            .map(|text| {
                Expression::parse(text).map_err(|error| format!("condition {text:?}: {error}"))
            })
            .transpose()?;
        let hits = written(hits)
            .map(HitCondition::parse)
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok(Gate { condition, hits })
    }

    /// Whether the condition holds in `frame` at `at`.
    ///
    /// One that cannot be evaluated does not hold, and the reason is said once.
    pub(crate) fn holds(
        &self,
        search: Search<'_>,
        frame: Option<FrameId>,
        at: Position,
    ) -> Result<bool> {
        let Some(condition) = &self.condition else {
            return Ok(true);
        };
        search.cancel.check()?;
        match Snapshot::new(search.recording, at).holds(frame, condition) {
            Ok(holds) => Ok(holds),
            Err(ExpressionError::Recording(error)) => Err(error.into()),
            Err(error) => {
                search.messages.say(format!(
                    "condition `{}` could not be evaluated: {error}",
                    condition.text()
                ));
                Ok(false)
            }
        }
    }
}

/// A text field that says something.
fn written(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Locks a cache; what a panicking thread left in it is still a valid prefix.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
