//! A recording of a made-up program, as long as wanted: a module that loops for ever over functions,
//! methods, a recursion, a generator, exceptions, containers that change and a list of a million.

use std::path::Path;
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header, ObjectId,
    ObjectKind, Result, Source, SourceId, Stream, Summary, Text, ThreadId, Type, TypeId, Value,
    Variable, VariableKind, Writer, WriterOptions,
};

/// The program's path.
pub(crate) const PATH: &str = "/program/main.py";
/// Lines of the function that nothing calls.
pub(crate) const NEVER: std::ops::Range<u32> = 900..920;
/// A line that runs once, at the start.
pub(crate) const ONCE: u32 = 3;
/// A line that runs in every round: `total = step(i)`.
pub(crate) const HOT: u32 = 10;
/// The line of `work` where conditions are tried.
pub(crate) const TRIED: u32 = 42;
/// How many instances change at random.
const INSTANCES: u64 = 100_000;

/// Numbers that look random and are the same in every run.
#[derive(Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}

struct Program {
    writer: Writer,
    dice: Dice,
    stack: Vec<FrameId>,
    frames: u64,
    objects: u64,
    events: u64,
}

const MAIN: ThreadId = ThreadId(0);

fn text(text: &str) -> Value {
    Value::Str(Text {
        kept: text.as_bytes().into(),
        len: text.len() as u64,
    })
}

fn functions() -> Vec<Function> {
    let function = |name: &str, kind, first_line: u32, names: &[&str]| Function {
        name: name.into(),
        qualified_name: name.into(),
        source: SourceId(0),
        first_line,
        kind,
        variables: names
            .iter()
            .map(|name| Variable {
                name: (*name).into(),
                kind: VariableKind::Local,
            })
            .collect(),
        lines: (first_line..first_line + 20).collect(),
    };
    vec![
        function("<module>", FunctionKind::Module, 1, &[]),
        function(
            "work",
            FunctionKind::Function,
            40,
            &["i", "x", "name", "items", "account"],
        ),
        function("fib", FunctionKind::Function, 60, &["n"]),
        function("rows", FunctionKind::Generator, 80, &["k"]),
        function("deposit", FunctionKind::Function, 100, &["self", "amount"]),
        function("fails", FunctionKind::Function, 120, &["why"]),
        function("never", FunctionKind::Function, 900, &["x"]),
    ]
}

impl Program {
    fn say(&mut self, event: Event) -> Result<()> {
        self.events += 1;
        if self.events.is_multiple_of(64) {
            self.writer.clock(self.events * 50);
        }
        self.writer.push(MAIN, event).map(|_| ())
    }

    fn line(&mut self, line: u32) -> Result<()> {
        self.say(Event::Line { line })
    }

    fn write(&mut self, slot: u32, value: Value) -> Result<()> {
        let value = Some(value);
        self.say(Event::Write { slot, value })
    }

    fn call(&mut self, function: u32, globals: ObjectId, locals: Option<ObjectId>) -> Result<()> {
        let frame = FrameId(self.frames);
        self.frames += 1;
        self.stack.push(frame);
        self.say(Event::Call {
            frame,
            function: FunctionId(function),
            globals: Some(globals),
            locals,
        })
    }

    fn leave(&mut self, value: Value) -> Result<()> {
        self.stack.pop();
        self.say(Event::Return { value })
    }

    fn object(&mut self, content: Content) -> Result<ObjectId> {
        let object = ObjectId(self.objects);
        self.objects += 1;
        let change = Change::New(Box::new(content));
        self.say(Event::Object { object, change })?;
        Ok(object)
    }

    fn change(&mut self, object: ObjectId, change: Change) -> Result<()> {
        self.say(Event::Object { object, change })
    }

    fn list(&mut self, kind: ObjectKind, items: Vec<Value>) -> Result<ObjectId> {
        let mut content = Content::new(kind, TypeId(0));
        content.len = items.len() as u64;
        content.items = items;
        self.object(content)
    }

    fn fib(&mut self, n: i64, globals: ObjectId) -> Result<()> {
        self.call(2, globals, None)?;
        self.write(0, Value::Int(n))?;
        self.line(61)?;
        if n > 1 {
            self.line(63)?;
            self.fib(n - 1, globals)?;
            self.fib(n - 2, globals)?;
        }
        self.leave(Value::Int(n))
    }

    fn deep(&mut self, depth: i64, globals: ObjectId) -> Result<()> {
        for n in 0..depth {
            self.call(2, globals, None)?;
            self.write(0, Value::Int(n))?;
            self.line(61)?;
        }
        for n in 0..depth {
            self.leave(Value::Int(n))?;
        }
        Ok(())
    }
}

/// Writes a recording of about `events` events, in blocks of so many.
pub(crate) fn write(path: &Path, events: u64, events_per_block: u32) -> Result<()> {
    let header = Header {
        recorder: "made up".to_owned(),
        language: "Python 3.13.0".to_owned(),
        ..Header::default()
    };
    let options = WriterOptions {
        events_per_block,
        ..WriterOptions::default()
    };
    let mut writer = Writer::create(path, &header, options)?;
    writer.add_source(Source {
        path: PATH.into(),
        text: None,
    });
    for function in functions() {
        writer.add_function(function);
    }
    for (module, name) in [
        ("builtins", "list"),
        ("__main__", "Account"),
        ("builtins", "KeyError"),
    ] {
        writer.add_type(Type {
            module: module.into(),
            qualified_name: name.into(),
            fields: Vec::new(),
            base: None,
        });
    }
    let mut program = Program {
        writer,
        dice: Dice(0x5eed),
        stack: Vec::new(),
        frames: 0,
        objects: 0,
        events: 0,
    };
    program.run(events)?;
    program.writer.finish(&Summary::default())
}

