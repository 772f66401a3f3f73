//! The open block: takes events in and turns them into a body.

use std::sync::Arc;

use super::deltas::{Delta, Deltas};
use super::section::Packer;
use super::{CODE_LIMIT, Kind, Meaning, Row, sections};
use crate::codec::{self, Last, put_content, put_payload, put_value, tag, tag_of};
use crate::hash::Map;
use crate::segment::parts::Parts;
use crate::strings::{self, StringTable};
use crate::varint::{put, put_optional, put_signed};
use crate::walker::{FrameRecord, NONE, Outside, Step, Walker};
use crate::{Call, Change, Content, Event, ObjectId, TaskId, Text, Value};

/// Bytes before compression at which a block is full.
const FULL_BYTES: usize = 1 << 20;
/// Values at which a block is full; far below what a reader accepts.
const FULL_VALUES: usize = 1 << 19;

/// One code: its meaning, how often it came, and its stream.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) meaning: Meaning,
    pub(crate) count: u32,
    last: [Last; 3],
    stream: Vec<u8>,
}

/// A local's last write, or its state at a block's end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) slot: u32,
    pub(crate) position: u64,
    pub(crate) value: Option<Value>,
}

/// What a thread was at the block's start and is at its end, besides its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadTasks {
    pub(crate) first: Option<TaskId>,
    pub(crate) last: Option<TaskId>,
}

/// What is noted of objects at a block's end.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Full contents, with the position of the last change.
    pub(crate) contents: Vec<(ObjectId, u64, Content)>,
    pub(crate) deltas: Vec<Delta>,
}

/// The block that is being filled.
#[derive(Debug, Default)]
pub(crate) struct OpenBlock {
    pub(crate) first: u64,
    pub(crate) first_frame: u64,
    pub(crate) next_frame: u64,
    pub(crate) walker: Walker,
    pub(crate) rows: Vec<Row>,
    pub(crate) codes: Vec<Code>,
    pub(crate) tasks: Vec<ThreadTasks>,
    /// The objects of object events in order, and whether the event says all their contents.
    pub(crate) objects: Vec<(ObjectId, bool)>,
    /// Raises found to be uncaught in this block; they may stand in earlier ones.
    pub(crate) uncaught: Vec<u64>,
    /// Names given to threads, by index of the thread.
    pub(crate) names: Vec<(u32, Arc<str>)>,
    /// Tasks that began.
    pub(crate) started: Vec<TaskId>,
    clocks: Vec<(u64, u64)>,
    numbers: Map<Meaning, u32>,
    /// Codes found last, by a few bits of what they mean.
    recent: Vec<u32>,
    strings: StringTable,
    raw_bytes: usize,
    values: usize,
}

impl OpenBlock {
    pub(crate) fn start(&mut self, first: u64, first_frame: u64) {
        self.first = first;
        self.first_frame = first_frame;
        self.next_frame = first_frame;
        self.walker.start(first_frame);
        self.rows.clear();
        self.codes.clear();
        self.tasks.clear();
        self.objects.clear();
        self.uncaught.clear();
        self.names.clear();
        self.started.clear();
        self.clocks.clear();
        self.numbers.clear();
        self.recent.clear();
        self.strings.take();
        self.raw_bytes = 0;
        self.values = 0;
    }

    pub(crate) fn is_full(&self, events: u32) -> bool {
        self.rows.len() >= events as usize
            || self.raw_bytes + self.strings.len_bytes() >= FULL_BYTES
            || self.values >= FULL_VALUES
            || self.codes.len() + 1 >= CODE_LIMIT
            || self.strings.len() >= strings::LIMIT / 2
    }

    /// Which attributes and entries change in this block.
    pub(crate) fn parts(&self, first_object: u64) -> Parts {
        let codes: Vec<Meaning> = self.codes.iter().map(|code| code.meaning).collect();
        let is_object: Vec<bool> = codes.iter().map(|it| it.kind.is_object()).collect();
        let rows = self.rows.iter().map(|row| row.code);
        let changes = rows.filter(|code| is_object.get(*code as usize) == Some(&true));
        let objects = self.objects.iter().map(|(object, _)| *object);
        let mut parts = Parts::of(&codes, first_object, objects.zip(changes));
        parts.name(self.strings.all());
        parts
    }

