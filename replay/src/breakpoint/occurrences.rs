//! The events that a breakpoint stands on, seen through its gate.

use std::sync::Mutex;

use retrostep_trace::{Direction, Event, Key, Position};

use super::gate::{Gate, Search, lock};
use crate::{HitCondition, Result};

/// Events of one or several keys, of which the gate lets some pass.
#[derive(Debug)]
pub(crate) struct Occurrences {
    /// Keys without events in common.
    keys: Vec<Key>,
    gate: Gate,
    /// Where the condition held, as far as that was needed; only for gates with both conditions.
    held: Mutex<Held>,
}

/// The positions before `scanned` where a condition held.
#[derive(Debug, Default)]
struct Held {
    positions: Vec<Position>,
    scanned: Position,
}

impl Occurrences {
    pub(crate) fn new(keys: Vec<Key>, gate: Gate) -> Occurrences {
        Occurrences {
            keys,
            gate,
            held: Mutex::default(),
        }
    }

    /// The nearest event that passes.
    ///
    /// Forward: from `from` on, up to `limit`. Backward: before `from`, down to `limit`. The limit is
    /// included.
    pub(crate) fn find(
        &self,
        search: Search<'_>,
        from: Position,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Position>> {
        let found = match (&self.gate.condition, self.gate.hits) {
            (None, None) => self.any(search, from, direction)?,
            (None, Some(hits)) => self.numbered(search, hits, from, direction)?,
            (Some(_), None) => self.held(search, from, direction, limit)?,
            (Some(_), Some(hits)) => self.counted(search, hits, from, direction, limit)?,
        };
        Ok(found.filter(|&found| within(found, direction, limit)))
    }

    /// Whether the event at `at`, one of these, passes.
    pub(crate) fn passes(&self, search: Search<'_>, at: Position) -> Result<bool> {
        Ok(self.find(search, at, Direction::Forward, at)? == Some(at))
    }

    /// The step event that shows the event at `at`: itself, or the first line of a call.
    pub(crate) fn moment(&self, search: Search<'_>, at: Position) -> Result<Option<Position>> {
        moment(search, at)
    }

    /// Whether the key is one of these.
    pub(crate) fn has_key(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// How many events pass in the whole recording.
    pub(crate) fn total(&self, search: Search<'_>) -> Result<u64> {
        let end = search.recording.end();
        match (&self.gate.condition, self.gate.hits) {
            (None, None) => self.count(search, end),
            (None, Some(hits)) => Ok(hits.count_up_to(self.count(search, end)?)),
            (Some(_), _) => {
                let mut held = lock(&self.held);
                self.scan(search, &mut held, end, u64::MAX)?;
                let count = held.positions.len() as u64;
                Ok(self.gate.hits.map_or(count, |hits| hits.count_up_to(count)))
            }
        }
    }

    /// How many events there are before `to`, passing or not.
    fn count(&self, search: Search<'_>, to: Position) -> Result<u64> {
        let mut count = 0;
        for &key in &self.keys {
            count += search.recording.count(key, to, search.cancel)?;
        }
        Ok(count)
    }

    /// The nearest event, passing or not.
    fn any(
        &self,
        search: Search<'_>,
        from: Position,
        direction: Direction,
    ) -> Result<Option<Position>> {
        let mut nearest = None;
        for &key in &self.keys {
            let found = search.recording.find(key, from, direction, search.cancel)?;
            nearest = nearer(nearest, found, direction);
        }
        Ok(nearest)
    }

    /// The nearest event whose number the hit condition wants.
    fn numbered(
        &self,
        search: Search<'_>,
        hits: HitCondition,
        from: Position,
        direction: Direction,
    ) -> Result<Option<Position>> {
        let before = self.count(search, from)?;
        let number = match direction {
            Direction::Forward => hits.next(before + 1),
            Direction::Backward => hits.previous(before),
        };
        match number {
            Some(number) => self.nth(search, number - 1),
            None => Ok(None),
        }
    }

    /// The `n`th event from the start, counting from 0.
    fn nth(&self, search: Search<'_>, n: u64) -> Result<Option<Position>> {
        if let [key] = self.keys[..] {
            return Ok(search.recording.nth(key, n, search.cancel)?);
        }
        let (mut low, mut high) = (Position::START, search.recording.end());
        if self.count(search, high)? <= n {
            return Ok(None);
        }
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0) / 2);
            if self.count(search, middle.next())? > n {
                high = middle;
            } else {
                low = middle.next();
            }
        }
        Ok(Some(low))
    }

    /// The nearest event where the condition holds.
    fn held(
        &self,
        search: Search<'_>,
        mut from: Position,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Position>> {
        while let Some(found) = self.any(search, from, direction)? {
            if !within(found, direction, limit) {
                break;
            }
            search.progress.reach(found);
            if self.holds(search, found)? {
                return Ok(Some(found));
            }
            from = match direction {
                Direction::Forward => found.next(),
                Direction::Backward => found,
            };
        }
        Ok(None)
    }

    /// The nearest event where the condition holds for a number of times the hit condition wants.
    fn counted(
        &self,
        search: Search<'_>,
        hits: HitCondition,
        from: Position,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Position>> {
        let mut held = lock(&self.held);
        self.scan(search, &mut held, from, u64::MAX)?;
        let before = held.positions.partition_point(|&position| position < from) as u64;
        let number = match direction {
            Direction::Forward => hits.next(before + 1),
            Direction::Backward => hits.previous(before),
        };
        let Some(number) = number else {
            return Ok(None);
        };
        if direction == Direction::Forward {
            self.scan(search, &mut held, limit.next(), number)?;
        }
        let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
        Ok(held.positions.get(index).copied())
    }

    /// Evaluates the condition up to `to`, or until it held `enough` times.
    fn scan(&self, search: Search<'_>, held: &mut Held, to: Position, enough: u64) -> Result<()> {
        let span = held.scanned..=to;
        while held.scanned < to && (held.positions.len() as u64) < enough {
            match self.any(search, held.scanned, Direction::Forward)? {
                Some(found) if found < to => {
                    search.progress.reach_within(&span, found);
                    if self.holds(search, found)? {
                        held.positions.push(found);
                    }
                    held.scanned = found.next();
                }
                _ => held.scanned = to,
            }
        }
        Ok(())
    }

    fn holds(&self, search: Search<'_>, at: Position) -> Result<bool> {
        if self.gate.condition.is_none() {
            return Ok(true);
        }
        let Some(moment) = moment(search, at)? else {
            return Ok(false);
        };
        let frame = search.recording.frame_of_event(moment)?;
        self.gate.holds(search, frame, moment)
    }
}

/// The step event that shows an event: of a call the callee's first line, else the event itself.
fn moment(search: Search<'_>, at: Position) -> Result<Option<Position>> {
    let recording = search.recording;
    match recording.event(at)?.map(|found| found.event) {
        Some(Event::Call { frame, .. }) => {
            Ok(recording.find(Key::FrameStep(frame), at, Direction::Forward, search.cancel)?)
        }
        Some(_) => Ok(Some(at)),
        None => Ok(None),
    }
}

/// The nearer of two positions in a direction.
pub(crate) fn nearer(
    first: Option<Position>,
    second: Option<Position>,
    direction: Direction,
) -> Option<Position> {
    match (first, second) {
        (Some(first), Some(second)) => Some(match direction {
            Direction::Forward => first.min(second),
            Direction::Backward => first.max(second),
        }),
        (found, None) | (None, found) => found,
    }
}

/// Whether a position lies not beyond a limit.
pub(crate) fn within(position: Position, direction: Direction, limit: Position) -> bool {
    match direction {
        Direction::Forward => position <= limit,
        Direction::Backward => position >= limit,
    }
}
