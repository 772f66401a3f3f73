//! What is to be recorded, what is told meanwhile, and what came of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use retrostep_record_python_wire::{Access, Mode};
use retrostep_trace::Stream;

/// One program to run and record.
pub struct Job {
    /// The command line as the user wrote it: see [`crate::Launch::resolve`].
    pub command: Vec<OsString>,
    /// The interpreter for a script, `-m` or `-c`; a path or a name on `PATH`.
    pub python: Option<OsString>,
    /// The folder to run in, absolute.
    pub working_directory: PathBuf,
    /// Variables set for the program besides the ones of this process.
    pub environment: Vec<(OsString, OsString)>,
    /// The recording to write; a file that is there is replaced.
    pub recording: PathBuf,
    /// The recording's name for people.
    pub name: String,
    /// Which part of the program is recorded.
    pub mode: Mode,
    /// How the program's frames are read.
    pub access: Access,
    /// What is kept of large values.
    pub limits: Limits,
    /// The recording stops, and the program goes on, when the file has so many bytes.
    pub max_bytes: Option<u64>,
    /// Globs of code that is recorded besides the program's folder.
    pub include: Vec<String>,
    /// Globs of code that is not recorded.
    pub exclude: Vec<String>,
    /// Names whose values are redacted, added to [`crate::REDACTED_NAMES`].
    pub redact: Vec<String>,
    /// What becomes of the program's output.
    pub output: OutputMode,
    /// Looks up where the program comes from. Runs on a thread of its own while the program starts.
    pub origin: Box<dyn FnOnce() -> Origin + Send>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("command", &self.command)
            .field("recording", &self.recording)
            .finish_non_exhaustive()
    }
}

/// What becomes of the program's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// It goes where it would without the recorder.
    #[default]
    Untouched,
    /// It goes where it would, and [`Observer::output`] is told of what the recorder saw.
    Told,
    /// It goes to [`Observer::output`] alone, and the program has nothing to read.
    Captured,
}

/// What is kept of large values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in characters.
    pub max_string: u64,
    /// Most children of one container.
    pub max_children: u64,
    /// Deepest nesting at first sight.
    pub depth: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_string: 10_000,
            max_children: 100,
            depth: 8,
        }
    }
}

/// Where the program comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The git commit, hexadecimal, or empty.
    pub commit: String,
    /// The git branch, or empty.
    pub branch: String,
    /// How many tracked files differ from the commit.
    pub changed_files: u32,
}

/// Is told what happens while a program is recorded.
pub trait Observer {
    /// The program runs.
    fn started(&mut self, process_id: u32, recording: &Path) {
        let _ = (process_id, recording);
    }

    /// About four times a second while something is recorded.
    fn progress(&mut self, progress: Progress) {
        let _ = progress;
    }

    /// The program wrote something; see [`OutputMode`].
    fn output(&mut self, output: Output<'_>) {
        let _ = output;
    }

    /// Asked about a hundred times a second: what is to become of the program.
    fn wish(&mut self) -> Option<Wish> {
        None
    }
}

/// What is to become of a program that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is asked to end.
    End,
    /// It is ended.
    Kill,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Events recorded.
    pub events: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Time since the program was started.
    pub elapsed: Duration,
}

/// Something the program wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output<'a> {
    /// Where to.
    pub stream: Stream,
    /// What.
    pub bytes: &'a [u8],
    /// When, if the recorder saw it: a child process or a C library writes unseen.
    pub moment: Option<Moment>,
}

/// Where in the recording, and on which line, something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The position of the output event.
    pub position: u64,
    /// The source file and the line, 1-based, of the innermost recorded frame.
    pub source: Option<(PathBuf, u32)>,
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What came of a job whose program ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the program ended.
    pub ending: Ending,
    /// The recording, unless nothing was recorded.
    pub recorded: Option<Recorded>,
    /// A sentence for the user: why nothing was recorded, or why the recording ends before the program.
    pub problem: Option<String>,
}

/// A recording that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The file.
    pub path: PathBuf,
    /// Events in it.
    pub events: u64,
    /// Its size.
    pub bytes: u64,
    /// From the program's start to its end.
    pub duration: Duration,
    /// What could not be recorded. Sentences.
    pub notes: Vec<String>,
}

/// A number with a comma between thousands, for sentences.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
