//! Random recordings that a program could have made: several threads, calls, generators that are resumed
//! by other callers and on other threads, exceptions, cells, containers that change.

use std::path::Path;
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header, ObjectId,
    ObjectKind, Source, SourceId, Stream, Summary, TaskId, Text, ThreadEvent, ThreadId, Type,
    TypeId, Unavailable, Value, Variable, VariableKind, Writer, WriterOptions,
};

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn one_in(&mut self, chance: u64) -> bool {
        self.below(chance) == 0
    }
}

/// Events and what they refer to.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<ThreadEvent>,
    pub(crate) sources: Vec<Arc<Source>>,
    pub(crate) functions: Vec<Arc<Function>>,
    pub(crate) types: Vec<Arc<Type>>,
    /// How many values the writer remembers, if not as many as usual.
    pub(crate) remembered_values: Option<usize>,
}

impl Story {
    /// Writes the story, flushing at random when `flushes` is set.
    pub(crate) fn write(&self, path: &Path, events_per_block: u32, mut flushes: Option<Dice>) {
        let mut writer = self.begin(path, events_per_block);
        for (index, event) in self.events.iter().enumerate() {
            writer.clock(index as u64 * 1000);
            let position = writer.push(event.thread, event.event.clone()).unwrap();
            assert_eq!(position.0, index as u64);
            if flushes.as_mut().is_some_and(|dice| dice.one_in(300)) {
                writer.flush().unwrap();
            }
        }
        let summary = Summary {
            duration_ns: 5,
            exit_code: Some(-1),
            signal: None,
            notes: vec!["a note".to_owned()],
            redacted: 3,
        };
        writer.finish(&summary).unwrap();
    }

    /// A writer that knows the definitions.
    pub(crate) fn begin(&self, path: &Path, events_per_block: u32) -> Writer {
        let header = Header {
            recorder: "test".to_owned(),
            command: vec!["a".to_owned(), "b c".to_owned()],
            start_unix_ns: 77,
            ..Header::default()
        };
        let mut options = WriterOptions {
            events_per_block,
            ..WriterOptions::default()
        };
        if let Some(values) = self.remembered_values {
            options.remembered_values = values;
        }
        let mut writer = Writer::create(path, &header, options).unwrap();
        for source in &self.sources {
            writer.add_source((**source).clone());
        }
        for function in &self.functions {
            writer.add_function((**function).clone());
        }
        for ty in &self.types {
            writer.add_type((**ty).clone());
        }
        writer
    }
}

/// Makes a [`Story`].
#[derive(Debug)]
pub(crate) struct Author {
    dice: Dice,
    story: Story,
    stacks: Vec<Vec<(FrameId, FunctionId)>>,
    suspended: Vec<(FrameId, FunctionId)>,
    frames: u64,
    objects: Vec<Content>,
    exceptions: u64,
    tasks: u32,
    /// How likely calls are, and how many objects there are at most.
    pub(crate) deep: bool,
    pub(crate) most_objects: u64,
}

const LINES: u32 = 12;

impl Author {
    pub(crate) fn new(seed: u64) -> Author {
        let mut story = Story::default();
        for source in 0..3 {
            story.sources.push(Arc::new(Source {
                path: format!("/p/{source}.py").into(),
                text: (source != 1).then(|| Arc::from(&b"x = 1\n"[..])),
            }));
        }
        for function in 0..8u32 {
            let variables = (0..function % 5).map(|slot| Variable {
                name: format!("v{slot}").into(),
                kind: [
                    VariableKind::Argument,
                    VariableKind::Local,
                    VariableKind::Cell,
                ][slot as usize % 3],
            });
            story.functions.push(Arc::new(Function {
                name: format!("f{function}").into(),
                qualified_name: format!("C.f{function}").into(),
                source: SourceId(function % 3),
                first_line: function + 1,
                kind: [FunctionKind::Function, FunctionKind::Generator][function as usize % 2],
                variables: variables.collect(),
                lines: (1..=LINES).collect(),
            }));
        }
        for (name, base) in [
            ("object", None),
            ("list", Some(TypeId(0))),
            ("ValueError", None),
            ("StopIteration", None),
            ("MyStop", Some(TypeId(3))),
        ] {
            story.types.push(Arc::new(Type {
                module: "builtins".into(),
                qualified_name: name.into(),
                fields: vec!["x".into()],
                base,
            }));
        }
        Author {
            dice: Dice::new(seed),
            story,
            stacks: Vec::new(),
            suspended: Vec::new(),
            frames: 0,
            objects: Vec::new(),
            exceptions: 0,
            tasks: 0,
            deep: false,
            most_objects: 40,
        }
    }