    /// Notes the clock at the next event. Beyond a thousand notes they are thinned.
    pub(crate) fn clock(&mut self, time_ns: u64) {
        let index = self.rows.len() as u64;
        let thin = self.clocks.len() >= 1024;
        match self.clocks.last_mut() {
            Some(last) if last.0 == index => last.1 = time_ns,
            Some(last) if thin && last.0 + 64 > index => {}
            _ => self.clocks.push((index, time_ns)),
        }
    }

    /// Takes in an event of a thread that was added to the walker; returns its activation. The most
    /// frequent events have methods of their own.
    pub(crate) fn push(&mut self, thread: u32, event: &Event, outside: &impl Outside) -> u32 {
        let position = self.first + self.rows.len() as u64;
        let activation = self.walker.apply(position, thread, step_of(event), outside);
        let meaning = OpenBlock::meaning(event);
        let code = self.code(meaning);
        self.put_event(code, event);
        match event {
            Event::ThreadStart { name } => self.names.push((thread, Arc::clone(name))),
            Event::TaskStart { task, .. } => self.started.push(*task),
            _ => {}
        }
        self.rows.push(Row {
            code,
            thread,
            activation,
            payload: 0,
        });
        activation
    }

    /// As [`OpenBlock::push`], for a call.
    pub(crate) fn call(&mut self, thread: u32, call: &Call) -> u32 {
        let position = self.first + self.rows.len() as u64;
        let activation = self.walker.call(position, thread, call);
        let mut meaning = Meaning::new(Kind::Call);
        meaning.a = u64::from(call.function.0);
        let code = self.code(meaning);
        let mut bytes = 1;
        if let Some(code) = self.codes.get_mut(code as usize) {
            code.count += 1;
            bytes += code.stream.len();
            put_call(call, &mut self.next_frame, &mut code.last, &mut code.stream);
            bytes = code.stream.len() + 2 - bytes;
        }
        self.add_row(thread, activation, code, bytes)
    }

    /// As [`OpenBlock::push`], for a return.
    pub(crate) fn leave(&mut self, thread: u32, value: &Value, outside: &impl Outside) -> u32 {
        let activation = self.walker.leave(thread, outside);
        let mut meaning = Meaning::new(Kind::Return);
        meaning.tag = tag_of(value);
        let code = self.code(meaning);
        let bytes = self.put_counted(code, Some(value));
        self.add_row(thread, activation, code, bytes)
    }

    /// As [`OpenBlock::push`], for a change of an object.
    pub(crate) fn change(&mut self, thread: u32, object: ObjectId, change: &Change) -> u32 {
        let activation = self.walker.current(thread);
        let mut meaning = Meaning::new(kind_of_change(change));
        self.change_meaning(change, &mut meaning);
        let code = self.code(meaning);
        let bytes = self.put_object_change(code, object, change);
        self.add_row(thread, activation, code, bytes)
    }

    /// As [`OpenBlock::push`], for a line.
    #[inline]
    pub(crate) fn line(&mut self, thread: u32, line: u32) -> u32 {
        let position = self.first + self.rows.len() as u64;
        let activation = self.walker.line(position, thread, line);
        let mut meaning = Meaning::new(Kind::Line);
        meaning.a = self.function_number(activation);
        meaning.b = line;
        let code = self.code(meaning);
        if let Some(code) = self.codes.get_mut(code as usize) {
            code.count += 1;
        }
        self.add_row(thread, activation, code, 1)
    }

