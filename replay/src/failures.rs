//! Exceptions that ended a thread, and the frames they left on their way.
//!
//! An exception counts where it was first raised. One that is raised `from` another is an exception of
//! its own; of such a chain the one that was not caught counts. `SystemExit` and the like never do; see
//! [`Key::Uncaught`]. Code that is not recorded may have caught what left the outermost recorded frame:
//! a test runner, a pool of threads.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Completeness, Direction, Event, FrameId, FunctionId, Key, Position,
    Recording, SourceId, ThreadId, Value,
};

use crate::Result;
use crate::calls::{FunctionGroup, count_calls, group_of, unless_damaged};
use crate::exception::ExceptionFacts;

/// Most frames that are told of one failure.
pub const MOST_FRAMES: usize = 100;

/// Most unwinds of any exception that are looked at for one failure.
const MOST_UNWINDS: u64 = 20_000;

/// An exception that left the outermost recorded frame of its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it was first raised.
    pub position: Position,
    /// The thread that raised it.
    pub thread: ThreadId,
    /// Where it was raised, and in which call.
    pub raised_in: Option<FailureFrame>,
    /// Its type's qualified name: `ValueError`.
    pub type_name: String,
    /// Its type's module: `builtins`.
    pub module: String,
    /// Its message, when it was recorded.
    pub message: Option<String>,
    /// Type and message: `ValueError: total below zero: -18.75`.
    pub text: String,
    /// The frames it left, innermost first, at most [`MOST_FRAMES`].
    pub left: Vec<FailureFrame>,
    /// Whether more frames may have been left than are told: there are too many, or the recording is
    /// damaged.
    pub more: bool,
}

/// A frame that an exception was raised in or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureFrame {
    /// The frame.
    pub frame: FrameId,
    /// What it runs.
    pub function: FunctionId,
    /// The function's own name.
    pub function_name: Arc<str>,
    /// The function's source.
    pub source: SourceId,
    /// The line it was on, 1-based: that of the raise, or that which made the call that failed, even if
    /// an `except` or `finally` ran after it. The function's first line before any of its lines ran.
    pub line: u32,
    /// The step event of that line; the call before any line ran.
    pub line_position: Position,
    /// Which call of its function it is, from 1.
    pub call_number: u64,
    /// How many calls of its function the recording has.
    pub calls: u64,
}

impl FailureFrame {
    /// Which call it was, in words: `call 32 of 32`.
    #[must_use]
    pub fn call_text(&self) -> String {
        let number = crate::render::count(self.call_number);
        format!("call {number} of {}", crate::render::count(self.calls))
    }
}

/// The exceptions that ended a thread, that of the last raise first, at most `limit`.
///
/// Cost: a few index lookups for each failure and each frame it left.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
pub fn failures(
    recording: &Recording,
    limit: usize,
    cancel: &CancellationToken,
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    let mut from = recording.end();
    while failures.len() < limit
        && let Some(at) = recording.find(Key::Uncaught, from, Direction::Backward, cancel)?
    {
        from = at;
        // The raise itself may lie in a block that is damaged: then nothing is known of it.
        let found = unless_damaged(failure(recording, at, cancel))?;
        failures.extend(found.flatten());
    }
    Ok(failures)
}

fn failure(
    recording: &Recording,
    at: Position,
    cancel: &CancellationToken,
) -> Result<Option<Failure>> {
    let Some(found) = recording.event(at)? else {
        return Ok(None);
    };
    let Event::Raise { exception } = found.event else {
        return Ok(None);
    };
    let facts = ExceptionFacts::of(recording, &exception, at)?;
    let mut frames = Frames {
        recording,
        cancel,
        functions: HashMap::new(),
    };
    let raised_in = match recording.frame_of_event(at)? {
        Some(frame) => frames.at(frame, at)?,
        None => None,
    };
    let text = facts.text();
    let mut failure = Failure {
        position: at,
        thread: found.thread,
        raised_in,
        type_name: facts.type_name,
        module: facts.module,
        message: facts.message,
        text,
        left: Vec::new(),
        more: false,
    };
    let added = add_frames(&mut frames, &exception, &mut failure);
    let damaged = matches!(recording.completeness(), Completeness::Damaged(_));
    failure.more |= unless_damaged(added)?.is_none() || damaged;
    Ok(Some(failure))
}

/// Adds the frames that the exception leaves, up to the outermost one of its thread.
fn add_frames(frames: &mut Frames<'_>, exception: &Value, failure: &mut Failure) -> Result<()> {
    let (recording, cancel) = (frames.recording, frames.cancel);
    let raised = failure.raised_in.as_ref().map(|frame| frame.frame);
    let mut from = failure.position;
    // A frame was on the line that made the call when the frame inside it was left.
    let mut left_last = None;
    for _ in 0..MOST_UNWINDS {
        let Some(at) = recording.find(Key::Unwind, from, Direction::Forward, cancel)? else {
            // A part that is damaged or was never written has the rest.
            failure.more = true;
            return Ok(());
        };
        from = at.next();
        let Some(found) = recording.event(at)? else {
            continue;
        };
        let is_same =
            matches!(&found.event, Event::Unwind { exception: left } if left == exception);
        if found.thread != failure.thread || !is_same {
            continue;
        }
        if failure.left.len() == MOST_FRAMES {
            failure.more = true;
            return Ok(());
        }
        if let Some(frame) = recording.frame_of_event(at)? {
            let moment = match left_last {
                None if raised == Some(frame) => failure.position,
                None => at,
                Some(inner) => inner,
            };
            let mut state = frames.at(frame, moment)?;
            if state
                .as_ref()
                .is_none_or(|state| state.line_position > moment)
            {
                // It began after the frame inside was left: the exception had been kept and was raised
                // again.
                state = frames.at(frame, at)?;
            }
            failure.left.extend(state);
        }
        left_last = Some(at);
        if recording.stack_depth(failure.thread, from)? == 0 {
            return Ok(());
        }
    }
    failure.more = true;
    Ok(())
}

/// Tells frames; of each function that is met again, as in recursion, what is known.
struct Frames<'a> {
    recording: &'a Recording,
    cancel: &'a CancellationToken,
    /// The functions that were met, with the number of their calls.
    functions: HashMap<FunctionId, (FunctionGroup, u64)>,
}

impl Frames<'_> {
    /// A frame with the line that it is on at `at`. `None` only if its call is lost in a damaged part,
    /// so that not even its function is known.
    fn at(&mut self, frame: FrameId, at: Position) -> Result<Option<FailureFrame>> {
        let (recording, cancel) = (self.recording, self.cancel);
        let Some(facts) = recording.frame(frame)? else {
            return Ok(None);
        };
        let (group, calls) = match self.functions.entry(facts.function) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let group = group_of(recording, facts.function)?;
                let calls = group.count(recording, cancel)?;
                place.insert((group, calls))
            }
        };
        let step = recording.find(Key::FrameStep(frame), at, Direction::Backward, cancel)?;
        let event = match step {
            Some(step) => recording.event(step)?.map(|found| found.event),
            None => None,
        };
        let line = match event {
            Some(Event::Line { line }) => line,
            _ => group.function.first_line,
        };
        Ok(Some(FailureFrame {
            frame,
            function: facts.function,
            function_name: group.function.name.clone(),
            source: group.function.source,
            line,
            line_position: step.unwrap_or(facts.call),
            call_number: count_calls(recording, &group.ids, facts.call.next(), cancel)?,
            calls: *calls,
        }))
    }
}
