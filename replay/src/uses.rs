//! Where a variable of one recorded frame was written and read.
//!
//! Writes come from the recording alone. Which lines read a name is a question to the source's text,
//! which the caller answers; how often these lines ran in the frame, and when last, is told here.
//! Changes inside the object that a variable holds are no writes of the variable; see
//! [`crate::history`].

use std::ops::Range;

use retrostep_trace::{
    CancellationToken, Change, Direction, Event, FrameId, Function, FunctionId, Key, ObjectId,
    ObjectKind, Part, Position, Recording, SourceId, Value, VariableKind,
};

use crate::history::Origin;
use crate::{Expression, ExpressionError, Place, Snapshot};

/// Most writes, and most step events, that one question looks at.
const MOST_EVENTS: u64 = 20_000;

/// The writes and reads of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Uses {
    /// The variable's name.
    pub name: String,
    /// What holds it.
    pub place: Place,
    /// The lines that wrote it, ascending: of any frame, where several share it.
    pub writes: Vec<Use>,
    /// The lines of the frame that read it, ascending.
    pub reads: Vec<Use>,
    /// Whether there are older writes than those looked at.
    pub more_writes: bool,
    /// Whether the frame ran more lines than those looked at.
    pub more_reads: bool,
}

/// A line that used a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The function of the line.
    pub function: FunctionId,
    /// Its source.
    pub source: SourceId,
    /// The line, 1-based. Of an argument, the first line of its function.
    pub line: u32,
    /// Whether the variable got its value as an argument there.
    pub is_argument: bool,
    /// How often the line wrote it, or ran; of those looked at.
    pub count: u64,
    /// The last time: the step event of the line; of an argument the call.
    pub last: Position,
}

/// Where the variable `name` of `frame`, as it is at the snapshot's position, was written in the whole
/// recording; and which of `reading_lines`, 1-based lines of the frame's function whose text reads the
/// name, ran in the frame.
///
/// Closure cells and globals are followed to every frame that writes them. A line that read the name
/// and ran may have left it unread where only a part of the line was evaluated. Binding a name to the
/// very object that it holds is seen as far as it was recorded.
///
/// Cost: looks at up to 20,000 writes and 20,000 step events, the newest; a line of a frame whose
/// function was called once is counted by the index instead, however often it ran.
///
/// # Errors
///
/// [`ExpressionError`] if the name means nothing in the frame at that position.
pub fn references(
    snapshot: Snapshot<'_>,
    frame: FrameId,
    name: &str,
    reading_lines: &[u32],
    cancel: &CancellationToken,
) -> Result<Uses, ExpressionError> {
    let recording = snapshot.recording;
    let place = snapshot.place(Some(frame), &Expression::parse(name)?)?;
    let mut uses = Uses {
        name: name.to_owned(),
        place: place.clone(),
        writes: Vec::new(),
        reads: Vec::new(),
        more_writes: false,
        more_reads: false,
    };
    add_writes(snapshot, &place, &mut uses, cancel)?;
    let Some(facts) = recording.frame(frame)? else {
        return Ok(uses);
    };
    let function = recording.function(facts.function)?;
    let ran = Ran {
        recording,
        frame,
        id: facts.function,
        function: &function,
        cancel,
    };
    ran.add_reads(reading_lines, &mut uses)?;
    uses.writes.sort_by_key(|it| (it.source, it.line));
    uses.reads.sort_by_key(|it| it.line);
    Ok(uses)
}

fn add_writes(
    snapshot: Snapshot<'_>,
    place: &Place,
    uses: &mut Uses,
    cancel: &CancellationToken,
) -> Result<(), ExpressionError> {
    let recording = snapshot.recording;
    let searches = match place {
        Place::Local { frame, slot } => match cell_of(snapshot, *frame, *slot)? {
            Some(cell) => vec![Writes::Cell(cell, uses.name.clone())],
            None => vec![Writes::Slot(*frame, *slot)],
        },
        Place::Entry { object, key } => vec![Writes::Entry(*object, key.clone())],
        _ => Vec::new(),
    };
    let mut left = MOST_EVENTS;
    for search in &searches {
        let mut range = Position::START..recording.end();
        while let Some(at) = search.last(recording, range.clone(), cancel)? {
            if left == 0 {
                uses.more_writes = true;
                return Ok(());
            }
            left -= 1;
            range.end = at;
            if search.is_write(recording, at)? {
                add_write(recording, at, &mut uses.writes)?;
            }
        }
    }
    Ok(())
}

/// The closure cell that a local is kept in.
fn cell_of(
    snapshot: Snapshot<'_>,
    frame: FrameId,
    slot: u32,
) -> Result<Option<ObjectId>, ExpressionError> {
    let recording = snapshot.recording;
    // A cell never changes for another one while its frame lives.
    let written = recording.local(frame, slot, recording.end())?;
    let Some(Value::Object(object)) = written.and_then(|written| written.value) else {
        return Ok(None);
    };
    let content = recording.object(object, recording.end())?;
    let is_cell = content.is_some_and(|(content, _)| content.kind == ObjectKind::Cell);
    Ok(is_cell.then_some(object))
}

/// Where the writes of a variable are found.
enum Writes {
    /// Writes of a slot.
    Slot(FrameId, u32),
    /// Changes of a closure cell, in which a variable of this name is kept.
    Cell(ObjectId, String),
    /// Changes of an entry of a namespace.
    Entry(ObjectId, Value),
}