    /// As [`OpenBlock::push`], for a write of a local.
    #[inline(always)]
    pub(crate) fn write(&mut self, thread: u32, slot: u32, value: &Option<Value>) -> u32 {
        let activation = self.walker.current(thread);
        let mut meaning = Meaning::new(Kind::Write);
        meaning.tag = optional_tag(value);
        meaning.a = self.function_number(activation);
        meaning.b = slot;
        let code = self.code(meaning);
        let bytes = self.put_counted(code, value.as_ref());
        self.add_row(thread, activation, code, bytes)
    }

    /// Counts an event of a code that carries at most a value, and returns its bytes.
    #[inline(always)]
    fn put_counted(&mut self, code: u32, value: Option<&Value>) -> usize {
        let Some(code) = self.codes.get_mut(code as usize) else {
            return 1;
        };
        code.count += 1;
        let before = code.stream.len();
        if let Some(value) = value {
            put_payload(
                value,
                &mut code.last[2],
                &mut self.strings,
                &mut code.stream,
            );
        }
        code.stream.len() - before + 1
    }

    fn put_object_change(&mut self, code: u32, object: ObjectId, change: &Change) -> usize {
        let Some(Code {
            count,
            last,
            stream,
            ..
        }) = self.codes.get_mut(code as usize)
        else {
            return 1;
        };
        *count += 1;
        let before = stream.len();
        put_signed(stream, (object.0 as i64).wrapping_sub(last[0]));
        last[0] = object.0 as i64;
        let is_full = matches!(change, Change::New(_) | Change::Replace(_));
        self.objects.push((object, is_full));
        self.values += put_change(change, last, &mut self.strings, stream);
        stream.len() - before + 1
    }

    #[inline]
    fn add_row(&mut self, thread: u32, activation: u32, code: u32, bytes: usize) -> u32 {
        self.raw_bytes += bytes;
        self.values += 1;
        self.rows.push(Row {
            code,
            thread,
            activation,
            payload: 0,
        });
        activation
    }

    /// One more than the function of an activation; 0 without one.
    #[inline]
    fn function_number(&self, activation: u32) -> u64 {
        let activation = self.walker.activations.get(activation as usize);
        activation.map_or(0, |activation| u64::from(activation.function.0) + 1)
    }

