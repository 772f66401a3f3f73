//! A recording as a plain list of events: every question is answered by going through them.

use std::collections::HashMap;
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Direction, Event, Frame, FrameId, FrameState, Function, Key, ObjectId,
    ObjectKind, Position, TaskId, Text, ThreadEvent, ThreadId, ThreadInfo, Type, Value, Written,
};

const EXPECTED: [&str; 5] = [
    "GeneratorExit",
    "StopIteration",
    "StopAsyncIteration",
    "SystemExit",
    "CancelledError",
];

/// The events and what they refer to.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) events: Vec<ThreadEvent>,
    pub(crate) functions: Vec<Arc<Function>>,
    pub(crate) types: Vec<Arc<Type>>,
    /// For each event: the frame it belongs to and the frame that called or resumed that one.
    pub(crate) frames: Vec<(Option<FrameId>, Option<FrameId>)>,
    pub(crate) uncaught: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Live {
    function: retrostep_trace::FunctionId,
    call: u64,
    activation: u64,
    line: u32,
    line_position: u64,
}

/// The stacks of all threads after some events.
#[derive(Debug, Default)]
struct Stacks {
    threads: HashMap<ThreadId, Vec<FrameId>>,
    live: HashMap<FrameId, Live>,
}

impl Stacks {
    fn apply(&mut self, position: u64, event: &ThreadEvent) -> (Option<FrameId>, Option<FrameId>) {
        let stack = self.threads.entry(event.thread).or_default();
        let top = stack.last().copied();
        let below = stack
            .len()
            .checked_sub(2)
            .and_then(|i| stack.get(i))
            .copied();
        match &event.event {
            Event::Call {
                frame, function, ..
            } => {
                stack.push(*frame);
                self.live.insert(
                    *frame,
                    Live {
                        function: *function,
                        call: position,
                        activation: position,
                        line: 0,
                        line_position: position,
                    },
                );
                (Some(*frame), top)
            }
            Event::Resume { frame } => {
                if let Some(live) = self.live.get_mut(frame)
                    && top != Some(*frame)
                {
                    live.activation = position;
                    stack.push(*frame);
                    (Some(*frame), top)
                } else {
                    (top, below)
                }
            }
            Event::Return { .. } | Event::Unwind { .. } => {
                if let Some(frame) = stack.pop() {
                    self.live.remove(&frame);
                }
                (top, below)
            }
            Event::Yield { .. } => {
                stack.pop();
                (top, below)
            }
            Event::Line { line } => {
                if let Some(live) = top.and_then(|frame| self.live.get_mut(&frame)) {
                    live.line = *line;
                    live.line_position = position;
                }
                (top, below)
            }
            _ => (top, below),
        }
    }
}

impl Model {
    pub(crate) fn new(
        events: Vec<ThreadEvent>,
        functions: Vec<Arc<Function>>,
        types: Vec<Arc<Type>>,
    ) -> Model {
        let mut model = Model {
            events,
            functions,
            types,
            ..Model::default()
        };
        let mut stacks = Stacks::default();
        let mut raises: Vec<(Value, u64)> = Vec::new();
        let mut kinds: HashMap<ObjectId, bool> = HashMap::new();
        for (position, event) in model.events.iter().enumerate() {
            let frames = stacks.apply(position as u64, event);
            model.frames.push(frames);
            match &event.event {
                Event::Object {
                    object,
                    change: Change::New(content),
                } => {
                    let mut type_id = Some(content.type_id);
                    let mut expected = false;
                    while let Some(ty) = type_id.and_then(|id| model.types.get(id.0 as usize)) {
                        expected |= EXPECTED.contains(&&*ty.qualified_name);
                        type_id = ty.base;
                    }
                    kinds.insert(*object, expected && content.kind == ObjectKind::Exception);
                }
                Event::Raise { exception } => raises.push((exception.clone(), position as u64)),
                Event::Unwind { exception } => {
                    let expected = match exception {
                        Value::Object(object) => kinds.get(object).copied().unwrap_or(false),
                        _ => false,
                    };
                    let outermost = frames.0.is_some() && frames.1.is_none();
                    let raise = raises.iter().rev().find(|(value, _)| value == exception);
                    if let Some((_, raise)) = raise
                        && outermost
                        && !expected
                        && !model.uncaught.contains(raise)
                    {
                        model.uncaught.push(*raise);
                    }
                }
                _ => {}
            }
        }
        model.uncaught.sort_unstable();
        model
    }

