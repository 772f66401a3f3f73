//! Breakpoints of every sort: what was asked for, and what became of it.

mod data;
mod function;
mod gate;
mod hit_condition;
mod occurrences;
mod test;

use std::fmt;
use std::sync::Arc;

use retrostep_trace::{Position, ThreadId};

pub(crate) use data::{DataPoint, DataStop};
pub(crate) use function::find_first_line;
pub(crate) use gate::{Gate, Messages, Search, lock};
pub use hit_condition::HitCondition;
pub(crate) use occurrences::{Occurrences, nearer, within};

use crate::Place;

/// The number of a breakpoint. Setting the same breakpoint again keeps its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreakpointId(pub u32);

impl fmt::Display for BreakpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A breakpoint on a line, or a logpoint when it has a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineBreakpoint {
    /// 1-based.
    pub line: u32,
    /// Only hits where this expression is true count. One that cannot be evaluated does not stop;
    /// see [`crate::Timeline::take_messages`].
    pub condition: Option<String>,
    /// Which hits stop; see [`HitCondition`].
    pub hit_condition: Option<String>,
    /// Makes it a logpoint, which never stops. `{expression}` is replaced by its value.
    pub log_message: Option<String>,
}

/// A breakpoint on the first line of each call of a function, not on resumes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionBreakpoint {
    /// The function's name, its qualified name or an end of it: `total`, `Cart.total`.
    pub name: String,
    /// As [`LineBreakpoint::condition`], evaluated at the first line.
    pub condition: Option<String>,
    /// As [`LineBreakpoint::hit_condition`].
    pub hit_condition: Option<String>,
}

/// A stop whenever a value changes.
///
/// Rebinding to an equal value is no change. Binding an argument, deleting, and changing the object
/// that the name refers to in place are.
#[derive(Clone, Debug, PartialEq)]
pub struct DataBreakpoint {
    /// What is watched.
    pub place: Place,
    /// As [`LineBreakpoint::condition`], evaluated just after the write in the frame that wrote.
    pub condition: Option<String>,
    /// As [`LineBreakpoint::hit_condition`], counting changes.
    pub hit_condition: Option<String>,
    /// The name that stop descriptions give it; without one, it is made from the place.
    pub name: Option<String>,
}

/// Which exceptions stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExceptionFilter {
    /// Those that leave the outermost recorded frame of their thread, where they are first raised.
    Uncaught,
    /// All, where they are first raised. Re-raising the same object is not a new raise.
    Raised,
    /// Those that leave a function, at the moment they do, once per function left.
    Left,
}

/// What became of a breakpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedBreakpoint {
    /// Its number.
    pub id: BreakpointId,
    /// Whether it can be hit.
    pub verified: bool,
    /// The line where it stands, 1-based: for a line without code, the next one that has code.
    pub line: Option<u32>,
    /// The recorded source it stands in.
    pub source: Option<retrostep_trace::SourceId>,
    /// Why it is not verified.
    pub message: Option<String>,
}

/// One line that a logpoint printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The step event.
    pub position: Position,
    /// Its thread.
    pub thread: ThreadId,
    /// The message with its values.
    pub text: Arc<str>,
}

/// Everything that a logpoint printed, from the start of the recording to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogHistory {
    /// The first entries, in order.
    pub entries: Vec<LogEntry>,
    /// How many there are in all.
    pub total: u64,
}
