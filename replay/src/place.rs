//! Places that hold values: what a data breakpoint watches and whose history can be told.
//!
//! A change of a place is a change of what it shows: rebinding to an equal value is none; binding an
//! argument, deleting, and changing the object in place are.

mod describe;
mod shown;

use std::ops::Range;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Change, Direction, Event, FrameId, Key, ObjectId, ObjectKind, Part,
    Position, Recording, Result, ThreadId, Value,
};

use crate::Datum;
use shown::shows_the_same;

/// Something that holds a value over time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// A local of one frame. A variable in a closure cell is the cell's content.
    Local {
        /// The frame.
        frame: FrameId,
        /// Index into [`retrostep_trace::Function::variables`].
        slot: u32,
    },
    /// An attribute of an object.
    Attribute {
        /// The object.
        object: ObjectId,
        /// The attribute's name.
        name: Arc<str>,
    },
    /// An element of a sequence.
    Item {
        /// The sequence.
        object: ObjectId,
        /// Its index, from 0.
        index: u64,
    },
    /// An entry of a mapping, or a global of a namespace.
    Entry {
        /// The mapping or namespace.
        object: ObjectId,
        /// The key; scalars and text only.
        key: Value,
    },
    /// An object itself: its contents, whatever refers to it.
    Object {
        /// The object.
        object: ObjectId,
    },
}

/// One change of what a place shows.
#[derive(Clone, Debug)]
pub struct PlaceChange {
    /// The event that made the change: the new value holds from the next position on.
    pub position: Position,
    /// The step event of the line that did it; for an argument, the call.
    pub step: Position,
    /// The thread that did it.
    pub thread: ThreadId,
    /// What the place held before the change; `None` if it had no value.
    pub old: Option<Datum>,
    /// What it holds after; `None` if it was deleted.
    pub new: Option<Datum>,
    /// What happened, ready to show: `4 → 5 items, + 'LOYAL20'`.
    pub text: String,
}

/// A change without its text.
#[derive(Clone, Debug)]
pub(crate) struct RawChange {
    pub(crate) position: Position,
    pub(crate) old: Option<Value>,
    pub(crate) new: Option<Value>,
}

impl Place {
    /// The nearest change of this place.
    ///
    /// Forward it is the first change event at a position not less than `from`; backward the last one
    /// at a position less than `from`, as [`Recording::find`].
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn find_change(
        &self,
        recording: &Recording,
        from: Position,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<PlaceChange>> {
        match self.find_raw(recording, from, direction, cancel)? {
            Some(raw) => raw.complete(recording).map(Some),
            None => Ok(None),
        }
    }

    /// What the place holds at `at`; `None` if it has no value then.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn value(&self, recording: &Recording, at: Position) -> Result<Option<Datum>> {
        Ok(self.raw_value(recording, at)?.as_ref().map(Datum::from))
    }

    pub(crate) fn raw_value(&self, recording: &Recording, at: Position) -> Result<Option<Value>> {
        match self {
            Place::Local { frame, slot } => {
                let value = recording
                    .local(*frame, *slot, at)?
                    .and_then(|written| written.value);
                let Some(Value::Object(object)) = &value else {
                    return Ok(value);
                };
                let cell = match self.is_cell(recording)? {
                    true => recording.object(*object, at)?,
                    false => None,
                };
                Ok(match cell {
                    Some((cell, _)) if cell.kind == ObjectKind::Cell => cell.items.first().cloned(),
                    _ => value,
                })
            }
            Place::Object { object } => Ok(recording
                .excerpt(*object, 0..0, at)?
                .map(|_| Value::Object(*object))),
            Place::Attribute { object, .. }
            | Place::Item { object, .. }
            | Place::Entry { object, .. } => recording.value_of_part(*object, self.part(), at),
        }
    }