    fn code(&mut self, meaning: Meaning) -> u32 {
        const RECENT: usize = 1024;
        let mixed = (meaning.a.wrapping_mul(37) << 2)
            ^ (u64::from(meaning.b) << 3)
            ^ (u64::from(meaning.tag) << 6)
            ^ u64::from(meaning.kind as u8);
        let place = (mixed ^ (mixed >> 10)) as usize & (RECENT - 1);
        if let Some(&recent) = self.recent.get(place)
            && let Some(code) = self.codes.get(recent as usize)
            && code.meaning == meaning
        {
            return recent;
        }
        let next = self.codes.len() as u32;
        let code = *self.numbers.entry(meaning).or_insert(next);
        if code == next {
            self.codes.push(Code {
                meaning,
                count: 0,
                last: [0; 3],
                stream: Vec::new(),
            });
        }
        self.recent.resize(RECENT, NONE);
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = code;
        }
        code
    }

    fn meaning(event: &Event) -> Meaning {
        let mut meaning = Meaning::new(kind_of(event));
        match event {
            Event::Yield { value } => meaning.tag = tag_of(value),
            Event::Raise { exception } | Event::Unwind { exception } => {
                meaning.tag = tag_of(exception);
            }
            Event::Output { stream, .. } => meaning.b = *stream as u32,
            _ => {}
        }
        meaning
    }

    fn change_meaning(&mut self, change: &Change, meaning: &mut Meaning) {
        match change {
            Change::New(content) | Change::Replace(content) => {
                meaning.a = u64::from(content.type_id.0);
                meaning.b = content.kind as u32;
            }
            Change::SetItem { value, .. } | Change::Append { value } => meaning.tag = tag_of(value),
            Change::SetKey { key, value } => {
                meaning.tag = tag_of(value);
                meaning.a = self.key_number(key);
            }
            Change::DeleteKey { key } => meaning.a = self.key_number(key),
            Change::SetAttribute { name, value } => {
                meaning.tag = tag_of(value);
                meaning.a = u64::from(self.strings.name(name));
            }
            Change::DeleteAttribute { name } => meaning.a = u64::from(self.strings.name(name)),
            Change::SetCell { value } => meaning.tag = optional_tag(value),
            Change::Pop | Change::Clear => {}
        }
    }

    fn key_number(&mut self, key: &Value) -> u64 {
        match key {
            Value::Str(text) => u64::from(self.strings.text(text)) + 1,
            _ => 0,
        }
    }

    fn put_event(&mut self, code: u32, event: &Event) {
        let Some(code) = self.codes.get_mut(code as usize) else {
            return;
        };
        code.count += 1;
        let before = code.stream.len();
        let Code { last, stream, .. } = code;
        let strings = &mut self.strings;
        let mut name = |name: &Arc<str>| u64::from(strings.name(name));
        match event {
            // These have ways of their own.
            Event::Call { .. } | Event::Line { .. } | Event::Return { .. } => {}
            Event::Write { .. } | Event::Object { .. } => {}
            Event::ThreadEnd => {}
            Event::ThreadStart { name: text } => put(stream, name(text)),
            Event::TaskStart { task, name: text } => {
                put(stream, u64::from(task.0));
                put(stream, name(text));
            }
            Event::TaskSwitch { task } => {
                put_optional(stream, task.map(|task| u64::from(task.0)));
            }
            Event::TaskEnd { task } => put(stream, u64::from(task.0)),
            Event::Resume { frame } => {
                put_signed(stream, (frame.0 as i64).wrapping_sub(last[0]));
                last[0] = frame.0 as i64;
            }
            Event::Yield { value }
            | Event::Raise { exception: value }
            | Event::Unwind { exception: value } => {
                put_payload(value, &mut last[2], strings, stream);
            }
            Event::Output { bytes, .. } => put(stream, u64::from(strings.bytes(bytes))),
            Event::Mark { kind, name: text } => {
                put(stream, name(kind));
                put(stream, name(text));
            }
            Event::External {
                kind,
                target,
                status,
                duration_ns,
            } => {
                for text in [kind, target, status] {
                    put(stream, name(text));
                }
                put(stream, *duration_ns);
            }
        }
        self.raw_bytes += stream.len() - before + 1;
        self.values += 1;
    }

    /// The block as a chunk body. `records` are the frames it touched that are still alive, with their
    /// locals; `notes` the objects whose contents or changes are noted at its end.
    pub(crate) fn seal(
        &mut self,
        packer: &mut Packer,
        records: &[(FrameRecord, &[Slot])],
        notes: &Notes,
    ) -> Vec<u8> {
        let meta = self.meta();
        let codes = self.code_planes();
        let mut values = Vec::with_capacity(self.raw_bytes);
        for code in &self.codes {
            put(&mut values, code.stream.len() as u64);
        }
        for code in &self.codes {
            values.extend_from_slice(&code.stream);
        }
        let strings = self.strings.take();
        let end = self.first + self.rows.len() as u64;
        let records = put_records(records, end);
        let contents = put_contents(&notes.contents, end);
        let deltas = Deltas::put(&notes.deltas, end);
        packer.pack(&[
            (sections::META, &meta),
            (sections::CODES, &codes),
            (sections::VALUES, &values),
            (sections::STRINGS, &strings),
            (sections::RECORDS, &records),
            (sections::CONTENTS, &contents),
            (sections::DELTAS, &deltas),
        ])
    }

    fn meta(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, self.walker.threads.len() as u64);
        for (thread, tasks) in self.walker.threads.iter().zip(&self.tasks) {
            put(&mut out, u64::from(thread.thread.0));
            for activation in [thread.first, thread.current] {
                let activation = self.walker.activations.get(activation as usize);
                put_optional(&mut out, activation.map(|activation| activation.frame.0));
            }
            for task in [tasks.first, tasks.last] {
                put_optional(&mut out, task.map(|task| u64::from(task.0)));
            }
        }
        self.put_runs(&mut out);
        put(&mut out, self.codes.len() as u64);
        for code in &self.codes {
            code.meaning.put(&mut out);
            put(&mut out, u64::from(code.count));
        }
        let entries: Vec<_> = self.entries();
        put(&mut out, entries.len() as u64);
        let mut last = FrameRecord::origin(self.first);
        for entry in &entries {
            entry.put(&mut last, &mut out);
        }
        put(&mut out, self.clocks.len() as u64);
        let mut before = (0, 0);
        for &(index, time) in &self.clocks {
            put(&mut out, index - before.0);
            put_signed(&mut out, (time as i64).wrapping_sub(before.1));
            before = (index, time as i64);
        }
        put(&mut out, self.uncaught.len() as u64);
        let end = self.first + self.rows.len() as u64;
        for &position in &self.uncaught {
            put(&mut out, end - position);
        }
        out
    }

    fn put_runs(&self, out: &mut Vec<u8>) {
        let mut runs: Vec<(u32, u64)> = Vec::new();
        for row in &self.rows {
            match runs.last_mut() {
                Some((thread, len)) if *thread == row.thread => *len += 1,
                _ => runs.push((row.thread, 1)),
            }
        }
        put(out, runs.len() as u64);
        for (thread, len) in runs {
            put(out, u64::from(thread));
            put(out, len);
        }
    }

    /// The frames from earlier blocks as they were at this block's start.
    fn entries(&self) -> Vec<FrameRecord> {
        self.walker
            .activations
            .iter()
            .filter_map(|activation| {
                let block = activation.entry?;
                Some(FrameRecord {
                    frame: activation.frame,
                    function: activation.function,
                    thread: activation.thread,
                    caller: activation.caller_frame,
                    depth: activation.depth,
                    call: activation.call,
                    start: activation.start,
                    line: activation.line,
                    line_position: activation.line_position,
                    globals: activation.globals,
                    locals: activation.locals,
                    block,
                })
            })
            .collect()
    }

    fn code_planes(&self) -> Vec<u8> {
        let low = self.rows.iter().map(|row| row.code as u8);
        if self.codes.len() <= 256 {
            return low.collect();
        }
        low.chain(self.rows.iter().map(|row| (row.code >> 8) as u8))
            .collect()
    }
}

