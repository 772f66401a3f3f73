//! A small recording with every kind of value, on which expressions and conversations are tried.

use std::path::Path;
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionId, FunctionKind, Header, ObjectId,
    ObjectKind, Position, Source, SourceId, Stream, Summary, TaskId, Text, ThreadId, Type, TypeId,
    Unavailable, Value, Variable, VariableKind, Writer, WriterOptions,
};

const PROGRAM: &str = "\
def work(xs, d, s, n):
    xs.append(n)
    t = (n, s)
    o = Box(t)
    for x in xs:
        yield x
    raise ValueError(s)

xs = [1, 2.5, None]
for value in work(xs, {'k': xs, 1: 'one'}, 'é text', 10 ** 30):
    print(value)
";
const NAMESPACE: ObjectId = ObjectId(0);
const LIST: ObjectId = ObjectId(1);
const DICT: ObjectId = ObjectId(2);
const TUPLE: ObjectId = ObjectId(3);
const BOX: ObjectId = ObjectId(4);
const ERROR: ObjectId = ObjectId(5);
const SET: ObjectId = ObjectId(6);
const TYPES: [(&str, &str); 7] = [
    ("builtins", "dict"),
    ("builtins", "list"),
    ("builtins", "tuple"),
    ("builtins", "set"),
    ("builtins", "ValueError"),
    ("app", "Box"),
    ("builtins", "str"),
];

/// The frames an expression is asked in.
pub const FRAMES: [FrameId; 2] = [FrameId(0), FrameId(1)];

struct Author(Writer);

fn text(value: &str) -> Text {
    Text {
        kept: value.as_bytes().into(),
        len: value.chars().count() as u64,
    }
}

fn string(value: &str) -> Value {
    Value::Str(text(value))
}

fn content(kind: ObjectKind, type_id: u32) -> Content {
    Content::new(kind, TypeId(type_id))
}

impl Author {
    fn push(&mut self, event: Event) {
        self.0.push(ThreadId(0), event).expect("written");
    }

    fn line(&mut self, line: u32) {
        self.push(Event::Line { line });
    }

    fn change(&mut self, object: ObjectId, change: Change) {
        self.push(Event::Object { object, change });
    }

    fn new(&mut self, object: ObjectId, content: Content) {
        self.change(object, Change::New(Box::new(content)));
    }

    fn set(&mut self, key: &str, value: Value) {
        let key = string(key);
        self.change(NAMESPACE, Change::SetKey { key, value });
    }

    fn write(&mut self, slot: u32, value: Value) {
        let value = Some(value);
        self.push(Event::Write { slot, value });
    }

    fn objects(&mut self) {
        let mut list = content(ObjectKind::List, 1);
        list.items = vec![Value::Int(1), Value::Float(2.5), Value::None];
        list.len = 3;
        self.new(LIST, list);
        let mut set = content(ObjectKind::Set, 3);
        set.items = vec![Value::Int(3), string("w"), Value::Bool(true)];
        set.len = 300;
        self.new(SET, set);
        let mut dict = content(ObjectKind::Dict, 0);
        dict.entries = vec![
            (string("k"), Value::Object(LIST)),
            (Value::Int(1), string("one")),
            (Value::Bytes(text("b")), Value::Object(SET)),
            (string("token"), Value::Unavailable(Unavailable::Redacted)),
        ];
        dict.len = 4;
        self.new(DICT, dict);
    }

    fn names(&mut self) {
        for (name, value) in [
            ("xs", Value::Object(LIST)),
            (
                "big",
                Value::BigInt([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64].into()),
            ),
            ("z", Value::Complex(1.5, -2.0)),
            ("nan", Value::Float(f64::NAN)),
            ("low", Value::Int(i64::MIN)),
            ("deep", Value::Unavailable(Unavailable::TooDeep)),
            ("lost", Value::Unavailable(Unavailable::Unknown)),
            (
                "long",
                Value::Str(Text {
                    kept: (*b"kept").into(),
                    len: 1 << 40,
                }),
            ),
            ("dots", Value::Ellipsis),
        ] {
            self.set(name, value);
        }
    }

