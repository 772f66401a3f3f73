//! Going through all executions of a line with what some names hold there.
//!
//! Of a block only the codes are read, and the streams of calls and of what the names depend on.

use std::ops::Range;
use std::sync::Arc;

use super::{Part, Recording};
use crate::block::changes::{Lane, number};
use crate::block::decode::{DecodedBlock, Meta, call, code_at, lanes_of};
use crate::block::section::unpack;
use crate::block::{Kind, Meaning, sections};
use crate::codec::{ValueReader, skip_content, skip_payload};
use crate::footer::BlockRow;
use crate::hash::Map;
use crate::segment::{IndexKey, keys};
use crate::strings::Strings;
use crate::varint::{Decoded, Input};
use crate::walker::{NONE, Step};
use crate::{
    CancellationToken, Content, Direction, FrameId, FunctionId, FunctionKind, ObjectId, ObjectKind,
    Position, Result, SourceId, Value,
};

/// Which executions of which line are gone through, and what is looked at.
#[derive(Clone, Debug)]
pub struct LineScan<'a> {
    /// The source.
    pub source: SourceId,
    /// The line, 1-based.
    pub line: u32,
    /// The names looked at, at most [`MOST_NAMES`].
    pub names: &'a [Arc<str>],
    /// Attributes, entries and elements that are looked at, each of what a name holds: the name by its
    /// number. At most [`MOST_NAMES`].
    pub parts: &'a [(usize, Part<'a>)],
    /// The positions gone through. Blocks in it are taken in this direction, the executions inside a
    /// block always forward.
    pub range: Range<Position>,
    /// See [`LineScan::range`].
    pub direction: Direction,
}

/// One execution of a line.
#[derive(Debug)]
pub struct LineMoment<'a> {
    /// The step event.
    pub position: Position,
    /// The frame that runs the line.
    pub frame: Option<FrameId>,
    /// What the names hold, in the order asked.
    pub seen: &'a [Seen<'a>],
    /// What the parts hold, in the order asked: a value, or [`Seen::Unknown`]. Entries are those of plain
    /// mappings, elements those of plain lists and tuples.
    pub parts: &'a [Seen<'a>],
}

/// What a name holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen<'a> {
    /// This value.
    Value(&'a Value),
    /// It is neither a local nor in the namespaces of the frame.
    Absent,
    /// It is a local of a function that has no value.
    Unbound,
    /// It has to be looked up: it may be in a closure cell.
    Unknown,
}

/// What goes through the executions of a line.
pub trait LineVisitor {
    /// Takes in an execution; whether to go on.
    fn moment(&mut self, moment: &LineMoment<'_>) -> bool;

    /// All executions in a block were taken in, up to `reached` in the scan's direction; whether to go on.
    fn block(&mut self, reached: Position) -> bool;
}

/// How a name is found in a function.
#[derive(Clone, Copy, Debug)]
enum Way {
    Slot(usize),
    Namespace,
    Lookup,
}

/// What a code means to a scan.
#[derive(Clone, Copy, Debug)]
enum Action {
    Nothing,
    /// An execution of the line, in a function.
    Hit(usize),
    /// A call, return, yield or resume.
    Frame,
    /// A write of a local that is a name.
    Write(usize),
    /// An entry of some namespace that is a name.
    Entry(usize),
    /// A change of a part of some object, besides the entry of a name that it may be.
    Part(Option<usize>),
    /// An element is set or added.
    Element,
    /// Something else happens to what may be a namespace.
    Unclear,
}

/// What a slot or entry holds.
#[derive(Clone, Debug, Default)]
enum Held {
    /// What it held at the block's start.
    #[default]
    Before,
    Nothing,
    Value(Value),
    /// It takes more than a name to say.
    Unclear,
}

/// Where a line runs.
struct Standing {
    activation: u32,
    function: usize,
    namespaces: [Option<ObjectId>; 2],
}

/// What is known of a block while it is gone through.
struct Scanning<'r> {
    recording: &'r Recording,
    block: DecodedBlock,
    meta: Meta,
    /// The functions with the line, and how each finds the names.
    functions: Vec<(FunctionId, Vec<Way>)>,
    actions: Vec<Action>,
    /// What the names' slots hold, by activation.
    locals: Vec<Vec<Held>>,
    /// What the names' entries hold, of the namespaces that were met.
    namespaces: Map<ObjectId, Vec<Held>>,
    /// What parts hold, of the objects that were met.
    parts: Map<ObjectId, Vec<Held>>,
}