impl Writes {
    /// The last event in `range` that may be a write.
    fn last(
        &self,
        recording: &Recording,
        range: Range<Position>,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>, ExpressionError> {
        let back = Direction::Backward;
        Ok(match self {
            Writes::Slot(frame, slot) => {
                recording.find_between(Key::Write(*frame, *slot), range, back, cancel)?
            }
            Writes::Cell(cell, _) => {
                recording.find_between(Key::Object(*cell), range, back, cancel)?
            }
            Writes::Entry(object, key) => {
                recording.find_change(*object, Part::Entry(key), range, back, cancel)?
            }
        })
    }

    /// Whether the event at `at` gives the variable a value, or takes it away.
    fn is_write(&self, recording: &Recording, at: Position) -> Result<bool, ExpressionError> {
        let Some(event) = recording.event(at)?.map(|found| found.event) else {
            return Ok(false);
        };
        Ok(match (self, event) {
            (Writes::Slot(..), Event::Write { .. }) => true,
            (Writes::Cell(cell, name), Event::Object { change, .. }) => match change {
                Change::SetCell { .. } => true,
                // First seen with a value: a write if that value is the argument.
                Change::New(content) if !content.items.is_empty() => {
                    is_argument_cell(recording, at, *cell, name)?
                }
                _ => false,
            },
            (Writes::Entry(object, key), Event::Object { change, .. }) => match change {
                Change::SetKey { key: set, .. } | Change::DeleteKey { key: set } => set == *key,
                _ => {
                    // Of what changed as a whole, only a value that differs is a write.
                    let value = |at| recording.value_of_part(*object, Part::Entry(key), at);
                    value(at)? != value(at.next())?
                }
            },
            _ => false,
        })
    }
}

/// Whether the frame of the event at `at` keeps its argument `name` in this cell.
fn is_argument_cell(
    recording: &Recording,
    at: Position,
    cell: ObjectId,
    name: &str,
) -> Result<bool, ExpressionError> {
    let Some(frame) = recording.frame_of_event(at)? else {
        return Ok(false);
    };
    let Some(facts) = recording.frame(frame)? else {
        return Ok(false);
    };
    let function = recording.function(facts.function)?;
    for (slot, variable) in (0u32..).zip(&function.variables) {
        if &*variable.name != name || variable.kind != VariableKind::CellArgument {
            continue;
        }
        let written = recording.local(frame, slot, recording.end())?;
        if written.and_then(|written| written.value) == Some(Value::Object(cell)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn add_write(
    recording: &Recording,
    at: Position,
    writes: &mut Vec<Use>,
) -> Result<(), ExpressionError> {
    let origin = Origin::of(recording, at)?;
    let (mut function, mut line, mut last) = (origin.function, origin.line, origin.position);
    if origin.is_argument
        && let Some(called) = recording.frame_of_event(at)?
        && let Some(facts) = recording.frame(called)?
    {
        function = Some(facts.function);
        line = recording.function(facts.function)?.first_line;
        last = facts.call;
    }
    // What no recorded line did has no place to show it at.
    let Some(function) = function.filter(|_| line > 0) else {
        return Ok(());
    };
    let source = recording.function(function)?.source;
    let known = writes.iter_mut().find(|known| {
        (known.function, known.line, known.is_argument) == (function, line, origin.is_argument)
    });
    match known {
        Some(known) => {
            known.count += 1;
            known.last = known.last.max(last);
        }
        None => writes.push(Use {
            function,
            source,
            line,
            is_argument: origin.is_argument,
            count: 1,
            last,
        }),
    }
    Ok(())
}

/// The lines that a frame ran.
struct Ran<'a> {
    recording: &'a Recording,
    frame: FrameId,
    id: FunctionId,
    function: &'a Function,
    cancel: &'a CancellationToken,
}

impl Ran<'_> {
    fn add_reads(&self, lines: &[u32], uses: &mut Uses) -> Result<(), ExpressionError> {
        let mut walked = Vec::new();
        for &line in lines {
            if self.function.lines.binary_search(&line).is_err() {
                continue;
            }
            match self.counted(line)? {
                Some(Some(found)) => uses.reads.push(found),
                Some(None) => {}
                None => walked.push(line),
            }
        }
        if walked.is_empty() {
            return Ok(());
        }
        let key = Key::FrameStep(self.frame);
        let mut from = self.recording.end();
        let mut left = MOST_EVENTS;
        while let Some(at) = self
            .recording
            .find(key, from, Direction::Backward, self.cancel)?
        {
            if left == 0 {
                uses.more_reads = true;
                return Ok(());
            }
            left -= 1;
            from = at;
            let Some(Event::Line { line }) = self.recording.event(at)?.map(|it| it.event) else {
                continue;
            };
            if !walked.contains(&line) {
                continue;
            }
            match uses.reads.iter_mut().find(|known| known.line == line) {
                Some(known) => known.count += 1,
                None => uses.reads.push(self.read(line, 1, at)),
            }
        }
        Ok(())
    }

    fn read(&self, line: u32, count: u64, last: Position) -> Use {
        Use {
            function: self.id,
            source: self.function.source,
            line,
            is_argument: false,
            count,
            last,
        }
    }

    /// How often a line ran that no other frame can have run; `None` if another one can.
    fn counted(&self, line: u32) -> Result<Option<Option<Use>>, ExpressionError> {
        let (recording, end) = (self.recording, self.recording.end());
        if recording.count(Key::Call(self.id), end, self.cancel)? != 1 {
            return Ok(None);
        }
        let source = self.function.source;
        for id in (0..recording.function_count()).map(FunctionId) {
            let shares = recording.function(id).map_or(true, |other| {
                other.source == source && other.lines.binary_search(&line).is_ok()
            });
            if id != self.id && shares {
                return Ok(None);
            }
        }
        let key = Key::Line(source, line);
        let count = recording.count(key, end, self.cancel)?;
        let last = recording.find(key, end, Direction::Backward, self.cancel)?;
        Ok(Some(last.map(|last| self.read(line, count, last))))
    }
}
