//! Function breakpoints: the first lines of calls.
//!
//! What is searched are calls; what stops are their first lines. With several threads the order of the
//! two can differ: another thread may run between a call and its first line. Such a call is *pending*.

use retrostep_trace::{Direction, Key, Position};

use super::gate::Search;
use super::occurrences::{Occurrences, nearer, within};
use crate::Result;

/// The nearest first line of a call that passes. Bounds as [`Occurrences::find`].
pub(crate) fn find_first_line(
    calls: &Occurrences,
    search: Search<'_>,
    from: Position,
    direction: Direction,
    limit: Position,
) -> Result<Option<Position>> {
    let found = match direction {
        Direction::Forward => forward(calls, search, from, limit)?,
        Direction::Backward => backward(calls, search, from, limit)?,
    };
    Ok(found.filter(|&found| within(found, direction, limit)))
}

fn forward(
    calls: &Occurrences,
    search: Search<'_>,
    from: Position,
    limit: Position,
) -> Result<Option<Position>> {
    let mut nearest = pending(calls, search, from)?.into_iter().min();
    let mut call_from = from;
    loop {
        let limit = nearest.map_or(limit, |nearest| nearest.min(limit));
        let Some(call) = calls.find(search, call_from, Direction::Forward, limit)? else {
            return Ok(nearest);
        };
        nearest = nearer(nearest, calls.moment(search, call)?, Direction::Forward);
        call_from = call.next();
    }
}

fn backward(
    calls: &Occurrences,
    search: Search<'_>,
    before: Position,
    limit: Position,
) -> Result<Option<Position>> {
    let mut lines = pending(calls, search, limit)?;
    let mut call_before = before;
    while let Some(call) = calls.find(search, call_before, Direction::Backward, limit)? {
        match calls.moment(search, call)? {
            Some(line) if line < before => {
                lines.push(line);
                lines.extend(pending(calls, search, line)?);
                break;
            }
            _ => call_before = call,
        }
    }
    Ok(lines.into_iter().filter(|&line| line < before).max())
}

/// The first lines, at or after `at`, of calls made before `at`.
fn pending(calls: &Occurrences, search: Search<'_>, at: Position) -> Result<Vec<Position>> {
    let mut lines = Vec::new();
    for thread in search.recording.threads()? {
        if thread.first >= at {
            continue;
        }
        let stack = search.recording.stack(thread.thread, at, 0, 1)?;
        let Some(top) = stack.first() else { continue };
        let begun = top.line_position != top.call && top.line_position < at;
        if begun || !calls.has_key(Key::Call(top.function)) || !calls.passes(search, top.call)? {
            continue;
        }
        lines.extend(calls.moment(search, top.call)?.filter(|&line| line >= at));
    }
    Ok(lines)
}
