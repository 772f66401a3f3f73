//! Recorded calls: which function a line belongs to, who called it, whom it called, how each call
//! ended, how long they took.
//!
//! Nothing here walks all calls of a function that is called millions of times: at most
//! [`MOST_CALLS`] are looked at, the newest, and the answer says when there were more. Numbers of calls
//! come from the index and are exact.
//!
//! A generator or coroutine is called when it first runs, by whoever made it run.

mod edges;
mod function;
mod list;
mod recorded;
mod walk;

use retrostep_trace::Error as TraceError;

pub use edges::{Edge, EdgeLine, Edges, incoming, outgoing};
pub use function::{FunctionGroup, function_at, functions_in, group_of};
pub use list::{CallPage, list};
pub use recorded::{Outcome, RecordedCall};

pub(crate) use recorded::is_closing;
pub(crate) use walk::{count_calls, nth_call};

use crate::Result;

/// Most calls that one question looks at.
pub const MOST_CALLS: u64 = 20_000;

/// What could be read, or `None` where the recording is damaged.
pub(crate) fn unless_damaged<T>(read: Result<T, impl Into<crate::Error>>) -> Result<Option<T>> {
    match read.map_err(Into::into) {
        Ok(value) => Ok(Some(value)),
        Err(crate::Error::Trace(TraceError::Corrupt { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
