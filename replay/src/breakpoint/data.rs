//! Data breakpoints: where they stop for each change of what they watch.
//!
//! A change stops forward at the first step event after it, backward at the step event of the line that
//! did it. These two orders can differ (a line that writes before and after a call). The nearest stop is
//! looked for among the changes that can stop there; only to number the changes, for a hit condition, all
//! of them are found once and kept.

mod nearest;

use std::sync::Mutex;

use retrostep_trace::{Direction, FrameId, Key, Position, ThreadId};

use super::gate::{Gate, Search, lock};
use super::occurrences::within;
use crate::{BreakpointId, DataChange, Datum, Place, PlaceChange, Result};
use nearest::Nearest;

/// A data breakpoint with what was found out about it.
#[derive(Debug)]
pub(crate) struct DataPoint {
    pub(crate) id: BreakpointId,
    pub(crate) place: Place,
    pub(crate) name: String,
    gate: Gate,
    changes: Mutex<Changes>,
}

/// A change that stops, and where.
#[derive(Clone, Copy, Debug)]
struct StoppingChange {
    write: Position,
    after: Position,
    before: Position,
    thread: ThreadId,
}

/// A change that stops, and the thread that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stopping {
    write: Position,
    thread: ThreadId,
}

/// The changes before `scanned`.
#[derive(Debug, Default)]
struct Changes {
    scanned: Position,
    /// How many changes the condition let pass.
    counted: u64,
    /// In order of their writes.
    stopping: Vec<StoppingChange>,
    /// `after` and index, ascending; complete when everything is scanned.
    by_after: Vec<(Position, usize)>,
    /// `before` and index, likewise.
    by_before: Vec<(Position, usize)>,
}

/// A stop of a data breakpoint.
#[derive(Clone, Debug)]
pub(crate) struct DataStop {
    pub(crate) thread: ThreadId,
    pub(crate) change: DataChange,
    /// What happened: `codes changed: 4 → 5 items`.
    pub(crate) description: String,
    /// The change with all that is known: `4 → 5 items, + 'LOYAL20'`.
    pub(crate) text: String,
}

impl DataPoint {
    pub(crate) fn new(id: BreakpointId, place: Place, name: String, gate: Gate) -> DataPoint {
        DataPoint {
            id,
            place,
            name,
            gate,
            changes: Mutex::default(),
        }
    }

