//! How a value came to be: every change of what an expression names.

use std::sync::Arc;

use retrostep_trace::{CancellationToken, FrameId, FunctionId, Position, SourceId, ThreadId};

use crate::{Datum, Expression, ExpressionError, Snapshot};

/// A page of changes.
#[derive(Clone, Debug)]
pub struct History {
    /// What it is the history of: `codes`.
    pub name: String,
    /// The page, newest first.
    pub changes: Vec<HistoryChange>,
    /// How many changes there are in the whole recording.
    pub total: u64,
}

/// One change with where it was made.
#[derive(Clone, Debug)]
pub struct HistoryChange {
    /// The step event of the line that made the change: where to go to see it happen.
    pub position: Position,
    /// The event that made it.
    pub written: Position,
    /// The thread that made it.
    pub thread: ThreadId,
    /// The frame that made it, and its function.
    pub frame: Option<FrameId>,
    /// The function that made it.
    pub function: Option<FunctionId>,
    /// The name of that function.
    pub function_name: Arc<str>,
    /// The source of the line.
    pub source: Option<SourceId>,
    /// The line, 1-based; 0 where there is none.
    pub line: u32,
    /// Nanoseconds since the start.
    pub time_ns: u64,
    /// The value before, `None` if there was none.
    pub old: Option<Datum>,
    /// The value after, `None` if it was deleted.
    pub new: Option<Datum>,
    /// `old` as text at that time.
    pub old_text: Option<String>,
    /// `new` as text at that time.
    pub new_text: Option<String>,
    /// What happened, ready to show: `5 → 6 items, + 'LOYAL20'`.
    pub text: String,
}

/// The changes of what `expression` names in `frame`, newest first: skips `page.start` of them,
/// gives at most as many as `page` is long.
///
/// # Errors
///
/// [`ExpressionError`] if it names nothing that can change.
pub fn history(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
    page: std::ops::Range<u64>,
    cancel: &CancellationToken,
) -> Result<History, ExpressionError> {
    let _ = (snapshot, frame, expression, page, cancel);
    unimplemented!()
}
