//! Programs as lists of events: written by hand, or generated from a string of choices.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header, ObjectId,
    ObjectKind, Recording, Source, Summary, Text, ThreadEvent, ThreadId, Type, Value, Variable,
    VariableKind, Writer, WriterOptions,
};

/// Functions 0 to 4; the last two are generators. Function `f` has the lines `100 f + 1` and on.
pub(crate) const FUNCTIONS: u32 = 5;
pub(crate) const FIRST_GENERATOR: u32 = 3;
pub(crate) const LINES: u32 = 12;
/// The list that every thread appends to.
pub(crate) const SHARED: ObjectId = ObjectId(0);
/// The namespace of the globals.
pub(crate) const GLOBALS: ObjectId = ObjectId(1);
/// Where the program is said to be.
pub(crate) const PATH: &str = "/program/main.py";

pub(crate) fn line(function: u32, index: u32) -> u32 {
    100 * function + index + 1
}

pub(crate) fn text(text: &str) -> Value {
    Value::Str(Text {
        kept: text.as_bytes().into(),
        len: text.chars().count() as u64,
    })
}

/// Opens a recording of these events.
pub(crate) fn record(events: &[ThreadEvent]) -> Arc<Recording> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.retro");
    write(events, &path);
    Arc::new(Recording::open(&path).unwrap())
}

/// Opens a recording of these events in blocks of so many.
pub(crate) fn record_in_blocks(events: &[ThreadEvent], of: usize) -> Arc<Recording> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.retro");
    write_in_blocks(events, of, &path);
    Arc::new(Recording::open(&path).unwrap())
}

/// Writes a recording of these events.
pub(crate) fn write(events: &[ThreadEvent], path: &Path) {
    write_in_blocks(events, usize::MAX, path);
}

fn write_in_blocks(events: &[ThreadEvent], of: usize, path: &Path) {
    let options = WriterOptions {
        events_per_block: 1 << 10,
        ..WriterOptions::default()
    };
    let mut writer = Writer::create(path, &Header::default(), options).unwrap();
    let source = writer.add_source(Source {
        path: PATH.into(),
        text: None,
    });
    for module_type in ["list", "dict", "ValueError"] {
        writer.add_type(Type {
            module: "builtins".into(),
            qualified_name: module_type.into(),
            fields: Vec::new(),
            base: None,
        });
    }
    for number in 0..FUNCTIONS {
        let local = |name: &str, kind| Variable {
            name: name.into(),
            kind,
        };
        writer.add_function(Function {
            name: format!("f{number}").into(),
            qualified_name: format!("Program.f{number}").into(),
            source,
            first_line: line(number, 0),
            kind: if number >= FIRST_GENERATOR {
                FunctionKind::Generator
            } else {
                FunctionKind::Function
            },
            variables: vec![
                local("a", VariableKind::Argument),
                local("b", VariableKind::Local),
            ],
            lines: (0..LINES).map(|index| line(number, index)).collect(),
        });
    }
    for (number, event) in (1..).zip(events) {
        writer.push(event.thread, event.event.clone()).unwrap();
        if number % of == 0 {
            writer.flush().unwrap();
        }
    }
    writer.finish(&Summary::default()).unwrap();
}

/// Builds the events of one thread, with frames and objects numbered within the thread.
#[derive(Debug, Default)]
pub(crate) struct ThreadBuilder {
    pub events: Vec<Event>,
    frames: u64,
    exceptions: u64,
}

/// The first id of objects that belong to one thread; see [`merge`].
const OWN_OBJECTS: u64 = 1000;

impl ThreadBuilder {
    pub(crate) fn new(name: &str) -> ThreadBuilder {
        let mut builder = ThreadBuilder::default();
        builder
            .events
            .push(Event::ThreadStart { name: name.into() });
        builder
    }

    pub(crate) fn line(&mut self, line: u32) {
        self.events.push(Event::Line { line });
    }

    pub(crate) fn call(&mut self, function: u32) -> FrameId {
        let frame = FrameId(self.frames);
        self.frames += 1;
        self.events.push(Event::Call {
            frame,
            function: FunctionId(function),
            globals: Some(GLOBALS),
            locals: None,
        });
        frame
    }

    pub(crate) fn give_back(&mut self) {
        self.events.push(Event::Return { value: Value::None });
    }

