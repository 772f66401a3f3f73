//! Starting recordings on behalf of a client.
//!
//! The adapter never starts a process itself: it asks a [`Launcher`], which the command line implements
//! by running `retrostep record --report SOCKET …`, and which tests replace.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Starts recordings.
pub trait Launcher: Send + Sync {
    /// Starts a recording, or prepares one that a terminal of the client starts.
    ///
    /// Returns without waiting for the program. Everything that happens afterwards is told to `reports`,
    /// from any thread; [`Report::Finished`] or [`Report::Failed`] is the last one and always comes, also
    /// after [`RunningRecording::stop`] and when the program could not be run at all.
    ///
    /// # Errors
    ///
    /// What prevents the recording from being started, as a sentence for the user.
    fn start(
        &self,
        request: &RecordRequest,
        console: RecordConsole,
        reports: ReportSink,
    ) -> anyhow::Result<Started>;

    /// The recording that `name` means: the path of a file, or the name of a recording in the library of
    /// `folder` (the newest one if several have it).
    ///
    /// # Errors
    ///
    /// There is no such recording, as a sentence for the user.
    fn find_recording(
        &self,
        name: &str,
        folder: Option<&std::path::Path>,
    ) -> anyhow::Result<PathBuf>;
}

/// A recording that was started.
pub struct Started {
    /// The recording while it runs.
    pub recording: Box<dyn RunningRecording>,
    /// For [`RecordConsole::Terminal`]: what the client's terminal has to run.
    pub terminal_command: Option<TerminalCommand>,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started")
            .field("terminal_command", &self.terminal_command)
            .finish_non_exhaustive()
    }
}

/// A recording that runs. Dropping it leaves the program alone.
pub trait RunningRecording: Send {
    /// Ends the recorded program and the recording: politely first, and with force when the program does
    /// not end within a moment. Returns at once; does nothing when it is over already.
    fn stop(&mut self);
}

/// What is recorded, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRequest {
    /// What runs.
    pub target: RecordTarget,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its working directory; absent: the adapter's.
    pub cwd: Option<PathBuf>,
    /// Changes to its environment; an absent value removes the variable.
    pub env: BTreeMap<String, Option<String>>,
    /// The interpreter: a path or a name on PATH. Absent: the one a shell would find.
    pub python: Option<String>,
    /// Globs of code that is recorded besides.
    pub include: Vec<String>,
    /// Globs of code that is not recorded.
    pub exclude: Vec<String>,
    /// Names that are redacted besides the default ones.
    pub redact: Vec<String>,
    /// Where the recording stops growing, as `--max-size` takes it.
    pub max_size: Option<String>,
    /// The recording's file; absent: a new one in the library.
    pub out: Option<PathBuf>,
}

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordTarget {
    /// A script.
    Program(PathBuf),
    /// A module, as `python -m` takes it.
    Module(String),
}

/// Where the recorded program reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordConsole {
    /// It reads nothing; what it writes arrives as [`Report::Output`].
    Internal,
    /// A terminal of the client; what it writes is shown there, and reported nevertheless.
    Terminal,
}

/// A command for the client's terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalCommand {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// Changes to the terminal's environment; an absent value removes the variable.
    pub env: BTreeMap<String, Option<String>>,
}

/// Takes the reports of one recording, in order.
pub type ReportSink = Arc<dyn Fn(Report) + Send + Sync>;

/// What a recording tells while it runs: one JSON object a line on the report socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report {
    /// The program runs.
    Started {
        /// The recording's file.
        recording: PathBuf,
        /// The program's process id.
        pid: u32,
    },
    /// How far the recording is; several times a second.
    Progress {
        /// Events so far.
        events: u64,
        /// Bytes on disk so far.
        bytes: u64,
        /// Milliseconds since the start.
        elapsed_ms: u64,
    },
    /// The program wrote something.
    Output {
        /// Where to.
        stream: OutputStream,
        /// What.
        text: String,
        /// The position of the output event, when it was recorded.
        position: Option<u64>,
        /// The file whose code wrote it.
        source: Option<String>,
        /// The line that wrote it, 1-based.
        line: Option<u32>,
    },
    /// The program is over and the recording complete.
    Finished {
        /// The recording's file.
        recording: PathBuf,
        /// Events in it.
        events: u64,
        /// The program's exit code, when it exited by itself.
        exit_code: Option<i32>,
        /// The signal that ended the program.
        signal: Option<i32>,
        /// What could not be recorded. Sentences.
        notes: Vec<String>,
    },
    /// There is no recording.
    Failed {
        /// Why, and what to do, as a sentence for the user.
        message: String,
    },
}

/// A standard stream of the recorded program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_json_lines_named_by_event() {
        let line = r#"{"event":"output","stream":"stderr","text":"no\n","position":null,"source":"/a.py","line":3}"#;
        let report: Report = serde_json::from_str(line).unwrap();
        assert_eq!(
            report,
            Report::Output {
                stream: OutputStream::Stderr,
                text: "no\n".into(),
                position: None,
                source: Some("/a.py".into()),
                line: Some(3),
            }
        );
        assert_eq!(serde_json::to_string(&report).unwrap(), line);
    }
}