    pub(crate) fn frame_count(&self) -> u64 {
        let calls = self.events.iter();
        calls
            .filter(|event| matches!(event.event, Event::Call { .. }))
            .count() as u64
    }

    pub(crate) fn object_count(&self) -> u64 {
        let changes = self.events.iter();
        changes
            .filter(|event| {
                matches!(
                    event.event,
                    Event::Object {
                        change: Change::New(_),
                        ..
                    }
                )
            })
            .count() as u64
    }

    fn stacks(&self, at: Position) -> Stacks {
        let mut stacks = Stacks::default();
        for (position, event) in self.events.iter().enumerate().take(at.0 as usize) {
            stacks.apply(position as u64, event);
        }
        stacks
    }

    fn function_of(&self, frame: FrameId) -> Option<retrostep_trace::FunctionId> {
        self.frame(frame).map(|frame| frame.function)
    }

    pub(crate) fn matches(&self, key: Key, position: usize) -> bool {
        let (Some(event), Some(&(frame, caller))) =
            (self.events.get(position), self.frames.get(position))
        else {
            return false;
        };
        let is_step = matches!(event.event, Event::Line { .. });
        match key {
            Key::Thread(thread) => event.thread == thread,
            Key::ThreadStep(thread) => is_step && event.thread == thread,
            Key::Step => is_step,
            Key::FrameStep(id) => is_step && frame == Some(id),
            Key::FrameExit(id) => {
                frame == Some(id)
                    && matches!(event.event, Event::Return { .. } | Event::Unwind { .. })
            }
            Key::FrameYield(id) => frame == Some(id) && matches!(event.event, Event::Yield { .. }),
            Key::FrameResume(id) => {
                frame == Some(id) && matches!(event.event, Event::Resume { frame } if frame == id)
            }
            Key::Line(source, wanted) => {
                matches!(event.event, Event::Line { line } if line == wanted)
                    && frame
                        .and_then(|frame| self.function_of(frame))
                        .and_then(|function| self.functions.get(function.0 as usize))
                        .is_some_and(|function| function.source == source)
            }
            Key::Call(id) => matches!(event.event, Event::Call { function, .. } if function == id),
            Key::CallFrom(id) => {
                caller == Some(id)
                    && match event.event {
                        Event::Call { .. } => true,
                        Event::Resume { frame: resumed } => frame == Some(resumed),
                        _ => false,
                    }
            }
            Key::Raise => matches!(event.event, Event::Raise { .. }),
            Key::Uncaught => self.uncaught.contains(&(position as u64)),
            Key::Unwind => matches!(event.event, Event::Unwind { .. }),
            Key::Write(id, wanted) => {
                frame == Some(id)
                    && matches!(event.event, Event::Write { slot, .. } if slot == wanted)
            }
            Key::VariableWrite(id, wanted) => {
                matches!(event.event, Event::Write { slot, .. } if slot == wanted)
                    && frame.and_then(|frame| self.function_of(frame)) == Some(id)
            }
            Key::Object(id) => {
                matches!(event.event, Event::Object { object, .. } if object == id)
            }
            Key::Output => matches!(event.event, Event::Output { .. }),
            Key::Mark => matches!(event.event, Event::Mark { .. }),
            Key::External => matches!(event.event, Event::External { .. }),
            _ => panic!("the oracle does not know {key:?}"),
        }
    }

    pub(crate) fn find(&self, key: Key, from: Position, direction: Direction) -> Option<Position> {
        let from = (from.0 as usize).min(self.events.len());
        let found = match direction {
            Direction::Forward => {
                (from..self.events.len()).find(|&position| self.matches(key, position))
            }
            Direction::Backward => (0..from)
                .rev()
                .find(|&position| self.matches(key, position)),
        };
        found.map(|position| Position(position as u64))
    }