    pub(crate) fn suspend(&mut self) {
        self.events.push(Event::Yield { value: Value::None });
    }

    pub(crate) fn resume(&mut self, frame: FrameId) {
        self.events.push(Event::Resume { frame });
    }

    pub(crate) fn write(&mut self, slot: u32, value: impl Into<Option<Value>>) {
        self.events.push(Event::Write {
            slot,
            value: value.into(),
        });
    }

    pub(crate) fn append(&mut self, value: i64) {
        self.events.push(Event::Object {
            object: SHARED,
            change: Change::Append {
                value: Value::Int(value),
            },
        });
    }

    pub(crate) fn set_global(&mut self, value: i64) {
        self.events.push(Event::Object {
            object: GLOBALS,
            change: Change::SetKey {
                key: text("g"),
                value: Value::Int(value),
            },
        });
    }

    /// Raises a new `ValueError('below zero')`.
    pub(crate) fn raise(&mut self) -> ObjectId {
        let object = ObjectId(OWN_OBJECTS + self.exceptions);
        self.exceptions += 1;
        let mut content = Content::new(ObjectKind::Exception, retrostep_trace::TypeId(2));
        content.items = vec![text("below zero")];
        content.len = 1;
        self.events.push(Event::Object {
            object,
            change: Change::New(Box::new(content)),
        });
        self.events.push(Event::Raise {
            exception: Value::Object(object),
        });
        object
    }

    pub(crate) fn unwind(&mut self, exception: ObjectId) {
        self.events.push(Event::Unwind {
            exception: Value::Object(exception),
        });
    }

    /// First sight of the list and the namespace that all threads share.
    pub(crate) fn see_shared(&mut self) {
        let kinds = [
            (SHARED, ObjectKind::List, 0),
            (GLOBALS, ObjectKind::Namespace, 1),
        ];
        for (object, kind, type_id) in kinds {
            let content = Content::new(kind, retrostep_trace::TypeId(type_id));
            self.events.push(Event::Object {
                object,
                change: Change::New(Box::new(content)),
            });
        }
    }
}

/// One thread's events as the whole program.
pub(crate) fn alone(builder: ThreadBuilder) -> Vec<ThreadEvent> {
    merge(vec![builder], &mut Choices::new(&[]))
}

/// Interleaves threads, and numbers frames and objects over all of them in order.
///
/// The first thread's events up to its first call come first; a thread that has less left to say is
/// not preferred: each choice takes a run of events from one thread.
pub(crate) fn merge(threads: Vec<ThreadBuilder>, choices: &mut Choices<'_>) -> Vec<ThreadEvent> {
    let mut queues: Vec<_> = (0..)
        .zip(threads)
        .map(|(number, thread)| (ThreadId(number), thread.events.into_iter().peekable()))
        .collect();
    let mut frames: HashMap<(ThreadId, FrameId), FrameId> = HashMap::new();
    let mut objects: HashMap<(ThreadId, ObjectId), ObjectId> = HashMap::new();
    let mut merged = Vec::new();
    let mut started = false;
    while !queues.is_empty() {
        let index = if started {
            choices.below(queues.len())
        } else {
            0
        };
        let run = if started { 1 + choices.below(8) } else { 5 };
        started = true;
        let (thread, queue) = &mut queues[index];
        for mut event in queue.by_ref().take(run) {
            renumber(&mut event, *thread, &mut frames, &mut objects);
            merged.push(ThreadEvent {
                thread: *thread,
                event,
            });
        }
        if queue.peek().is_none() {
            drop(queues.remove(index));
        }
    }
    merged
}

fn renumber(
    event: &mut Event,
    thread: ThreadId,
    frames: &mut HashMap<(ThreadId, FrameId), FrameId>,
    objects: &mut HashMap<(ThreadId, ObjectId), ObjectId>,
) {
    match event {
        Event::Call { frame, .. } => {
            let number = FrameId(frames.len() as u64);
            frames.insert((thread, *frame), number);
            *frame = number;
        }
        Event::Resume { frame } => *frame = frames[&(thread, *frame)],
        Event::Object { object, .. }
        | Event::Raise {
            exception: Value::Object(object),
        }
        | Event::Unwind {
            exception: Value::Object(object),
        } if object.0 >= OWN_OBJECTS => {
            let next = ObjectId(2 + objects.len() as u64);
            *object = *objects.entry((thread, *object)).or_insert(next);
        }
        _ => {}
    }
}

