//! One recorded call: its arguments, how it ended, how long it took.

use std::fmt;

use retrostep_trace::{
    CancellationToken, Completeness, Direction, Event, FrameId, FunctionId, FunctionKind, Key,
    Position, Recording, ThreadId, Value, VariableKind,
};

use super::unless_damaged;
use crate::hints::phrase;
use crate::{Datum, Place, Result, Snapshot, exception, render};

/// One call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// Which call of its function it is, from 1, over all its code objects.
    pub number: u64,
    /// The code object that was called.
    pub function: FunctionId,
    /// The frame that the call made.
    pub frame: FrameId,
    /// The thread of the call.
    pub thread: ThreadId,
    /// The call's event.
    pub call: Position,
    /// Where to go to see it: its first step event; the call if it ran no line.
    pub position: Position,
    /// Its return or unwind; `None` if it did not end, or its end cannot be read.
    pub exit: Option<Position>,
    /// The arguments as they were passed: `93.75, 6 items`. Empty for none.
    pub arguments: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From the call to its end, as near as the clock was noted; `None` without an end. That of a
    /// generator or coroutine includes the time it was suspended.
    pub duration_ns: Option<u64>,
}

/// How a call ended; [`fmt::Display`] gives the words for it: `→ 112.5`, `raised ValueError`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned this value, as short text.
    Returned(String),
    /// An exception of this type left it.
    Raised(String),
    /// A generator or coroutine that was closed before its end.
    Closed,
    /// A generator whose end is not recorded: the value it yielded last. It may have been closed since:
    /// from Python 3.13 on, closing one that has nothing to clean up runs no code of it.
    Yielded(String),
    /// A coroutine that has not ended and waits.
    Awaiting,
    /// It had not ended when the recording did.
    Running,
    /// Its end lies in a damaged part of the recording.
    Unknown,
}

impl Outcome {
    /// Whether an exception left the call.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        matches!(self, Outcome::Raised(_))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Returned(value) => write!(f, "→ {value}"),
            Outcome::Raised(type_name) => write!(f, "raised {type_name}"),
            Outcome::Closed => f.write_str("closed"),
            Outcome::Yielded(value) => write!(f, "yielded {value}"),
            Outcome::Awaiting => f.write_str("awaiting"),
            Outcome::Running => f.write_str("still running"),
            Outcome::Unknown => f.write_str("end not recorded"),
        }
    }
}

/// The call whose event is at `call`; `None` if there is no call.
pub(super) fn read(
    recording: &Recording,
    call: Position,
    number: u64,
    cancel: &CancellationToken,
) -> Result<Option<RecordedCall>> {
    let Some(found) = recording.event(call)? else {
        return Ok(None);
    };
    let Event::Call {
        frame, function, ..
    } = found.event
    else {
        return Ok(None);
    };
    let step = first_step(recording, frame, call, cancel)?;
    let exit = exit_of(recording, frame, call, cancel)?;
    let bound = step.or(exit).unwrap_or(recording.end());
    let arguments = unless_damaged(arguments(recording, frame, function, bound))?;
    let outcome = unless_damaged(outcome(recording, frame, function, exit, cancel))?;
    Ok(Some(RecordedCall {
        number,
        function,
        frame,
        thread: found.thread,
        call,
        position: step.unwrap_or(call),
        exit,
        arguments: arguments.unwrap_or_default(),
        outcome: outcome.unwrap_or(Outcome::Unknown),
        duration_ns: match exit {
            Some(exit) => Some(duration_ns(recording, call, exit)?),
            None => None,
        },
    }))
}

/// The first step event of a frame that was called at `call`.
fn first_step(
    recording: &Recording,
    frame: FrameId,
    call: Position,
    cancel: &CancellationToken,
) -> Result<Option<Position>> {
    let key = Key::FrameStep(frame);
    Ok(recording.find(key, call, Direction::Forward, cancel)?)
}

