//! The commands that manage recordings, on the real program and recordings made by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use retrostep_trace::{
    Change, Content, Event, FrameId, Function, FunctionKind, Header, ObjectId, ObjectKind, Source,
    Summary, Text, ThreadId, Type, Value, Writer, WriterOptions,
};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A workspace with a repository, so that its library is its own.
struct Workspace {
    folder: TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::create_dir_all(folder.path().join(".retrostep/recordings")).unwrap();
        Workspace { folder }
    }

    fn path(&self, id: &str) -> PathBuf {
        let file = format!(".retrostep/recordings/{id}.retro");
        self.folder.path().join(file)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_retrostep"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("XDG_DATA_HOME")
            .output()
            .unwrap()
    }

    /// What a command that works writes.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Json {
        serde_json::from_str(&self.says(arguments)).unwrap()
    }

    /// What a command that fails with `code` says.
    fn refuses(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A run that ends in `ValueError: below zero` on line 2, unless it `passes`.
fn write(path: &Path, started: u64, passes: bool) -> Option<Writer> {
    let header = Header {
        recorder: "python".to_owned(),
        recorder_version: "0.1.0".to_owned(),
        language: "Python 3.12.1".to_owned(),
        name: "orders".to_owned(),
        command: vec!["python3".to_owned(), "orders.py".to_owned()],
        working_directory: "/shop".to_owned(),
        start_unix_ns: started * 1_000_000_000,
        host: "desk".to_owned(),
        git_commit: "4e1c9a7d".to_owned(),
        git_branch: "main".to_owned(),
        git_changed_files: 2,
        max_string: 10_000,
        max_children: 100,
        depth: 4,
        redacted_names: vec!["password".to_owned()],
        scope: vec!["/shop".to_owned()],
        self_check: "all good".to_owned(),
    };
    let mut writer = Writer::create(path, &header, WriterOptions::default()).unwrap();
    let source = writer.add_source(Source {
        path: "/shop/orders.py".into(),
        text: Some(Arc::from(
            &b"def f():\n    raise ValueError('below zero')\nf()\n"[..],
        )),
    });
    let function = writer.add_function(Function {
        name: "f".into(),
        qualified_name: "f".into(),
        source,
        first_line: 1,
        kind: FunctionKind::Function,
        variables: Vec::new(),
        lines: vec![2],
    });
    let type_id = writer.add_type(Type {
        module: "builtins".into(),
        qualified_name: "ValueError".into(),
        fields: Vec::new(),
        base: None,
    });
    let object = ObjectId(0);
    let message = || Text {
        kept: Arc::from(&b"below zero"[..]),
        len: 10,
    };
    let exception = Content {
        items: vec![Value::Str(message())],
        text: Some(message()),
        ..Content::new(ObjectKind::Exception, type_id)
    };
    let raised = Value::Object(object);
    let mut events = vec![
        Event::ThreadStart {
            name: "MainThread".into(),
        },
        Event::Call {
            frame: FrameId(0),
            function,
            globals: None,
            locals: None,
        },
        Event::Line { line: 2 },
    ];
    if passes {
        events.push(Event::Return { value: Value::None });
    } else {
        events.push(Event::Object {
            object,
            change: Change::New(Box::new(exception)),
        });
        events.push(Event::Raise {
            exception: raised.clone(),
        });
        events.push(Event::Unwind { exception: raised });
    }
    for event in events {
        writer.push(ThreadId(0), event).unwrap();
    }
    Some(writer)
}

fn finished(path: &Path, started: u64, exit_code: i32) {
    let writer = write(path, started, exit_code == 0).unwrap();
    writer
        .finish(&Summary {
            duration_ns: 3_900_000_000,
            exit_code: Some(exit_code),
            signal: None,
            notes: vec!["one thing".to_owned()],
            redacted: 7,
        })
        .unwrap();
}

#[test]
fn info_tells_programs_everything() {
    let workspace = Workspace::new();
    let path = workspace.path("orders-20261121-143200");
    finished(&path, 1_700_000_000, 1);
    let info = workspace.json(&["info", "orders", "--json"]);
    assert_eq!(info["id"], "orders-20261121-143200");
    assert_eq!(info["name"], "orders");
    assert_eq!(info["path"], path.to_str().unwrap());
    assert_eq!(info["events"], 6);
    assert_eq!(info["bytes"], fs::metadata(&path).unwrap().len());
    assert_eq!(info["duration_ns"], 3_900_000_000_u64);
    assert_eq!(info["complete"], true);
    assert_eq!(info["command"], serde_json::json!(["python3", "orders.py"]));
    assert_eq!(info["result"], "ValueError");
    assert_eq!(info["exit_code"], 1);
    assert_eq!(info["signal"], Json::Null);
    assert_eq!(info["python"], "3.12.1");
    assert_eq!(info["redacted"], 7);
    assert_eq!(info["notes"], serde_json::json!(["one thing"]));
    assert_eq!(info["git"]["branch"], "main");
    assert_eq!(
        info["exception"],
        serde_json::json!({
            "type": "ValueError",
            "message": "below zero",
            "position": 4,
            "source": "/shop/orders.py",
            "line": 2,
        })
    );
    let text = workspace.says(&["info"]);
    assert!(
        text.contains("raised    ValueError: below zero at /shop/orders.py:2\n"),
        "{text}"
    );
    assert!(
        text.contains("commit    4e1c9a7 on main, 2 files changed\n"),
        "{text}"
    );
}

#[test]
fn list_shows_the_newest_first_and_names_what_cannot_be_read() {
    let workspace = Workspace::new();
    assert!(workspace.says(&["list"]).starts_with("No recordings in "));
    assert_eq!(workspace.json(&["list", "--json"]), serde_json::json!([]));
    finished(&workspace.path("older-20260101-101010"), 1_700_000_000, 0);
    finished(&workspace.path("newer-20260101-101010"), 1_700_000_500, 1);
    let cut = write(&workspace.path("cut-20260101-101010"), 1_700_000_100, false);
    let mut cut = cut.unwrap();
    cut.flush().unwrap();
    drop(cut);
    fs::write(
        workspace.path("broken-20260101-101010"),
        "this is no recording",
    )
    .unwrap();
    let list = workspace.json(&["list", "--json"]);
    let rows: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("broken", "unreadable"),
            ("newer", "ValueError"),
            ("cut", "stopped early"),
            ("older", "passed"),
        ]
    );
    assert!(
        list[0]["unreadable"]
            .as_str()
            .unwrap()
            .contains("is not a Retrostep recording")
    );
    assert_eq!(list[2]["complete"], false);
    assert_eq!(list[2]["events"], 6);
    let table = workspace.says(&["list"]);
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(
        table
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("broken-20260101-101010  unreadable: ")
    );
}