impl Program {
    fn run(&mut self, events: u64) -> Result<()> {
        self.say(Event::ThreadStart {
            name: Arc::from("MainThread"),
        })?;
        let mut globals = Content::new(ObjectKind::Namespace, TypeId(0));
        for name in 0..150 {
            let entry = (text(&format!("name_{name}")), Value::Int(name));
            globals.entries.push(entry);
        }
        globals.len = 150;
        let globals = self.object(globals)?;
        self.call(0, globals, Some(globals))?;
        self.line(ONCE)?;
        let words = self.object(Content::new(ObjectKind::Dict, TypeId(0)))?;
        let log = self.list(ObjectKind::List, Vec::new())?;
        let mut accounts = Vec::new();
        for number in 0..INSTANCES.min(events / 20) {
            let mut account = Content::new(ObjectKind::Instance, TypeId(1));
            for (name, value) in [("number", number as i64), ("balance", 0), ("count", 0)] {
                account.attributes.push((name.into(), Value::Int(value)));
            }
            account.attributes.push(("owner".into(), text("somebody")));
            accounts.push(self.object(account)?);
        }
        for (name, object) in [("words", words), ("log", log)] {
            let (key, value) = (text(name), Value::Object(object));
            self.change(globals, Change::SetKey { key, value })?;
        }
        let mut round = 0i64;
        while self.events < events {
            round += 1;
            self.line(9)?;
            let (key, value) = (text("i"), Value::Int(round));
            self.change(globals, Change::SetKey { key, value })?;
            self.line(HOT)?;
            let account = self.dice.below(accounts.len() as u64) as usize;
            self.round(round, globals, words, log, accounts[account])?;
            let (key, value) = (text("total"), Value::Int(round * 7));
            self.change(globals, Change::SetKey { key, value })?;
        }
        self.line(19)?;
        self.leave(Value::None)?;
        self.say(Event::ThreadEnd)
    }

    fn round(
        &mut self,
        round: i64,
        globals: ObjectId,
        words: ObjectId,
        log: ObjectId,
        account: ObjectId,
    ) -> Result<()> {
        self.call(1, globals, None)?;
        self.write(0, Value::Int(round))?;
        self.write(4, Value::Object(account))?;
        self.line(41)?;
        let items = vec![Value::Int(round), text("abc"), Value::Float(0.5)];
        let items = self.list(ObjectKind::List, items)?;
        self.write(3, Value::Object(items))?;
        for part in 0..4 {
            self.line(TRIED)?;
            let x = self.dice.below(10) as i64;
            self.write(1, Value::Int(x))?;
            self.line(43)?;
            let name = text(["a", "b", "c", "d"][(part + round as usize) % 4]);
            self.write(2, name)?;
            let value = Value::Int(x);
            self.change(items, Change::Append { value })?;
        }
        self.line(45)?;
        self.call(4, globals, None)?;
        self.write(0, Value::Object(account))?;
        self.write(1, Value::Int(round))?;
        self.line(101)?;
        let (name, value) = (Arc::from("balance"), Value::Int(round));
        self.change(account, Change::SetAttribute { name, value })?;
        self.leave(Value::None)?;
        self.line(46)?;
        let key = text(&format!("word_{}", self.dice.below(2000)));
        let value = Value::Int(round);
        self.change(words, Change::SetKey { key, value })?;
        if round % 64 == 0 {
            self.line(47)?;
            let value = Value::Int(round);
            self.change(log, Change::Append { value })?;
        }
        if round % 16 == 0 {
            self.line(48)?;
            self.fib(6, globals)?;
        }
        if round % 8192 == 0 {
            self.line(49)?;
            self.deep(1000, globals)?;
        }
        if round % 256 == 0 {
            self.line(50)?;
            self.generator(globals)?;
        }
        if round % 1024 == 0 {
            self.line(51)?;
            self.failure(globals)?;
            let bytes = format!("round {round}\n").into_bytes().into();
            let stream = Stream::Stdout;
            self.say(Event::Output { stream, bytes })?;
        }
        self.line(52)?;
        self.leave(Value::Int(round))
    }

    fn generator(&mut self, globals: ObjectId) -> Result<()> {
        self.call(3, globals, None)?;
        let Some(frame) = self.stack.last().copied() else {
            return Ok(());
        };
        for k in 0..5 {
            self.line(81)?;
            self.write(0, Value::Int(k))?;
            self.stack.pop();
            self.say(Event::Yield {
                value: Value::Int(k),
            })?;
            self.line(50)?;
            self.stack.push(frame);
            self.say(Event::Resume { frame })?;
        }
        self.leave(Value::None)
    }

    fn failure(&mut self, globals: ObjectId) -> Result<()> {
        self.call(5, globals, None)?;
        self.line(121)?;
        let mut content = Content::new(ObjectKind::Exception, TypeId(2));
        content.items = vec![text("no such key")];
        content.len = 1;
        let exception = Value::Object(self.object(content)?);
        self.say(Event::Raise {
            exception: exception.clone(),
        })?;
        self.stack.pop();
        self.say(Event::Unwind { exception })
    }
}