/// The return or unwind of a frame that was called at `call`.
pub(super) fn exit_of(
    recording: &Recording,
    frame: FrameId,
    call: Position,
    cancel: &CancellationToken,
) -> Result<Option<Position>> {
    let key = Key::FrameExit(frame);
    Ok(recording.find(key, call, Direction::Forward, cancel)?)
}

fn duration_ns(recording: &Recording, call: Position, exit: Position) -> Result<u64> {
    let begun = recording.time_ns(call)?;
    Ok(recording.time_ns(exit)?.saturating_sub(begun))
}

/// A value in a few characters.
fn short(recording: &Recording, value: &Value, at: Position) -> Result<String> {
    let snapshot = Snapshot::new(recording, at);
    Ok(match phrase::value(snapshot, value, phrase::VALUE_LEN)? {
        Some(text) => text,
        None => snapshot.text(&Datum::from(value), phrase::VALUE_LEN)?,
    })
}

/// The arguments as they are before the frame's first line.
fn arguments(
    recording: &Recording,
    frame: FrameId,
    function: FunctionId,
    at: Position,
) -> Result<String> {
    let function = recording.function(function)?;
    let mut texts = Vec::new();
    for (slot, variable) in (0u32..).zip(&function.variables) {
        let is_argument = matches!(
            variable.kind,
            VariableKind::Argument | VariableKind::CellArgument
        );
        // Names with a dot are the compiler's own.
        if !is_argument || variable.name.starts_with('.') {
            continue;
        }
        if let Some(value) = (Place::Local { frame, slot }).raw_value(recording, at)? {
            texts.push(short(recording, &value, at)?);
        }
    }
    Ok(render::shortened(&texts.join(", "), render::LIMIT))
}

fn outcome(
    recording: &Recording,
    frame: FrameId,
    function: FunctionId,
    exit: Option<Position>,
    cancel: &CancellationToken,
) -> Result<Outcome> {
    let kind = recording.function(function)?.kind;
    let Some(exit) = exit else {
        return unfinished(recording, frame, kind, cancel);
    };
    Ok(match recording.event(exit)?.map(|found| found.event) {
        Some(Event::Return { value }) => Outcome::Returned(short(recording, &value, exit)?),
        Some(Event::Unwind { exception }) => {
            let type_name = exception::type_name(recording, &exception, exit)?;
            if is_closing(kind, &type_name) {
                Outcome::Closed
            } else {
                Outcome::Raised(type_name)
            }
        }
        _ => Outcome::Unknown,
    })
}

/// Whether an exception that leaves a function of this kind is how it is closed.
pub(crate) fn is_closing(kind: FunctionKind, type_name: &str) -> bool {
    let is_suspended = matches!(
        kind,
        FunctionKind::Generator | FunctionKind::Coroutine | FunctionKind::AsyncGenerator
    );
    is_suspended && type_name == "GeneratorExit"
}

fn unfinished(
    recording: &Recording,
    frame: FrameId,
    kind: FunctionKind,
    cancel: &CancellationToken,
) -> Result<Outcome> {
    if matches!(recording.completeness(), Completeness::Damaged(_)) {
        return Ok(Outcome::Unknown);
    }
    let is_suspended = matches!(
        kind,
        FunctionKind::Generator | FunctionKind::Coroutine | FunctionKind::AsyncGenerator
    );
    if !is_suspended {
        return Ok(Outcome::Running);
    }
    let last = |key| recording.find(key, recording.end(), Direction::Backward, cancel);
    let Some(suspended) = last(Key::FrameYield(frame))? else {
        return Ok(Outcome::Running);
    };
    if last(Key::FrameResume(frame))? > Some(suspended) {
        return Ok(Outcome::Running);
    }
    match recording.event(suspended)?.map(|found| found.event) {
        Some(Event::Yield { value }) if kind == FunctionKind::Generator => {
            Ok(Outcome::Yielded(short(recording, &value, suspended)?))
        }
        _ => Ok(Outcome::Awaiting),
    }
}