    pub(crate) fn write(mut self, events: usize) -> Story {
        while self.story.events.len() < events {
            if self.stacks.is_empty() || (self.stacks.len() < 4 && self.dice.one_in(200)) {
                let thread = ThreadId(self.stacks.len() as u32);
                self.stacks.push(Vec::new());
                let name = format!("thread {thread}").into();
                self.say(thread, Event::ThreadStart { name });
            }
            let thread = self.dice.below(self.stacks.len() as u64) as u32;
            let run = self.dice.below(60);
            for _ in 0..run {
                self.act(ThreadId(thread));
            }
        }
        self.story.events.truncate(events);
        self.story
    }

    fn say(&mut self, thread: ThreadId, event: Event) {
        self.story.events.push(ThreadEvent { thread, event });
    }

    fn stack(&mut self, thread: ThreadId) -> &mut Vec<(FrameId, FunctionId)> {
        &mut self.stacks[thread.0 as usize]
    }

    fn act(&mut self, thread: ThreadId) {
        let depth = self.stack(thread).len() as u64;
        let top = self.stack(thread).last().copied();
        let Some((frame, function)) = top else {
            return self.call(thread);
        };
        let limit = if self.deep { 3000 } else { 12 };
        match self.dice.below(100) {
            0..40 => {
                let line = 1 + self.dice.below(u64::from(LINES)) as u32;
                self.say(thread, Event::Line { line });
            }
            40..62 => {
                let slots = self.story.functions[function.0 as usize].variables.len() as u64;
                if slots > 0 {
                    let slot = self.dice.below(slots) as u32;
                    let value = (!self.dice.one_in(20)).then(|| self.value(thread));
                    self.say(thread, Event::Write { slot, value });
                }
            }
            62..70 if depth < limit => self.call(thread),
            62..68 => {
                let value = self.value(thread);
                self.say(thread, Event::Return { value });
                self.stack(thread).pop();
            }
            70..78 if !self.deep || self.dice.one_in(4) => {
                let value = self.value(thread);
                self.say(thread, Event::Return { value });
                self.stack(thread).pop();
            }
            78..81 if function.0 % 2 == 1 => {
                let value = self.value(thread);
                self.say(thread, Event::Yield { value });
                self.stack(thread).pop();
                self.suspended.push((frame, function));
            }
            81..85 if !self.suspended.is_empty() && depth < limit => {
                let index = self.dice.below(self.suspended.len() as u64) as usize;
                let (frame, function) = self.suspended.swap_remove(index);
                self.say(thread, Event::Resume { frame });
                self.stack(thread).push((frame, function));
            }
            85 => self.exception(thread),
            86..97 => self.change(thread),
            97 => {
                let bytes = self.text().kept;
                let stream = [Stream::Stdout, Stream::Stderr][self.dice.below(2) as usize];
                self.say(thread, Event::Output { stream, bytes });
            }
            98 => self.task(thread),
            _ => self.rare(thread),
        }
    }

    fn call(&mut self, thread: ThreadId) {
        let function = FunctionId(self.dice.below(8) as u32);
        let frame = FrameId(self.frames);
        self.frames += 1;
        self.stack(thread).push((frame, function));
        let globals = self.dice.one_in(2).then_some(ObjectId(3));
        let locals = self.dice.one_in(9).then_some(ObjectId(4));
        self.say(
            thread,
            Event::Call {
                frame,
                function,
                globals,
                locals,
            },
        );
    }

    fn task(&mut self, thread: ThreadId) {
        match self.dice.below(4) {
            0 => {
                let task = TaskId(self.tasks);
                self.tasks += 1;
                let name = format!("Task-{task}").into();
                self.say(thread, Event::TaskStart { task, name });
            }
            1 => self.say(thread, Event::TaskSwitch { task: None }),
            _ if self.tasks > 0 => {
                let task = TaskId(self.dice.below(u64::from(self.tasks)) as u32);
                self.say(thread, Event::TaskSwitch { task: Some(task) });
            }
            _ => {}
        }
    }

