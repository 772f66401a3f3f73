//! Where a move ended, and why.

use retrostep_trace::{Position, ThreadId, Value};

use crate::{BreakpointId, Datum, ExceptionFilter};

/// Where a move ended.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Where the timeline stands now.
    pub position: Position,
    /// The thread that the stop concerns; the timeline's current thread from now on.
    pub thread: ThreadId,
    /// Why it stopped there.
    pub reason: StopReason,
    /// Every breakpoint that was hit there, ascending.
    pub breakpoints: Vec<BreakpointId>,
    /// A short text for people: `Raised ValueError`, `Breakpoint`, `codes changed: 4 → 5 items`,
    /// `Step back`, `Start of recording`.
    pub description: String,
    /// More of it, when there is more: the message of an exception.
    pub text: Option<String>,
}

/// Why a move ended.
///
/// When several things are met at one position, the one that says most is given: an exception, then a
/// data breakpoint, a function breakpoint, a line breakpoint, and last the end of a step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StopReason {
    /// A step ended there.
    Step,
    /// A line breakpoint was hit.
    Breakpoint,
    /// A function breakpoint was hit.
    FunctionBreakpoint,
    /// A watched value changes: forward it just has, backward it is about to.
    DataBreakpoint(DataChange),
    /// An exception filter matched.
    Exception(ExceptionStop),
    /// The start of the recording.
    Start,
    /// The end of the recording.
    End,
    /// The first event of a thread, before its first line.
    StartOfThread,
    /// The last event of a thread.
    EndOfThread,
    /// A jump to a known position.
    Goto,
    /// A search was cancelled; the timeline stands where it stood before.
    Cancelled,
}

/// A change of a watched value. Old and new are in recording order, whatever the direction.
#[derive(Clone, Debug)]
pub struct DataChange {
    /// The data breakpoint.
    pub breakpoint: BreakpointId,
    /// The position of the event that wrote.
    pub write: Position,
    /// The value before; `None` when the name had none. An object as it is at `write`.
    pub old: Option<Datum>,
    /// The value after; `None` when it was deleted. An object as it is just after `write`.
    pub new: Option<Datum>,
}

/// An exception that a filter stopped at.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionStop {
    /// The filters that matched, in the order of [`ExceptionFilter`].
    pub filters: Vec<ExceptionFilter>,
    /// The exception.
    pub exception: Value,
}