impl Recording {
    /// Goes through the executions of a line. Damaged blocks are skipped.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Cancelled`], [`crate::Error::Io`], [`crate::Error::Corrupt`].
    pub fn scan_line(
        &self,
        scan: &LineScan<'_>,
        visitor: &mut dyn LineVisitor,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let list = self.list(IndexKey::new(
            keys::LINE,
            u64::from(scan.source.0),
            scan.line,
        ))?;
        let inside = |number: u32| {
            let row = self.block_row(number)?;
            let meets = row.place.first < scan.range.end.0 && row.place.end() > scan.range.start.0;
            meets.then_some(row)
        };
        let mut blocks: Vec<(u32, &BlockRow)> = list
            .iter()
            .filter_map(|posting| Some((posting.block, inside(posting.block)?)))
            .collect();
        if scan.direction == Direction::Backward {
            blocks.reverse();
        }
        for (number, row) in blocks {
            cancel.check()?;
            if self.is_damaged(number) {
                continue;
            }
            match self.scan_block(scan, row, visitor)? {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(malformed) => self.note_damage(number, malformed),
            }
            let reached = match scan.direction {
                Direction::Forward => row.place.end().min(scan.range.end.0),
                Direction::Backward => row.place.first.max(scan.range.start.0),
            };
            if !visitor.block(Position(reached)) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Goes through one block; whether to go on.
    fn scan_block(
        &self,
        scan: &LineScan<'_>,
        row: &BlockRow,
        visitor: &mut dyn LineVisitor,
    ) -> Result<Decoded<bool>> {
        let body = match self.body(row)? {
            Ok(body) => body,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let read = || -> Decoded<_> {
            let section = |id| -> Decoded<Vec<u8>> { Ok(unpack(&body, id)?.unwrap_or_default()) };
            let (block, meta) = DecodedBlock::begin(&body, &row.place)?;
            let strings = Strings::decode(&mut Input::new(&section(sections::STRINGS)?))?;
            let codes = section(sections::CODES)?;
            Ok((block, meta, strings, codes, section(sections::VALUES)?))
        };
        let (block, meta, mut strings, codes, streams) = match read() {
            Ok(read) => read,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let mut scanning = Scanning {
            recording: self,
            block,
            meta,
            functions: Vec::new(),
            actions: Vec::new(),
            locals: Vec::new(),
            namespaces: Map::default(),
            parts: Map::default(),
        };
        scanning.plan(scan, &strings)?;
        let mut lanes = match lanes_of(&scanning.block.codes, &streams) {
            Ok(lanes) => lanes,
            Err(malformed) => return Ok(Err(malformed)),
        };
        scanning.run(scan, row, &codes, &mut lanes, &mut strings, visitor)
    }
}

impl Scanning<'_> {
    /// Finds out what each code means to the scan.
    fn plan(&mut self, scan: &LineScan<'_>, strings: &Strings) -> Result<()> {
        for index in 0..self.block.codes.len() {
            let meaning = self.block.codes.get(index).map(|code| code.meaning);
            let Some(meaning) = meaning.filter(|it| it.kind == Kind::Line && it.b == scan.line)
            else {
                continue;
            };
            let Some(id) = meaning.function() else {
                continue;
            };
            let function = self.recording.function(id)?;
            if function.source != scan.source || self.functions.iter().any(|it| it.0 == id) {
                continue;
            }
            let ways = scan.names.iter().map(|name| {
                let mut slots = (0..)
                    .zip(&function.variables)
                    .filter(|it| it.1.name == *name);
                match (slots.next(), slots.next()) {
                    (None, _) => Way::Namespace,
                    (Some((slot, variable)), None)
                        if !variable.kind.is_cell()
                            && !matches!(
                                function.kind,
                                FunctionKind::Module | FunctionKind::Class
                            ) =>
                    {
                        Way::Slot(slot)
                    }
                    _ => Way::Lookup,
                }
            });
            self.functions.push((id, ways.collect()));
        }
        let codes = self.block.codes.iter();
        self.actions = codes
            .map(|code| self.action(&code.meaning, scan, strings))
            .collect();
        Ok(())
    }

    fn action(&self, meaning: &Meaning, scan: &LineScan<'_>, strings: &Strings) -> Action {
        let function = || {
            let id = meaning.function()?;
            self.functions.iter().position(|it| it.0 == id)
        };
        let entry = || {
            let text = meaning.a.checked_sub(1)?;
            let mut names = scan.names.iter().enumerate();
            names.find_map(|(at, name)| match strings.is(text, name)? {
                true => Some(Action::Entry(at)),
                false => Some(Action::Unclear),
            })
        };
        let entry = || match (entry(), part_of(meaning, scan, strings)) {
            (Some(Action::Unclear), _) | (_, Some(Certain::No)) => Some(Action::Unclear),
            (Some(Action::Entry(name)), Some(Certain::Yes)) => Some(Action::Part(Some(name))),
            (_, Some(Certain::Yes)) => Some(Action::Part(None)),
            (entry, None) => entry,
        };
        let has_items = || {
            let mut parts = scan.parts.iter();
            parts.any(|(_, part)| matches!(part, Part::Item(_)))
        };
        let found = match meaning.kind {
            Kind::Line if meaning.b == scan.line => function().map(Action::Hit),
            Kind::Call | Kind::Return | Kind::Unwind | Kind::Yield | Kind::Resume => {
                Some(Action::Frame)
            }
            Kind::Write => function()
                .and_then(|function| self.functions.get(function))
                .and_then(|(_, ways)| {
                    let slot = meaning.b as usize;
                    let is_slot = |way: &Way| matches!(way, Way::Slot(known) if *known == slot);
                    ways.iter().position(is_slot).map(Action::Write)
                }),
            Kind::SetKey | Kind::DeleteKey => entry(),
            Kind::SetAttribute | Kind::DeleteAttribute => {
                part_of(meaning, scan, strings).map(|_| Action::Part(None))
            }
            Kind::SetItem | Kind::Append if has_items() => Some(Action::Element),
            Kind::Pop if has_items() => Some(Action::Unclear),
            Kind::New | Kind::Replace if !scan.parts.is_empty() => Some(Action::Unclear),
            Kind::New | Kind::Replace
                if meaning.b == ObjectKind::Namespace as u32
                    || meaning.b == ObjectKind::Dict as u32 =>
            {
                Some(Action::Unclear)
            }
            Kind::Clear => Some(Action::Unclear),
            _ => None,
        };
        found.unwrap_or(Action::Nothing)
    }

    /// Goes through the events; whether to go on with the next block.
    fn run(
        &mut self,
        scan: &LineScan<'_>,
        row: &BlockRow,
        codes: &[u8],
        lanes: &mut [Lane<'_>],
        strings: &mut Strings,
        visitor: &mut dyn LineVisitor,
    ) -> Result<Decoded<bool>> {
        let place = &row.place;
        let mut next_frame = place.first_frame;
        let mut values = ValueReader::new(strings);
        let runs = std::mem::take(&mut self.meta.runs);
        let mut index = 0;
        for (thread, len) in runs {
            if thread as usize == self.block.walker.threads.len()
                && let Some(&id) = self.meta.threads.get(thread as usize)
            {
                self.block.walker.add_thread(id, &self.meta.entries);
            }
            for _ in 0..len {
                let position = Position(place.first + u64::from(index));
                if position >= scan.range.end {
                    return Ok(Ok(true));
                }
                let code = match code_at(codes, place.events, index, self.actions.len()) {
                    Ok(code) => code as usize,
                    Err(malformed) => return Ok(Err(malformed)),
                };
                index += 1;
                match self.actions.get(code).copied().unwrap_or(Action::Nothing) {
                    Action::Nothing => {}
                    Action::Hit(function) => {
                        if position >= scan.range.start
                            && !self.hit(scan, thread, function, position, visitor)?
                        {
                            return Ok(Ok(false));
                        }
                    }
                    action => {
                        let meaning = self.block.codes.get(code).map(|code| code.meaning);
                        let (Some(meaning), Some(lane)) = (meaning, lanes.get_mut(code)) else {
                            continue;
                        };
                        let taken = match action {
                            Action::Frame => {
                                self.frame(&meaning, thread, position, lane, &mut next_frame)
                            }
                            Action::Part(name) => {
                                self.change_part(scan, name, &meaning, lane, &mut values)
                            }
                            Action::Element => {
                                self.change_element(scan, &meaning, lane, &mut values)
                            }
                            action => self.write(action, &meaning, thread, lane, &mut values),
                        };
                        if let Err(malformed) = taken {
                            return Ok(Err(malformed));
                        }
                    }
                }
            }
        }
        Ok(Ok(true))
    }

    fn frame(
        &mut self,
        meaning: &Meaning,
        thread: u32,
        position: Position,
        lane: &mut Lane<'_>,
        next_frame: &mut u64,
    ) -> Decoded<()> {
        let step = match meaning.kind {
            Kind::Call => call(meaning, lane, next_frame)?,
            Kind::Resume => {
                let frame = number(&mut lane.input, &mut lane.last[0])?;
                Step::Resume(FrameId(frame))
            }
            Kind::Yield => Step::Suspend,
            _ => Step::Leave,
        };
        let walker = &mut self.block.walker;
        walker.apply(position.0, thread, step, &self.meta.entries);
        Ok(())
    }

    /// The locals of an activation.
    fn locals(&mut self, activation: u32, names: usize) -> Option<&mut Vec<Held>> {
        while self.locals.len() <= activation as usize {
            let new = self.block.walker.activations.get(self.locals.len())?;
            let earlier = self.locals.get_mut(new.previous as usize);
            let locals = match (earlier, new.entry) {
                (Some(earlier), _) => std::mem::take(earlier),
                (None, Some(_)) => vec![Held::Before; names],
                (None, None) => vec![Held::Nothing; names],
            };
            self.locals.push(locals);
        }
        self.locals.get_mut(activation as usize)
    }

    fn write(
        &mut self,
        action: Action,
        meaning: &Meaning,
        thread: u32,
        lane: &mut Lane<'_>,
        values: &mut ValueReader<'_>,
    ) -> Decoded<()> {
        let Lane { input, last, .. } = lane;
        match action {
            Action::Write(name) => {
                let value = values.optional(meaning.tag, &mut last[2], input)?;
                let activation = self.block.walker.current(thread);
                let names = self.functions.first().map_or(0, |(_, ways)| ways.len());
                let locals = self.locals(activation, names);
                if let Some(held) = locals.and_then(|locals| locals.get_mut(name)) {
                    *held = value.map_or(Held::Nothing, Held::Value);
                }
            }
            Action::Entry(name) => {
                let object = ObjectId(number(input, &mut last[0])?);
                let value = match meaning.kind {
                    Kind::SetKey => Some(values.payload(meaning.tag, &mut last[2], input)?),
                    _ => None,
                };
                let entries = self.namespaces.get_mut(&object);
                if let Some(held) = entries.and_then(|entries| entries.get_mut(name))
                    && !matches!(held, Held::Unclear)
                {
                    *held = value.map_or(Held::Nothing, Held::Value);
                }
            }
            _ => {
                let object = ObjectId(number(input, &mut last[0])?);
                match meaning.kind {
                    Kind::New | Kind::Replace => skip_content(input)?,
                    Kind::SetKey => skip_payload(meaning.tag, &mut last[2], input)?,
                    _ => {}
                }
                // It is read anew at the next execution of the line.
                self.namespaces.remove(&object);
                self.parts.remove(&object);
            }
        }
        Ok(())
    }

    /// Takes in a change that concerns a part by its name.
    fn change_part(
        &mut self,
        scan: &LineScan<'_>,
        name: Option<usize>,
        meaning: &Meaning,
        lane: &mut Lane<'_>,
        values: &mut ValueReader<'_>,
    ) -> Decoded<()> {
        let Lane { input, last, .. } = lane;
        let object = ObjectId(number(input, &mut last[0])?);
        let value = match meaning.kind {
            Kind::SetKey | Kind::SetAttribute => {
                Some(values.payload(meaning.tag, &mut last[2], input)?)
            }
            _ => None,
        };
        let held = value.map_or(Held::Nothing, Held::Value);
        if let Some(known) = self.parts.get_mut(&object) {
            for (known, (_, part)) in known.iter_mut().zip(scan.parts) {
                if !matches!(known, Held::Unclear)
                    && is_part(meaning, values.strings, part).is_some()
                {
                    known.clone_from(&held);
                }
            }
        }
        let entries = self.namespaces.get_mut(&object);
        if let Some(known) = name.and_then(|name| entries?.get_mut(name))
            && !matches!(known, Held::Unclear)
        {
            *known = held;
        }
        Ok(())
    }

    /// Takes in an element that is set or added.
    fn change_element(
        &mut self,
        scan: &LineScan<'_>,
        meaning: &Meaning,
        lane: &mut Lane<'_>,
        values: &mut ValueReader<'_>,
    ) -> Decoded<()> {
        let Lane { input, last, .. } = lane;
        let object = ObjectId(number(input, &mut last[0])?);
        let index = match meaning.kind {
            Kind::SetItem => Some(number(input, &mut last[1])?),
            _ => None,
        };
        let value = values.payload(meaning.tag, &mut last[2], input)?;
        let Some(known) = self.parts.get_mut(&object) else {
            return Ok(());
        };
        for (known, (_, part)) in known.iter_mut().zip(scan.parts) {
            let (Part::Item(wanted), false) = (part, matches!(known, Held::Unclear)) else {
                continue;
            };
            match (&*known, index) {
                (Held::Value(_), Some(index)) if index == *wanted => {
                    *known = Held::Value(value.clone());
                }
                // It stays where it is.
                (Held::Value(_), _) => {}
                _ => {
                    self.parts.remove(&object);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// An execution of the line; whether to go on.
    fn hit(
        &mut self,
        scan: &LineScan<'_>,
        thread: u32,
        function: usize,
        position: Position,
        visitor: &mut dyn LineVisitor,
    ) -> Result<bool> {
        let names = scan.names.len();
        let activation = self.block.walker.current(thread);
        self.locals(activation, names);
        self.read_earlier(activation, function)?;
        let known = self.block.walker.activations.get(activation as usize);
        let namespaces = known.map_or([None, None], |known| [known.locals, known.globals]);
        let frame = known.map(|known| known.frame);
        let ways = self.functions.get(function).map(|(_, ways)| &ways[..]);
        let needed = ways.is_some_and(|ways| ways.iter().any(|way| matches!(way, Way::Namespace)));
        let namespaces = namespaces.map(|object| object.filter(|_| needed));
        for object in namespaces.into_iter().flatten() {
            self.read_namespace(object, position, scan.names)?;
        }
        let at = Standing {
            activation,
            function,
            namespaces,
        };
        for (name, _) in scan.parts {
            if let Seen::Value(Value::Object(object)) = self.seen(&at, *name) {
                self.read_parts(*object, position, scan.parts)?;
            }
        }
        let mut seen = [Seen::Unknown; MOST_NAMES];
        for (name, seen) in seen.iter_mut().enumerate().take(names) {
            *seen = self.seen(&at, name);
        }
        let mut parts = [Seen::Unknown; MOST_NAMES];
        for (number, (part, (name, _))) in parts.iter_mut().zip(scan.parts).enumerate() {
            if let Some(Seen::Value(Value::Object(object))) = seen.get(*name)
                && let Some(known) = self.parts.get(object)
                && let Some(Held::Value(value)) = known.get(number)
            {
                *part = Seen::Value(value);
            }
        }
        Ok(visitor.moment(&LineMoment {
            position,
            frame,
            seen: seen.get(..names).unwrap_or_default(),
            parts: parts.get(..scan.parts.len()).unwrap_or_default(),
        }))
    }

    /// What a name holds where a line runs.
    fn seen(&self, at: &Standing, name: usize) -> Seen<'_> {
        let ways = self.functions.get(at.function).map(|(_, ways)| ways);
        match ways.and_then(|ways| ways.get(name)) {
            None | Some(Way::Lookup) => Seen::Unknown,
            Some(Way::Slot(_)) => {
                let locals = self.locals.get(at.activation as usize);
                match locals.and_then(|locals| locals.get(name)) {
                    Some(Held::Value(value)) => Seen::Value(value),
                    Some(Held::Nothing) => Seen::Unbound,
                    _ => Seen::Unknown,
                }
            }
            Some(Way::Namespace) => {
                for object in at.namespaces.iter().flatten() {
                    let entries = self.namespaces.get(object);
                    match entries.and_then(|entries| entries.get(name)) {
                        Some(Held::Value(value)) => return Seen::Value(value),
                        Some(Held::Unclear) => return Seen::Unknown,
                        _ => {}
                    }
                }
                Seen::Absent
            }
        }
    }

    /// Reads the parts of an object unless they are known.
    fn read_parts(
        &mut self,
        object: ObjectId,
        at: Position,
        parts: &[(usize, Part<'_>)],
    ) -> Result<()> {
        if self.parts.contains_key(&object) {
            return Ok(());
        }
        let Some((content, _)) = self.recording.object(object, at)? else {
            return Ok(());
        };
        let is_built_in =
            (self.recording.type_of(content.type_id)).is_ok_and(|ty| *ty.module == *"builtins");
        let held = parts.iter().map(|(_, part)| {
            let is_certain = match part {
                Part::Attribute(_) => true,
                Part::Entry(_) => is_built_in && content.kind == ObjectKind::Dict,
                Part::Item(_) => {
                    is_built_in && matches!(content.kind, ObjectKind::List | ObjectKind::Tuple)
                }
                Part::Whole => false,
            };
            match part.of(&content) {
                _ if !is_certain => Held::Unclear,
                Some(value) => Held::Value(value.clone()),
                None => Held::Nothing,
            }
        });
        self.parts.insert(object, held.collect());
        Ok(())
    }

    /// Reads the locals that a frame had at the block's start.
    fn read_earlier(&mut self, activation: u32, function: usize) -> Result<()> {
        let locals = self.locals.get_mut(activation as usize);
        let ways = self.functions.get(function).map(|(_, ways)| ways);
        let (Some(locals), Some(ways)) = (locals, ways) else {
            return Ok(());
        };
        let is_open = |held: &Held| matches!(held, Held::Before);
        if !locals.iter().any(is_open) {
            return Ok(());
        }
        let mut known = self.block.walker.activations.get(activation as usize);
        while let Some(it) = known
            && it.previous != NONE
        {
            known = self.block.walker.activations.get(it.previous as usize);
        }
        let noted = match known.and_then(|known| Some((known.frame, known.entry?))) {
            Some((frame, block)) => self.recording.records(block)?.get(frame).cloned(),
            None => None,
        };
        let slots = noted.map(|(_, slots)| slots).unwrap_or_default();
        for (held, way) in locals.iter_mut().zip(ways) {
            if !is_open(held) {
                continue;
            }
            let slot = match way {
                Way::Slot(slot) => slots.iter().find(|known| known.slot as usize == *slot),
                _ => None,
            };
            let value = slot.and_then(|slot| slot.value.clone());
            *held = value.map_or(Held::Nothing, Held::Value);
        }
        Ok(())
    }

    /// Reads a namespace unless it is known.
    fn read_namespace(&mut self, object: ObjectId, at: Position, names: &[Arc<str>]) -> Result<()> {
        if self.namespaces.contains_key(&object) {
            return Ok(());
        }
        let content = self.recording.object(object, at)?;
        let held = names.iter().map(|name| {
            let content = content.as_ref().map(|(content, _)| content);
            content.map_or(Held::Nothing, |content| entry_of(content, name))
        });
        self.namespaces.insert(object, held.collect());
        Ok(())
    }
}

/// Whether a text is certainly the one meant: not if only its beginning was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Certain {
    Yes,
    No,
}

/// Whether a change is called as one of the parts.
fn part_of(meaning: &Meaning, scan: &LineScan<'_>, strings: &Strings) -> Option<Certain> {
    let mut parts = scan.parts.iter();
    parts.find_map(|(_, part)| is_part(meaning, strings, part))
}

/// Whether a change is called as the part.
fn is_part(meaning: &Meaning, strings: &Strings, part: &Part<'_>) -> Option<Certain> {
    let text = meaning.part_name()?;
    let is = match (part, meaning.kind) {
        (Part::Attribute(name), Kind::SetAttribute | Kind::DeleteAttribute) => {
            strings.is(text, name)?
        }
        (Part::Entry(Value::Str(key)), Kind::SetKey | Kind::DeleteKey) => {
            strings.is(text, std::str::from_utf8(&key.kept).ok()?)?
        }
        _ => return None,
    };
    Some(if is { Certain::Yes } else { Certain::No })
}

/// Most names, and most parts, that one scan looks at.
pub const MOST_NAMES: usize = 8;

fn entry_of(content: &Content, name: &str) -> Held {
    let mut held = Held::Nothing;
    for (key, value) in &content.entries {
        if let Value::Str(text) = key
            && *text.kept == *name.as_bytes()
        {
            if text.len != name.chars().count() as u64 {
                return Held::Unclear;
            }
            held = Held::Value(value.clone());
        }
    }
    held
}
