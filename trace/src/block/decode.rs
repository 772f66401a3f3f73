//! A block in memory again.

use std::sync::{Arc, OnceLock};

use super::changes::{Changes, Lane, number};
use super::encode::{Slot, ThreadTasks};
use super::lookup::Occurrences;
use super::section::unpack;
use super::{CODE_LIMIT, EVENT_LIMIT, Kind, Meaning, Row, sections};
use crate::codec::{Last, ValueReader, object_kind, tag};
use crate::hash::Map;
use crate::strings::Strings;
use crate::varint::{Decoded, Input, Malformed};
use crate::walker::{FrameRecord, Outside, Step, Walker};
use crate::{
    Call, Content, Event, FrameId, FunctionId, ObjectId, Stream, TaskId, Text, ThreadEvent,
    ThreadId, TypeId, Value,
};

/// What the block table says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    pub(crate) first: u64,
    pub(crate) events: u32,
    pub(crate) first_frame: u64,
    pub(crate) first_object: u64,
    pub(crate) time_ns: u64,
}

/// A code of a decoded block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecodedCode {
    pub(crate) meaning: Meaning,
    pub(crate) count: u32,
}

/// All events of a block.
#[derive(Debug)]
pub(crate) struct DecodedBlock {
    pub(crate) first: u64,
    pub(crate) rows: Vec<Row>,
    pub(crate) codes: Vec<DecodedCode>,
    pub(crate) walker: Walker,
    pub(crate) tasks: Vec<ThreadTasks>,
    /// The innermost frame of each thread at the block's end.
    pub(crate) last_frames: Vec<Option<FrameId>>,
    pub(crate) clocks: Vec<(u32, u64)>,
    pub(crate) uncaught: Vec<u64>,
    values: Vec<Value>,
    pub(crate) changes: Arc<Changes>,
    others: Vec<Event>,
    occurrences: OnceLock<Occurrences>,
}

/// The entry list of a block that is being read.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    frames: Map<FrameId, FrameRecord>,
    tops: Map<ThreadId, FrameId>,
}

impl Meta {
    /// How deep each thread's stack is at the block's start.
    pub(crate) fn depths(&self) -> Vec<u32> {
        let top = |thread: &ThreadId| self.entries.frame(self.entries.top(*thread)?);
        let depth = |thread| top(thread).map_or(0, |record| record.depth);
        self.threads.iter().map(depth).collect()
    }
}

impl Outside for Entries {
    fn frame(&self, frame: FrameId) -> Option<&FrameRecord> {
        self.frames.get(&frame)
    }

    fn top(&self, thread: ThreadId) -> Option<FrameId> {
        self.tops.get(&thread).copied()
    }
}

#[derive(Debug)]
pub(crate) struct Meta {
    pub(crate) threads: Vec<ThreadId>,
    pub(crate) runs: Vec<(u32, u32)>,
    pub(crate) entries: Entries,
}

impl DecodedBlock {
    /// # Errors
    ///
    /// [`Malformed`] with the rule that the bytes break.
    pub(crate) fn decode(body: &[u8], place: &BlockPlace) -> Decoded<DecodedBlock> {
        let section = |id| -> Decoded<Vec<u8>> { Ok(unpack(body, id)?.unwrap_or_default()) };
        let (mut block, meta) = DecodedBlock::begin(body, place)?;
        let strings = section(sections::STRINGS)?;
        let mut input = Input::new(&strings);
        let mut strings = Strings::decode(&mut input)?;
        input.end()?;
        let codes = section(sections::CODES)?;
        let values = section(sections::VALUES)?;
        let mut changes = Changes::default();
        changes.set_codes(place.first, &block.codes);
        block.events(place, &meta, &codes, &values, &mut strings, &mut changes)?;
        changes.keep(values, strings);
        block.changes = Arc::new(changes);
        Ok(block)
    }