    pub(crate) fn count(&self, key: Key, to: Position) -> u64 {
        let to = (to.0 as usize).min(self.events.len());
        (0..to)
            .filter(|&position| self.matches(key, position))
            .count() as u64
    }

    pub(crate) fn nth(&self, key: Key, n: u64) -> Option<Position> {
        (0..self.events.len())
            .filter(|&position| self.matches(key, position))
            .nth(usize::try_from(n).ok()?)
            .map(|position| Position(position as u64))
    }

    pub(crate) fn threads(&self) -> Vec<ThreadInfo> {
        let mut threads: Vec<ThreadInfo> = Vec::new();
        for (position, event) in self.events.iter().enumerate() {
            let position = Position(position as u64);
            let index = threads.iter().position(|info| info.thread == event.thread);
            let index = index.unwrap_or_else(|| {
                threads.push(ThreadInfo {
                    thread: event.thread,
                    name: Arc::from(""),
                    first: position,
                    last: position,
                    ended: false,
                });
                threads.len() - 1
            });
            if let Some(info) = threads.get_mut(index) {
                info.last = position;
                match &event.event {
                    Event::ThreadStart { name } => info.name = Arc::clone(name),
                    Event::ThreadEnd => info.ended = true,
                    _ => {}
                }
            }
        }
        threads
    }

    pub(crate) fn thread_at(&self, at: Position) -> ThreadId {
        let event = self.events.get(at.0 as usize).or(self.events.last());
        event.map_or(ThreadId(0), |event| event.thread)
    }

    pub(crate) fn task_at(&self, thread: ThreadId, at: Position) -> Option<(TaskId, Arc<str>)> {
        let before = self.events.get(..at.0 as usize).unwrap_or(&self.events);
        let task = before.iter().rev().find_map(|event| match event.event {
            Event::TaskSwitch { task } if event.thread == thread => Some(task),
            _ => None,
        })??;
        let name = self.events.iter().find_map(|event| match &event.event {
            Event::TaskStart { task: id, name } if *id == task => Some(Arc::clone(name)),
            _ => None,
        });
        Some((task, name.unwrap_or_else(|| Arc::from(""))))
    }

    pub(crate) fn stack_depth(&self, thread: ThreadId, at: Position) -> u64 {
        let stacks = self.stacks(at);
        stacks.threads.get(&thread).map_or(0, Vec::len) as u64
    }

    pub(crate) fn stack(
        &self,
        thread: ThreadId,
        at: Position,
        skip: u64,
        limit: u64,
    ) -> Vec<FrameState> {
        let stacks = self.stacks(at);
        let Some(stack) = stacks.threads.get(&thread) else {
            return Vec::new();
        };
        let mut states = Vec::new();
        for (index, frame) in stack.iter().rev().enumerate() {
            let Some(live) = stacks.live.get(frame) else {
                continue;
            };
            let mut state = FrameState {
                frame: *frame,
                function: live.function,
                line: live.line,
                line_position: Position(live.line_position),
                call: Position(live.call),
                activation: Position(live.activation),
            };
            if index == 0
                && let Some(event) = self.events.get(at.0 as usize)
                && event.thread == thread
                && let Event::Line { line } = event.event
            {
                state.line = line;
                state.line_position = at;
            }
            if state.line == 0 {
                let function = self.functions.get(live.function.0 as usize);
                state.line = function.map_or(0, |function| function.first_line);
            }
            states.push(state);
        }
        let states = states.into_iter().skip(skip as usize);
        states.take(limit as usize).collect()
    }

    pub(crate) fn frame(&self, frame: FrameId) -> Option<Frame> {
        for (position, event) in self.events.iter().enumerate() {
            if let Event::Call {
                frame: id,
                function,
                globals,
                locals,
            } = event.event
                && id == frame
            {
                return Some(Frame {
                    function,
                    thread: event.thread,
                    caller: self.frames.get(position).and_then(|frames| frames.1),
                    call: Position(position as u64),
                    globals,
                    locals,
                });
            }
        }
        None
    }

