//! Data breakpoints: where they stop for each change of what they watch.
//!
//! A change stops forward at the first step event after it, backward at the step event of the line that
//! did it. These two orders can differ (a line that writes before and after a call), so all changes
//! of the place are found once and kept.

use std::sync::Mutex;

use retrostep_trace::{Direction, FrameId, Key, Position, ThreadId};

use super::gate::{Gate, Search, lock};
use super::occurrences::within;
use crate::{BreakpointId, DataChange, Place, Result};

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
    /// What happened: `4 → 5 items`.
    pub(crate) summary: String,
    /// The same with all that is known: `4 → 5 items, + 'LOYAL20'`.
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
        let (first, last) = {
            let mut changes = lock(&self.changes);
            self.scan(search, &mut changes)?;
            let order = match direction {
                Direction::Forward => &changes.by_after,
                Direction::Backward => &changes.by_before,
            };
            let start = order.partition_point(|&(position, _)| position < at);
            let end = order.partition_point(|&(position, _)| position <= at);
            let here = order.get(start..end).unwrap_or_default();
            let change = |found: Option<&(Position, usize)>| {
                found.and_then(|&(_, index)| changes.stopping.get(index).copied())
            };
            let (Some(first), Some(last)) = (change(here.first()), change(here.last())) else {
                return Ok(None);
            };
            (first, last)
        };
        let change_at = |write| {
            self.place
                .find_change(search.recording, write, Direction::Forward, search.cancel)
        };
        let (Some(old), Some(new)) = (change_at(first.write)?, change_at(last.write)?) else {
            return Ok(None);
        };
        let text = if first.write == last.write {
            new.text
        } else {
            match (old.text.split_once(" → "), new.text.split_once(" → ")) {
                (Some((from, _)), Some((_, to))) => format!("{from} → {to}"),
                _ => new.text,
            }
        };
        Ok(Some(DataStop {
            thread: last.thread,
            change: DataChange {
                breakpoint: self.id,
                write: last.write,
                old: old.old,
                new: new.new,
            },
            summary: summary(&text).to_owned(),
            text,
        }))
    }

    /// Finds the changes that were not found yet.
    fn scan(&self, search: Search<'_>, changes: &mut Changes) -> Result<()> {
        let end = search.recording.end();
        if changes.scanned >= end {
            return Ok(());
        }
        while changes.scanned < end {
            search.cancel.check()?;
            let found = self.place.find_change(
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
                    let stopping = StoppingChange {
                        write,
                        after: step_after(search, found.thread, write)?,
                        before: step_before(search, found.thread, frame, write)?,
                        thread: found.thread,
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

/// The short form of a change: `4 → 5 items` of `4 → 5 items, + 'LOYAL20'`.
fn summary(text: &str) -> &str {
    let lengths = |text: &str| {
        let (numbers, _) = text.split_once(" items")?;
        let (old, new) = numbers.split_once(" → ")?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (digits(old) && digits(new)).then_some(numbers.len() + " items".len())
    };
    match lengths(text) {
        Some(len) => text.get(..len).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_length_is_told_by_its_lengths() {
        assert_eq!(summary("4 → 5 items, + 'LOYAL20'"), "4 → 5 items");
        assert_eq!(summary("4 → 5 items"), "4 → 5 items");
        assert_eq!(summary("'a' → '4 → 5 items, x'"), "'a' → '4 → 5 items, x'");
        assert_eq!(summary("1 → 2"), "1 → 2");
    }
}
