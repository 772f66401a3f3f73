//! How a value came to be: every change of what an expression names.

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, FrameId, FunctionId, Key, ObjectId, Position, Recording,
    SourceId, ThreadId,
};

use crate::place::{RawChange, step_of};
use crate::{Datum, Expression, ExpressionError, Place, Snapshot, render};

/// Most events that are looked at for a page.
const MOST_EVENTS: u64 = 1_000_000;
/// Most events that are looked at for the last changes and how many came before them.
const MOST_EARLIER: u64 = 30;
/// Most events that are looked at for the number of changes alone.
const MOST_COUNTED: u64 = 200;

/// A page of changes.
#[derive(Clone, Debug)]
pub struct History {
    /// What it is the history of: `codes`.
    pub name: String,
    /// The page, in the order asked.
    pub changes: Vec<HistoryChange>,
    /// How many changes there are in the whole recording.
    pub total: u64,
    /// Whether `total` is only the number looked at, because there are too many.
    pub more: bool,
}

/// From which end the changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    Oldest,
    /// The newest first.
    Newest,
}

/// One change with where it was made.
#[derive(Clone, Debug)]
pub struct HistoryChange {
    /// The step event of the line that made the change: where to go to see it happen. For an argument
    /// the line that made the call, or the call itself if code that is not recorded made it.
    pub position: Position,
    /// The event that made it.
    pub written: Position,
    /// The thread that made it.
    pub thread: ThreadId,
    /// The frame that made it.
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

/// The changes of what `expression` names in `frame`: skips `page.start` of them, gives at most as many
/// as `page` is long.
///
/// They are the changes of the variable, attribute or element itself, in the whole recording, and all
/// changes of the object that it refers to at the snapshot's position, whichever name they were made
/// through.
///
/// Cost: in proportion to the events up to the end of the page, since equal values have to be told
/// apart; a bounded number more are looked at to count.
///
/// # Errors
///
/// [`ExpressionError`] if it names nothing that can change.
pub fn history(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
    page: std::ops::Range<u64>,
    order: Order,
    cancel: &CancellationToken,
) -> Result<History, ExpressionError> {
    let recording = snapshot.recording;
    let places = places_of(snapshot, frame, expression)?;
    let mut changes = Changes::new(recording, places, order, cancel)?;
    let mut out = Vec::new();
    let mut total = 0;
    let mut left = MOST_EVENTS;
    while total < page.end
        && let Some(change) = changes.next(&mut left)?
    {
        if total >= page.start {
            out.push(complete(recording, change)?);
        }
        total += 1;
    }
    let mut counted = MOST_COUNTED.min(left);
    while changes.next(&mut counted)?.is_some() {
        total += 1;
    }
    Ok(History {
        name: expression.text().to_owned(),
        changes: out,
        total,
        more: counted == 0,
    })
}

/// Whose changes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changing {
    /// Those of the variable, attribute or element, and of the object that it holds.
    Both,
    /// Those of the object that it holds, if it holds one.
    Object,
}

/// The last changes before the snapshot's position of what `expression` names in `frame`, the newest
/// first, at most `count`; of the changes before that only a bounded number is counted.
///
/// # Errors
///
/// [`ExpressionError`] if it names nothing that can change.
pub fn last_changes(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
    of: Changing,
    count: usize,
    cancel: &CancellationToken,
) -> Result<History, ExpressionError> {
    let recording = snapshot.recording;
    let mut places = places_of(snapshot, frame, expression)?;
    if of == Changing::Object
        && let Some(own) = places.pop_if(|place| matches!(place, Place::Object { .. }))
    {
        places = vec![own];
    }
    let mut changes = Changes::new(recording, places, Order::Newest, cancel)?;
    changes.begin_at(snapshot.position);
    let mut out = Vec::new();
    let mut total = 0;
    // Each may lie in a block of its own.
    let mut left = MOST_EARLIER;
    while let Some(change) = changes.next(&mut left)? {
        if out.len() < count {
            out.push(complete(recording, change)?);
        }
        total += 1;
    }
    Ok(History {
        name: expression.text().to_owned(),
        changes: out,
        total,
        more: left == 0,
    })
}

/// The line that last changed an object before a position, or where it was first seen; `None` if it was
/// not yet seen.
///
/// # Errors
///
/// [`retrostep_trace::Error::Io`].
pub fn last_change_of(
    recording: &Recording,
    object: ObjectId,
    before: Position,
) -> retrostep_trace::Result<Option<(SourceId, u32)>> {
    let cancel = CancellationToken::new();
    let key = Key::Object(object);
    let Some(last) = recording.find(key, before, Direction::Backward, &cancel)? else {
        return Ok(None);
    };
    let origin = Origin::of(recording, last)?;
    Ok(origin
        .source
        .map(|source| (source, origin.line))
        .filter(|(_, line)| *line > 0))
}

/// The place that an expression names, and the object that it holds.
fn places_of(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
) -> Result<Vec<Place>, ExpressionError> {
    let place = place_of(snapshot, frame, expression)?;
    let mut places = vec![place.clone()];
    if let Some(Datum::Object(object)) = place.value(snapshot.recording, snapshot.position)? {
        let own = Place::Object { object };
        if own != place {
            places.push(own);
        }
    }
    Ok(places)
}

/// The changes of several places in one order.
struct Changes<'a> {
    recording: &'a Recording,
    cancel: &'a CancellationToken,
    direction: Direction,
    /// The places, where the search goes on for each, and its next change.
    places: Vec<(Place, Position, Option<RawChange>)>,
}