#[test]
fn renaming_and_deleting_change_the_library_only() {
    let workspace = Workspace::new();
    finished(&workspace.path("orders-20261121-143200"), 1_700_000_000, 0);
    let renamed = workspace.says(&["rename", "last", "the bug"]);
    assert_eq!(
        renamed,
        ".retrostep/recordings/the-bug-20261121-143200.retro\n"
    );
    assert_eq!(
        workspace.json(&["info", "the-bug", "--json"])["name"],
        "the-bug"
    );
    let error = workspace.refuses(&["rename", "nothing", "x"], 1);
    assert!(
        error.contains("there is no recording \"nothing\""),
        "{error}"
    );
    let error = workspace.refuses(&["delete", "the-bug", "nothing"], 1);
    assert!(error.contains("\"nothing\""), "{error}");
    assert!(workspace.path("the-bug-20261121-143200").exists());
    let mine = workspace.folder.path().join("notes.txt");
    fs::write(&mine, "mine").unwrap();
    let error = workspace.refuses(&["delete", "notes.txt"], 1);
    assert!(error.contains("is not a recording"), "{error}");
    assert!(mine.exists());
    workspace.says(&["delete", "the-bug"]);
    assert!(!workspace.path("the-bug-20261121-143200").exists());
    let error = workspace.refuses(&["info"], 1);
    assert!(
        error.contains("\"retrostep record COMMAND\" makes one"),
        "{error}"
    );
}

#[test]
fn verify_finds_damage_and_tells_it_from_an_early_end() {
    let workspace = Workspace::new();
    let path = workspace.path("orders-20261121-143200");
    finished(&path, 1_700_000_000, 0);
    let report = workspace.json(&["verify", "orders", "--json"]);
    assert_eq!(report["intact"], true);
    assert_eq!(report["complete"], true);
    assert_eq!(report["events"], 4);
    assert!(
        workspace
            .says(&["verify"])
            .contains("is intact: 4 events in ")
    );
    let bytes = fs::read(&path).unwrap();
    let copy = workspace.path("damaged-20261121-143200");
    let mut found = 0;
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        fs::write(&copy, damaged).unwrap();
        let output = workspace.run(&["verify", "damaged"]);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "byte {at}: {output:?}"
        );
        found += u32::from(output.status.code() == Some(1));
    }
    assert!(found > 10, "{found}");
    let error = workspace.refuses(&["verify", "no-such-file.retro"], 1);
    assert!(error.contains("there is no recording"), "{error}");
}

#[test]
fn completions_know_the_commands() {
    let workspace = Workspace::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = workspace.says(&["completions", shell]);
        assert!(
            script.contains("retrostep") && script.contains("verify"),
            "{shell}"
        );
    }
}