    /// A block with its codes, but without its events.
    pub(crate) fn begin(body: &[u8], place: &BlockPlace) -> Decoded<(DecodedBlock, Meta)> {
        if place.events == 0 || place.events > EVENT_LIMIT {
            return Err(Malformed("a block has no events or too many"));
        }
        let mut block = DecodedBlock {
            first: place.first,
            rows: Vec::new(),
            codes: Vec::new(),
            walker: Walker::new(place.first_frame),
            tasks: Vec::new(),
            last_frames: Vec::new(),
            clocks: Vec::new(),
            uncaught: Vec::new(),
            values: Vec::new(),
            changes: Arc::default(),
            others: Vec::new(),
            occurrences: OnceLock::new(),
        };
        let bytes = unpack(body, sections::META)?.unwrap_or_default();
        let meta = block.meta(&bytes, place)?;
        Ok((block, meta))
    }

    fn meta(&mut self, bytes: &[u8], place: &BlockPlace) -> Decoded<Meta> {
        let mut input = Input::new(bytes);
        let mut meta = Meta {
            threads: Vec::new(),
            runs: Vec::new(),
            entries: Entries::default(),
        };
        for _ in 0..input.count(5)? {
            let thread = ThreadId(input.number32()?);
            if let Some(top) = input.optional()? {
                meta.entries.tops.insert(thread, FrameId(top));
            }
            self.last_frames.push(input.optional()?.map(FrameId));
            self.tasks.push(ThreadTasks {
                first: task(&mut input)?,
                last: task(&mut input)?,
            });
            meta.threads.push(thread);
        }
        let mut events = 0u64;
        for _ in 0..input.count(2)? {
            let (thread, len) = (input.number32()?, input.number32()?);
            events += u64::from(len);
            if thread as usize >= meta.threads.len() || len == 0 {
                return Err(Malformed("an event belongs to no thread"));
            }
            meta.runs.push((thread, len));
        }
        if events != u64::from(place.events) {
            return Err(Malformed("a block's counts contradict each other"));
        }
        self.codes = dictionary(&mut input, place)?;
        let mut last = FrameRecord::origin(place.first);
        for _ in 0..input.count(11)? {
            let entry = FrameRecord::decode(&mut last, &mut input)?;
            meta.entries.frames.insert(entry.frame, entry);
        }
        self.clocks_and_uncaught(&mut input, place)?;
        input.end()?;
        Ok(meta)
    }

    fn clocks_and_uncaught(&mut self, input: &mut Input<'_>, place: &BlockPlace) -> Decoded<()> {
        let mut before = (0u64, 0i64);
        for _ in 0..input.count(2)? {
            before.0 = before.0.saturating_add(input.number()?);
            before.1 = before.1.wrapping_add(input.signed()?);
            let index = u32::try_from(before.0).map_err(|_| Malformed("a clock is misplaced"))?;
            self.clocks.push((index, before.1 as u64));
        }
        let end = place.first.saturating_add(u64::from(place.events));
        for _ in 0..input.count(1)? {
            let position = end
                .checked_sub(input.number()?)
                .ok_or(Malformed("a raise is misplaced"))?;
            self.uncaught.push(position);
        }
        Ok(())
    }