    /// What of its object the place is.
    fn part(&self) -> Part<'_> {
        match self {
            Place::Attribute { name, .. } => Part::Attribute(name),
            Place::Item { index, .. } => Part::Item(*index),
            Place::Entry { key, .. } => Part::Entry(key),
            Place::Local { .. } | Place::Object { .. } => Part::Whole,
        }
    }

    fn is_cell(&self, recording: &Recording) -> Result<bool> {
        let Place::Local { frame, slot } = self else {
            return Ok(false);
        };
        let Some(frame) = recording.frame(*frame)? else {
            return Ok(false);
        };
        let function = recording.function(frame.function)?;
        let variable = usize::try_from(*slot)
            .ok()
            .and_then(|slot| function.variables.get(slot));
        Ok(variable.is_some_and(|variable| variable.kind.is_cell()))
    }

    /// The nearest event in `range` that can change what the place holds, or the object it holds.
    fn nearest_event(
        &self,
        recording: &Recording,
        range: &Range<Position>,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        let mut nearest = Narrowing {
            range: range.clone(),
            direction,
            found: None,
        };
        let find = |nearest: &Narrowing, key: Key| {
            recording.find_between(key, nearest.range.clone(), direction, cancel)
        };
        let (Place::Attribute { object, .. }
        | Place::Item { object, .. }
        | Place::Entry { object, .. }) = self
        else {
            for key in self.keys(recording, nearest.near_end())? {
                nearest.take(find(&nearest, key)?);
            }
            return Ok(nearest.found);
        };
        let part = self.part();
        nearest.take(recording.find_change(*object, part, range.clone(), direction, cancel)?);
        // Up to that event the place holds what it holds there.
        let held = match (nearest.found, direction) {
            (Some(found), Direction::Forward) => self.raw_value(recording, found)?,
            (Some(found), Direction::Backward) => self.raw_value(recording, found.next())?,
            (None, _) => self.raw_value(recording, range.start)?,
        };
        match held {
            // It holds itself.
            Some(Value::Object(held)) if held == *object => {
                let key = Key::Object(held);
                Ok(recording.find_between(key, range.clone(), direction, cancel)?)
            }
            Some(Value::Object(held)) => {
                nearest.take(find(&nearest, Key::Object(held))?);
                Ok(nearest.found)
            }
            _ => Ok(nearest.found),
        }
    }

    /// The events that can change a local or an object, or the object that a local holds at `at`.
    fn keys(&self, recording: &Recording, at: Position) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        match self {
            Place::Local { frame, slot } => {
                keys.push(Key::Write(*frame, *slot));
                if self.is_cell(recording)? {
                    let cell = recording
                        .local(*frame, *slot, at)?
                        .and_then(|written| written.value);
                    if let Some(Value::Object(cell)) = cell {
                        keys.push(Key::Object(cell));
                    }
                }
                if let Some(Value::Object(held)) = self.raw_value(recording, at)?
                    && !keys.contains(&Key::Object(held))
                {
                    keys.push(Key::Object(held));
                }
            }
            Place::Attribute { object, .. }
            | Place::Item { object, .. }
            | Place::Entry { object, .. }
            | Place::Object { object } => keys.push(Key::Object(*object)),
        }
        Ok(keys)
    }

    /// As [`Place::find_change`], without the text.
    pub(crate) fn find_raw(
        &self,
        recording: &Recording,
        from: Position,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<RawChange>> {
        let range = match direction {
            Direction::Forward => from..recording.end(),
            Direction::Backward => Position::START..from,
        };
        let mut unlimited = u64::MAX;
        self.find_raw_within(recording, range, direction, cancel, &mut unlimited)
    }

    /// As [`Place::find_raw`], looking only at events in `range`, and at no more than `left` of them,
    /// which is counted down. When none are left, that nothing was found says nothing.
    pub(crate) fn find_raw_within(
        &self,
        recording: &Recording,
        mut range: Range<Position>,
        direction: Direction,
        cancel: &CancellationToken,
        left: &mut u64,
    ) -> Result<Option<RawChange>> {
        while range.start < range.end {
            cancel.check()?;
            if *left == 0 {
                return Ok(None);
            }
            *left -= 1;
            let found = self.nearest_event(recording, &range, direction, cancel)?;
            let Some(position) = found else {
                return Ok(None);
            };
            match direction {
                Direction::Forward => range.start = position.next(),
                Direction::Backward => range.end = position,
            }
            match recording.event(position)?.map(|event| event.event) {
                // What the place holds is the same before and after it.
                Some(Event::Object { object, change }) if self.is_unrelated(object, &change) => {
                    continue;
                }
                _ => {}
            }
            if let Some(change) = self.change_at(recording, position)? {
                return Ok(Some(change));
            }
        }
        Ok(None)
    }

    /// The change that the event at `position` makes, if it changes what the place shows.
    fn change_at(&self, recording: &Recording, position: Position) -> Result<Option<RawChange>> {
        let old = self.raw_value(recording, position)?;
        let new = self.raw_value(recording, position.next())?;
        let same = match (&old, &new) {
            (None, None) => true,
            // An object that is seen for the first time may have been there for long.
            (None, Some(_)) => matches!(self, Place::Object { .. }),
            (Some(old), Some(new)) => {
                shows_the_same(recording, (old, position), (new, position.next()))?
            }
            _ => false,
        };
        Ok((!same).then_some(RawChange { position, old, new }))
    }

    /// Whether a change of the object that holds the place plainly concerns another part of it.
    fn is_unrelated(&self, changed: ObjectId, change: &Change) -> bool {
        match (self, change) {
            (Place::Attribute { object, name }, Change::SetAttribute { name: other, .. }) => {
                *object == changed && name != other
            }
            (Place::Item { object, index }, Change::SetItem { index: other, .. }) => {
                *object == changed && index != other
            }
            (Place::Entry { object, key }, Change::SetKey { key: other, .. }) => {
                // Keys of different types can be equal: 1, 1.0 and True.
                let same_type = std::mem::discriminant(key) == std::mem::discriminant(other);
                *object == changed && same_type && key != other
            }
            _ => false,
        }
    }
}

