//! The calls of a function, a page at a time.

use std::ops::Range;

use retrostep_trace::{CancellationToken, FunctionId, Recording};

use super::recorded::{self, RecordedCall};
use super::walk::NewestCalls;
use super::{count_calls, group_of, nth_call};
use crate::Result;

/// A page of the calls of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallPage {
    /// The newest first.
    pub calls: Vec<RecordedCall>,
    /// How many calls there are in the recording; exact.
    pub total: u64,
}

/// A page of the calls of `function` (any of its code objects), newest first: skips `page.start` of
/// them, gives at most as many as `page` is long.
///
/// Cost: in proportion to the page, wherever it lies.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
pub fn list(
    recording: &Recording,
    function: FunctionId,
    page: Range<u64>,
    cancel: &CancellationToken,
) -> Result<CallPage> {
    let group = group_of(recording, function)?;
    let total = count_calls(recording, &group.ids, recording.end(), cancel)?;
    let mut out = CallPage {
        calls: Vec::new(),
        total,
    };
    if page.start >= total || page.is_empty() {
        return Ok(out);
    }
    let newest = total - 1 - page.start;
    let Some(first) = nth_call(recording, &group.ids, newest, cancel)? else {
        return Ok(out);
    };
    let mut calls = NewestCalls::before(recording, &group.ids, first.next(), cancel)?;
    let wanted = page.end.min(total) - page.start;
    for number in (0..=newest)
        .rev()
        .take(usize::try_from(wanted).unwrap_or(usize::MAX))
    {
        let Some(call) = calls.next()? else { break };
        out.calls
            .extend(recorded::read(recording, call, number + 1, cancel)?);
    }
    Ok(out)
}