    fn round(&mut self, frame: FrameId) {
        self.push(Event::Call {
            frame,
            function: FunctionId(1),
            globals: Some(NAMESPACE),
            locals: None,
        });
        self.write(0, Value::Object(LIST));
        self.write(1, Value::Object(DICT));
        self.write(2, string("é text"));
        self.write(3, Value::Int(7));
        self.line(2);
        let value = Value::Int(7);
        self.change(LIST, Change::Append { value });
        self.line(3);
        let mut tuple = content(ObjectKind::Tuple, 2);
        tuple.items = vec![Value::Int(7), string("é text")];
        tuple.len = 2;
        self.new(TUPLE, tuple);
        self.write(4, Value::Object(TUPLE));
        self.line(4);
        let mut boxed = content(ObjectKind::Instance, 5);
        boxed.attributes = vec![("held".into(), Value::Object(TUPLE))];
        boxed.attributes_omitted = 2;
        self.new(BOX, boxed);
        self.write(5, Value::Object(BOX));
        for value in [Value::Int(1), Value::Float(2.5)] {
            self.line(5);
            self.write(6, value.clone());
            self.line(6);
            self.push(Event::Yield { value });
            self.line(11);
            self.push(Event::Output {
                stream: Stream::Stdout,
                bytes: (*b"1\n").into(),
            });
            self.push(Event::Resume { frame });
        }
        self.line(7);
        let mut error = content(ObjectKind::Exception, 4);
        error.items = vec![string("é text")];
        error.len = 1;
        error.text = Some(text("é text"));
        self.new(ERROR, error);
        let exception = Value::Object(ERROR);
        self.push(Event::Raise {
            exception: exception.clone(),
        });
        self.push(Event::Unwind { exception });
    }
}

fn function(name: &str, first_line: u32, kind: FunctionKind, variables: &[&str]) -> Function {
    let variable = |(index, name): (usize, &&str)| Variable {
        name: (*name).into(),
        kind: if index < 4 {
            VariableKind::Argument
        } else {
            VariableKind::Local
        },
    };
    Function {
        name: name.into(),
        qualified_name: name.into(),
        source: SourceId(0),
        first_line,
        kind,
        variables: variables.iter().enumerate().map(variable).collect(),
        lines: (1..=11).collect(),
    }
}

/// Writes a recording of a list that is kept in pages.
pub fn write_long_list(path: &Path) {
    let options = WriterOptions::default();
    let writer = Writer::create(path, &Header::default(), options).expect("created");
    let mut author = Author(writer);
    author.0.add_type(Type {
        module: "builtins".into(),
        qualified_name: "list".into(),
        fields: Vec::new(),
        base: None,
    });
    let name = "MainThread".into();
    author.push(Event::ThreadStart { name });
    let mut list = content(ObjectKind::List, 0);
    list.items = vec![Value::None; 4100];
    list.len = 4100;
    let list_object = ObjectId(0);
    author.new(list_object, list);
    for round in 0..3 {
        author.0.flush().expect("written");
        let index = 4000 + round * 30;
        let value = string("in a page");
        author.change(list_object, Change::SetItem { index, value });
        author.change(list_object, Change::Pop);
        let value = Value::Int(round as i64);
        author.change(list_object, Change::Append { value });
    }
    author.0.finish(&Summary::default()).expect("written");
}

/// Writes the recording; it calls its function `rounds` times, with a block to each call.
pub fn write(path: &Path, rounds: u64) {
    let header = Header {
        language: "Python 3.12.1".to_owned(),
        name: "app".to_owned(),
        command: vec!["python".to_owned(), "app.py".to_owned()],
        working_directory: "/nowhere".to_owned(),
        max_string: 10_000,
        max_children: 100,
        ..Header::default()
    };
    let writer = Writer::create(path, &header, WriterOptions::default()).expect("created");
    let mut author = Author(writer);
    author.0.add_source(Source {
        path: "/nowhere/app.py".into(),
        text: Some(PROGRAM.as_bytes().into()),
    });
    for (module, qualified_name) in TYPES {
        author.0.add_type(Type {
            module: module.into(),
            qualified_name: qualified_name.into(),
            fields: Vec::new(),
            base: None,
        });
    }
    let work = ["xs", "d", "s", "n", "t", "o", "x"];
    let w = &mut author.0;
    w.add_function(function("<module>", 1, FunctionKind::Module, &[]));
    w.add_function(function("work", 1, FunctionKind::Generator, &work));
    let name: Arc<str> = "MainThread".into();
    author.push(Event::ThreadStart { name });
    author.new(NAMESPACE, content(ObjectKind::Namespace, 0));
    author.push(Event::Call {
        frame: FRAMES[0],
        function: FunctionId(0),
        globals: Some(NAMESPACE),
        locals: Some(NAMESPACE),
    });
    author.line(9);
    author.objects();
    author.names();
    let (task, name) = (TaskId(1), "Task-1".into());
    author.push(Event::TaskStart { task, name });
    author.push(Event::TaskSwitch { task: Some(task) });
    for round in 0..rounds {
        author.line(10);
        author.round(FrameId(1 + round));
        author.0.flush().expect("flushed");
    }
    author.push(Event::TaskSwitch { task: None });
    author.push(Event::Return { value: Value::None });
    author.push(Event::ThreadEnd);
    author.0.finish(&Summary::default()).expect("finished");
}

/// Moments that differ: the start, within each call, the end.
pub fn moments(end: Position) -> [Position; 5] {
    [0, 22, 34, 44, end.0].map(Position)
}