fn optional_tag(value: &Option<Value>) -> u8 {
    value.as_ref().map_or(tag::DELETED, tag_of)
}

fn put_object(out: &mut Vec<u8>, last: &mut Last, object: Option<ObjectId>) {
    let number = object.map_or(0, |object| object.0.wrapping_add(1)) as i64;
    put_signed(out, number.wrapping_sub(*last));
    *last = number;
}

/// Writes a change and returns how many values it holds.
fn put_change(
    change: &Change,
    last: &mut [Last; 3],
    strings: &mut StringTable,
    out: &mut Vec<u8>,
) -> usize {
    match change {
        Change::New(content) | Change::Replace(content) => {
            put_content(content, strings, out);
            return codec::weight(content);
        }
        Change::SetItem { index, value } => {
            put_signed(out, (*index as i64).wrapping_sub(last[1]));
            last[1] = *index as i64;
            put_payload(value, &mut last[2], strings, out);
        }
        Change::Append { value } | Change::SetAttribute { value, .. } => {
            put_payload(value, &mut last[2], strings, out);
        }
        Change::SetKey { key, value } => {
            put_key(key, &mut last[1], strings, out);
            put_payload(value, &mut last[2], strings, out);
        }
        Change::DeleteKey { key } => put_key(key, &mut last[1], strings, out),
        Change::SetCell { value } => {
            if let Some(value) = value {
                put_payload(value, &mut last[2], strings, out);
            }
        }
        Change::Pop | Change::DeleteAttribute { .. } | Change::Clear => {}
    }
    2
}

fn put_key(key: &Value, last: &mut Last, strings: &mut StringTable, out: &mut Vec<u8>) {
    if !matches!(key, Value::Str(Text { .. })) {
        put_value(key, last, strings, out);
    }
}

