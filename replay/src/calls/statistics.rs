//! How often a function was called, how long it took, what left it.

use retrostep_trace::{CancellationToken, FunctionId, Position, Recording};

use super::left::{Departures, LeftBy};
use super::recorded::{duration_ns, exit_of};
use super::walk::NewestCalls;
use super::{MOST_CALLS, count_calls, group_of};
use crate::Result;

/// What all calls of a function have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many calls there are in the recording; exact. A generator that is resumed is called once.
    pub calls: u64,
    /// How many of them the times are of: the newest that ended.
    pub timed: u64,
    /// How long these took together, from call to end. Calls inside calls of the same function count
    /// twice, and the time in which a generator is suspended counts.
    pub total_ns: u64,
    /// The slowest of them.
    pub slowest: Option<Slowest>,
    /// Whether there are older calls whose times are not known.
    pub more: bool,
    /// The exceptions that left the function, the most frequent first.
    pub exceptions: Vec<LeftBy>,
    /// Whether older exceptions were not looked at.
    pub more_exceptions: bool,
}

/// The slowest call of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowest {
    /// How long it took, as near as the clock was noted.
    pub duration_ns: u64,
    /// The call's event.
    pub call: Position,
}

/// What all calls of `function` (any of its code objects) have in common.
///
/// `departures` is what [`super::departures`] tells of this recording: asked once for all functions.
///
/// Cost: looks at up to [`MOST_CALLS`] calls, the newest. The number of calls alone costs an index
/// lookup: see [`super::FunctionGroup::count`].
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
pub fn statistics(
    recording: &Recording,
    function: FunctionId,
    departures: &Departures,
    cancel: &CancellationToken,
) -> Result<Statistics> {
    let group = group_of(recording, function)?;
    let end = recording.end();
    let mut out = Statistics {
        calls: count_calls(recording, &group.ids, end, cancel)?,
        ..Statistics::default()
    };
    let mut calls = NewestCalls::before(recording, &group.ids, end, cancel)?;
    let mut left = MOST_CALLS;
    while let Some(call) = calls.next()? {
        if left == 0 {
            out.more = true;
            break;
        }
        left -= 1;
        let Some(frame) = recording.frame_of_event(call)? else {
            continue;
        };
        let Some(exit) = exit_of(recording, frame, call, cancel)? else {
            continue;
        };
        let duration_ns = duration_ns(recording, call, exit)?;
        out.timed += 1;
        out.total_ns = out.total_ns.saturating_add(duration_ns);
        if out
            .slowest
            .is_none_or(|slowest| slowest.duration_ns < duration_ns)
        {
            out.slowest = Some(Slowest { duration_ns, call });
        }
    }
    out.exceptions = departures.of(&group.ids);
    out.more_exceptions = departures.more;
    Ok(out)
}