    fn events(
        &mut self,
        place: &BlockPlace,
        meta: &Meta,
        codes: &[u8],
        values: &[u8],
        strings: &mut Strings,
        changes: &mut Changes,
    ) -> Decoded<()> {
        let count = place.events as usize;
        let wide = self.codes.len() > 256;
        if codes.len() != if wide { count * 2 } else { count } {
            return Err(Malformed("a block's codes do not match its events"));
        }
        self.rows.reserve_exact(count);
        self.reserve(meta, values.len(), changes);
        let mut lanes = lanes_of(&self.codes, values)?;
        let mut next_frame = place.first_frame;
        let mut values = ValueReader::new(strings);
        let mut runs = meta.runs.iter();
        let (mut thread, mut left) = (0, 0);
        for index in 0..place.events {
            if left == 0 {
                (thread, left) = *runs.next().ok_or(Malformed("an event has no thread"))?;
            }
            left -= 1;
            if thread as usize == self.walker.threads.len()
                && let Some(&id) = meta.threads.get(thread as usize)
            {
                self.walker.add_thread(id, &meta.entries);
            } else if thread as usize > self.walker.threads.len() {
                return Err(Malformed("a block's threads are out of order"));
            }
            let code = code_at(codes, place.events, index, self.codes.len())?;
            let meaning = match self.codes.get(code as usize) {
                Some(code) => code.meaning,
                None => return Err(Malformed("an event has a code without meaning")),
            };
            let lane = lanes
                .get_mut(code as usize)
                .ok_or(Malformed("an event has no stream"))?;
            if meaning.kind.is_object() {
                lane.count += 1;
                let payload = changes.add(&meaning, code, index, lane)?;
                let activation = self.walker.current(thread);
                self.rows.push(Row {
                    code,
                    thread,
                    activation,
                    payload,
                });
                continue;
            }
            let position = place.first + u64::from(index);
            let (step, payload) = self.event(&meaning, lane, &mut next_frame, &mut values)?;
            let activation = self.walker.apply(position, thread, step, &meta.entries);
            self.rows.push(Row {
                code,
                thread,
                activation,
                payload,
            });
        }
        for (lane, code) in lanes.iter().zip(&self.codes) {
            lane.input.end()?;
            if lane.count != code.count {
                return Err(Malformed("a code's count is wrong"));
            }
        }
        if self.walker.threads.len() != meta.threads.len() {
            return Err(Malformed("a thread of a block has no event"));
        }
        Ok(())
    }

    /// Makes room for all events at once. The counts of codes sum up to the block's events; of those
    /// that take most room each has a byte in the streams.
    fn reserve(&mut self, meta: &Meta, streams: usize, changes: &mut Changes) {
        let (mut values, mut objects, mut activations, mut others) = (0, 0, 0, 0);
        for code in &self.codes {
            let count = code.count as usize;
            match code.meaning.kind {
                Kind::Line => {}
                Kind::Call => activations += count,
                Kind::Resume => {
                    activations += count;
                    others += count;
                }
                Kind::Write if code.meaning.tag == tag::DELETED => {}
                Kind::Write | Kind::Return | Kind::Unwind | Kind::Yield | Kind::Raise => {
                    values += count;
                }
                kind if kind.is_object() => objects += count,
                _ => others += count,
            }
        }
        self.values.reserve_exact(values);
        self.others.reserve_exact(others.min(streams));
        changes.reserve(objects.min(streams));
        let frames = activations.min(streams) + meta.entries.frames.len();
        self.walker.activations.reserve_exact(frames);
    }

    /// Reads an event's payload: what it does to frames, and where its row's payload stands.
    fn event(
        &mut self,
        meaning: &Meaning,
        lane: &mut Lane<'_>,
        next_frame: &mut u64,
        values: &mut ValueReader<'_>,
    ) -> Decoded<(Step, u32)> {
        lane.count += 1;
        let input = &mut lane.input;
        let last = &mut lane.last;
        match meaning.kind {
            Kind::Line => return Ok((Step::Line(meaning.b), 0)),
            Kind::Write => {
                let value = values.optional(meaning.tag, &mut last[2], input)?;
                return Ok((Step::Other, self.value(value)));
            }
            Kind::Call => return Ok((call(meaning, lane, next_frame)?, 0)),
            Kind::Return | Kind::Unwind => {
                let value = values.payload(meaning.tag, &mut last[2], input)?;
                return Ok((Step::Leave, self.value(Some(value))));
            }
            Kind::Yield => {
                let value = values.payload(meaning.tag, &mut last[2], input)?;
                return Ok((Step::Suspend, self.value(Some(value))));
            }
            Kind::Raise => {
                let value = values.payload(meaning.tag, &mut last[2], input)?;
                return Ok((Step::Other, self.value(Some(value))));
            }
            Kind::Resume => {
                let frame = FrameId(number(input, &mut last[0])?);
                self.others.push(Event::Resume { frame });
                return Ok((Step::Resume(frame), self.others.len() as u32 - 1));
            }
            _ => {}
        }
        let event = other(meaning, input, values.strings)?;
        self.others.push(event);
        Ok((Step::Other, self.others.len() as u32 - 1))
    }

