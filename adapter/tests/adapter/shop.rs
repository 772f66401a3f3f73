//! A small recorded program with two threads, and a larger one.

use std::path::{Path, PathBuf};

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header, ObjectId,
    ObjectKind, Source, Stream, Summary, Text, ThreadId, Type, TypeId, Value, Variable,
    VariableKind, Writer, WriterOptions,
};
use tempfile::TempDir;

pub(crate) const TEXT: &str = "\
def add(items, n):
    items.append(n)
    return len(items)

total = []
for i in range(3):
    add(total, i)
raise ValueError('below zero')
";

const MAIN: ThreadId = ThreadId(0);
const WORKER: ThreadId = ThreadId(1);
const GLOBALS: ObjectId = ObjectId(0);
const TOTAL: ObjectId = ObjectId(1);
const EXCEPTION: ObjectId = ObjectId(2);

/// A folder with the program and its recording.
pub(crate) struct Shop {
    pub folder: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        Shop::with_rounds(3)
    }

    /// The program with another number of rounds.
    pub(crate) fn with_rounds(rounds: i64) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        // A repository, so that nothing is written outside of the folder.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("shop.py"), TEXT).unwrap();
        let shop = Shop { folder };
        record(&shop.recording(), &shop.source(), rounds);
        shop
    }

    /// The program with a recording in which no line ran.
    pub(crate) fn with_nothing() -> Shop {
        let shop = Shop::with_rounds(0);
        let header = Header::default();
        let writer = Writer::create(&shop.recording(), &header, WriterOptions::default());
        let mut writer = writer.unwrap();
        let name = "MainThread".into();
        writer.push(MAIN, Event::ThreadStart { name }).unwrap();
        writer.finish(&Summary::default()).unwrap();
        shop
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.folder.path().join("shop.py")
    }

    pub(crate) fn recording(&self) -> PathBuf {
        self.folder.path().join("shop.retro")
    }
}

struct Recorder {
    writer: Writer,
    frames: u64,
}

impl Recorder {
    fn push(&mut self, thread: ThreadId, event: Event) {
        self.writer.push(thread, event).unwrap();
    }

    fn line(&mut self, thread: ThreadId, line: u32) {
        self.push(thread, Event::Line { line });
    }

    fn new_object(&mut self, object: ObjectId, kind: ObjectKind, items: Vec<Value>) {
        let mut content = Content::new(kind, TypeId(object.0 as u32));
        content.len = items.len() as u64;
        content.items = items;
        let change = Change::New(Box::new(content));
        self.push(MAIN, Event::Object { object, change });
    }

    fn set_global(&mut self, name: &str, value: Value) {
        let change = Change::SetKey {
            key: text(name),
            value,
        };
        self.push(
            MAIN,
            Event::Object {
                object: GLOBALS,
                change,
            },
        );
    }

    fn call(&mut self, thread: ThreadId, function: u32) {
        let frame = FrameId(self.frames);
        self.frames += 1;
        self.push(
            thread,
            Event::Call {
                frame,
                function: FunctionId(function),
                globals: Some(GLOBALS),
                locals: (function == 0).then_some(GLOBALS),
            },
        );
    }

    fn add(&mut self, thread: ThreadId, n: i64) {
        self.call(thread, 1);
        for (slot, value) in [(0, Value::Object(TOTAL)), (1, Value::Int(n))] {
            let value = Some(value);
            self.push(thread, Event::Write { slot, value });
        }
        self.line(thread, 2);
        let change = Change::Append {
            value: Value::Int(n),
        };
        self.push(
            thread,
            Event::Object {
                object: TOTAL,
                change,
            },
        );
        self.line(thread, 3);
        let value = Value::Int(n + 1);
        self.push(thread, Event::Return { value });
    }
}

fn text(text: &str) -> Value {
    Value::Str(Text {
        kept: text.as_bytes().into(),
        len: text.chars().count() as u64,
    })
}

fn record(path: &Path, source_path: &Path, rounds: i64) {
    let header = Header {
        name: "shop".into(),
        language: "Python 3.12.1".into(),
        ..Header::default()
    };
    let writer = Writer::create(path, &header, WriterOptions::default()).unwrap();
    let mut recorder = Recorder { writer, frames: 0 };
    define(&mut recorder.writer, source_path);
    let start = |name: &str| Event::ThreadStart { name: name.into() };
    recorder.push(MAIN, start("MainThread"));
    recorder.new_object(GLOBALS, ObjectKind::Namespace, Vec::new());
    recorder.call(MAIN, 0);
    recorder.line(MAIN, 1);
    recorder.line(MAIN, 5);
    recorder.new_object(TOTAL, ObjectKind::List, Vec::new());
    recorder.set_global("total", Value::Object(TOTAL));
    for round in 0..rounds {
        recorder.line(MAIN, 6);
        recorder.set_global("i", Value::Int(round));
        recorder.line(MAIN, 7);
        recorder.add(MAIN, round);
        if round == 1 {
            recorder.push(WORKER, start("worker"));
            recorder.add(WORKER, 10);
            recorder.push(WORKER, Event::ThreadEnd);
        }
    }
    recorder.line(MAIN, 6);
    recorder.line(MAIN, 8);
    let output = Event::Output {
        stream: Stream::Stdout,
        bytes: (*b"three\n").into(),
    };
    recorder.push(MAIN, output);
    recorder.new_object(EXCEPTION, ObjectKind::Exception, vec![text("below zero")]);
    let exception = Value::Object(EXCEPTION);
    recorder.push(
        MAIN,
        Event::Raise {
            exception: exception.clone(),
        },
    );
    recorder.push(MAIN, Event::Unwind { exception });
    recorder.push(MAIN, Event::ThreadEnd);
    recorder.writer.finish(&Summary::default()).unwrap();
}

fn define(writer: &mut Writer, source_path: &Path) {
    let source = writer.add_source(Source {
        path: source_path.to_str().unwrap().into(),
        text: Some(TEXT.as_bytes().into()),
    });
    for name in ["dict", "list", "ValueError"] {
        writer.add_type(Type {
            module: "builtins".into(),
            qualified_name: name.into(),
            fields: Vec::new(),
            base: None,
        });
    }
    let function = |name: &str, first_line, kind, lines: &[u32]| Function {
        name: name.into(),
        qualified_name: name.into(),
        source,
        first_line,
        kind,
        variables: Vec::new(),
        lines: lines.to_vec(),
    };
    writer.add_function(function(
        "<module>",
        1,
        FunctionKind::Module,
        &[1, 5, 6, 7, 8],
    ));
    let argument = |name: &str| Variable {
        name: name.into(),
        kind: VariableKind::Argument,
    };
    writer.add_function(Function {
        variables: vec![argument("items"), argument("n")],
        ..function("add", 1, FunctionKind::Function, &[2, 3])
    });
}