/// A string of bytes read as decisions. When it is used up every decision is the first one.
#[derive(Debug)]
pub(crate) struct Choices<'a>(std::slice::Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices(bytes.iter())
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % count
    }
}

/// What one line of a generated function does.
#[derive(Clone, Copy, Debug)]
enum Statement {
    Nothing,
    /// `a = number` or `b = number`.
    Assign(u32, i64),
    /// `b = shared`.
    Share,
    /// `del b`.
    Delete,
    Append,
    SetGlobal(i64),
    Call(u32),
    /// Appends, calls, appends and assigns.
    BusyCall(u32),
    /// A call in a `try`, with the handler on the next line.
    Try(u32),
    Raise,
    /// Starts or resumes the generator with this number, of those the thread has.
    Next(usize),
    /// In a generator: hands out a value; the line goes on with a write after it is resumed.
    Yield,
    /// In a generator: delegates to another one until that is finished.
    Await(usize),
    /// Goes back two lines, at most twice per activation.
    Repeat,
}

#[derive(Debug)]
struct Generator {
    frame: Option<FrameId>,
    function: u32,
    state: State,
    running: bool,
    finished: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    next: usize,
    repeats: u32,
    suspended: bool,
}

/// How a run of statements ended.
enum Outcome {
    Finished,
    Suspended,
    Failed(ObjectId),
}

/// Runs a generated program on one thread.
struct Machine<'a, 'b> {
    bodies: &'a [Vec<Statement>],
    builder: ThreadBuilder,
    generators: Vec<Generator>,
    depth: usize,
    steps: usize,
    choices: &'a mut Choices<'b>,
}

/// The events of a generated program: up to three threads that call, loop, raise, yield and share
/// a list. Sometimes cut off, as when the program was killed.
pub(crate) fn generate(bytes: &[u8]) -> Vec<ThreadEvent> {
    let mut choices = Choices::new(bytes);
    let bodies: Vec<Vec<Statement>> = (0..FUNCTIONS)
        .map(|function| body(function, &mut choices))
        .collect();
    let threads = 1 + choices.below(3);
    let mut builders = Vec::new();
    for number in 0..threads {
        let mut builder = ThreadBuilder::new(&format!("thread {number}"));
        if number == 0 {
            builder.see_shared();
        }
        let mut machine = Machine {
            bodies: &bodies,
            builder,
            generators: (0..3)
                .map(|number| Generator {
                    frame: None,
                    function: FIRST_GENERATOR + number % 2,
                    state: State::default(),
                    running: false,
                    finished: false,
                })
                .collect(),
            depth: 0,
            steps: 0,
            choices: &mut choices,
        };
        for function in 0..=u32::from(machine.choices.below(3) == 1) {
            if machine.call(function).is_err() {
                break;
            }
        }
        let mut builder = machine.builder;
        if choices.below(3) != 1 {
            builder.events.push(Event::ThreadEnd);
        }
        builders.push(builder);
    }
    let mut events = merge(builders, &mut choices);
    if choices.below(6) == 1 {
        let keep = events.len() * (1 + choices.below(8)) / 8;
        events.truncate(keep.max(6));
    }
    events
}

fn body(function: u32, choices: &mut Choices<'_>) -> Vec<Statement> {
    let is_generator = function >= FIRST_GENERATOR;
    let length = 2 + choices.below(LINES as usize - 4);
    let mut statements = Vec::new();
    for _ in 0..length {
        let callee = choices.below(FIRST_GENERATOR as usize) as u32;
        statements.push(match choices.below(20) {
            0 => Statement::Nothing,
            1 => Statement::Assign(0, choices.below(3) as i64),
            2 => Statement::Assign(1, choices.below(3) as i64),
            3 => Statement::Share,
            4 => Statement::Append,
            5 => Statement::SetGlobal(choices.below(2) as i64),
            6 => Statement::Call(callee),
            7 => Statement::BusyCall(callee),
            8 | 9 => Statement::Try(callee),
            10 => Statement::Raise,
            11 => Statement::Delete,
            12 => Statement::Repeat,
            13..=16 if is_generator => Statement::Yield,
            17 | 18 if is_generator => Statement::Await(choices.below(3)),
            _ => Statement::Next(choices.below(3)),
        });
    }
    statements
}

