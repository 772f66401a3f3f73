//! A workspace with small recordings.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retrostep_sessions::{Library, ReplayPosition};
use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionKind, Header, ObjectId, ObjectKind, Source,
    Summary, Text, ThreadId, Type, TypeId, Value, Writer, WriterOptions,
};
use tempfile::TempDir;

pub(crate) const TEXT: &str = "\
def add(a, b):
    return a + b

add(1, 2)
raise ValueError('below zero')
";

const MAIN: ThreadId = ThreadId(0);

/// A repository with a program and its library.
pub(crate) struct Shop {
    pub(crate) folder: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("shop.py"), TEXT).unwrap();
        Shop { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn library(&self) -> Library {
        Library::find(self.path())
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.path().join("shop.py")
    }

    /// The file of a recording.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.library()
            .recordings_folder()
            .join(format!("{name}.retro"))
    }

    /// Writes a complete recording that began so many seconds after the first day of 2026.
    pub(crate) fn record(&self, name: &str, seconds: u64) -> PathBuf {
        let mut writer = self.begin(name, seconds);
        self.run(&mut writer);
        let summary = Summary {
            exit_code: Some(1),
            duration_ns: 3_870_000_000,
            ..Summary::default()
        };
        writer.finish(&summary).unwrap();
        self.file(name)
    }

    /// Begins a recording.
    pub(crate) fn begin(&self, name: &str, seconds: u64) -> Writer {
        self.library().create().unwrap();
        let header = Header {
            name: name.to_owned(),
            language: "Python 3.13.1".to_owned(),
            command: vec!["python".to_owned(), "shop.py".to_owned()],
            working_directory: self.path().display().to_string(),
            start_unix_ns: 1_767_225_600_000_000_000 + seconds * 1_000_000_000,
            ..Header::default()
        };
        let options = WriterOptions::default();
        let mut writer = Writer::create(&self.file(name), &header, options).unwrap();
        writer.add_source(Source {
            path: self.source().display().to_string().into(),
            text: Some(TEXT.as_bytes().into()),
        });
        for (name, first_line, kind) in [
            ("<module>", 1, FunctionKind::Module),
            ("add", 1, FunctionKind::Function),
        ] {
            writer.add_function(Function {
                name: name.into(),
                qualified_name: name.into(),
                source: retrostep_trace::SourceId(0),
                first_line,
                kind,
                variables: Vec::new(),
                lines: vec![first_line],
            });
        }
        writer.add_type(Type {
            module: "builtins".into(),
            qualified_name: "ValueError".into(),
            fields: Vec::new(),
            base: None,
        });
        writer
    }

    /// Runs the program.
    pub(crate) fn run(&self, writer: &mut Writer) {
        let mut push = |event| writer.push(MAIN, event).unwrap();
        push(Event::ThreadStart {
            name: "MainThread".into(),
        });
        push(call(0, 0));
        push(Event::Line { line: 1 });
        push(Event::Line { line: 4 });
        push(call(1, 1));
        push(Event::Line { line: 2 });
        push(Event::Return {
            value: Value::Int(3),
        });
        push(Event::Line { line: 5 });
        let mut content = Content::new(ObjectKind::Exception, TypeId(0));
        content.text = Some(Text {
            kept: b"below zero".as_slice().into(),
            len: 10,
        });
        let exception = Value::Object(ObjectId(0));
        push(Event::Object {
            object: ObjectId(0),
            change: Change::New(Box::new(content)),
        });
        push(Event::Raise {
            exception: exception.clone(),
        });
        push(Event::Unwind { exception });
        push(Event::ThreadEnd);
    }

    /// Tells where a replay stands, as the debug adapter does.
    pub(crate) fn publish(&self, recording: &Path, position: u64, process_id: u32) {
        let position = ReplayPosition {
            recording: recording.to_owned(),
            position,
            end: 12,
            thread: 0,
            process_id,
        };
        self.library().publish_position(&position).unwrap();
    }
}

fn call(frame: u64, function: u32) -> Event {
    Event::Call {
        frame: FrameId(frame),
        function: retrostep_trace::FunctionId(function),
        globals: None,
        locals: None,
    }
}

/// Sets when a file was last written.
pub(crate) fn touch(path: &Path, seconds: u64) {
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(1_767_225_600 + seconds);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}
