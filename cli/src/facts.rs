//! What is told of a recording: the same facts for people and for programs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retrostep_sessions::Entry;
use retrostep_sessions::words;
use retrostep_trace::{
    CancellationToken, Completeness, Direction, Event, Key, Position, Recording, ThreadId, Value,
};
use serde_json::{Map, Value as Json, json};

/// What is told of a recording.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) entry: Entry,
    pub(crate) recording: Recording,
    pub(crate) state: State,
    pub(crate) exception: Option<Exception>,
}

/// Whether a recording is all there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Complete,
    /// The program still runs.
    Running,
    /// The recorder was killed.
    EndsEarly,
    /// The sentence says what is missing.
    Damaged(String),
}

/// The last exception that nothing caught.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) type_name: String,
    pub(crate) message: Option<String>,
    pub(crate) position: Position,
    pub(crate) source: Option<(PathBuf, u32)>,
}

impl Facts {
    /// Reads the facts of the recording at `path`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Facts> {
        let recording = crate::open::open(path)?;
        let state = match recording.completeness() {
            Completeness::Complete => State::Complete,
            _ if retrostep_record_python::is_being_written(path) => State::Running,
            Completeness::Damaged(what) => State::Damaged(what),
            _ => State::EndsEarly,
        };
        let exception = uncaught(&recording);
        Ok(Facts {
            entry: Entry::of(path)?,
            recording,
            state,
            exception,
        })
    }

    pub(crate) fn events(&self) -> u64 {
        self.recording.end().0
    }

    pub(crate) fn started(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.recording.header().start_unix_ns)
    }

    pub(crate) fn duration(&self) -> Duration {
        let end = self.recording.end();
        let known = self.recording.summary().map(|summary| summary.duration_ns);
        Duration::from_nanos(known.unwrap_or_else(|| self.recording.time_ns(end).unwrap_or(0)))
    }

    /// The name for people: in the library that of the file, elsewhere the one it was recorded under.
    pub(crate) fn name(&self) -> &str {
        let recorded = &self.recording.header().name;
        if self.entry.id == self.entry.name && !recorded.is_empty() {
            recorded
        } else {
            &self.entry.name
        }
    }

    /// `3.12.1`.
    pub(crate) fn python(&self) -> &str {
        let language = &self.recording.header().language;
        language.strip_prefix("Python ").unwrap_or(language)
    }

    /// How the run ended, in a word or two.
    pub(crate) fn result(&self) -> String {
        match &self.state {
            State::Running => return "recording".to_owned(),
            State::EndsEarly => return "stopped early".to_owned(),
            State::Damaged(_) => return "damaged".to_owned(),
            State::Complete => {}
        }
        if let Some(signal) = self.recording.summary().and_then(|summary| summary.signal) {
            return format!("killed by {}", signal_name(signal));
        }
        let code = self
            .recording
            .summary()
            .and_then(|summary| summary.exit_code);
        match (code, &self.exception) {
            (Some(0), _) => "passed".to_owned(),
            (Some(1), Some(exception)) => exception.type_name.clone(),
            (Some(code), _) => format!("exit {code}"),
            (None, _) => "ended".to_owned(),
        }
    }

    /// Everything, for a program.
    pub(crate) fn json(&self) -> Json {
        let header = self.recording.header();
        let summary = self.recording.summary();
        let damage = match &self.state {
            State::Damaged(what) => Some(what.as_str()),
            _ => None,
        };
        let mut facts = Map::new();
        let mut put = |key: &str, value: Json| {
            if !value.is_null() {
                facts.insert(key.to_owned(), value);
            }
        };
        put("id", json!(self.entry.id));
        put("name", json!(self.name()));
        put("path", json!(absolute(&self.entry.path)));
        put("events", json!(self.events()));
        put("bytes", json!(self.recording.len_bytes()));
        put("duration_ns", json!(nanoseconds(self.duration())));
        put("complete", json!(self.state == State::Complete));
        put("running", json!(self.state == State::Running));
        put("damage", json!(damage));
        put("command", json!(header.command));
        put("working_directory", json!(header.working_directory));
        put("result", json!(self.result()));
        put(
            "exit_code",
            json!(summary.and_then(|summary| summary.exit_code)),
        );
        put("signal", json!(summary.and_then(|summary| summary.signal)));
        put(
            "exception",
            self.exception.as_ref().map_or(Json::Null, Exception::json),
        );
        put("started", json!(words::full_moment(self.started())));
        put("python", json!(self.python()));
        put("recorder_version", json!(header.recorder_version));
        put("host", json!(header.host));
        if !header.git_commit.is_empty() {
            put(
                "git",
                json!({
                    "commit": header.git_commit,
                    "branch": header.git_branch,
                    "changed_files": header.git_changed_files,
                }),
            );
        }
        put(
            "limits",
            json!({
                "max_string": header.max_string,
                "max_children": header.max_children,
                "depth": header.depth,
            }),
        );
        put("scope", json!(header.scope));
        put(
            "redacted",
            json!(summary.map_or(0, |summary| summary.redacted)),
        );
        put("redacted_names", json!(header.redacted_names));
        put(
            "notes",
            json!(summary.map_or(&[][..], |summary| &summary.notes)),
        );
        put("self_check", json!(header.self_check));
        Json::Object(facts)
    }
}

impl Exception {
    /// `ValueError: total below zero: -18.75`.
    pub(crate) fn text(&self) -> String {
        match &self.message {
            Some(message) if !message.is_empty() => format!("{}: {message}", self.type_name),
            _ => self.type_name.clone(),
        }
    }

    fn json(&self) -> Json {
        let mut facts = json!({ "type": self.type_name, "position": self.position.0 });
        if let Some(message) = &self.message {
            facts["message"] = json!(message);
        }
        if let Some((source, line)) = &self.source {
            facts["source"] = json!(source);
            facts["line"] = json!(line);
        }
        facts
    }
}

/// The last exception that nothing caught; what cannot be read of it stays out.
fn uncaught(recording: &Recording) -> Option<Exception> {
    let cancel = CancellationToken::new();
    let position = recording
        .find(Key::Uncaught, recording.end(), Direction::Backward, &cancel)
        .ok()??;
    let raised = recording.event(position).ok()??;
    let Event::Raise { exception } = raised.event else {
        return None;
    };
    let (type_name, message) = named(recording, &exception, position)?;
    Some(Exception {
        type_name,
        message,
        position,
        source: place(recording, raised.thread, position),
    })
}

fn named(
    recording: &Recording,
    exception: &Value,
    position: Position,
) -> Option<(String, Option<String>)> {
    let Value::Object(object) = exception else {
        return Some(("exception".to_owned(), None));
    };
    let (content, _) = recording.object(*object, position).ok()??;
    let ty = recording.type_of(content.type_id).ok()?;
    let message = content
        .text
        .as_ref()
        .map(|text| String::from_utf8_lossy(&text.kept).into_owned());
    Some((ty.qualified_name.to_string(), message))
}

fn place(recording: &Recording, thread: ThreadId, position: Position) -> Option<(PathBuf, u32)> {
    let stack = recording.stack(thread, position, 0, 1).ok()?;
    let frame = stack.first()?;
    let function = recording.function(frame.function).ok()?;
    let source = recording.source(function.source).ok()?;
    Some((PathBuf::from(&*source.path), frame.line))
}

pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}