impl Machine<'_, '_> {
    fn call(&mut self, function: u32) -> Result<(), ObjectId> {
        self.builder.call(function);
        if self.choices.below(2) == 1 {
            self.builder.write(0, Value::Int(self.steps as i64 % 4));
        }
        self.depth += 1;
        let outcome = self.run(function, &mut State::default());
        self.depth -= 1;
        match outcome {
            Outcome::Failed(exception) => {
                self.builder.unwind(exception);
                Err(exception)
            }
            Outcome::Finished | Outcome::Suspended => {
                self.builder.give_back();
                Ok(())
            }
        }
    }

    /// Runs a function from where `state` says, with the events between, but not those of its call
    /// and its end.
    fn run(&mut self, function: u32, state: &mut State) -> Outcome {
        let bodies = self.bodies;
        let body = &bodies[function as usize];
        while let Some(&statement) = body.get(state.next) {
            self.steps += 1;
            let here = line(function, state.next as u32);
            let resumed = std::mem::take(&mut state.suspended);
            if !resumed {
                self.builder.line(here);
            }
            let outcome = match statement {
                _ if self.steps > 80 || self.depth > 4 => Ok(()),
                Statement::Yield if resumed => {
                    self.builder.write(1, Value::Int(7));
                    Ok(())
                }
                Statement::Yield => {
                    state.suspended = true;
                    return Outcome::Suspended;
                }
                Statement::Await(generator) => match self.advance(generator) {
                    Ok(true) => {
                        state.suspended = true;
                        return Outcome::Suspended;
                    }
                    Ok(false) => Ok(()),
                    Err(exception) => Err(exception),
                },
                other => self.simple(other, here),
            };
            if let Err(exception) = outcome {
                return Outcome::Failed(exception);
            }
            state.next += 1;
            if matches!(statement, Statement::Repeat) && state.repeats < 2 && state.next >= 3 {
                state.repeats += 1;
                state.next -= 3;
            }
        }
        Outcome::Finished
    }

    fn simple(&mut self, statement: Statement, here: u32) -> Result<(), ObjectId> {
        match statement {
            Statement::Assign(slot, value) => self.builder.write(slot, Value::Int(value)),
            Statement::Share => self.builder.write(1, Value::Object(SHARED)),
            Statement::Delete => self.builder.write(1, None),
            Statement::Append => self.builder.append(1),
            Statement::SetGlobal(value) => self.builder.set_global(value),
            Statement::Call(function) => self.call(function)?,
            Statement::BusyCall(function) => {
                self.builder.append(2);
                self.call(function)?;
                self.builder.append(3);
                self.builder.write(1, Value::Int(5));
            }
            Statement::Try(function) => {
                if self.call(function).is_err() {
                    self.builder.line(here + 1);
                }
            }
            Statement::Raise => return Err(self.builder.raise()),
            Statement::Next(generator) => {
                self.advance(generator)?;
            }
            Statement::Nothing | Statement::Repeat | Statement::Yield | Statement::Await(_) => {}
        }
        Ok(())
    }

    /// Starts or resumes a generator; returns whether it is suspended then.
    fn advance(&mut self, index: usize) -> Result<bool, ObjectId> {
        let generator = &mut self.generators[index];
        if generator.running || generator.finished {
            return Ok(false);
        }
        generator.running = true;
        let (function, mut state) = (generator.function, generator.state);
        match generator.frame {
            Some(frame) => self.builder.resume(frame),
            None => generator.frame = Some(self.builder.call(function)),
        }
        self.depth += 1;
        let outcome = self.run(function, &mut state);
        self.depth -= 1;
        let generator = &mut self.generators[index];
        generator.running = false;
        generator.state = state;
        generator.finished = !matches!(outcome, Outcome::Suspended);
        match outcome {
            Outcome::Suspended => {
                self.builder.suspend();
                Ok(true)
            }
            Outcome::Finished => {
                self.builder.give_back();
                Ok(false)
            }
            Outcome::Failed(exception) => {
                self.builder.unwind(exception);
                Err(exception)
            }
        }
    }
}