fn put_records(records: &[(FrameRecord, &[Slot])], end: u64) -> Vec<u8> {
    if records.is_empty() {
        return Vec::new();
    }
    let mut strings = StringTable::default();
    let mut data = Vec::new();
    put(&mut data, records.len() as u64);
    let mut last = FrameRecord::origin(end);
    let mut last_value = 0;
    for (record, slots) in records {
        record.put(&mut last, &mut data);
        put(&mut data, slots.len() as u64);
        let mut last_slot = 0;
        for slot in *slots {
            put_signed(&mut data, i64::from(slot.slot) - last_slot);
            last_slot = i64::from(slot.slot);
            put(&mut data, end - slot.position);
            match &slot.value {
                Some(value) => put_value(value, &mut last_value, &mut strings, &mut data),
                None => data.push(tag::DELETED),
            }
        }
    }
    let mut out = strings.take();
    out.append(&mut data);
    out
}

fn put_contents(contents: &[(ObjectId, u64, Content)], end: u64) -> Vec<u8> {
    if contents.is_empty() {
        return Vec::new();
    }
    let mut strings = StringTable::default();
    let mut data = Vec::new();
    put(&mut data, contents.len() as u64);
    let mut last = 0;
    for (object, position, content) in contents {
        put_signed(&mut data, (object.0 as i64).wrapping_sub(last));
        last = object.0 as i64;
        put(&mut data, end - position);
        put(&mut data, u64::from(content.type_id.0));
        put(&mut data, content.kind as u64);
        put_content(content, &mut strings, &mut data);
    }
    let mut out = strings.take();
    out.append(&mut data);
    out
}

fn kind_of(event: &Event) -> Kind {
    match event {
        Event::ThreadStart { .. } => Kind::ThreadStart,
        Event::ThreadEnd => Kind::ThreadEnd,
        Event::TaskStart { .. } => Kind::TaskStart,
        Event::TaskSwitch { .. } => Kind::TaskSwitch,
        Event::TaskEnd { .. } => Kind::TaskEnd,
        Event::Call { .. } => Kind::Call,
        Event::Line { .. } => Kind::Line,
        Event::Return { .. } => Kind::Return,
        Event::Yield { .. } => Kind::Yield,
        Event::Resume { .. } => Kind::Resume,
        Event::Raise { .. } => Kind::Raise,
        Event::Unwind { .. } => Kind::Unwind,
        Event::Write { .. } => Kind::Write,
        Event::Object { change, .. } => kind_of_change(change),
        Event::Output { .. } => Kind::Output,
        Event::Mark { .. } => Kind::Mark,
        Event::External { .. } => Kind::External,
    }
}

fn kind_of_change(change: &Change) -> Kind {
    match change {
        Change::New(_) => Kind::New,
        Change::Replace(_) => Kind::Replace,
        Change::SetItem { .. } => Kind::SetItem,
        Change::Append { .. } => Kind::Append,
        Change::Pop => Kind::Pop,
        Change::SetKey { .. } => Kind::SetKey,
        Change::DeleteKey { .. } => Kind::DeleteKey,
        Change::SetAttribute { .. } => Kind::SetAttribute,
        Change::DeleteAttribute { .. } => Kind::DeleteAttribute,
        Change::SetCell { .. } => Kind::SetCell,
        Change::Clear => Kind::Clear,
    }
}

fn put_call(call: &Call, next_frame: &mut u64, last: &mut [Last; 3], out: &mut Vec<u8>) {
    put_signed(out, call.frame.0.wrapping_sub(*next_frame) as i64);
    *next_frame = (*next_frame).max(call.frame.0.saturating_add(1));
    put_object(out, &mut last[0], call.globals);
    put_object(out, &mut last[1], call.locals);
}

fn step_of(event: &Event) -> Step {
    match event {
        Event::Unwind { .. } => Step::Leave,
        Event::Yield { .. } => Step::Suspend,
        Event::Resume { frame } => Step::Resume(*frame),
        _ => Step::Other,
    }
}