    /// The nearest stop. Bounds as [`super::occurrences::Occurrences::find`].
    pub(crate) fn find(
        &self,
        search: Search<'_>,
        from: Position,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Position>> {
        if self.gate.hits.is_none() {
            return Nearest::new(self, search).stop(from, direction, limit);
        }
        let mut changes = lock(&self.changes);
        self.scan(search, &mut changes)?;
        let found = match direction {
            Direction::Forward => {
                let index = changes.by_after.partition_point(|&(at, _)| at < from);
                changes.by_after.get(index)
            }
            Direction::Backward => {
                let index = changes.by_before.partition_point(|&(at, _)| at < from);
                index
                    .checked_sub(1)
                    .and_then(|index| changes.by_before.get(index))
            }
        };
        Ok(found
            .map(|&(at, _)| at)
            .filter(|&at| within(at, direction, limit)))
    }

    /// The changes that stop at a position, in order of their writes.
    fn stopping_at(
        &self,
        search: Search<'_>,
        at: Position,
        direction: Direction,
    ) -> Result<Vec<Stopping>> {
        if self.gate.hits.is_none() {
            return Nearest::new(self, search).stopping_at(at, direction);
        }
        let mut changes = lock(&self.changes);
        self.scan(search, &mut changes)?;
        let order = match direction {
            Direction::Forward => &changes.by_after,
            Direction::Backward => &changes.by_before,
        };
        let start = order.partition_point(|&(position, _)| position < at);
        let end = order.partition_point(|&(position, _)| position <= at);
        let here = order.get(start..end).unwrap_or_default().iter();
        Ok(here
            .filter_map(|&(_, index)| changes.stopping.get(index))
            .map(|change| Stopping {
                write: change.write,
                thread: change.thread,
            })
            .collect())
    }

    /// The stop at a position that [`DataPoint::find`] returned.
    ///
    /// Changes that stop at the same position are told as one, from the first's old value to the
    /// last's new one.
    pub(crate) fn stop_at(
        &self,
        search: Search<'_>,
        at: Position,
        direction: Direction,
    ) -> Result<Option<DataStop>> {
        let here = self.stopping_at(search, at, direction)?;
        let (Some(first), Some(last)) = (here.first(), here.last()) else {
            return Ok(None);
        };
        let change_at = |write| {
            self.place
                .find_change(search.recording, write, Direction::Forward, search.cancel)
        };
        let (Some(old), Some(new)) = (change_at(first.write)?, change_at(last.write)?) else {
            return Ok(None);
        };
        let text = match here.len() {
            1 => new.text.clone(),
            count => together(&old, &new, count),
        };
        Ok(Some(DataStop {
            thread: last.thread,
            description: describe(&self.name, &text, new.new.is_none()),
            change: DataChange {
                breakpoint: self.id,
                write: last.write,
                old: old.old,
                new: new.new,
            },
            text,
        }))
    }

    /// Finds the changes that were not found yet.
    fn scan(&self, search: Search<'_>, changes: &mut Changes) -> Result<()> {
        let end = search.recording.end();
        if changes.scanned >= end {
            return Ok(());
        }
        let span = changes.scanned..=end;
        while changes.scanned < end {
            search.cancel.check()?;
            search.progress.reach_within(&span, changes.scanned);
            let found = self.place.find_raw(
                search.recording,
                changes.scanned,
                Direction::Forward,
                search.cancel,
            )?;
            let Some(found) = found else {
                changes.scanned = end;
                break;
            };
            let write = found.position;
            let frame = search.recording.frame_of_event(write)?;
            if self.gate.holds(search, frame, write.next())? {
                let number = changes.counted + 1;
                if self.gate.hits.is_none_or(|hits| hits.holds(number)) {
                    let thread = search.recording.thread_at(write)?;
                    let stopping = StoppingChange {
                        write,
                        after: step_after(search, thread, write)?,
                        before: step_before(search, thread, frame, write)?,
                        thread,
                    };
                    changes.stopping.push(stopping);
                }
                changes.counted = number;
            }
            changes.scanned = write.next();
        }
        let order = |position: fn(&StoppingChange) -> Position| {
            let mut order: Vec<_> = (changes.stopping.iter().map(position)).zip(0..).collect();
            order.sort_unstable();
            order
        };
        let (by_after, by_before) = (order(|change| change.after), order(|change| change.before));
        changes.by_after = by_after;
        changes.by_before = by_before;
        Ok(())
    }
}

/// The thread's first step event after a write; without one its last event, or just after the write.
fn step_after(search: Search<'_>, thread: ThreadId, write: Position) -> Result<Position> {
    let recording = search.recording;
    let after = write.next();
    let step = recording.find(
        Key::ThreadStep(thread),
        after,
        Direction::Forward,
        search.cancel,
    )?;
    if let Some(step) = step {
        return Ok(step);
    }
    let last = recording.find(
        Key::Thread(thread),
        recording.end(),
        Direction::Backward,
        search.cancel,
    )?;
    Ok(last.map_or(after, |last| last.max(after)))
}

/// The step event of the line that wrote. For what is bound before a frame's first line, an argument,
/// that is the caller's line; without a recorded caller, the call.
fn step_before(
    search: Search<'_>,
    thread: ThreadId,
    frame: Option<FrameId>,
    write: Position,
) -> Result<Position> {
    let recording = search.recording;
    let (mut frame, mut before) = (frame, write);
    let mut outermost_call = None;
    while let Some(current) = frame {
        let key = Key::FrameStep(current);
        if let Some(step) = recording.find(key, before, Direction::Backward, search.cancel)? {
            return Ok(step);
        }
        let facts = recording.frame(current)?;
        let Some(facts) = facts.filter(|facts| facts.call < before) else {
            break;
        };
        outermost_call = Some(facts.call);
        (frame, before) = (facts.caller, facts.call);
    }
    if let Some(call) = outermost_call {
        return Ok(call);
    }
    let key = Key::ThreadStep(thread);
    let step = recording.find(key, write, Direction::Backward, search.cancel)?;
    Ok(step.unwrap_or(write))
}

/// What stops are called: `codes changed: 4 → 5 items`, `total = 5`, `total deleted`.
fn describe(name: &str, text: &str, deleted: bool) -> String {
    if deleted {
        return format!("{name} deleted");
    }
    match (text.strip_prefix("= "), lengths(text)) {
        (Some(value), _) => format!("{name} = {value}"),
        (None, Some((_, _, summary))) => format!("{name} changed: {summary}"),
        (None, None) => format!("{name} changed: {text}"),
    }
}

/// Several changes by one line as one text.
fn together(first: &PlaceChange, last: &PlaceChange, count: usize) -> String {
    if let (Some((old, _, _)), Some((_, new, _))) = (lengths(&first.text), lengths(&last.text)) {
        return format!("{old} → {new}");
    }
    let rebinds = |change: &PlaceChange| match (&change.old, &change.new) {
        (Some(Datum::Object(old)), Some(Datum::Object(new))) => old != new,
        _ => true,
    };
    let new = last.text.rsplit_once(" → ").map(|(_, new)| new);
    let new = new.or(last.text.strip_prefix("= "));
    match new {
        Some(new) if rebinds(first) && rebinds(last) => match first.text.split_once(" → ") {
            Some((old, _)) => format!("{old} → {new}"),
            None if first.old.is_none() => format!("= {new}"),
            None => last.text.clone(),
        },
        _ => format!("{count} changes, last {}", last.text),
    }
}

/// Of a change of length, `4 → 5 items, + 'LOYAL20'`: `4`, `5 items` and `4 → 5 items`.
fn lengths(text: &str) -> Option<(&str, &str, &str)> {
    let is_number = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',')
    };
    let (old, rest) = text.split_once(" → ")?;
    let (new, _) = rest.split_once(" item")?;
    let unit = if rest.get(new.len()..)?.starts_with(" items") {
        " items"
    } else {
        " item"
    };
    let new_len = new.len() + unit.len();
    let end = old.len() + " → ".len() + new_len;
    (is_number(old) && is_number(new)).then_some((old, rest.get(..new_len)?, text.get(..end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_length_is_told_by_its_lengths() {
        let cases = [
            ("4 → 5 items, + 'LOYAL20'", "codes changed: 4 → 5 items"),
            ("4 → 5 items", "codes changed: 4 → 5 items"),
            ("0 → 1 item, + 'a'", "codes changed: 0 → 1 item"),
            ("999 → 1,000 items", "codes changed: 999 → 1,000 items"),
            ("'a' → '4 → 5 items'", "codes changed: 'a' → '4 → 5 items'"),
            ("1 → 2", "codes changed: 1 → 2"),
            ("= [1, 2]", "codes = [1, 2]"),
        ];
        for (text, expected) in cases {
            assert_eq!(describe("codes", text, false), expected);
        }
        assert_eq!(describe("codes", "5 deleted", true), "codes deleted");
    }
}