    fn rare(&mut self, thread: ThreadId) {
        let event = match self.dice.below(3) {
            0 => Event::Mark {
                kind: "user".into(),
                name: "here".into(),
            },
            1 => Event::External {
                kind: "http".into(),
                target: "/".into(),
                status: "200".into(),
                duration_ns: self.dice.next(),
            },
            _ => Event::TaskEnd {
                task: TaskId(self.dice.below(3) as u32),
            },
        };
        self.say(thread, event);
    }

    fn exception(&mut self, thread: ThreadId) {
        self.exceptions += 1;
        let type_id = TypeId(2 + self.dice.below(3) as u32);
        let object = self.first_sight(thread, Content::new(ObjectKind::Exception, type_id));
        let exception = match self.dice.below(5) {
            0 => Value::Unavailable(Unavailable::Unreadable),
            _ => Value::Object(object),
        };
        self.say(
            thread,
            Event::Raise {
                exception: exception.clone(),
            },
        );
        let most = if self.dice.one_in(2) { 2 } else { 1000 };
        for _ in 0..most {
            if self.stack(thread).pop().is_none() {
                break;
            }
            self.say(
                thread,
                Event::Unwind {
                    exception: exception.clone(),
                },
            );
        }
    }

    fn first_sight(&mut self, thread: ThreadId, content: Content) -> ObjectId {
        let object = ObjectId(self.objects.len() as u64);
        self.objects.push(content.clone());
        let change = Change::New(Box::new(content));
        self.say(thread, Event::Object { object, change });
        object
    }

    fn text(&mut self) -> Text {
        let len = self.dice.below(6) as usize;
        let kept: Vec<u8> = (0..len).map(|_| b'a' + self.dice.below(3) as u8).collect();
        let cut = if self.dice.one_in(10) { 5 } else { 0 };
        Text {
            kept: kept.into(),
            len: len as u64 + cut,
        }
    }

    fn value(&mut self, thread: ThreadId) -> Value {
        match self.dice.below(22) {
            0 => Value::None,
            1 => Value::Bool(self.dice.one_in(2)),
            2..7 => Value::Int(self.dice.below(20) as i64),
            7 => Value::Int(self.dice.next() as i64),
            8 => Value::Int([i64::MIN, i64::MAX, -1][self.dice.below(3) as usize]),
            9 => Value::BigInt(Arc::from([self.dice.next() as u8, 0, 0, 0, 0, 0, 0, 0, 1])),
            10 => Value::Float(self.dice.next() as f64 / 7.0),
            11 => Value::Float([0.5, -0.0, f64::INFINITY, 3.0][self.dice.below(4) as usize]),
            12 => Value::Complex(1.5, self.dice.below(2) as f64),
            13..15 => Value::Str(self.text()),
            15 => {
                let kept = self.text().kept;
                let len = kept.len() as u64;
                Value::Bytes(Text { kept, len })
            }
            16 => Value::Ellipsis,
            17 => Value::NotImplemented,
            18 => {
                let reasons = [
                    Unavailable::TooDeep,
                    Unavailable::TooLarge,
                    Unavailable::Redacted,
                    Unavailable::OptimisedOut,
                    Unavailable::Unreadable,
                    Unavailable::Unknown,
                ];
                Value::Unavailable(reasons[self.dice.below(6) as usize])
            }
            _ => {
                let count = self.objects.len() as u64;
                if count < self.most_objects {
                    let content = self.content(thread);
                    Value::Object(self.first_sight(thread, content))
                } else {
                    Value::Object(ObjectId(self.dice.below(count)))
                }
            }
        }
    }

    fn key(&mut self, thread: ThreadId) -> Value {
        match self.dice.below(8) {
            0 => Value::Bool(true),
            1 => Value::Float(self.dice.below(3) as f64),
            2 => Value::Complex(self.dice.below(3) as f64, 0.0),
            3..5 => Value::Int(self.dice.below(5) as i64),
            5 => Value::Str(self.text()),
            6 => {
                let kind = [ObjectKind::Tuple, ObjectKind::FrozenSet][self.dice.below(2) as usize];
                let mut content = Content::new(kind, TypeId(0));
                for index in 0..self.dice.below(3) {
                    content.items.push(match self.dice.below(3) {
                        0 => Value::Int(index as i64),
                        1 => Value::Float(index as f64),
                        _ => Value::Bool(index == 1),
                    });
                    if kind == ObjectKind::FrozenSet {
                        break;
                    }
                }
                content.len = content.items.len() as u64;
                Value::Object(self.first_sight(thread, content))
            }
            _ => self.value(thread),
        }
    }

