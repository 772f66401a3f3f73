//! Small recordings, event by event.

use std::fs;
use std::path::PathBuf;

use retrostep_trace::{
    CancellationToken, Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header,
    ObjectId, ObjectKind, Position, Recording, Source, SourceId, Summary, ThreadId, Type, TypeId,
    Value, Variable, VariableKind, Writer, WriterOptions,
};

pub(crate) const TEXT: &str = "\
def f(n):
    m = n
    return m

def g():
    yield 1

f(1)
";

pub(crate) const MODULE: u32 = 0;

pub(crate) const F: u32 = 1;

/// The function `f` compiled again.
pub(crate) const F_AGAIN: u32 = 2;

pub(crate) const G: u32 = 3;

pub(crate) const ERROR: ObjectId = ObjectId(0);

pub(crate) struct Builder {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) writer: Writer,
    pub(crate) frames: u64,
}

pub(crate) fn function(name: &str, first_line: u32, kind: FunctionKind, lines: &[u32]) -> Function {
    let variable = |name: &str, kind| Variable {
        name: name.into(),
        kind,
    };
    Function {
        name: name.into(),
        qualified_name: name.into(),
        source: SourceId(0),
        first_line,
        kind,
        variables: vec![
            variable("n", VariableKind::Argument),
            variable("m", VariableKind::Local),
        ],
        lines: lines.to_vec(),
    }
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder::with_text(TEXT)
    }

    pub(crate) fn with_text(text: &str) -> Builder {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.retro");
        let options = WriterOptions {
            events_per_block: 1 << 10,
            ..WriterOptions::default()
        };
        let mut writer = Writer::create(&path, &Header::default(), options).unwrap();
        writer.add_source(Source {
            path: "/work/a.py".into(),
            text: Some(text.as_bytes().into()),
        });
        writer.add_type(Type {
            module: "builtins".into(),
            qualified_name: "ValueError".into(),
            fields: Vec::new(),
            base: None,
        });
        writer.add_function(function("<module>", 1, FunctionKind::Module, &[1, 5, 8]));
        writer.add_function(function("f", 1, FunctionKind::Function, &[2, 3]));
        writer.add_function(function("f", 1, FunctionKind::Function, &[2, 3]));
        writer.add_function(function("g", 5, FunctionKind::Generator, &[6]));
        let mut builder = Builder {
            folder,
            writer,
            frames: 0,
        };
        let name = "MainThread".into();
        builder.push(Event::ThreadStart { name });
        builder.call(MODULE);
        builder.line(8);
        builder
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("a.retro")
    }

    pub(crate) fn push(&mut self, event: Event) -> Position {
        self.writer.push(ThreadId(0), event).unwrap()
    }

    pub(crate) fn line(&mut self, line: u32) -> Position {
        self.push(Event::Line { line })
    }

    pub(crate) fn call(&mut self, function: u32) -> FrameId {
        let frame = FrameId(self.frames);
        self.frames += 1;
        self.push(Event::Call {
            frame,
            function: FunctionId(function),
            globals: None,
            locals: None,
        });
        frame
    }

    pub(crate) fn write(&mut self, slot: u32, value: i64) -> Position {
        let value = Some(Value::Int(value));
        self.push(Event::Write { slot, value })
    }

    pub(crate) fn give_back(&mut self, value: i64) -> Position {
        let value = Value::Int(value);
        self.push(Event::Return { value })
    }

    /// `f(n)`, which returns `result`.
    pub(crate) fn whole_call(&mut self, function: u32, n: i64, m: i64, result: i64) {
        self.call(function);
        self.write(0, n);
        self.line(2);
        self.write(1, m);
        self.line(3);
        self.give_back(result);
    }

    pub(crate) fn raise(&mut self) -> Position {
        let content = Box::new(Content::new(ObjectKind::Exception, TypeId(0)));
        let change = Change::New(content);
        self.push(Event::Object {
            object: ERROR,
            change,
        });
        self.push(Event::Raise {
            exception: Value::Object(ERROR),
        })
    }

    pub(crate) fn unwind(&mut self) -> Position {
        self.push(Event::Unwind {
            exception: Value::Object(ERROR),
        })
    }

    pub(crate) fn finish(self) -> Recording {
        let path = self.path();
        self.writer.finish(&Summary::default()).unwrap();
        Recording::open(&path).unwrap()
    }
}

pub(crate) fn none() -> CancellationToken {
    CancellationToken::new()
}

/// Many calls of `f`, the last of which an exception leaves.
pub(crate) fn many_calls() -> Builder {
    let mut builder = Builder::new();
    for n in 0..2000 {
        builder.whole_call(F, n, n, n);
    }
    builder.call(F);
    builder.line(2);
    builder.raise();
    builder.unwind();
    builder.unwind();
    builder
}

/// The recording of [`many_calls`] with a block in the middle damaged.
pub(crate) fn damaged() -> (tempfile::TempDir, Recording) {
    let builder = many_calls();
    let path = builder.path();
    builder.writer.finish(&Summary::default()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 3;
    for byte in &mut bytes[middle..middle + 16] {
        *byte ^= 0x55;
    }
    fs::write(&path, bytes).unwrap();
    let recording = Recording::open(&path).unwrap();
    (builder.folder, recording)
}
