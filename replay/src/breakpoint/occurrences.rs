//! The events that a breakpoint stands on, seen through its gate.

use std::sync::Mutex;

use retrostep_trace::{
    Direction, Event, Key, LineMoment, LineScan, LineVisitor, Position, SourceId,
};

use super::gate::{Gate, Search, lock};
use super::test::{Open, Test};
use crate::{HitCondition, Result};

/// Events of one or several keys, of which the gate lets some pass.
#[derive(Debug)]
pub(crate) struct Occurrences {
    /// Keys without events in common.
    keys: Vec<Key>,
    gate: Gate,
    /// The condition made ready for many executions of a line.
    test: Option<(SourceId, u32, Test)>,
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
        let test = match (&keys[..], &gate.condition) {
            ([Key::Line(source, line)], Some(condition)) => {
                Test::of(condition).map(|test| (*source, *line, test))
            }
            _ => None,
        };
        Occurrences {
            keys,
            gate,
            test,
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

    /// What they are events of.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
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
        if let Some(test) = &self.test {
            let range = match direction {
                Direction::Forward => from..limit.next(),
                Direction::Backward => limit..from,
            };
            let mut tested = Tested::new(self, search, &test.2);
            tested.nearest = Some(direction);
            tested.run(test, range, direction)?;
            return Ok(match direction {
                Direction::Forward => tested.held.first().copied(),
                Direction::Backward => tested.held.last().copied(),
            });
        }
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
        if let Some(test) = &self.test {
            if held.scanned < to && (held.positions.len() as u64) < enough {
                let mut tested = Tested::new(self, search, &test.2);
                tested.span = Some(held.scanned..=to);
                tested.enough = enough.saturating_sub(held.positions.len() as u64);
                let range = held.scanned..to;
                tested.run(test, range, Direction::Forward)?;
                held.scanned = tested.reached.unwrap_or(to);
                held.positions.append(&mut tested.held);
            }
            return Ok(());
        }
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

/// Finds the executions of a line where a condition holds.
struct Tested<'a> {
    of: &'a Occurrences,
    search: Search<'a>,
    test: &'a Test,
    held: Vec<Position>,
    /// The locals without value of which the user was told.
    told: Vec<usize>,
    /// Only the nearest one is wanted, in this direction.
    nearest: Option<Direction>,
    /// So many are wanted.
    enough: u64,
    /// What is looked through before the search itself can go on.
    span: Option<std::ops::RangeInclusive<Position>>,
    /// Where it stopped because there are enough.
    reached: Option<Position>,
    failure: Option<crate::Error>,
}

impl<'a> Tested<'a> {
    fn new(of: &'a Occurrences, search: Search<'a>, test: &'a Test) -> Tested<'a> {
        Tested {
            of,
            search,
            test,
            held: Vec::new(),
            told: Vec::new(),
            nearest: None,
            enough: u64::MAX,
            span: None,
            reached: None,
            failure: None,
        }
    }

    fn run(
        &mut self,
        (source, line, test): &(SourceId, u32, Test),
        range: std::ops::Range<Position>,
        direction: Direction,
    ) -> Result<()> {
        let scan = LineScan {
            source: *source,
            line: *line,
            names: &test.names,
            parts: &test.parts(),
            range,
            direction,
        };
        let search = self.search;
        search.recording.scan_line(&scan, self, search.cancel)?;
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn holds(&mut self, moment: &LineMoment<'_>) -> Result<bool> {
        match self.test.holds(self.search.recording, moment) {
            Ok(holds) => return Ok(holds),
            // That it cannot be evaluated was said, and why.
            Err(Open::Unbound(name)) if self.told.contains(&name) => return Ok(false),
            Err(Open::Unbound(name)) => self.told.push(name),
            Err(Open::Unsure) => {}
        }
        let gate = &self.of.gate;
        gate.holds(self.search, moment.frame, moment.position)
    }
}

impl LineVisitor for Tested<'_> {
    fn moment(&mut self, moment: &LineMoment<'_>) -> bool {
        match self.holds(moment) {
            Ok(false) => true,
            Ok(true) => {
                self.held.push(moment.position);
                self.nearest != Some(Direction::Forward)
            }
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    fn block(&mut self, reached: Position) -> bool {
        match &self.span {
            Some(span) => self.search.progress.reach_within(span, reached),
            None => self.search.progress.reach(reached),
        }
        if self.nearest.is_some() {
            return self.held.is_empty();
        }
        if self.held.len() as u64 >= self.enough {
            self.reached = Some(reached);
        }
        self.reached.is_none()
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