    fn content(&mut self, thread: ThreadId) -> Content {
        let kind = [
            ObjectKind::List,
            ObjectKind::Dict,
            ObjectKind::Set,
            ObjectKind::Deque,
            ObjectKind::ByteArray,
            ObjectKind::Cell,
            ObjectKind::Namespace,
            ObjectKind::Instance,
            ObjectKind::Literal,
            ObjectKind::Array,
        ][self.dice.below(10) as usize];
        let mut content = Content::new(kind, TypeId(self.dice.below(2) as u32));
        match kind {
            ObjectKind::Dict => {
                for index in 0..self.dice.below(4) as i64 {
                    let value = self.value(thread);
                    content.entries.push((Value::Int(index), value));
                }
                content.len = content.entries.len() as u64;
                if self.dice.one_in(5) {
                    content.len += 2;
                }
            }
            ObjectKind::ByteArray | ObjectKind::Literal => {
                content.text = Some(self.text());
                content.len = content.text.as_ref().map_or(0, |text| text.len);
            }
            ObjectKind::Cell => {
                content.items.push(Value::Int(1));
                content.len = 1;
            }
            ObjectKind::Instance => {
                content.attributes.push(("a".into(), Value::Int(1)));
                content.attributes_omitted = self.dice.below(2);
            }
            _ => {
                for _ in 0..self.dice.below(5) {
                    let value = self.value(thread);
                    content.items.push(value);
                }
                content.len = content.items.len() as u64;
                if self.dice.one_in(4) {
                    content.len += 10;
                    content.sparse.insert(content.len - 1, Value::Int(5));
                }
            }
        }
        content
    }

    fn change(&mut self, thread: ThreadId) {
        if self.objects.len() < 6 || self.dice.one_in(12) {
            let content = self.content(thread);
            self.first_sight(thread, content);
            return;
        }
        let few = self.dice.below(self.objects.len() as u64);
        let object = ObjectId(if self.dice.one_in(2) { few.min(5) } else { few });
        let kind = self.objects[object.0 as usize].kind;
        let len = self.objects[object.0 as usize].len;
        let change = match kind {
            ObjectKind::Dict | ObjectKind::Namespace => match self.dice.below(6) {
                0 => Change::DeleteKey {
                    key: self.key(thread),
                },
                1 if self.dice.one_in(6) => Change::Clear,
                _ => Change::SetKey {
                    key: self.key(thread),
                    value: self.value(thread),
                },
            },
            ObjectKind::Cell => Change::SetCell {
                value: (!self.dice.one_in(5)).then(|| self.value(thread)),
            },
            ObjectKind::Instance | ObjectKind::Literal | ObjectKind::Exception => {
                let name = ["a", "b", "c"][self.dice.below(3) as usize].into();
                if self.dice.one_in(4) {
                    Change::DeleteAttribute { name }
                } else {
                    Change::SetAttribute {
                        name,
                        value: self.value(thread),
                    }
                }
            }
            ObjectKind::Tuple | ObjectKind::FrozenSet => return,
            ObjectKind::Set => Change::Append {
                value: self.value(thread),
            },
            ObjectKind::ByteArray => match self.dice.below(3) {
                0 if len > 0 => Change::SetItem {
                    index: self.dice.below(len),
                    value: Value::Int(65),
                },
                1 => Change::Pop,
                _ => Change::Append {
                    value: Value::Int(66),
                },
            },
            _ => match self.dice.below(8) {
                0..3 => Change::Append {
                    value: self.value(thread),
                },
                3 => Change::Pop,
                4 if self.dice.one_in(8) => Change::Clear,
                5 => {
                    let content = self.content(thread);
                    let mut replaced = self.objects[object.0 as usize].clone();
                    replaced.items = content.items;
                    replaced.sparse = content.sparse;
                    replaced.len = replaced.items.len() as u64;
                    Change::Replace(Box::new(replaced))
                }
                _ => Change::SetItem {
                    index: self.dice.below(len.max(1)),
                    value: self.value(thread),
                },
            },
        };
        self.say(thread, Event::Object { object, change });
    }
}