    /// Keeps a value and returns its index, `u32::MAX` for none.
    fn value(&mut self, value: Option<Value>) -> u32 {
        match value {
            Some(value) => {
                self.values.push(value);
                self.values.len() as u32 - 1
            }
            None => u32::MAX,
        }
    }

    /// The event of a row.
    pub(crate) fn event_at(&self, index: usize) -> Option<ThreadEvent> {
        let row = self.rows.get(index)?;
        let meaning = self.codes.get(row.code as usize)?.meaning;
        let value = || self.values.get(row.payload as usize).cloned();
        let event = match meaning.kind {
            Kind::Line => Event::Line { line: meaning.b },
            Kind::Write => Event::Write {
                slot: meaning.b,
                value: value(),
            },
            Kind::Return => Event::Return { value: value()? },
            Kind::Yield => Event::Yield { value: value()? },
            Kind::Raise => Event::Raise {
                exception: value()?,
            },
            Kind::Unwind => Event::Unwind {
                exception: value()?,
            },
            Kind::Call => {
                let activation = self.walker.activations.get(row.activation as usize)?;
                Event::Call {
                    frame: activation.frame,
                    function: activation.function,
                    globals: activation.globals,
                    locals: activation.locals,
                }
            }
            kind if kind.is_object() => {
                let object = self.changes.entry(row.payload)?.object;
                let change = self.changes.change(row.payload).ok()?;
                Event::Object { object, change }
            }
            _ => self.others.get(row.payload as usize)?.clone(),
        };
        let thread = self.walker.threads.get(row.thread as usize)?.thread;
        Some(ThreadEvent { thread, event })
    }

    pub(crate) fn meaning(&self, row: &Row) -> Option<&Meaning> {
        self.codes.get(row.code as usize).map(|code| &code.meaning)
    }

    /// The value of a write, return, yield, raise or unwind.
    pub(crate) fn value_of(&self, row: &Row) -> Option<&Value> {
        self.values.get(row.payload as usize)
    }

    pub(crate) fn other(&self, payload: u32) -> Option<&Event> {
        self.others.get(payload as usize)
    }

    /// The events that are neither calls, lines, values nor changes.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Event> {
        self.others.iter()
    }

    pub(crate) fn occurrences(&self) -> &Occurrences {
        self.occurrences.get_or_init(|| Occurrences::new(self))
    }

    /// About how much memory the block takes.
    pub(crate) fn len_bytes(&self) -> usize {
        use std::mem::size_of;
        self.rows.len() * (size_of::<Row>() + 8)
            + self.values.len() * size_of::<Value>()
            + self.walker.activations.len() * 160
            + self.others.len() * 96
            + self.changes.len_bytes()
            + 1024
    }
}

/// The codes of a block's meta section.
pub(super) fn dictionary_of(meta: &[u8], place: &BlockPlace) -> Decoded<Vec<DecodedCode>> {
    let mut input = Input::new(meta);
    for _ in 0..input.count(5)? {
        for _ in 0..5 {
            input.number()?;
        }
    }
    for _ in 0..input.count(2)? {
        input.number()?;
        input.number()?;
    }
    dictionary(&mut input, place)
}