impl<'a> Changes<'a> {
    fn new(
        recording: &'a Recording,
        places: Vec<Place>,
        order: Order,
        cancel: &'a CancellationToken,
    ) -> Result<Changes<'a>, ExpressionError> {
        let (direction, from) = match order {
            Order::Oldest => (Direction::Forward, Position::START),
            Order::Newest => (Direction::Backward, recording.end()),
        };
        let places = places.into_iter().map(|place| (place, from, None));
        Ok(Changes {
            recording,
            cancel,
            direction,
            places: places.collect(),
        })
    }

    /// Looks from here on, instead of from an end of the recording.
    fn begin_at(&mut self, position: Position) {
        for (_, from, _) in &mut self.places {
            *from = position;
        }
    }

    /// The next change; `None` when there is none, or no event is left to look at.
    fn next(&mut self, left: &mut u64) -> Result<Option<RawChange>, ExpressionError> {
        self.cancel.check()?;
        let end = match self.direction {
            Direction::Forward => self.recording.end(),
            Direction::Backward => Position::START,
        };
        let mut nearest: Option<Position> = None;
        for (place, from, change) in &mut self.places {
            if change.is_none() && *from != end {
                let (recording, direction) = (self.recording, self.direction);
                let range = match direction {
                    Direction::Forward => *from..recording.end(),
                    Direction::Backward => Position::START..*from,
                };
                *change = place.find_raw_within(recording, range, direction, self.cancel, left)?;
                if change.is_none() && *left == 0 {
                    return Ok(None);
                }
                *from = match (&change, direction) {
                    (None, _) => end,
                    (Some(change), Direction::Forward) => change.position.next(),
                    (Some(change), Direction::Backward) => change.position,
                };
            }
            if let Some(change) = change {
                nearest = crate::breakpoint::nearer(nearest, Some(change.position), self.direction);
            }
        }
        // One event can change what several places show.
        let mut found = None;
        for (_, _, change) in &mut self.places {
            if change.as_ref().map(|change| change.position) == nearest {
                let taken = change.take();
                found = found.or(taken);
            }
        }
        Ok(found)
    }
}

/// The place an expression names, or the object that it gives.
pub(crate) fn place_of(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
) -> Result<Place, ExpressionError> {
    let error = match snapshot.place(frame, expression) {
        Ok(place) => return Ok(place),
        Err(error) => error,
    };
    match snapshot.evaluate(frame, expression)?.value {
        Datum::Object(object) => Ok(Place::Object { object }),
        _ => Err(error),
    }
}

fn complete(recording: &Recording, change: RawChange) -> Result<HistoryChange, ExpressionError> {
    let written = change.position;
    let before = Snapshot::new(recording, written);
    let after = Snapshot::new(recording, written.next());
    let change = change.complete(recording)?;
    let shown = |snapshot: &Snapshot<'_>, value: &Option<Datum>| {
        let text = value
            .as_ref()
            .map(|value| snapshot.text(value, render::LIMIT));
        text.transpose()
    };
    let origin = Origin::of(recording, written)?;
    Ok(HistoryChange {
        position: origin.position,
        written,
        thread: change.thread,
        frame: origin.frame,
        function: origin.function,
        function_name: origin.function_name,
        source: origin.source,
        line: origin.line,
        time_ns: recording.time_ns(written)?,
        old_text: shown(&before, &change.old)?,
        new_text: shown(&after, &change.new)?,
        old: change.old,
        new: change.new,
        text: change.text,
    })
}

/// Which line made an event happen.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Its step event; the start of the recording when there is none.
    pub(crate) position: Position,
    pub(crate) frame: Option<FrameId>,
    pub(crate) function: Option<FunctionId>,
    pub(crate) function_name: Arc<str>,
    pub(crate) source: Option<SourceId>,
    /// 1-based; 0 where there is none.
    pub(crate) line: u32,
    /// Whether the event binds an argument: then the line is the caller's, or where the function
    /// begins if the caller is not recorded.
    pub(crate) is_argument: bool,
}

impl Origin {
    pub(crate) fn of(recording: &Recording, written: Position) -> retrostep_trace::Result<Origin> {
        let mut frame = recording.frame_of_event(written)?;
        let mut position = step_of(recording, written, frame)?;
        let mut is_argument = false;
        if let Some(facts) = frame
            .map(|frame| recording.frame(frame))
            .transpose()?
            .flatten()
            && facts.call == position
        {
            // Before its first line a frame's values come from the line that called it.
            is_argument = true;
            if facts.caller.is_some() {
                frame = facts.caller;
                position = step_of(recording, facts.call, frame)?;
            }
        }
        let facts = frame
            .map(|frame| recording.frame(frame))
            .transpose()?
            .flatten();
        let function = facts.map(|facts| facts.function);
        let known = function.map(|id| recording.function(id)).transpose()?;
        let line = match recording.event(position)?.map(|event| event.event) {
            Some(retrostep_trace::Event::Line { line }) => line,
            _ if is_argument => known.as_ref().map_or(0, |known| known.first_line),
            _ => 0,
        };
        Ok(Origin {
            position,
            frame,
            function,
            function_name: known
                .as_ref()
                .map_or_else(|| "".into(), |known| known.name.clone()),
            source: known.as_ref().map(|known| known.source),
            line,
            is_argument,
        })
    }
}