    pub(crate) fn locals(&self, frame: FrameId, at: Position) -> Vec<Option<Written>> {
        let variables = self
            .function_of(frame)
            .and_then(|function| self.functions.get(function.0 as usize))
            .map_or(0, |function| function.variables.len());
        let mut locals = vec![None; variables];
        for (position, event) in self.events.iter().enumerate().take(at.0 as usize) {
            if let Event::Write { slot, value } = &event.event
                && self
                    .frames
                    .get(position)
                    .is_some_and(|frames| frames.0 == Some(frame))
                && let Some(local) = locals.get_mut(*slot as usize)
            {
                *local = Some(Written {
                    position: Position(position as u64),
                    value: value.clone(),
                });
            }
        }
        locals
    }

    pub(crate) fn object(&self, object: ObjectId, at: Position) -> Option<(Content, Position)> {
        let mut state: Option<(Content, Position)> = None;
        for (position, event) in self.events.iter().enumerate().take(at.0 as usize) {
            let Event::Object { object: id, change } = &event.event else {
                continue;
            };
            if *id != object {
                continue;
            }
            let position = Position(position as u64);
            match change {
                Change::New(content) | Change::Replace(content) => {
                    state = Some(((**content).clone(), position));
                }
                change => {
                    if let Some((content, last)) = &mut state {
                        self.change(content, change);
                        *last = position;
                    }
                }
            }
        }
        state
    }

    /// What a name holds in a frame: a local, else an entry of its namespaces.
    pub(crate) fn name(&self, frame: FrameId, name: &str, at: Position) -> Option<Value> {
        let facts = self.frame(frame)?;
        let function = self.functions.get(facts.function.0 as usize)?;
        let slot = function.variables.iter().position(|it| *it.name == *name);
        if let Some(slot) = slot {
            let locals = self.locals(frame, at);
            return locals.get(slot)?.as_ref()?.value.clone();
        }
        let namespaces = [facts.locals, facts.globals].into_iter().flatten();
        namespaces
            .filter_map(|namespace| self.object(namespace, at))
            .find_map(|(content, _)| {
                let mut entries = content.entries.into_iter();
                entries.find_map(|(key, value)| match key {
                    Value::Str(text) if *text.kept == *name.as_bytes() => Some(value),
                    _ => None,
                })
            })
    }

    fn change(&self, content: &mut Content, change: &Change) {
        match change {
            Change::New(_) | Change::Replace(_) => {}
            Change::SetItem { index, value } => set_item(content, *index, value),
            Change::Append { value } => append(content, value),
            Change::Pop => pop(content),
            Change::SetKey { key, value } => self.set_key(content, key, value),
            Change::DeleteKey { key } => {
                if let Some(index) = self.entry(content, key) {
                    content.entries.remove(index);
                    content.len = content.len.saturating_sub(1);
                } else if let Some(index) =
                    content.items.iter().position(|item| self.equal(item, key))
                {
                    content.items.remove(index);
                    content.len = content.len.saturating_sub(1);
                } else if (content.entries.len().max(content.items.len()) as u64) < content.len {
                    content.len -= 1;
                }
            }
            Change::SetAttribute { name, value } => {
                let known = content.attributes.iter_mut().find(|known| known.0 == *name);
                match known {
                    Some(known) => known.1 = value.clone(),
                    None => content.attributes.push((Arc::clone(name), value.clone())),
                }
            }
            Change::DeleteAttribute { name } => {
                let before = content.attributes.len();
                content.attributes.retain(|known| known.0 != *name);
                if before == content.attributes.len() {
                    content.attributes_omitted = content.attributes_omitted.saturating_sub(1);
                }
            }
            Change::SetCell { value } => {
                content.items = value.iter().cloned().collect();
                content.len = content.items.len() as u64;
            }
            Change::Clear => {
                content.len = 0;
                content.items.clear();
                content.sparse.clear();
                content.entries.clear();
                if content.kind == ObjectKind::ByteArray {
                    set_bytes(content, Vec::new());
                }
            }
        }
    }

    fn set_key(&self, content: &mut Content, key: &Value, value: &Value) {
        match self.entry(content, key) {
            Some(index) => {
                if let Some(entry) = content.entries.get_mut(index) {
                    entry.1 = value.clone();
                }
            }
            None => {
                if content.entries.len() as u64 == content.len {
                    content.len += 1;
                }
                content.entries.push((key.clone(), value.clone()));
            }
        }
    }