fn dictionary(input: &mut Input<'_>, place: &BlockPlace) -> Decoded<Vec<DecodedCode>> {
    let mut codes = Vec::new();
    let mut counted = 0;
    for _ in 0..input.count(5)? {
        let meaning = Meaning::decode(input)?;
        let count = input.number32()?;
        counted += u64::from(count);
        codes.push(DecodedCode { meaning, count });
    }
    if counted != u64::from(place.events) || codes.len() > CODE_LIMIT {
        return Err(Malformed("a block's counts contradict each other"));
    }
    Ok(codes)
}

/// The streams of a block's codes.
pub(crate) fn lanes_of<'a>(codes: &[DecodedCode], values: &'a [u8]) -> Decoded<Vec<Lane<'a>>> {
    let mut input = Input::new(values);
    let mut lengths = Vec::with_capacity(codes.len());
    for _ in codes {
        lengths.push(input.number()?);
    }
    let mut lanes = Vec::with_capacity(codes.len());
    for len in lengths {
        let len = usize::try_from(len).map_err(|_| Malformed("a stream is too long"))?;
        lanes.push(Lane {
            input: Input::new(input.take(len)?),
            last: [0; 3],
            count: 0,
            end: values.len() - input.remaining(),
        });
    }
    input.end()?;
    Ok(lanes)
}

/// The code of an event: its low byte, and with more than 256 codes its high one behind all low ones.
#[inline]
pub(crate) fn code_at(planes: &[u8], events: u32, index: u32, codes: usize) -> Decoded<u32> {
    const SHORT: Malformed = Malformed("a block's codes do not match its events");
    let wide = codes > 256;
    let expected = if wide {
        2 * events as usize
    } else {
        events as usize
    };
    if planes.len() != expected {
        return Err(SHORT);
    }
    let low = planes.get(index as usize).ok_or(SHORT)?;
    let high = match wide {
        true => *planes.get(index as usize + events as usize).ok_or(SHORT)?,
        false => 0,
    };
    Ok(u32::from(*low) | u32::from(high) << 8)
}

fn task(input: &mut Input<'_>) -> Decoded<Option<TaskId>> {
    match input.optional()? {
        None => Ok(None),
        Some(task) => task_id(task).map(Some),
    }
}

fn task_id(task: u64) -> Decoded<TaskId> {
    u32::try_from(task)
        .map(TaskId)
        .map_err(|_| Malformed("a task's number has more than 32 bits"))
}

fn object(input: &mut Input<'_>, last: &mut Last) -> Decoded<Option<ObjectId>> {
    Ok(number(input, last)?.checked_sub(1).map(ObjectId))
}

/// Reads a call.
pub(crate) fn call(meaning: &Meaning, lane: &mut Lane<'_>, next_frame: &mut u64) -> Decoded<Step> {
    let Lane { input, last, .. } = lane;
    let frame = FrameId(next_frame.wrapping_add(input.signed()? as u64));
    *next_frame = (*next_frame).max(frame.0.saturating_add(1));
    let function = u32::try_from(meaning.a)
        .map_err(|_| Malformed("a function's number has more than 32 bits"))?;
    Ok(Step::Call(Call {
        frame,
        function: FunctionId(function),
        globals: object(input, &mut last[0])?,
        locals: object(input, &mut last[1])?,
    }))
}

fn other(meaning: &Meaning, input: &mut Input<'_>, strings: &mut Strings) -> Decoded<Event> {
    let mut name = |input: &mut Input<'_>| -> Decoded<Arc<str>> { strings.name(input.number()?) };
    Ok(match meaning.kind {
        Kind::ThreadStart => Event::ThreadStart { name: name(input)? },
        Kind::ThreadEnd => Event::ThreadEnd,
        Kind::TaskStart => Event::TaskStart {
            task: task_id(input.number()?)?,
            name: name(input)?,
        },
        Kind::TaskSwitch => Event::TaskSwitch { task: task(input)? },
        Kind::TaskEnd => Event::TaskEnd {
            task: task_id(input.number()?)?,
        },
        Kind::Output => {
            let stream = match meaning.b {
                1 => Stream::Stdout,
                2 => Stream::Stderr,
                _ => return Err(Malformed("output goes to an unknown stream")),
            };
            let Text { kept: bytes, .. } = strings.text(input.number()?)?;
            Event::Output { stream, bytes }
        }
        Kind::Mark => Event::Mark {
            kind: name(input)?,
            name: name(input)?,
        },
        Kind::External => Event::External {
            kind: name(input)?,
            target: name(input)?,
            status: name(input)?,
            duration_ns: input.number()?,
        },
        _ => return Err(Malformed("an event has an unexpected kind")),
    })
}