/// The nearest of several events, and the range in which a nearer one would lie.
struct Narrowing {
    range: Range<Position>,
    direction: Direction,
    found: Option<Position>,
}

impl Narrowing {
    fn take(&mut self, found: Option<Position>) {
        let Some(found) = found else { return };
        self.found = Some(found);
        match self.direction {
            Direction::Forward => self.range.end = found,
            Direction::Backward => self.range.start = found.next(),
        }
    }

    /// The end of the range that the search begins at.
    fn near_end(&self) -> Position {
        match self.direction {
            Direction::Forward => self.range.start,
            Direction::Backward => self.range.end,
        }
    }
}

impl RawChange {
    /// Adds who did it, where, and a text.
    pub(crate) fn complete(self, recording: &Recording) -> Result<PlaceChange> {
        let frame = recording.frame_of_event(self.position)?;
        let step = step_of(recording, self.position, frame)?;
        let text = describe::text(recording, &self)?;
        Ok(PlaceChange {
            position: self.position,
            step,
            thread: recording.thread_at(self.position)?,
            old: self.old.as_ref().map(Datum::from),
            new: self.new.as_ref().map(Datum::from),
            text,
        })
    }
}

/// The step event of the line that an event at `position` of `frame` belongs to; before the frame's
/// first line its call.
pub(crate) fn step_of(
    recording: &Recording,
    position: Position,
    frame: Option<FrameId>,
) -> Result<Position> {
    let Some(frame) = frame else {
        return Ok(position);
    };
    let none = CancellationToken::new();
    let step = recording.find(Key::FrameStep(frame), position, Direction::Backward, &none)?;
    if let Some(step) = step {
        return Ok(step);
    }
    let call = recording.frame(frame)?.map(|frame| frame.call);
    Ok(call.unwrap_or(position))
}