    fn entry(&self, content: &Content, key: &Value) -> Option<usize> {
        content
            .entries
            .iter()
            .position(|entry| self.equal(&entry.0, key))
    }

    /// Equality of built-in values as Python has it; other objects are equal to themselves alone.
    pub(crate) fn equal(&self, a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) if a == b => true,
            (Value::Object(a), Value::Object(b)) => {
                let (Some(a), Some(b)) = (self.first(*a), self.first(*b)) else {
                    return false;
                };
                let whole = |content: &Content| content.items.len() as u64 == content.len;
                if a.kind != b.kind || a.len != b.len || !whole(a) || !whole(b) {
                    return false;
                }
                match a.kind {
                    ObjectKind::Tuple => {
                        a.items.iter().zip(&b.items).all(|(a, b)| self.equal(a, b))
                    }
                    ObjectKind::FrozenSet => a
                        .items
                        .iter()
                        .all(|a| b.items.iter().any(|b| self.equal(a, b))),
                    _ => false,
                }
            }
            (Value::Unavailable(_), _) | (_, Value::Unavailable(_)) => false,
            (a, b) => match (number(a), number(b)) {
                (Some(a), Some(b)) => a == b,
                (None, None) => a == b,
                _ => false,
            },
        }
    }

    fn first(&self, object: ObjectId) -> Option<&Content> {
        self.events.iter().find_map(|event| match &event.event {
            Event::Object {
                object: id,
                change: Change::New(content),
            } if *id == object => Some(&**content),
            _ => None,
        })
    }
}

/// A number as (integer, real bits, imaginary bits), so that equal numbers are equal.
fn number(value: &Value) -> Option<(Option<i128>, u64, u64)> {
    let real = |number: f64| {
        let number = number + 0.0;
        if number.fract() == 0.0 && number.abs() < 1e30 {
            (Some(number as i128), 0)
        } else {
            (None, number.to_bits())
        }
    };
    match value {
        Value::Bool(value) => Some((Some(i128::from(*value)), 0, 0)),
        Value::Int(value) => Some((Some(i128::from(*value)), 0, 0)),
        Value::Float(value) => {
            let (integer, bits) = real(*value);
            Some((integer, bits, 0))
        }
        Value::Complex(value, imaginary) => {
            let (integer, bits) = real(*value);
            Some((integer, bits, (imaginary + 0.0).to_bits()))
        }
        _ => None,
    }
}

fn set_item(content: &mut Content, index: u64, value: &Value) {
    if index >= content.len {
        return;
    }
    if content.kind == ObjectKind::ByteArray {
        let mut bytes = bytes(content);
        if let (Some(byte), Value::Int(value)) = (bytes.get_mut(index as usize), value) {
            *byte = *value as u8;
        }
        set_bytes(content, bytes);
    } else if let Some(item) = content.items.get_mut(index as usize) {
        *item = value.clone();
    } else {
        content.sparse.insert(index, value.clone());
    }
}

fn append(content: &mut Content, value: &Value) {
    let index = content.len;
    content.len += 1;
    if content.kind == ObjectKind::ByteArray {
        let mut bytes = bytes(content);
        if let Value::Int(value) = value
            && bytes.len() as u64 == index
        {
            bytes.push(*value as u8);
        }
        set_bytes(content, bytes);
    } else if content.items.len() as u64 == index {
        content.items.push(value.clone());
    } else {
        content.sparse.insert(index, value.clone());
    }
}

fn pop(content: &mut Content) {
    content.len = content.len.saturating_sub(1);
    if content.kind == ObjectKind::ByteArray {
        let mut bytes = bytes(content);
        bytes.truncate(content.len as usize);
        set_bytes(content, bytes);
    }
    content.items.truncate(content.len as usize);
    content.sparse.remove(&content.len);
}

fn bytes(content: &Content) -> Vec<u8> {
    content
        .text
        .as_ref()
        .map_or_else(Vec::new, |text| text.kept.to_vec())
}

fn set_bytes(content: &mut Content, bytes: Vec<u8>) {
    content.text = Some(Text {
        kept: bytes.into(),
        len: content.len,
    });
}