/// The frames at a block's end that it touched and that are still alive, with their locals.
#[derive(Debug, Default)]
pub(crate) struct Records {
    frames: Map<FrameId, (FrameRecord, Vec<Slot>)>,
}

impl Records {
    pub(crate) fn decode(body: &[u8], place: &BlockPlace) -> Decoded<Records> {
        let mut records = Records::default();
        let Some(bytes) = unpack(body, sections::RECORDS)? else {
            return Ok(records);
        };
        let end = place.first.saturating_add(u64::from(place.events));
        let mut input = Input::new(&bytes);
        let mut strings = Strings::decode(&mut input)?;
        let mut values = ValueReader::new(&mut strings);
        let mut last = FrameRecord::origin(end);
        let mut last_value = 0;
        for _ in 0..input.count(12)? {
            let record = FrameRecord::decode(&mut last, &mut input)?;
            let mut slots = Vec::new();
            let mut slot = 0i64;
            for _ in 0..input.count(3)? {
                slot = slot.wrapping_add(input.signed()?);
                let number =
                    u32::try_from(slot).map_err(|_| Malformed("a slot is out of range"))?;
                let position = end
                    .checked_sub(input.number()?)
                    .ok_or(Malformed("a write is misplaced"))?;
                let tag = input.byte()?;
                let value = match tag {
                    tag::DELETED => None,
                    tag => values.optional(tag, &mut last_value, &mut input)?,
                };
                slots.push(Slot {
                    slot: number,
                    position,
                    value,
                });
            }
            records.frames.insert(record.frame, (record, slots));
        }
        input.end()?;
        Ok(records)
    }

    pub(crate) fn get(&self, frame: FrameId) -> Option<&(FrameRecord, Vec<Slot>)> {
        self.frames.get(&frame)
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.frames
            .values()
            .map(|(_, slots)| 160 + slots.len() * 64)
            .sum::<usize>()
            + 256
    }
}

/// Full contents of objects noted at a block's end, with the position of the last change.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    objects: Map<ObjectId, (u64, Arc<Content>)>,
}

impl Contents {
    pub(crate) fn decode(body: &[u8], place: &BlockPlace) -> Decoded<Contents> {
        let mut contents = Contents::default();
        let Some(bytes) = unpack(body, sections::CONTENTS)? else {
            return Ok(contents);
        };
        let end = place.first.saturating_add(u64::from(place.events));
        let mut input = Input::new(&bytes);
        let mut strings = Strings::decode(&mut input)?;
        let mut values = ValueReader::new(&mut strings);
        let mut last = 0;
        for _ in 0..input.count(5)? {
            let object = ObjectId(number(&mut input, &mut last)?);
            let position = end
                .checked_sub(input.number()?)
                .ok_or(Malformed("a change is misplaced"))?;
            let type_id = TypeId(input.number32()?);
            let kind = object_kind(input.number()?)?;
            let content = values.content(type_id, kind, &mut input)?;
            contents
                .objects
                .insert(object, (position, Arc::new(content)));
        }
        input.end()?;
        Ok(contents)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.objects.keys().copied()
    }

    pub(crate) fn get(&self, object: ObjectId) -> Option<&(u64, Arc<Content>)> {
        self.objects.get(&object)
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.objects
            .values()
            .map(|(_, content)| 256 + crate::codec::weight(content) * 48)
            .sum::<usize>()
            + 256
    }
}
